#include <stdlib.h>
#include <string.h>

#include "common/sys/secret.h"
#include "common/base/str.h"

#include "bundle/seal/seal.h"

struct sealer {
    struct cobble_writer *body;
};

int sealer_new(const struct key *key, struct seal_header *header, seal_sink *sink, void *arg,
               struct sealer **ret, struct ct_err *err)
{
    unsigned char head[SEAL_HEADER_BYTES], *k;
    struct sealer *s;
    int rc;

    memcpy(header->key_id, key->id, KEY_ID_BYTES);
    seal_header_write(header, head);
    if (sink(arg, head, sizeof(head), err) != 0)
        return -1;
    s = str_calloc(1, sizeof(*s));
    k = secret_alloc(COBBLE_KEY);
    seal_key(key->mk, header->kind, k);
    rc = cobble_writer_new(k, NULL, head, sizeof(head), sink, arg, &s->body, err);
    secret_free(k);
    if (rc != 0) {
        free(s);
        return -1;
    }
    *ret = s;
    return 0;
}

int sealer_add(struct sealer *s, const void *p, size_t n, struct ct_err *err)
{
    return cobble_writer_add(s->body, p, n, err);
}

int sealer_pad(struct sealer *s, int64_t n, struct ct_err *err)
{
    static const unsigned char zeros[COBBLE_CHUNK];

    while (n > 0) {
        size_t part = n < COBBLE_CHUNK ? (size_t)n : COBBLE_CHUNK;
        if (cobble_writer_add(s->body, zeros, part, err) != 0)
            return -1;
        n -= (int64_t)part;
    }
    return 0;
}

int sealer_end(struct sealer *s, struct ct_err *err)
{
    return cobble_writer_end(s->body, err);
}

void sealer_free(struct sealer *s)
{
    if (s == NULL)
        return;
    cobble_writer_free(s->body);
    free(s);
}

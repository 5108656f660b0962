#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/hash.h"
#include "common/sys/secret.h"
#include "common/base/str.h"

#include "bundle/seal/seal.h"

struct unsealer {
    const struct keyring *ring;
    enum seal_kind kind;
    seal_sink *sink;
    void *arg;
    int has_object_id;
    unsigned char object_id[SEAL_OBJECT_ID_BYTES]; /* what was asked for */
    int64_t generation;                            /* the same; 0: any */

    unsigned char head[SEAL_HEADER_BYTES];
    size_t n;
    struct seal_header header;
    struct cobble_reader *body; /* once the header was read */
    int has_failed;
    struct ct_err err; /* why */
};

struct unsealer *unsealer_new(const struct keyring *ring, enum seal_kind kind, seal_sink *sink,
                              void *arg)
{
    struct unsealer *u = str_calloc(1, sizeof(*u));

    u->ring = ring;
    u->kind = kind;
    u->sink = sink;
    u->arg = arg;
    return u;
}

void unsealer_expect(struct unsealer *u, const unsigned char object_id[SEAL_OBJECT_ID_BYTES],
                     int64_t generation)
{
    u->has_object_id = object_id != NULL;
    if (object_id != NULL)
        memcpy(u->object_id, object_id, SEAL_OBJECT_ID_BYTES);
    u->generation = generation;
}

void unsealer_free(struct unsealer *u)
{
    if (u == NULL)
        return;
    cobble_reader_free(u->body);
    free(u);
}

const struct seal_header *unsealer_header(const struct unsealer *u)
{
    return u->body != NULL ? &u->header : NULL;
}

static int check(const struct unsealer *u, struct ct_err *err)
{
    if (u->header.kind != u->kind)
        return err_set(err, ERR_CORRUPT, "it is a sealed %s and should be a %s",
                       u->header.kind == SEAL_BUNDLE ? "bundle" : "description",
                       u->kind == SEAL_BUNDLE ? "bundle" : "description");
    if (u->has_object_id && memcmp(u->header.object_id, u->object_id, SEAL_OBJECT_ID_BYTES) != 0)
        return err_set(err, ERR_CORRUPT, "it is another sealed object than the one asked for");
    if (u->generation > 0 && u->header.generation != u->generation)
        return err_set(err, ERR_CORRUPT, "it is of generation %lld, and %lld was asked for",
                       (long long)u->header.generation, (long long)u->generation);
    return 0;
}

static int begin(struct unsealer *u, struct ct_err *err)
{
    const struct key *key;
    char hex[KEY_ID_HEX];
    unsigned char *k;

    if (seal_parse_header(u->head, u->n, &u->header, err) != 0 || check(u, err) != 0)
        return -1;
    key = keyring_find(u->ring, u->header.key_id);
    if (key == NULL) {
        hash_hex(u->header.key_id, KEY_ID_BYTES, hex);
        err_set(err, ERR_REFUSED, "sealed, key %s not on this device", hex);
        snprintf(err->reason, sizeof(err->reason), "%s", KEY_MISSING);
        return -1;
    }
    k = secret_alloc(COBBLE_KEY);
    seal_key(key->mk, u->kind, k);
    u->body = cobble_reader_new(k, u->head, sizeof(u->head), u->sink, u->arg);
    secret_free(k);
    return 0;
}

static int add(struct unsealer *u, const unsigned char *p, size_t n, struct ct_err *err)
{
    if (u->body == NULL && n > 0) {
        size_t room = SEAL_HEADER_BYTES - u->n, part = n < room ? n : room;
        memcpy(u->head + u->n, p, part);
        u->n += part;
        p += part;
        n -= part;
        if (u->n < SEAL_HEADER_BYTES)
            return 0;
        if (begin(u, err) != 0)
            return -1;
    }
    return n > 0 ? cobble_reader_add(u->body, p, n, err) : 0;
}

static int keep_failing(struct unsealer *u, int rc, struct ct_err *err)
{
    u->has_failed |= rc != 0;
    if (rc != 0 && err != NULL)
        *err = u->err;
    return rc;
}

int unsealer_add(struct unsealer *u, const void *p, size_t n, struct ct_err *err)
{
    return keep_failing(u, u->has_failed ? -1 : add(u, p, n, &u->err), err);
}

static int end(struct unsealer *u, struct ct_err *err)
{
    struct seal_header partial;

    if (u->body != NULL)
        return cobble_reader_end(u->body, err);
    seal_parse_header(u->head, u->n, &partial, err); /* it can't be whole */
    return -1;
}

int unsealer_end(struct unsealer *u, struct ct_err *err)
{
    return keep_failing(u, u->has_failed ? -1 : end(u, &u->err), err);
}

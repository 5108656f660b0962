#include <stdlib.h>
#include <string.h>

#include "bundle/seal/cobble_core.h"
#include "common/base/hash.h"
#include "common/sys/secret.h"
#include "common/base/str.h"

#include "bundle/seal/vault.h"

struct vault {
    unsigned char *key; /* in secret memory */
};

struct vault *vault_new(const struct key *key)
{
    struct vault *v;

    if (key == NULL)
        return NULL;
    v = str_calloc(1, sizeof(*v));
    v->key = secret_alloc(COBBLE_KEY);
    key_derive(key->mk, "codeteleport/1 cache", v->key, COBBLE_KEY);
    return v;
}

void vault_free(struct vault *v)
{
    if (v == NULL)
        return;
    secret_free(v->key);
    free(v);
}

size_t vault_size(size_t n)
{
    return (size_t)cobble_size((int64_t)n);
}

void vault_seal(const struct vault *v, const void *name, size_t name_n, const void *p, size_t n,
                unsigned char *out)
{
    const unsigned char *at = p;
    struct cobble *c;

    hash_random(out, COBBLE_SALT);
    c = cobble_new(v->key, out, name, name_n, 1);
    memcpy(out + COBBLE_SALT, cobble_commitment(c), COBBLE_COMMITMENT);
    out += COBBLE_HEAD;
    for (; n >= COBBLE_CHUNK; n -= COBBLE_CHUNK) {
        cobble_seal(c, at, COBBLE_CHUNK, out);
        at += COBBLE_CHUNK;
        out += COBBLE_SEALED;
    }
    cobble_seal(c, at, n, out);
    cobble_free(c);
}

static int64_t open_chunks(struct cobble *c, const unsigned char *at, size_t n, unsigned char *out)
{
    unsigned char *to = out;

    for (; n >= COBBLE_SEALED; n -= COBBLE_SEALED) {
        if (cobble_open(c, at, COBBLE_SEALED, to) != 0)
            return -1;
        at += COBBLE_SEALED;
        to += COBBLE_CHUNK;
    }
    if (n < COBBLE_TAG || cobble_open(c, at, n, to) != 0)
        return -1;
    return to - out + (int64_t)(n - COBBLE_TAG);
}

int64_t vault_open(const struct vault *v, const void *name, size_t name_n, const void *p, size_t n,
                   unsigned char *out)
{
    const unsigned char *at = p;
    struct cobble *c;
    int64_t plain = -1;

    if (n < COBBLE_HEAD + COBBLE_TAG)
        return -1;
    c = cobble_new(v->key, at, name, name_n, 0);
    if (hash_equal(cobble_commitment(c), at + COBBLE_SALT, COBBLE_COMMITMENT))
        plain = open_chunks(c, at + COBBLE_HEAD, n - COBBLE_HEAD, out);
    cobble_free(c);
    return plain;
}

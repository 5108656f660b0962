#include <stdlib.h>
#include <string.h>

#include "common/data/bech32.h"
#include "common/base/hash.h"
#include "common/data/hkdf.h"
#include "common/base/map.h"
#include "common/sys/secret.h"
#include "common/base/str.h"

#include "common/config/keyring.h"

#define HUMAN_PART "ctkey"

struct keyring {
    struct key *v[KEYRING_MAX]; /* each for itself, for callers hold on to them */
    size_t n;
    struct map *retired; /* their ids */
    struct map *vouched; /* digests of what they had sealed before */
};

struct keyring *keyring_new(void)
{
    struct keyring *r = str_calloc(1, sizeof(struct keyring));

    r->retired = map_new();
    r->vouched = map_new();
    return r;
}

void keyring_free(struct keyring *r)
{
    if (r == NULL)
        return;
    for (size_t i = 0; i < r->n; i++) {
        secret_free((void *)(uintptr_t)r->v[i]->mk);
        free(r->v[i]);
    }
    map_free(r->retired);
    map_free(r->vouched);
    free(r);
}

void keyring_retire(struct keyring *r, const char *id_hex)
{
    map_put(r->retired, id_hex, r);
}

void keyring_vouch(struct keyring *r, const char *digest)
{
    map_put(r->vouched, digest, r);
}

int keyring_is_retired(const struct keyring *r, const char *id_hex)
{
    return r != NULL && map_get(r->retired, id_hex) != NULL;
}

int keyring_vouches(const struct keyring *r, const char *id_hex, const char *digest)
{
    return !keyring_is_retired(r, id_hex) || map_get(r->vouched, digest) != NULL;
}

size_t keyring_n_retired(const struct keyring *r)
{
    return r != NULL ? map_size(r->retired) : 0;
}

size_t keyring_n_vouched(const struct keyring *r)
{
    return r != NULL ? map_size(r->vouched) : 0;
}

void key_derive(const unsigned char mk[KEY_BYTES], const char *info, void *out, size_t n)
{
    hkdf_expand_sha512(mk, KEY_BYTES, info, strlen(info), out, n);
}

const struct key *keyring_add(struct keyring *r, const unsigned char mk[KEY_BYTES],
                              int64_t created_ms, int is_first)
{
    unsigned char id[KEY_ID_BYTES], *copy;
    const struct key *known;
    struct key *k;

    key_derive(mk, "codeteleport/1 key-id", id, sizeof(id));
    known = keyring_find(r, id);
    if (known != NULL)
        return known;
    if (r->n == KEYRING_MAX)
        return NULL;
    copy = secret_alloc(KEY_BYTES);
    memcpy(copy, mk, KEY_BYTES);
    k = str_calloc(1, sizeof(*k));
    k->mk = copy;
    k->created_ms = created_ms;
    memcpy(k->id, id, sizeof(id));
    hash_hex(id, sizeof(id), k->id_hex);
    if (is_first)
        memmove(r->v + 1, r->v, r->n * sizeof(struct key *));
    r->v[is_first ? 0 : r->n] = k;
    r->n++;
    return k;
}

const struct key *keyring_generate(struct keyring *r, int64_t now_ms)
{
    unsigned char *mk = secret_alloc(KEY_BYTES);
    const struct key *k;

    hash_random(mk, KEY_BYTES);
    k = keyring_add(r, mk, now_ms, 0);
    secret_free(mk);
    return k;
}

size_t keyring_n(const struct keyring *r)
{
    return r != NULL ? r->n : 0;
}

const struct key *keyring_at(const struct keyring *r, size_t i)
{
    return i < keyring_n(r) ? r->v[i] : NULL;
}

const struct key *keyring_first(const struct keyring *r)
{
    return keyring_at(r, 0);
}

const struct key *keyring_current(const struct keyring *r)
{
    return keyring_n(r) > 0 ? r->v[r->n - 1] : NULL;
}

const struct key *keyring_find(const struct keyring *r, const unsigned char id[KEY_ID_BYTES])
{
    for (size_t i = 0; i < keyring_n(r); i++) {
        if (memcmp(r->v[i]->id, id, KEY_ID_BYTES) == 0)
            return r->v[i];
    }
    return NULL;
}

void key_text(const struct key *key, char ret[KEY_TEXT_SIZE])
{
    char *text = secret_alloc(BECH32_TEXT_MAX + 1);

    bech32_encode(HUMAN_PART, key->mk, KEY_BYTES, text);
    memcpy(ret, text, strlen(text) + 1);
    secret_free(text);
}

int key_parse(const char *text, unsigned char ret[KEY_BYTES], struct ct_err *err)
{
    if (bech32_decode(text, HUMAN_PART, ret, KEY_BYTES, err) == 0)
        return 0;
    if (err != NULL)
        err_prefix(err, "that is no key");
    return -1;
}

int keyring_add_text(struct keyring *r, const char *text, int64_t created_ms,
                     const struct key **ret, struct ct_err *err)
{
    unsigned char *mk = secret_alloc(KEY_BYTES);
    int rc = key_parse(text, mk, err);

    if (rc == 0) {
        *ret = keyring_add(r, mk, created_ms, 0);
        if (*ret == NULL)
            rc = err_set(err, ERR_REFUSED, "there are more than %d keys", KEYRING_MAX);
    }
    secret_free(mk);
    return rc;
}

void key_opaque_id(const struct key *key, const char *session_id, char ret[UUID_SIZE])
{
    unsigned char mac[HASH_SHA256_BYTES], *ids = secret_alloc(KEY_BYTES);

    key_derive(key->mk, "codeteleport/1 ids", ids, KEY_BYTES);
    hash_hmac_sha256(ids, KEY_BYTES, session_id, strlen(session_id), mac);
    secret_free(ids);
    uuid_format(mac, 8, ret);
}

int keyring_opaque_id(const struct keyring *r, const char *session_id, char ret[UUID_SIZE])
{
    const struct key *first = keyring_first(r);

    if (first == NULL)
        return -1;
    key_opaque_id(first, session_id, ret);
    return 0;
}

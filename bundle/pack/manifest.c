#include <stdlib.h>
#include <string.h>

#include "common/base/str.h"

#include "bundle/pack/manifest.h"

#define NAME_BYTES 16 /* of the hash of a name */
#define ENTRY_BYTES (NAME_BYTES + sizeof(int64_t) + HASH_SHA256_BYTES)

struct entry {
    unsigned char name[NAME_BYTES];
    int64_t length;
    unsigned char digest[HASH_SHA256_BYTES];
    int is_met;
};

struct manifest {
    struct entry *entries; /* sorted by the hash of their names */
    size_t n;
};

static void hash_name(const char *entry, unsigned char ret[NAME_BYTES])
{
    unsigned char d[HASH_SHA256_BYTES];

    hash_sha256(entry, strlen(entry), d);
    memcpy(ret, d, NAME_BYTES);
}

void manifest_add(struct buf *ret, const char *entry, int64_t length,
                  const unsigned char digest[HASH_SHA256_BYTES])
{
    unsigned char name[NAME_BYTES];

    hash_name(entry, name);
    buf_add(ret, name, sizeof(name));
    buf_add(ret, &length, sizeof(length));
    buf_add(ret, digest, HASH_SHA256_BYTES);
}

static int by_name(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;

    return memcmp(x->name, y->name, NAME_BYTES);
}

struct manifest *manifest_load(const void *p, size_t n)
{
    const unsigned char *at = p;
    struct manifest *m;

    if (n == 0 || n % ENTRY_BYTES != 0)
        return NULL;
    m = str_calloc(1, sizeof(*m));
    m->n = n / ENTRY_BYTES;
    m->entries = str_calloc(m->n, sizeof(*m->entries));
    for (size_t i = 0; i < m->n; i++) {
        struct entry *e = &m->entries[i];
        memcpy(e->name, at, NAME_BYTES);
        memcpy(&e->length, at + NAME_BYTES, sizeof(e->length));
        memcpy(e->digest, at + NAME_BYTES + sizeof(e->length), HASH_SHA256_BYTES);
        at += ENTRY_BYTES;
    }
    qsort(m->entries, m->n, sizeof(*m->entries), by_name);
    return m;
}

void manifest_free(struct manifest *m)
{
    if (m == NULL)
        return;
    free(m->entries);
    free(m);
}

static struct entry *find(const struct manifest *m, const char *entry)
{
    struct entry key;

    if (m == NULL)
        return NULL;
    hash_name(entry, key.name);
    return bsearch(&key, m->entries, m->n, sizeof(key), by_name);
}

int64_t manifest_length(const struct manifest *m, const char *entry)
{
    const struct entry *e = find(m, entry);

    return e != NULL ? e->length : -1;
}

int manifest_has(const struct manifest *m, const char *entry, int64_t length,
                 const unsigned char digest[HASH_SHA256_BYTES])
{
    const struct entry *e = find(m, entry);

    return e != NULL && e->length == length && memcmp(e->digest, digest, HASH_SHA256_BYTES) == 0;
}

void manifest_meet(struct manifest *m, const char *entry,
                   const unsigned char digest[HASH_SHA256_BYTES])
{
    struct entry *e = find(m, entry);

    if (e != NULL)
        e->is_met =
            e->length == 0 || (digest != NULL && memcmp(e->digest, digest, HASH_SHA256_BYTES) == 0);
}

int manifest_is_met(const struct manifest *m)
{
    if (m == NULL)
        return 0;
    for (size_t i = 0; i < m->n; i++) {
        if (!m->entries[i].is_met)
            return 0;
    }
    return 1;
}

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/hash.h"
#include "common/base/str.h"

#include "agents/seen.h"

/* Open addressing; 0 marks an empty slot, so a hash of 0 is taken for 1. */
struct seen {
    uint64_t *slot;
    size_t size; /* a power of two, or 0 */
    size_t count;
};

struct seen *seen_new(void)
{
    return str_calloc(1, sizeof(struct seen));
}

void seen_free(struct seen *s)
{
    if (s == NULL)
        return;
    free(s->slot);
    free(s);
}

size_t seen_count(const struct seen *s)
{
    return s->count;
}

static int put(struct seen *s, uint64_t h)
{
    size_t i = (size_t)h & (s->size - 1);

    while (s->slot[i] != 0) {
        if (s->slot[i] == h)
            return 0;
        i = (i + 1) & (s->size - 1);
    }
    s->slot[i] = h;
    s->count++;
    return 1;
}

static void grow(struct seen *s, size_t size)
{
    uint64_t *old = s->slot;
    size_t old_size = s->size;

    s->slot = str_calloc(size, sizeof(*s->slot));
    s->size = size;
    s->count = 0;
    for (size_t i = 0; i < old_size; i++) {
        if (old[i] != 0)
            put(s, old[i]);
    }
    free(old);
}

static uint64_t hash_of(const void *p, size_t n)
{
    unsigned char d[HASH_SHA256_BYTES];
    uint64_t h;

    hash_sha256(p, n, d);
    memcpy(&h, d, sizeof(h));
    return h == 0 ? 1 : h;
}

int seen_add(struct seen *s, const void *p, size_t n)
{
    uint64_t h = hash_of(p, n);

    if (s->count >= s->size / 4 * 3)
        grow(s, s->size == 0 ? 16 : s->size * 2);
    return put(s, h);
}

static int has(const struct seen *s, uint64_t h)
{
    size_t i = (size_t)h & (s->size - 1);

    while (s->slot[i] != 0) {
        if (s->slot[i] == h)
            return 1;
        i = (i + 1) & (s->size - 1);
    }
    return 0;
}

int seen_has(const struct seen *s, const void *p, size_t n)
{
    return s->size > 0 && has(s, hash_of(p, n));
}

size_t seen_shared(const struct seen *a, const struct seen *b)
{
    size_t n = 0;

    for (size_t i = 0; b->size > 0 && i < a->size; i++)
        n += a->slot[i] != 0 && has(b, a->slot[i]);
    return n;
}

void seen_save(const struct seen *s, struct buf *ret)
{
    uint64_t count = s->count;

    buf_add(ret, &count, sizeof(count));
    for (size_t i = 0; i < s->size; i++) {
        if (s->slot[i] != 0)
            buf_add(ret, &s->slot[i], sizeof(s->slot[i]));
    }
}

struct seen *seen_load(const char *p, size_t n, size_t *ret_used)
{
    struct seen *s;
    uint64_t count, h;
    size_t size = 16;

    if (n < sizeof(count))
        return NULL;
    memcpy(&count, p, sizeof(count));
    if (count > (n - sizeof(count)) / sizeof(h))
        return NULL;
    while (size / 4 * 3 <= count)
        size *= 2;
    s = seen_new();
    grow(s, size);
    for (uint64_t i = 0; i < count; i++) {
        memcpy(&h, p + sizeof(count) + i * sizeof(h), sizeof(h));
        if (h == 0 || !put(s, h)) {
            seen_free(s);
            return NULL;
        }
    }
    *ret_used = sizeof(count) + (size_t)count * sizeof(h);
    return s;
}

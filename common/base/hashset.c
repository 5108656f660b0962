#include <stdlib.h>

#include "common/base/str.h"

#include "common/base/hashset.h"

#define LEAST 64

/* FNV-1a; slot_of() stirs the high bits in. */
uint64_t hashset_mix(uint64_t h, const void *p, size_t n)
{
    const unsigned char *b = p;

    for (size_t i = 0; i < n; i++)
        h = (h ^ b[i]) * 0x100000001b3ULL;
    return h;
}

static size_t slot_of(const struct hashset *t, uint64_t hash)
{
    hash *= 0x9e3779b97f4a7c15ULL;
    return (size_t)(hash >> 32) & (t->cap - 1);
}

void *hashset_find(const struct hashset *t, uint64_t hash,
                   int (*is_it)(const void *item, const void *key), const void *key)
{
    if (t->n == 0)
        return NULL;
    for (size_t i = slot_of(t, hash); t->slots[i] != NULL; i = (i + 1) & (t->cap - 1)) {
        if (is_it(t->slots[i], key))
            return t->slots[i];
    }
    return NULL;
}

static void put(struct hashset *t, void *item)
{
    size_t i = slot_of(t, t->hash(t, item));

    while (t->slots[i] != NULL)
        i = (i + 1) & (t->cap - 1);
    t->slots[i] = item;
}

static void resize(struct hashset *t, size_t cap)
{
    void **old = t->slots;
    size_t n_old = t->cap;

    t->slots = str_calloc(cap, sizeof(*t->slots));
    t->cap = cap;
    for (size_t i = 0; i < n_old; i++) {
        if (old[i] != NULL)
            put(t, old[i]);
    }
    free(old);
}

void hashset_add(struct hashset *t, void *item)
{
    if ((t->n + 1) * 4 > t->cap * 3)
        resize(t, t->cap == 0 ? LEAST : 2 * t->cap);
    put(t, item);
    t->n++;
}

void hashset_del(struct hashset *t, const void *item)
{
    size_t hole, i, mask = t->cap - 1;

    if (t->n == 0)
        return;
    for (i = slot_of(t, t->hash(t, item)); t->slots[i] != item; i = (i + 1) & mask) {
        if (t->slots[i] == NULL)
            return;
    }
    /* Those behind it move up where they are still to be found, so that no tombstone stays. */
    hole = i;
    for (i = (hole + 1) & mask; t->slots[i] != NULL; i = (i + 1) & mask) {
        size_t home = slot_of(t, t->hash(t, t->slots[i]));
        if (((i - home) & mask) < ((i - hole) & mask))
            continue;
        t->slots[hole] = t->slots[i];
        hole = i;
    }
    t->slots[hole] = NULL;
    t->n--;
    if (t->cap > LEAST && t->n * 8 < t->cap)
        resize(t, t->cap / 2);
}

void hashset_free(struct hashset *t)
{
    free(t->slots);
    t->slots = NULL;
    t->n = t->cap = 0;
}

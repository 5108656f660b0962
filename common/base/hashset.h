#ifndef COMMON_BASE_HASHSET_H
#define COMMON_BASE_HASHSET_H

#include <stddef.h>
#include <stdint.h>

/*
 * A compact hash set of borrowed pointers: eight bytes a slot, the keys lie in the items.  Set
 * ${hash} and, for names from outside, a ${seed}; all else zeroed is empty.  Growing never fails.
 */
struct hashset {
    uint64_t (*hash)(const struct hashset *t, const void *item);
    uint64_t seed;
    void **slots;
    size_t n;
    size_t cap; /* a power of two, or 0 */
};

/**
 * hashset_mix(h, p, n):
 * Return ${h} mixed with ${n} bytes at ${p}; begin with the seed.
 */
uint64_t hashset_mix(uint64_t h, const void *p, size_t n);

/**
 * hashset_find(t, hash, is_it, key):
 * Return the item with ${hash} for which ${is_it} says yes, or NULL.
 */
void *hashset_find(const struct hashset *t, uint64_t hash,
                   int (*is_it)(const void *item, const void *key), const void *key);

/**
 * hashset_add(t, item):
 * Add ${item}, which is not in yet.
 */
void hashset_add(struct hashset *t, void *item);

/**
 * hashset_del(t, item):
 * Take ${item} out, if it is in.  Its key must still be what it was.
 */
void hashset_del(struct hashset *t, const void *item);

/**
 * hashset_free(t):
 * Release the slots; the table is empty then.
 */
void hashset_free(struct hashset *t);

#endif

#ifndef WATCHER_TABLE_H
#define WATCHER_TABLE_H

#include <stddef.h>
#include <stdint.h>

/*
 * A compact hash set of borrowed pointers: eight bytes a slot, the keys lie in the items.  Set
 * ${hash} and, for names from outside, a ${seed}; all else zeroed is empty.  Growing never fails.
 */
struct table {
    uint64_t (*hash)(const struct table *t, const void *item);
    uint64_t seed;
    void **slots;
    size_t n;
    size_t cap; /* a power of two, or 0 */
};

/**
 * table_mix(h, p, n):
 * Return ${h} mixed with ${n} bytes at ${p}; begin with the seed.
 */
uint64_t table_mix(uint64_t h, const void *p, size_t n);

/**
 * table_find(t, hash, is_it, key):
 * Return the item with ${hash} for which ${is_it} says yes, or NULL.
 */
void *table_find(const struct table *t, uint64_t hash,
                 int (*is_it)(const void *item, const void *key), const void *key);

/**
 * table_add(t, item):
 * Add ${item}, which is not in yet.
 */
void table_add(struct table *t, void *item);

/**
 * table_del(t, item):
 * Take ${item} out, if it is in.  Its key must still be what it was.
 */
void table_del(struct table *t, const void *item);

/**
 * table_free(t):
 * Release the slots; the table is empty then.
 */
void table_free(struct table *t);

#endif

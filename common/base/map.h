#ifndef COMMON_BASE_MAP_H
#define COMMON_BASE_MAP_H

#include <stddef.h>

/*
 * A hash map from strings to pointers.  It copies the keys and borrows the values.  Growing never
 * fails.
 */
struct map;

struct map *map_new(void);

/**
 * map_free(m):
 * Free the map, not the values; NULL is harmless.
 */
void map_free(struct map *m);

/**
 * map_free_all(m):
 * Free the map and its values, each of which came from malloc(); NULL is harmless.
 */
void map_free_all(struct map *m);

/**
 * map_get(m, key):
 * Return the value, or NULL.
 */
void *map_get(const struct map *m, const char *key);

/**
 * map_put(m, key, value):
 * Set the value (not NULL).
 */
void map_put(struct map *m, const char *key, void *value);

/**
 * map_remove(m, key):
 * Take the key out and return its value, or NULL.
 */
void *map_remove(struct map *m, const char *key);

/**
 * map_size(m):
 * Return how many keys there are.
 */
size_t map_size(const struct map *m);

/**
 * map_each(m, f, arg):
 * Call ${f} for each value, in no order, until it returns non-zero; return that.  ${f} may remove
 * the key that it was called for, and must not change the map otherwise.
 */
int map_each(const struct map *m, int (*f)(void *arg, const char *key, void *value), void *arg);

#endif

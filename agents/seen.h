#ifndef AGENTS_SEEN_H
#define AGENTS_SEEN_H

#include <stddef.h>

#include "common/base/buf.h"

/*
 * A set of strings of which only 64 bits of their SHA-256 are kept: eight to sixteen bytes for
 * each, whatever its length.  (A million of them meet by chance once in thirty million
 * transcripts.)
 */
struct seen;

struct seen *seen_new(void);
void seen_free(struct seen *s);

/**
 * seen_add(s, p, n):
 * Put ${n} bytes into the set.  Return 1 if they were not in it, else 0.
 */
int seen_add(struct seen *s, const void *p, size_t n);

/**
 * seen_count(s):
 * Return how many there are.
 */
size_t seen_count(const struct seen *s);

/**
 * seen_has(s, p, n):
 * Return whether ${n} bytes are in the set.
 */
int seen_has(const struct seen *s, const void *p, size_t n);

/**
 * seen_shared(a, b):
 * Return how many are in both.
 */
size_t seen_shared(const struct seen *a, const struct seen *b);

/**
 * seen_save(s, ret), seen_load(p, n, ret_used):
 * Append the set to ${ret}; make a set of what stands at ${p} and say how long that was.  NULL if
 * it is no such thing.
 */
void seen_save(const struct seen *s, struct buf *ret);
struct seen *seen_load(const char *p, size_t n, size_t *ret_used);

#endif

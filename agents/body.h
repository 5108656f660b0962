#ifndef AGENTS_BODY_H
#define AGENTS_BODY_H

#include <stddef.h>

#include "common/base/hash.h"

/*
 * What a record says, as a digest that is the same on every machine: pieces of JSON text as they
 * are spelled, but for the absolute paths in them, for these are moved when a session is installed
 * elsewhere.  A path begins with a slash that follows no word, and ends where a word does.  What
 * differs in nothing else is taken for the same; what can't be told to be a path is not: then two
 * that are the same have two digests, which is the safe side.
 */
struct body;

struct body *body_new(void);
void body_free(struct body *b);

/**
 * body_begin(b, name):
 * What is fed from here on, until the next body_begin(), is a value called ${name}.
 */
void body_begin(struct body *b, const char *name);

/**
 * body_feed(b, p, n):
 * Take the next ${n} bytes of it.
 */
void body_feed(struct body *b, const char *p, size_t n);

/**
 * body_final(b, ret), body_clear(b):
 * Return the digest of all since the last one, and begin anew; begin anew.
 */
void body_final(struct body *b, unsigned char ret[HASH_SHA256_BYTES]);
void body_clear(struct body *b);

#endif

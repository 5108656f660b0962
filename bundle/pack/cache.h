#ifndef BUNDLE_PACK_CACHE_H
#define BUNDLE_PACK_CACHE_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/hash.h"
#include "common/config/keyring.h"

/*
 * Compressed blocks of one session, kept from one bundle to the next and found by the SHA-256 of
 * what is in them, and the state of the metadata scan.  Two files: <id>.blocks only grows at its
 * end, <id>.index says what of it counts and is replaced by rename.  It is only a cache: whatever
 * is missing, damaged or from another build is dropped and made anew, and no failure here is an
 * error.
 *
 * With a key both are sealed (vault.h).  All caches of a folder are of one key, or of none: what is
 * of another is removed as soon as the folder is used.
 */
struct cache;

/**
 * cache_open(dir, limit_bytes, session_id, key):
 * Open the session's cache in the folder ${dir} (made, 0700, when needed); all sessions together
 * may hold ${limit_bytes}.  ${key} seals it; NULL: in clear.  NULL if that can't be: then there is
 * no cache.
 */
struct cache *cache_open(const char *dir, int64_t limit_bytes, const char *session_id,
                         const struct key *key);

/**
 * cache_settle(dir, key):
 * Remove all caches in ${dir} if they are not of ${key} (NULL: in clear).
 */
void cache_settle(const char *dir, const struct key *key);

/**
 * cache_close(c, is_complete):
 * Publish what was added and free ${c} (NULL is harmless).  ${is_complete}: everything that is
 * still of use has been asked for, so that the rest can go when it has become the larger part.  If
 * all sessions together hold too much, the least recently used go.
 */
void cache_close(struct cache *c, int is_complete);

/**
 * cache_has(c, digest):
 * Return whether a member is kept for the block with that SHA-256.  ${c} may be NULL here and
 * below.
 */
int cache_has(struct cache *c, const unsigned char digest[HASH_SHA256_BYTES]);

/**
 * cache_get(c, digest, out, size):
 * Read the member into ${out} of ${size} bytes, check it and return its length, or 0 if it is not
 * there or damaged.
 */
size_t cache_get(struct cache *c, const unsigned char digest[HASH_SHA256_BYTES], void *out,
                 size_t size);

/**
 * cache_put(c, digest, member, n):
 * Keep a member, if there is room.
 */
void cache_put(struct cache *c, const unsigned char digest[HASH_SHA256_BYTES], const void *member,
               size_t n);

/**
 * cache_scan(c, ret_blocks, ret_digest):
 * Return the saved scan state, borrowed, with the number of complete blocks of the transcript that
 * it has seen and the SHA-256 over their digests; NULL if there is none.
 */
const struct buf *cache_scan(const struct cache *c, int64_t *ret_blocks,
                             unsigned char ret_digest[HASH_SHA256_BYTES]);

/**
 * cache_set_scan(c, blocks, digest, state):
 * Keep another one instead; takes what is in ${state}.
 */
void cache_set_scan(struct cache *c, int64_t blocks, const unsigned char digest[HASH_SHA256_BYTES],
                    struct buf *state);

#endif

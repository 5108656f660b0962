#ifndef BUNDLE_PACK_CACHE_INDEX_H
#define BUNDLE_PACK_CACHE_INDEX_H

#include <stddef.h>
#include <stdint.h>

#include "bundle/seal/vault.h"
#include "common/base/buf.h"
#include "common/base/hash.h"

/*
 * The index of a session's block cache, in memory and as a file with its own SHA-256 at the end.
 */
struct cache_entry {
    unsigned char digest[HASH_SHA256_BYTES]; /* of the raw block */
    int64_t offset;                          /* of the member in the blocks file */
    uint32_t bytes;                          /* its length; 0: dropped */
    uint32_t crc;                            /* CRC-32 of the member; sealed: 0 */
    uint32_t is_used;                        /* asked for since the cache was opened */
    uint32_t unused;
};

struct cache_index {
    unsigned char generation[16];
    struct cache_entry *entries;
    size_t n, cap;
    int64_t scan_blocks;
    unsigned char scan_digest[HASH_SHA256_BYTES];
    struct buf scan_state;
};

/**
 * cache_index_add(x):
 * Append an empty entry and return it; valid until the next one.
 */
struct cache_entry *cache_index_add(struct cache_index *x);

/**
 * cache_index_free(x):
 * Empty it.
 */
void cache_index_free(struct cache_index *x);

/**
 * cache_index_read(path, vault, ret), cache_index_write(path, vault, x):
 * Read the file into the empty index ${ret} or put another in its place, sealed unless ${vault} is
 * NULL.  Return 0, or -1 if it is absent, damaged, from another build or not sealed so; if it can't
 * be written.
 */
int cache_index_read(const char *path, const struct vault *vault, struct cache_index *ret);
int cache_index_write(const char *path, const struct vault *vault, const struct cache_index *x);

/**
 * cache_index_touch(path):
 * Note that it was used now.
 */
void cache_index_touch(const char *path);

#endif

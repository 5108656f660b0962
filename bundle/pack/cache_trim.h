#ifndef BUNDLE_PACK_CACHE_TRIM_H
#define BUNDLE_PACK_CACHE_TRIM_H

#include <stdint.h>

/**
 * cache_trim_account(dir, change_bytes, limit_bytes):
 * The cache in ${dir} grew by ${change_bytes}.  A file there keeps the sum, so that the folder is
 * gone through only when the sum passes ${limit_bytes}: then the sessions whose index is the oldest
 * go, until nine tenths of the limit are left.
 */
void cache_trim_account(const char *dir, int64_t change_bytes, int64_t limit_bytes);

/**
 * cache_trim_forget(dir, session_id):
 * Remove the session's cache from ${dir}.
 */
void cache_trim_forget(const char *dir, const char *session_id);

/**
 * cache_trim_all(dir):
 * Remove everything in the cache in ${dir}.  Return how many bytes that was.
 */
int64_t cache_trim_all(const char *dir);

#endif

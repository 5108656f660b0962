#ifndef BUNDLE_PACK_MANIFEST_H
#define BUNDLE_PACK_MANIFEST_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/hash.h"

/*
 * What a bundle held: of each entry (but meta.json) its name, as a hash, its length and its digest.
 * So that a later bundle can be asked whether it contains all of that: each entry, or one that
 * begins with it to the byte.
 */
struct manifest;

/**
 * manifest_add(ret, entry, length, digest):
 * Append one entry to a manifest that is being written down.
 */
void manifest_add(struct buf *ret, const char *entry, int64_t length,
                  const unsigned char digest[HASH_SHA256_BYTES]);

/**
 * manifest_load(p, n):
 * Take up one that was written down.  NULL if it is none; manifest_free(NULL) is harmless.
 */
struct manifest *manifest_load(const void *p, size_t n);
void manifest_free(struct manifest *m);

/**
 * manifest_length(m, entry):
 * Return how long ${entry} was, or -1 if there was none (or ${m} is NULL).
 */
int64_t manifest_length(const struct manifest *m, const char *entry);

/**
 * manifest_has(m, entry, length, digest):
 * Return whether it held just that as ${entry}.  Not if ${m} is NULL.
 */
int manifest_has(const struct manifest *m, const char *entry, int64_t length,
                 const unsigned char digest[HASH_SHA256_BYTES]);

/**
 * manifest_meet(m, entry, digest):
 * The first bytes of the new ${entry}, as many as it had then, have this digest; NULL: there were
 * none.
 */
void manifest_meet(struct manifest *m, const char *entry,
                   const unsigned char digest[HASH_SHA256_BYTES]);

/**
 * manifest_is_met(m):
 * Return whether all of them have been met: what it stands for is contained.  Not if ${m} is NULL.
 */
int manifest_is_met(const struct manifest *m);

#endif

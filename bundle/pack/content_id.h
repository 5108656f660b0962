#ifndef BUNDLE_PACK_CONTENT_ID_H
#define BUNDLE_PACK_CONTENT_ID_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/hash.h"

/*
 * The content id of files that are read one after another, in any order: SHA-256 over their names,
 * lengths and digests, sorted by name; a file's digest is the SHA-256 over those of its blocks of
 * CONTENT_BLOCK.  meta.json does not belong to it.
 */
struct content_id;

struct content_id *content_id_new(void);
void content_id_free(struct content_id *c);

/**
 * content_id_mix(h, entry, length, digest):
 * Add one file to a digest that becomes a content id, for whoever has them sorted already.
 */
void content_id_mix(struct hash *h, const char *entry, int64_t length,
                    const unsigned char digest[HASH_SHA256_BYTES]);

/**
 * content_id_begin(c, entry), content_id_feed(c, p, n):
 * The next file, by its name in the bundle; the next ${n} bytes of it.
 */
void content_id_begin(struct content_id *c, const char *entry);
void content_id_feed(struct content_id *c, const void *p, size_t n);

/**
 * content_id_file(c, ret_digest):
 * End the file; its digest in hex goes to ${ret_digest}, which may be NULL.
 */
void content_id_file(struct content_id *c, char ret_digest[HASH_SHA256_HEX]);

/**
 * content_id_final(c, ret):
 * Write the id of all files so far.
 */
void content_id_final(struct content_id *c, char ret[HASH_SHA256_HEX]);

#endif

#ifndef BUNDLE_PACK_OUT_H
#define BUNDLE_PACK_OUT_H

#include <stddef.h>
#include <stdint.h>

#include "bundle/pack/compress.h"
#include "bundle/seal/seal.h"
#include "common/base/err.h"
#include "common/base/hash.h"

/*
 * The bundle being written: a row of gzip members, sealed if there is a key, into <path>.tmp, with
 * the digests of what went out, made durable and given its name at the end.
 */
struct out;

/**
 * out_new(path, room_bytes, ret, err):
 * Begin.  More than ${room_bytes} (0: no limit) will be ERR_NOSPACE.
 */
int out_new(const char *path, int64_t room_bytes, struct out **ret, struct ct_err *err);

/**
 * out_seal(o, key, header, err):
 * Before anything else: what goes out is sealed with ${key} and padded.  ${header} is as for
 * sealer_new().
 */
int out_seal(struct out *o, const struct key *key, struct seal_header *header, struct ct_err *err);

/**
 * out_free(o):
 * End, and remove what was written unless out_publish() did its work.  NULL is harmless.
 */
void out_free(struct out *o);

/**
 * out_add(o, p, n, err):
 * Add bytes that share members with their neighbours.
 */
int out_add(struct out *o, const void *p, size_t n, struct ct_err *err);

/**
 * out_block(o, p, n, err):
 * Add at most COMPRESS_BLOCK bytes as a member of their own.
 */
int out_block(struct out *o, const void *p, size_t n, struct ct_err *err);

/**
 * out_member(o, member, n, raw_bytes, err):
 * Add a member that compress_member() made of ${raw_bytes} bytes.
 */
int out_member(struct out *o, const void *member, size_t n, int64_t raw_bytes, struct ct_err *err);

/**
 * out_publish(o, err):
 * End the last member and the seal, fsync, rename to the path, fsync the folder.
 */
int out_publish(struct out *o, struct ct_err *err);

/**
 * out_raw_bytes(o), out_gzip_bytes(o), out_size(o):
 * How much was added, before and after compression; how large the file is.
 */
int64_t out_raw_bytes(const struct out *o);
int64_t out_gzip_bytes(const struct out *o);
int64_t out_size(const struct out *o);

/**
 * out_digests(o, sha256, md5):
 * The digests of the whole bundle; once, after out_publish().
 */
void out_digests(struct out *o, char sha256[HASH_SHA256_HEX], unsigned char md5[HASH_MD5_BYTES]);

#endif

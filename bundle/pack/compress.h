#ifndef BUNDLE_PACK_COMPRESS_H
#define BUNDLE_PACK_COMPRESS_H

#include <stddef.h>

/*
 * The block compressor: one block of bytes -> one gzip member (RFC 1952) without time or name.  One
 * of compress_zlib.c and compress_libdeflate.c is built, as configure finds.  The same build makes
 * the same member of the same bytes.
 */
struct compress;

#define COMPRESS_BLOCK (1 << 20) /* most bytes of one block */

struct compress *compress_new(void);
void compress_free(struct compress *c);

/**
 * compress_name():
 * Return what tells this compressor's output from another's.
 */
const char *compress_name(void);

/**
 * compress_bound():
 * Return the largest size of a member of COMPRESS_BLOCK bytes.
 */
size_t compress_bound(void);

/**
 * compress_member(c, p, n, out):
 * Write the member of ${n} bytes to ${out}, which has compress_bound() bytes, and return its
 * length.
 */
size_t compress_member(struct compress *c, const void *p, size_t n, unsigned char *out);

/**
 * compress_crc32(p, n):
 * Return the CRC-32 of ${n} bytes.
 */
unsigned int compress_crc32(const void *p, size_t n);

#endif

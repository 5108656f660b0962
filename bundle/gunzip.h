#ifndef BUNDLE_GUNZIP_H
#define BUNDLE_GUNZIP_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

/*
 * A gzip stream (RFC 1952: one member or several) read to its last byte, with every checksum
 * compared.  (The gzip filter of libarchive 3.6 compares none and takes trailing garbage for the
 * end.)  Zeros after the last member are padding, as gzip(1) has it.
 */
struct gunzip;

/**
 * gunzip_new(fd):
 * Read from ${fd}, which stays the caller's, from its beginning.  (And start over, if that was read
 * before.)
 */
struct gunzip *gunzip_new(int fd);

/**
 * gunzip_new_plain(fd):
 * The same for bytes that are not compressed; for tests.
 */
struct gunzip *gunzip_new_plain(int fd);
void gunzip_free(struct gunzip *g);

/**
 * gunzip_next(g, ret, err):
 * Return how many bytes came next, with where they are, valid until the next call; 0 at the end, -1
 * on error: ERR_CORRUPT if the stream is cut short or damaged or has something after its end.
 */
int gunzip_next(struct gunzip *g, const void **ret, struct ct_err *err);

/**
 * gunzip_in(g), gunzip_out(g):
 * How many bytes were read so far, and how many came of them.
 */
int64_t gunzip_in(const struct gunzip *g);
int64_t gunzip_out(const struct gunzip *g);

#endif

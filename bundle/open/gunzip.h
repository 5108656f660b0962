#ifndef BUNDLE_OPEN_GUNZIP_H
#define BUNDLE_OPEN_GUNZIP_H

#include <stddef.h>
#include <stdint.h>

#include "bundle/open/source.h"
#include "common/base/err.h"

/*
 * A gzip stream (RFC 1952: one member or several) read to its last byte, with every checksum
 * compared.  (The gzip filter of libarchive 3.6 compares none and takes trailing garbage for the
 * end.)  Zeros after the last member are padding, as gzip(1) has it.
 */
struct gunzip;

/**
 * gunzip_new(source, is_plain):
 * Read from ${source}, which stays the caller's.  ${is_plain}: the bytes are not compressed; for
 * tests.
 */
struct gunzip *gunzip_new(struct source *source, int is_plain);
void gunzip_free(struct gunzip *g);

/**
 * gunzip_next(g, ret, err):
 * Return how many bytes came next, with where they are, valid until the next call; 0 at the end, -1
 * on error: ERR_CORRUPT if the stream is cut short or damaged or has something after its end.
 */
int gunzip_next(struct gunzip *g, const void **ret, struct ct_err *err);

/**
 * gunzip_in(g), gunzip_members(g), gunzip_out(g):
 * How many bytes were read so far, how many of them up to the end of the last whole member (so,
 * without padding), and how many came of them.
 */
int64_t gunzip_in(const struct gunzip *g);
int64_t gunzip_members(const struct gunzip *g);
int64_t gunzip_out(const struct gunzip *g);

#endif

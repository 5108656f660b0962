#ifndef BUNDLE_OPEN_SOURCE_H
#define BUNDLE_OPEN_SOURCE_H

#include <stddef.h>
#include <stdint.h>

#include "bundle/seal/seal.h"
#include "common/base/err.h"

/*
 * The bytes of a bundle's file from its beginning, unsealed on the way if it is sealed: then each
 * of them comes from a chunk that was verified.
 */
struct source;

/**
 * source_new(fd, opts):
 * Read from ${fd}, which stays the caller's, wherever its offset is.  ${opts} is copied.
 */
struct source *source_new(int fd, const struct unseal_opts *opts);
void source_free(struct source *s);

/**
 * source_next(s, ret, err):
 * Return how many bytes came next, with where they are, valid until the next call; 0 at the end,
 * when the last chunk has been verified; -1 on error, as of unsealer_add(), and ERR_REFUSED if it
 * is not sealed and has to be.
 */
int source_next(struct source *s, const void **ret, struct ct_err *err);

/**
 * source_header(s):
 * The seal's header; NULL if it is not sealed or nothing has come yet.
 */
const struct seal_header *source_header(const struct source *s);

#endif

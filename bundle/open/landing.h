#ifndef BUNDLE_OPEN_LANDING_H
#define BUNDLE_OPEN_LANDING_H

#include <stddef.h>
#include <stdint.h>

#include "bundle/relocate/relocate.h"
#include "common/base/err.h"
#include "common/base/hash.h"

/*
 * The content of one entry on its way into the stage: digested as it comes, relocated, written.
 */
struct landing;

/**
 * landing_new(stage_fd, name, relocation, ret, err):
 * Make the file ${name} below the open folder ${stage_fd}, and the folders above it; it must not be
 * there.  ${stage_fd} -1: digest only.  ${relocation} may be NULL.  ERR_CONFLICT if something else
 * has the name (a folder, or a file whose name differs only in case where that is no difference).
 */
int landing_new(int stage_fd, const char *name, const struct relocation *relocation,
                struct landing **ret, struct ct_err *err);
void landing_free(struct landing *l);

/**
 * landing_feed(l, p, n, err):
 * The next ${n} bytes.
 */
int landing_feed(struct landing *l, const void *p, size_t n, struct ct_err *err);

/**
 * landing_add(l, p, n, err):
 * The content has ended; ${n} bytes more for the file, neither digested nor relocated.
 */
int landing_add(struct landing *l, const void *p, size_t n, struct ct_err *err);

/**
 * landing_end(l, ret_digest, ret_stage_bytes, err):
 * That was all: the content's digest, as in content.h, and the length of the file.
 */
int landing_end(struct landing *l, unsigned char ret_digest[HASH_SHA256_BYTES],
                int64_t *ret_stage_bytes, struct ct_err *err);

#endif

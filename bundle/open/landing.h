#ifndef BUNDLE_OPEN_LANDING_H
#define BUNDLE_OPEN_LANDING_H

#include <stddef.h>
#include <stdint.h>

#include "agents/agent.h"
#include "bundle/relocate/relocate.h"
#include "common/base/err.h"
#include "common/base/hash.h"

/*
 * The content of one entry on its way into the stage: digested as it comes, built anew by its
 * agent, relocated, written.
 */
struct landing;

struct landing_place {
    int stage_fd; /* -1: nothing is written */
    const char *name;
    const struct relocation *relocation; /* may be NULL */
    const struct agent *agent;           /* builds the content anew; NULL: it comes as it is */
    const struct rebuild_opts *rebuild;  /* for that; where it goes is filled in */
};

/**
 * landing_new(place, ret, err):
 * Make the file ${place}->name below the open folder, and the folders above it; it must not be
 * there.  ERR_CONFLICT if something else has the name (a folder, or a file whose name differs only
 * in case where that is no difference).
 */
int landing_new(const struct landing_place *place, struct landing **ret, struct ct_err *err);
void landing_free(struct landing *l);

/**
 * landing_feed(l, p, n, err):
 * The next ${n} bytes.
 */
int landing_feed(struct landing *l, const void *p, size_t n, struct ct_err *err);

/**
 * landing_grown(l), landing_folders(l):
 * Return how many bytes more there are for the file than came, at most; how many folders were made
 * for it.
 */
int64_t landing_grown(const struct landing *l);
int64_t landing_folders(const struct landing *l);

/**
 * landing_add(l, p, n, err):
 * The content has ended; ${n} bytes more for the file, neither digested nor relocated.
 */
int landing_add(struct landing *l, const void *p, size_t n, struct ct_err *err);

/**
 * landing_end(l, ret_digest, ret_stage_bytes, err):
 * That was all: the content's digest, as in content.h, and the length of the file.  Return 0, -1,
 * or 1 if nothing came of it when it was built anew.
 */
int landing_end(struct landing *l, unsigned char ret_digest[HASH_SHA256_BYTES],
                int64_t *ret_stage_bytes, struct ct_err *err);

#endif

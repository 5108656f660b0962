#ifndef CTCTL_PULL_PULL_PROFILE_H
#define CTCTL_PULL_PULL_PROFILE_H

#include "ctctl/pull/pull.h"

/**
 * pull_profiles(c, device, opts, ret, err):
 * Bring home what belongs to no session, of the device called ${device} or (NULL) of all: what is
 * missing here comes in, MEMORY.md gets the lines that it lacks, and everything else stays as it is
 * here, by name.  Each one is told on standard output, or with --json appended to the array ${ret}.
 * ${ret_n} is how many there were.  One that fails holds up none of the others; ${err} is the last
 * such, and those before it are told.
 */
int pull_profiles(struct ctx *c, const char *device, const struct pull_opts *opts,
                  struct json_object *ret, int64_t *ret_n, struct ct_err *err);

#endif

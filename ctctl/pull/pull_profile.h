#ifndef CTCTL_PULL_PULL_PROFILE_H
#define CTCTL_PULL_PULL_PROFILE_H

#include "ctctl/pull/pull.h"

struct pull_profiles_rest {
    int64_t n;      /* how many there were */
    int64_t failed; /* of these */
    int64_t later;  /* of those: it may pass by itself */
    int64_t plain;  /* left alone, for they are in clear and this device seals */
};

/**
 * pull_profiles(c, device, opts, ret, rest, err):
 * Bring home what belongs to no session, of the device called ${device} or (NULL) of all: what is
 * missing here comes in, MEMORY.md gets the lines that it lacks, and everything else stays as it is
 * here, by name.  Each one is told on standard output, or with --json appended to the array ${ret}.
 * One that fails holds up none of the others, is told with its cure and counted in ${rest}.  -1 if
 * nobody knows which there are.
 */
int pull_profiles(struct ctx *c, const char *device, const struct pull_opts *opts,
                  struct json_object *ret, struct pull_profiles_rest *rest, struct ct_err *err);

#endif

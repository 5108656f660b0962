#ifndef CTCTL_PULL_PULL_MERGE_H
#define CTCTL_PULL_PULL_MERGE_H

#include "ctctl/pull/pull.h"

/* The two sides of a merge, as a person is asked about them. */
struct pull_sides {
    const struct pull_result *r; /* of the rehearsal: what each has that the other lacks */
    const char *machine;         /* that the other side is from */
    int64_t version;
};

/**
 * pull_merge(c, wire_id, opts, agree, arg, ret, err):
 * Make one of what is here and of the version ${opts}->version of the session that the server calls
 * ${wire_id}; 0: of the current one, or the head that has the most that is not here.  A session
 * that is not here is pulled first.  ${agree} is asked before anything that is here changes, and
 * only if each side has something that the other lacks; ERR_CANCELLED if it says no.  ${ret} as of
 * pull_fullest(): its outcome is INSTALL_MERGED, or another one where nothing had to be merged.
 */
int pull_merge(struct ctx *c, const char *wire_id, const struct pull_opts *opts,
               int (*agree)(void *arg, const struct pull_sides *sides), void *arg,
               struct pull_result *ret, struct ct_err *err);

#endif

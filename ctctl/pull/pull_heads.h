#ifndef CTCTL_PULL_PULL_HEADS_H
#define CTCTL_PULL_PULL_HEADS_H

#include "ctctl/pull/pull.h"

/**
 * pull_fullest(c, wire_id, opts, ret, err):
 * As pull_session(), but where several versions stand side by side the current one is taken only
 * if no other head contains its conversation and more; else the fullest of these is.  ${opts} may
 * name a version; else one that does not open is passed over (pull_fallback.h).  ret->heads tells
 * what the others hold that is not here afterwards, also on failure.
 */
int pull_fullest(struct ctx *c, const char *wire_id, const struct pull_opts *opts,
                 struct pull_result *ret, struct ct_err *err);

/**
 * pull_judge(c, opts, taken, h):
 * heads_judge() against what is here; what a rehearsal or a copy leaves alone is judged against
 * ${taken} (may be NULL).  Return whether the session is here.
 */
int pull_judge(struct ctx *c, const struct pull_opts *opts, const struct head *taken,
               struct heads *h);

#endif

#ifndef CTCTL_PULL_PULL_SAY_H
#define CTCTL_PULL_PULL_SAY_H

#include "ctctl/ctx/ctx.h"
#include "ctctl/ctx/opts.h"
#include "ctctl/ui/progress.h"
#include "ctctl/pull/pull.h"

/*
 * What pull and import share: their options, and what they say.
 */
struct pull_front {
    struct ctx *c;
    struct progress *progress;
    const char *what; /* that it is about, or NULL */
    int64_t n, of;    /* the ${n}th of ${of} sessions, of: 0 if there is but one */
    int64_t before_bytes, all_bytes;
};

/**
 * pull_say_begin(f, c, ret), pull_say_end(f):
 * Have ${ret} show progress on stderr and ask for a folder on a terminal; take the progress off.
 */
void pull_say_begin(struct pull_front *f, struct ctx *c, struct pull_opts *ret);
void pull_say_end(struct pull_front *f);

/**
 * pull_say_unread(c, r):
 * Say which versions did not open, whose they are, and what to type.
 */
void pull_say_unread(struct ctx *c, const struct pull_result *r);

/**
 * pull_say(c, r, opts):
 * Say what came of it and how to go on, in words or as JSON.
 */
void pull_say(struct ctx *c, const struct pull_result *r, const struct pull_opts *opts);

/**
 * pull_say_failure(c, err):
 * Say what went wrong.  Return the exit status.
 */
int pull_say_failure(struct ctx *c, const struct ct_err *err);

#endif

#ifndef CTCTL_PULL_PULL_MANY_H
#define CTCTL_PULL_PULL_MANY_H

#include "ctctl/pull/pull.h"

struct pull_many_opts {
    int is_update;       /* only what is here already and behind; else everything, home to home */
    const char *project; /* only this project's, or NULL */
    struct pull_opts each;

    /* Called before each session that something is to be done about, the ${n}th of ${of}, with the
     * bytes of those before it and of all, as the server lists them. */
    void (*next)(void *arg, int64_t n, int64_t of, int64_t before_bytes, int64_t all_bytes);

    /* Called after each session that something was to be done about: ${item} is the API's list
     * item, ${err} NULL if all went well.  Of an --update the reason "diverged" is no failure. */
    void (*done)(void *arg, const struct json_object *item, const struct pull_result *r,
                 const struct ct_err *err);
    void *done_arg;
};

/* How many there are, and those of them that nothing was done about. */
struct pull_many_rest {
    int64_t listed;
    int64_t rested;       /* here, and not behind */
    int64_t open;         /* Claude Code runs on it: left for a later --update */
    int64_t apart;        /* went on here and elsewhere: left to a person by --update */
    int64_t locked;       /* sealed, and can't be opened here */
    struct ct_err reason; /* of the first of those */
    int64_t plain;        /* in clear, and this device seals */
};

/**
 * pull_many(c, opts, ret, err):
 * Pull many sessions, those that were used last at the end, so that their transcripts keep the
 * order of their times.  What is here and not behind is not downloaded: the newest
 * record of the cloud is here, and what another device made is not newer than what was recorded.
 * Where there is a key, what is in clear is left alone.  What fails for one session
 * is told to done(); return -1 only for what ends it all: no list, no log-in, no room.
 */
int pull_many(struct ctx *c, const struct pull_many_opts *opts, struct pull_many_rest *ret,
              struct ct_err *err);

#endif

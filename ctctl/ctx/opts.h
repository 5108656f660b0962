#ifndef CTCTL_CTX_OPTS_H
#define CTCTL_CTX_OPTS_H

#include "common/base/strlist.h"
#include "ctctl/ctx/ctx.h"

enum opt_kind {
    OPT_FLAG,   /* int, becomes 1 */
    OPT_STRING, /* const char *, borrowed from the command line */
    OPT_NUMBER, /* int64_t, 1 or more */
    OPT_LIST,   /* struct strlist, gets one more each time */
};

struct opt {
    const char *name; /* without its dashes */
    enum opt_kind kind;
    void *into;
};

#define OPTS_HELP (-2)

/**
 * opts_parse(c, opts, n, argc, argv, words):
 * Read options, in any place, and append the other words, of which none is empty, to ${words}; "--"
 * ends the options.  The
 * options of every verb (--json, --socket, --help) are understood too.  Return -1 if all is well,
 * OPTS_HELP if help is wanted, else the exit status after having said what is wrong.
 */
int opts_parse(struct ctx *c, const struct opt *opts, size_t n, int argc, char **argv,
               struct strlist *words);

/**
 * opts_leading(c, argc, argv, ret_n):
 * Read the common options before the verb; how many words they take goes to ${ret_n}.  Returns as
 * opts_parse().
 */
int opts_leading(struct ctx *c, int argc, char **argv, int *ret_n);

/* What a lone "m" is: minutes, or, where something is deleted, not clear enough. */
enum opts_minutes { OPTS_MINUTES, OPTS_NO_MINUTES };

/**
 * opts_duration(c, name, s, m, most_s, ret_seconds):
 * Read "30s", "15m", "12h", "7d", "8w", "6mo", "1y", or several in a row ("1h30m"), at most
 * ${most_s} seconds; a month has 30 days, a year 365.  Return -1 to go on, or the exit status once
 * a sentence has said what is wrong with ${name}.
 */
int opts_duration(struct ctx *c, const char *name, const char *s, enum opts_minutes m,
                  int64_t most_s, int64_t *ret_seconds);

#endif

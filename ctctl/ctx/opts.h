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
 * Read options, in any place, and append the other words to ${words}; "--" ends the options.  The
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

/**
 * opts_duration(s, ret_seconds):
 * Read "2h", "90m", "1d", "45s", "2w", or several in a row ("1h30m"), at most a century.  Return 0,
 * or -1.
 */
int opts_duration(const char *s, int64_t *ret_seconds);

#endif

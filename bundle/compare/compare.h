#ifndef BUNDLE_COMPARE_COMPARE_H
#define BUNDLE_COMPARE_COMPARE_H

#include <stdint.h>

#include "agents/trust.h"
#include "common/base/err.h"

/*
 * Two files of one session, byte by byte and, if they are transcripts of subagents, by their
 * records: paths in them may differ.
 */
enum compare_order {
    COMPARE_SAME,   /* to the byte */
    COMPARE_BEGINS, /* the first is the beginning of the second */
    COMPARE_ENDS,   /* the other way round */
    COMPARE_LESS,   /* all records of the first are in the second, which may have more */
    COMPARE_MORE,   /* the other way round */
    COMPARE_OTHER,  /* each has something that the other lacks, or nobody can tell */
};

struct agent;

/* Who vouches for either of them; see agents/news.h. */
struct compare_trust {
    enum trust a, b;
};

/**
 * compare_files(agent, name, a, b, trust, ret, err):
 * Say how the open file ${a} stands to ${b}; both are called ${name}.  ${trust} is NULL if somebody
 * vouches for both alike.
 */
int compare_files(const struct agent *agent, const char *name, int a, int b,
                  const struct compare_trust *trust, enum compare_order *ret, struct ct_err *err);

/**
 * compare_beginnings(a, b, n, err):
 * Return whether the first ${n} bytes of both are the same, or -1.
 */
int compare_beginnings(int a, int b, int64_t n, struct ct_err *err);

#endif

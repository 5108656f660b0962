#ifndef AGENTS_UNITE_H
#define AGENTS_UNITE_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"
#include "common/base/strlist.h"

/*
 * Two transcripts of one session that went on apart become one that holds both, as branches of one
 * tree.  For agents whose records name their parents.
 */
struct unite_side {
    int fd;
    int64_t end; /* read up to here */
};

struct agent;

struct unite_opts {
    const struct agent *agent;      /* whose they are */
    struct unite_side ours, theirs; /* what is here; what came */
    int is_theirs_better;           /* of what both have, the bytes that came stay */

    /* Files of the session whose name is taken by another one: name, what it is called if the side
     * ours gives way, what if theirs does, ...  Where the side that gives way names such a file,
     * the new name is written.  May be NULL. */
    const struct strlist *renamed;
    const _Atomic int *cancel; /* may be NULL */
};

struct unite_result {
    int is_ours_active; /* which branch comes last: the one that was worked on last */
    size_t shared;      /* records that both have */
    size_t fuller;      /* of these, how many are longer in ours */
    size_t only_ours, only_theirs;
};

/**
 * unite_tree(opts, out_fd, ret, err):
 * The member unite of rows of which the records are a tree, and that go on from the last one.
 */
int unite_tree(const struct unite_opts *opts, int out_fd, struct unite_result *ret,
               struct ct_err *err);

#endif

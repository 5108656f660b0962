#ifndef AGENTS_INVENTORY_H
#define AGENTS_INVENTORY_H

#include <stddef.h>
#include <stdint.h>

#include "agents/agent.h"
#include "common/base/err.h"
#include "common/base/uuid.h"

/*
 * What of a data folder nobody takes: a walk over its names, on demand.  Folders that are known as
 * a whole (caches, logs: some are huge) are not entered, and no file is opened.
 */
#define INVENTORY_MAX 20000 /* files that are counted in one folder; beyond that is_cut */

struct inventory_folder {
    char *path; /* below the root: the first component that nobody knows, or the folder of files
                   that nobody knows; "" is the root itself */
    int64_t files;
    int is_cut;    /* there are more */
    char *example; /* one of the files, below the root */
};

/* What is named after a session of which there is no transcript. */
struct inventory_orphan {
    char session_id[UUID_SIZE];
    char *path; /* the folder or file, below the root; of several the first */
    int64_t files;
};

struct inventory {
    struct inventory_orphan *orphans;
    size_t n_orphans;
    struct inventory_folder *folders; /* sorted by path; with one file at least */
    size_t n;
    int64_t files;         /* of all of them */
    int64_t profile_files; /* known, and of no session; at most INVENTORY_MAX or so */
};

/**
 * inventory_take(agent, root, ret, err):
 * Walk ${root} and list the unknown.  A root that is not there has none.  ERR_FAIL if it can't be
 * read.  The caller ends ${ret} with inventory_clear().
 */
int inventory_take(const struct agent *agent, const char *root, struct inventory *ret,
                   struct ct_err *err);
void inventory_clear(struct inventory *inv);

#endif

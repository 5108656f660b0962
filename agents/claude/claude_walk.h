#ifndef AGENTS_CLAUDE_CLAUDE_WALK_H
#define AGENTS_CLAUDE_CLAUDE_WALK_H

#include <dirent.h>

#include "agents/agent.h"

/* Walking through the data folder, for the files that list what belongs to whom. */
struct listing {
    int root_fd;
    const char *session_id; /* NULL: of no session */
    const struct agent_list_ops *ops;
    void *arg;
    const _Atomic int *cancel;
    struct ct_err *err;
};

/* What a folder's entry is called for.  Return 0, or -1 to stop with the error set. */
typedef int (*walk_fn)(struct listing *l, void *arg, int dir_fd, const struct dirent *d);

/**
 * walk_each(l, path, f, arg):
 * Call ${f} for every entry of the folder ${path}.  One that is not there has none; one that can't
 * be read is reported.
 */
int walk_each(struct listing *l, const char *path, walk_fn f, void *arg);

/**
 * walk_type(dir_fd, d), walk_is_alias(l, dir_fd, d):
 * The type of an entry (DT_...), asked of the file where the file system does not say it with the
 * name; whether an entry of projects/ is a link to a neighbour, whose folder is looked at under its
 * own name.
 */
unsigned char walk_type(int dir_fd, const struct dirent *d);
int walk_is_alias(struct listing *l, int dir_fd, const struct dirent *d);

/**
 * walk_found(l, kind, path, entry), walk_skip(l, path, e):
 * Report a file, or one that is left out because of the errno ${e}.
 */
void walk_found(struct listing *l, enum agent_kind kind, const char *path, const char *entry);
void walk_skip(struct listing *l, const char *path, int e);

/**
 * walk_folder(l, kind, entry, path):
 * Report every file below the folder ${path} as one below ${entry}.  Frees ${path}.
 */
int walk_folder(struct listing *l, enum agent_kind kind, const char *entry, char *path);

#endif

#ifndef BUNDLE_PACK_GUARD_H
#define BUNDLE_PACK_GUARD_H

#include "common/base/strlist.h"

/* Who says that something stays here; each returns why, or NULL if it may go. */
struct snapshot_guard {
    void *arg;

    /* A prompt of the session that was typed in ${cwd}. */
    const char *(*prompt)(void *arg, const char *cwd);

    /* A plan of the session; or, of another session, the file at ${path} (below the open root)
     * that the transcript names. */
    const char *(*plan)(void *arg, const char *path);
    const char *(*cited)(void *arg, int root_fd, const char *path);

    /* Another copy of the transcript, or what lies in a project folder, ${project}, other than the
     * transcript's: with all working folders that its records name. */
    const char *(*apart)(void *arg, const char *project, const struct strlist *cwds);
};

#endif

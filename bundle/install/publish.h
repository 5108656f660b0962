#ifndef BUNDLE_INSTALL_PUBLISH_H
#define BUNDLE_INSTALL_PUBLISH_H

#include <stdint.h>

#include "bundle/install/local.h"
#include "bundle/install/plan.h"
#include "bundle/install/stage.h"
#include "common/base/err.h"

/*
 * From the stage into the data folder, by rename.  The transcript comes last: until then the
 * session is what it was, with more beside it; and all else is on disk when it comes.  What gives
 * way is linked into the backups first, unless the new one begins with it to the byte.  Whatever
 * was done, doing it again does the rest.
 */
struct publishing {
    const struct stage *stage;
    const struct agent *agent;
    const char *session_id;
    const char *project; /* the folder below projects/ where the session is to be */
    struct plan *plan;
    struct local *local;    /* the copies there are */
    int is_with_transcript; /* else only what goes with it */
    int is_backed_up;       /* keep the local transcript, even if the new one begins with it */
    int64_t mtime_ns;       /* of everything that is installed; 0: now */
    int (*before_commit)(void *arg, struct ct_err *err); /* it is about to begin */
    int (*moving)(void *arg, struct ct_err *err);        /* no more waiting: may it go on? */
    void *arg;

    /* What came of it. */
    int64_t prompts;     /* lines added to the prompt history */
    char *backup;        /* below the data folder, or NULL: nothing had to give way */
    struct strlist dirs; /* to be flushed */
};

/**
 * publish(p, err):
 * Do it.  ERR_RETRY if the session changed here meanwhile or its prompt history stays locked;
 * ERR_NOSPACE; ERR_FAIL if something is in the way.  The caller ends it with publish_clear().
 */
int publish(struct publishing *p, struct ct_err *err);
void publish_clear(struct publishing *p);

#endif

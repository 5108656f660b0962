#ifndef BUNDLE_INSTALL_PUBLISHING_H
#define BUNDLE_INSTALL_PUBLISHING_H

#include <stdint.h>

#include "bundle/install/local.h"
#include "bundle/install/plan.h"
#include "bundle/install/stage.h"
#include "common/base/err.h"

/* What is to be published, and what came of it: for publish.c and what it is made of. */
struct publishing {
    const struct stage *stage;
    const struct agent *agent;
    const char *session_id;
    const char *project; /* the project folder where the session is to be */
    const char *cwd;     /* the folder that this is of */
    const char *file;    /* the transcript's name, NULL: not known */
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

#endif

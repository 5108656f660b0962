#ifndef BUNDLE_INSTALL_STAGE_H
#define BUNDLE_INSTALL_STAGE_H

#include "common/base/err.h"

/*
 * Where a session is made ready before it is installed: a private folder in the data folder itself,
 * so that publishing is a rename.  STAGE_HOME is a name that neither Claude Code nor the daemon
 * looks at.  Whoever has a stage has the data folder to himself (flock(2) on it): what an earlier
 * one that was killed left behind is removed then.
 */
#define STAGE_HOME ".codeteleport"

struct stage {
    int root_fd; /* the data folder, locked; -1 for a rehearsal */
    int fd;
    char *dir; /* absolute path, empty folder of mode 0700 */
    char *name;
    int home_fd; /* what the stage lies in */
};

/**
 * stage_open(root, ret, err):
 * Lock the data folder ${root}, which is made if it is missing, and make a stage in it.  Waits for
 * another one.
 */
int stage_open(const char *root, struct stage *ret, struct ct_err *err);

/**
 * stage_rehearse(dir, ret, err):
 * Make a stage in the private folder ${dir} instead, for looking without touching.
 */
int stage_rehearse(const char *dir, struct stage *ret, struct ct_err *err);

/**
 * stage_close(s):
 * Remove the stage and what is left in it, and unlock.
 */
void stage_close(struct stage *s);

#endif

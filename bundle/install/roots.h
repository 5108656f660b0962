#ifndef BUNDLE_INSTALL_ROOTS_H
#define BUNDLE_INSTALL_ROOTS_H

#include "bundle/open/open.h"
#include "bundle/relocate/relocate.h"

/* Where the session is to live, for its paths. */
struct roots_target {
    const char *cwd, *home;
    const char *root;           /* the data folder */
    const char *project;        /* name of the session's folder there */
    const char *memory_project; /* the same of its memory's; NULL: that one */
};

/**
 * roots_new(meta, target, ret, err):
 * Prepare the relocation of a bundle: working folder, home folder, and the third root, which
 * transcripts cite as well: the session's folders in the agent's data folder, and that itself where
 * it does not move with the home folder.
 */
int roots_new(const struct meta *meta, const struct roots_target *target, struct relocation **ret,
              struct ct_err *err);

#endif

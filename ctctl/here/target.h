#ifndef CTCTL_HERE_TARGET_H
#define CTCTL_HERE_TARGET_H

#include "bundle/install/install.h"
#include "common/base/strlist.h"

/*
 * Where a session from another machine is to live on this one.
 */
struct target {
    const char *root;          /* the data folder */
    const char *dir;           /* --target-dir, or NULL */
    const struct strlist *map; /* OLD=NEW, ...; or NULL */
    int is_home_to_home;       /* the folder need not be there */

    /* Ask a person: return a folder that the caller frees, or NULL.  NULL: there is nobody. */
    char *(*ask)(void *arg, const char *source_cwd);
    void *ask_arg;

    int is_absent; /* out: the folder is not there */
};

/**
 * target_choose(arg, meta, local, ret, err):
 * The choose() of struct install_opts; ${arg} is a struct target.  In this order: the folder that
 * was asked for; for a session that is here already: what a map says of it, else where it is; what
 * a map makes of its folder; the same place below this home, if that folder is there; the current
 * folder, if it bears the project's name; whatever the person says.  ERR_GONE if the folder that
 * was asked for is not there; ERR_REFUSED with the reason "no_target" if nothing fits.
 */
int target_choose(void *arg, const struct meta *meta, const struct local *local,
                  struct install_target *ret, struct ct_err *err);

/**
 * target_map(map, source_home, path):
 * Return where ${path} of another machine is on this one: by ${map} (may be NULL), else below this
 * home, else the same; NULL if there is no such place (a drive of Windows).  The caller frees it.
 */
char *target_map(const struct strlist *map, const char *source_home, const char *path);

/**
 * target_mapped(map, source_cwd, cwd):
 * Return the folder to which ${map} (may be NULL) moves a session of the folder ${source_cwd}
 * there, which is in ${cwd} here (either may be NULL); NULL if it says nothing of it.  The caller
 * frees it.
 */
char *target_mapped(const struct strlist *map, const char *source_cwd, const char *cwd);

/**
 * target_map_is_valid(word):
 * Return whether ${word} is OLD=NEW with two absolute paths.
 */
int target_map_is_valid(const char *word);

#endif

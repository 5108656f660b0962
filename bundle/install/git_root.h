#ifndef BUNDLE_INSTALL_GIT_ROOT_H
#define BUNDLE_INSTALL_GIT_ROOT_H

/**
 * git_root(dir):
 * Return the top of the git repository that the folder ${dir} is in, of a linked work tree that of
 * the main one; NULL if it is in none (or does not exist).  The caller frees it.
 */
char *git_root(const char *dir);

/**
 * path_above(dir, source, source_above):
 * Return the folder that is as far above ${dir} as ${source_above} is above ${source}, if the names
 * on the way are the same; else NULL.  The caller frees it.
 */
char *path_above(const char *dir, const char *source, const char *source_above);

#endif

#ifndef CTCTL_UI_FOLDER_H
#define CTCTL_UI_FOLDER_H

/* Folders, as people write them. */

/**
 * folder_real(path):
 * Return the absolute name of ${path} ("~/" and a relative one expanded) without symbolic links,
 * "." and "..", as sessions know their folder; one that is not there by its letters alone.  The
 * caller frees it.
 */
char *folder_real(const char *path);

/**
 * folder_spelled(path):
 * The same as it is written, through symbolic links: agents may write it down so.
 */
char *folder_spelled(const char *path);

/**
 * folder_short(path):
 * Return ${path} (NULL counts as "") with ~ for the home folder; the caller frees it.
 */
char *folder_short(const char *path);

/**
 * folder_is_project(project, name, cwd):
 * Return whether the project called ${name} in the folder ${cwd} (either may be NULL) is the one
 * that a user means by ${project}: its name, or a folder (what has a slash, or is "." or "..") that
 * is its own or lies above it.
 */
int folder_is_project(const char *project, const char *name, const char *cwd);

#endif

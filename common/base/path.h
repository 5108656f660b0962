#ifndef COMMON_BASE_PATH_H
#define COMMON_BASE_PATH_H

#include <sys/types.h>

#include "common/base/err.h"

/**
 * path_join(dir, name):
 * Return "dir/name" with one slash between them; the caller frees it.
 */
char *path_join(const char *dir, const char *name);

/**
 * path_expand(path):
 * Return ${path} with a leading "~/" (or "~" alone) replaced by the home folder and, if it is
 * relative, the current folder put in front.  The caller frees it.
 */
char *path_expand(const char *path);

/**
 * path_home():
 * Return the user's home folder: $HOME if it is absolute, else what the password database says.
 * Borrowed, valid for the life of the process.
 */
const char *path_home(void);

/**
 * path_config_file(), path_state_dir(), path_data_dir(), path_credentials_dir(),
 * path_claude_root(), path_socket(state_dir):
 * The default places, from the XDG Base Directory variables (an unset or relative one counts as
 * unset), CODETELEPORT_CONFIG_DIR and CLAUDE_CONFIG_DIR.  path_state_dir() ends in the host's name,
 * so that machines that share a home keep apart.  The socket lies in $XDG_RUNTIME_DIR, or below
 * ${state_dir} where that variable is unset.  The caller frees the result.
 */
char *path_config_file(void);
char *path_state_dir(void);
char *path_data_dir(const char *program);
char *path_credentials_dir(void);
char *path_claude_root(void);
char *path_socket(const char *state_dir);

/**
 * path_host_name():
 * Return this machine's name without a ".local" suffix.  The caller frees it.
 */
char *path_host_name(void);

/**
 * path_make_dirs(path, mode, err):
 * Make ${path} and what is missing above it.  A folder that it makes gets ${mode}; one that is
 * there keeps its own.
 */
int path_make_dirs(const char *path, mode_t mode, struct ct_err *err);

/**
 * path_make_private(path, err):
 * Make ${path} as path_make_dirs() with mode 0700 and see that it is a folder of this user that
 * nobody else can enter; a looser mode of a folder of ours is tightened.
 */
int path_make_private(const char *path, struct ct_err *err);

/**
 * path_parent(path):
 * Return all before the last slash ("/" and "." as usual).  The caller frees it.
 */
char *path_parent(const char *path);

/**
 * path_base(path):
 * Return what follows the last slash, borrowed from ${path}.
 */
const char *path_base(const char *path);

/**
 * path_is_below(path, dir):
 * Return whether ${path} is ${dir} or lies below it, by the letters of both.
 */
int path_is_below(const char *path, const char *dir);

/**
 * path_stays_below(path, dir):
 * The same for a ${path} that somebody else wrote: one with "." or ".." among its names is not
 * below, wherever it leads.
 */
int path_stays_below(const char *path, const char *dir);

#endif

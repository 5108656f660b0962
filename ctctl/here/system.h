#ifndef CTCTL_HERE_SYSTEM_H
#define CTCTL_HERE_SYSTEM_H

#include <stdint.h>

/**
 * system_max_watches():
 * Return how many inotify watches the kernel gives to one user, or -1 if it has no such limit.
 */
int64_t system_max_watches(void);

/**
 * system_landlock_abi():
 * Return the version of Landlock that the kernel offers, or 0.
 */
int system_landlock_abi(void);

/**
 * system_parent(pid):
 * Return the process that started ${pid}, or 0 if that can't be told.
 */
int64_t system_parent(int64_t pid);

/**
 * system_start(argv):
 * Start a program, looked for in PATH, that neither reads nor writes this terminal, and go on.
 * Return 0, or -1 if there is none of that name.
 */
int system_start(char *const argv[]);

/**
 * system_self():
 * Return what starts this very program once more, looked for in PATH where the system can't tell
 * (after an upgrade it is the new one then).
 */
const char *system_self(void);

/**
 * system_run(argv, is_quiet):
 * Run a program, looked for in PATH, until it ends; with ${is_quiet} what it writes to stdout goes
 * to stderr.  Return its exit status, 127 if there is none of that name.
 */
int system_run(char *const argv[], int is_quiet);

/**
 * system_has_program(name):
 * Return whether PATH leads to a program of that name.
 */
int system_has_program(const char *name);

/**
 * system_open_browser(url):
 * Have the user's browser show ${url}.  Return 0, or -1 if there is nothing to show it with.
 */
int system_open_browser(const char *url);

#endif

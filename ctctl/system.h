#ifndef CTCTL_SYSTEM_H
#define CTCTL_SYSTEM_H

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

#endif

#ifndef BUNDLE_DIRLOCK_H
#define BUNDLE_DIRLOCK_H

#include <stdint.h>

#include "common/err.h"

/*
 * A lock that is a folder, as Claude Code takes it beside a file that it writes (proper-lockfile of
 * npm): whoever makes the folder has the lock, and touches it every five seconds while he has it.
 * One that nobody has touched for ten was left behind.
 */
struct dirlock {
    int dir_fd; /* borrowed */
    char *name;
    uint64_t inode, device;
};

/**
 * dirlock_take(dir_fd, name, clock_fd, ret, err):
 * Take the lock ${name} in the folder ${dir_fd}.  ${clock_fd} is a folder of ours in the same file
 * system.  Waits for another holder, 20 s at most (ERR_RETRY).  A lock is broken only if it was
 * left behind beyond doubt: untouched for 12 s under our eyes, or for a minute by the clock of the
 * file system and then for 3 s under our eyes.
 */
int dirlock_take(int dir_fd, const char *name, int clock_fd, struct dirlock *ret,
                 struct ct_err *err);

/**
 * dirlock_is_held(l):
 * Return whether the lock is still ours, and touch it.
 */
int dirlock_is_held(const struct dirlock *l);

/**
 * dirlock_drop(l):
 * Give the lock back.
 */
void dirlock_drop(struct dirlock *l);

#endif

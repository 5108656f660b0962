#ifndef BUNDLE_INSTALL_DIRLOCK_H
#define BUNDLE_INSTALL_DIRLOCK_H

#include <stdint.h>

#include "common/base/err.h"

/*
 * A lock that is a folder, as Claude Code takes it beside a file that it writes (proper-lockfile of
 * npm): whoever makes the folder has the lock, and touches it every five seconds while he has it.
 * One that nobody has touched for ten was left behind.
 */
struct dirlock {
    int dir_fd; /* borrowed */
    char *name;
    int fd; /* the folder that is the lock; as long as it is open, no other one looks like it */
};

/* How long to wait for another holder, and when a lock was left behind beyond doubt: untouched
 * under our eyes for still_ms; or older than old_ms by the clock of the file system and untouched
 * under our eyes for old_still_ms. */
struct dirlock_patience {
    int64_t limit_ms, still_ms, old_ms, old_still_ms;
};

/* 20 s; 12 s; one minute and 3 s. */
extern const struct dirlock_patience dirlock_default;

/**
 * dirlock_take(dir_fd, name, clock_fd, patience, ret, err):
 * Take the lock ${name} in the folder ${dir_fd}.  ${clock_fd} is a folder of ours in the same file
 * system.  ERR_RETRY if another holder does not let go in time.
 */
int dirlock_take(int dir_fd, const char *name, int clock_fd,
                 const struct dirlock_patience *patience, struct dirlock *ret, struct ct_err *err);

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

#ifndef DAEMON_LOCK_H
#define DAEMON_LOCK_H

#include "common/err.h"

/**
 * lock_take(dir, ret_fd, err):
 * Become the one instance for the state folder ${dir}.  ERR_CONFLICT, with the other's process
 * number, if there is one.  The lock goes with the process; ${ret_fd} keeps it.
 */
int lock_take(const char *dir, int *ret_fd, struct ct_err *err);

#endif

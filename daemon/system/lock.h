#ifndef DAEMON_SYSTEM_LOCK_H
#define DAEMON_SYSTEM_LOCK_H

#include "common/base/err.h"

/**
 * lock_take(dir, ret_fd, err):
 * Become the one instance for the state folder ${dir}.  ERR_CONFLICT, with the other's process
 * number, if there is one.  The lock goes with the process; ${ret_fd} keeps it.
 */
int lock_take(const char *dir, int *ret_fd, struct ct_err *err);

#endif

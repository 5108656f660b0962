#ifndef DAEMON_SYSTEM_SUPERVISE_H
#define DAEMON_SYSTEM_SUPERVISE_H

/**
 * supervise(restart_status):
 * Where nobody would start this process anew, and the kernel has a sandbox that may make that
 * needed, fork: the child returns -1 and does the work.  The parent hands the signals that it gets
 * on to the child, forks another when that one ends with ${restart_status}, and returns the exit
 * status of the last one; if a signal ended that, the parent ends by the same.  The child gets
 * SIGTERM when the parent dies.  Return -1 without a fork where a service manager started us.  Call
 * it before anything is opened, locked or allocated.
 */
int supervise(int restart_status);

#endif

#ifndef IPC_PEER_H
#define IPC_PEER_H

#include <sys/types.h>

#include <stddef.h>

/* What differs between systems about the two ends of a UNIX socket. */

/**
 * ipc_peer_uid(fd, ret):
 * Learn which user is at the other end of ${fd}, from the kernel.  Return 0, or -1 with errno.
 */
int ipc_peer_uid(int fd, uid_t *ret);

/**
 * ipc_peer_send(fd, p, n):
 * As send(2), but a peer that is gone is EPIPE and never a signal.
 */
ssize_t ipc_peer_send(int fd, const void *p, size_t n);

#endif

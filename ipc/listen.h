#ifndef IPC_LISTEN_H
#define IPC_LISTEN_H

#include <sys/types.h>
#include <sys/un.h>

#include "common/base/err.h"

/* A socket in the file system, with the identity that tells whether it is still ours. */
struct ipc_listen {
    int fd; /* non-blocking, close-on-exec, listening */
    dev_t dev;
    ino_t ino;
};

/**
 * ipc_listen_open(path, ret, err):
 * Listen on ${path}, mode 0600, in a folder that is made with mode 0700 if it is not there.  A
 * socket that nobody listens on is replaced.  ERR_CONFLICT if somebody does; ERR_CONFIG if ${path}
 * is too long, is something else than a socket, or lies where other users can write.
 */
int ipc_listen_open(const char *path, struct ipc_listen *ret, struct ct_err *err);

/**
 * ipc_listen_remove(path, l):
 * Remove ${path} if it is still the socket that ipc_listen_open() made.
 */
void ipc_listen_remove(const char *path, const struct ipc_listen *l);

/**
 * ipc_listen_address(path, ret, err):
 * Fill in the socket address of ${path}.  ERR_CONFIG if it does not fit.
 */
int ipc_listen_address(const char *path, struct sockaddr_un *ret, struct ct_err *err);

#endif

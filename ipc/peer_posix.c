#include <sys/socket.h>

#include <unistd.h>

#include "ipc/peer.h"

int ipc_peer_uid(int fd, uid_t *ret)
{
    gid_t gid;

    return getpeereid(fd, ret, &gid);
}

ssize_t ipc_peer_send(int fd, const void *p, size_t n)
{
    int on = 1;

    /* The systems that have getpeereid() ask for silence on the socket, not on the call. */
    if (setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof(on)) != 0)
        return -1;
    return send(fd, p, n, 0);
}

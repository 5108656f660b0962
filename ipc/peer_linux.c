#include <sys/socket.h>

#include "ipc/peer.h"

int ipc_peer_uid(int fd, uid_t *ret)
{
    struct ucred cred;
    socklen_t n = sizeof(cred);

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &n) != 0)
        return -1;
    *ret = cred.uid;
    return 0;
}

ssize_t ipc_peer_send(int fd, const void *p, size_t n)
{
    return send(fd, p, n, MSG_NOSIGNAL);
}

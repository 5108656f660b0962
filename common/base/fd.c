#include <sys/socket.h>

#include <fcntl.h>
#include <unistd.h>

#include "common/base/fd.h"

static int keep(int fd)
{
    if (fd >= 0)
        (void)fcntl(fd, F_SETFD, FD_CLOEXEC); /* does not fail for an open descriptor */
    return fd;
}

int fd_socket(int family)
{
    return keep(socket(family, SOCK_STREAM, 0));
}

int fd_accept(int fd)
{
    return keep(accept(fd, NULL, NULL));
}

int fd_pipe(int ret_fds[2])
{
    int fds[2];

    if (pipe(fds) != 0)
        return -1;
    ret_fds[0] = keep(fds[0]);
    ret_fds[1] = keep(fds[1]);
    return 0;
}

int fd_no_wait(int fd)
{
    int flags = fcntl(fd, F_GETFL);

    return flags < 0 ? -1 : fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

/* Written from launch(3) of macOS, and compiled with its headers; not yet run on one. */
#include <sys/socket.h>
#include <sys/un.h>

#include <fcntl.h>
#include <launch.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/sys/service.h"

#define MOST 4 /* names that a program asks for */

/* launchd gives each name away once, so what it gave is kept, as systemd's descriptors are. */
static struct {
    char name[32];
    int fd; /* or -1 */
} given[MOST];
static size_t n_given;

/* The first of those that it holds under ${name}, or -1; no other is asked for here. */
static int ask(const char *name)
{
    int *fds = NULL, fd = -1;
    size_t n = 0;

    if (launch_activate_socket(name, &fds, &n) == 0) {
        for (size_t i = 0; i < n; i++)
            (void)fcntl(fds[i], F_SETFD, FD_CLOEXEC);
        if (n > 0)
            fd = fds[0];
        free(fds);
    }
    return fd;
}

int service_socket(const char *name)
{
    for (size_t i = 0; i < n_given; i++) {
        if (strcmp(given[i].name, name) == 0)
            return given[i].fd;
    }
    if (n_given == MOST || strlen(name) >= sizeof(given[0].name))
        return -1;
    strcpy(given[n_given].name, name);
    given[n_given].fd = ask(name);
    return given[n_given++].fd;
}

int service_socket_unix(const char *name, const char *path)
{
    struct sockaddr_un sun = {0};
    socklen_t n = sizeof(sun);
    int fd = service_socket(name);

    if (fd != -1 && getsockname(fd, (struct sockaddr *)&sun, &n) == 0 &&
        sun.sun_family == AF_UNIX && strncmp(sun.sun_path, path, sizeof(sun.sun_path)) == 0)
        return fd;
    return -1;
}

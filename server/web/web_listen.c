#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/un.h>

#include <netdb.h>
#include <netinet/in.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/fd.h"
#include "common/base/str.h"

#include "server/web/web.h"

#define UNIX_PREFIX "unix:"

int web_split(const char *host_port, char **ret_host, char **ret_port, struct ct_err *err)
{
    const char *host = host_port, *host_end, *colon;
    unsigned long long port;

    if (host_port[0] == '[') {
        host++;
        host_end = strchr(host, ']');
        colon = host_end != NULL ? host_end + 1 : NULL;
    } else {
        host_end = colon = strchr(host_port, ':');
    }
    if (colon == NULL || *colon != ':' || host_end == host || strchr(colon + 1, ':') != NULL ||
        str_parse_u64(colon + 1, &port) != 0 || port > 65535)
        return err_set(err, ERR_CONFIG, "\"%s\" is no HOST:PORT (or [IPv6]:PORT)", host_port);
    *ret_host = str_printf("%.*s", (int)(host_end - host), host);
    *ret_port = str_dup(colon + 1);
    return 0;
}

static int resolve(const char *host_port, struct addrinfo **ret, struct ct_err *err)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    char *host, *port;
    int rc;

    if (web_split(host_port, &host, &port, err) != 0)
        return -1;
    rc = getaddrinfo(host, port, &hints, ret);
    free(host);
    free(port);
    if (rc != 0)
        return err_set(err, ERR_CONFIG, "can't listen on \"%s\": %s", host_port, gai_strerror(rc));
    return 0;
}

static int is_loopback(const struct sockaddr *sa)
{
    if (sa->sa_family == AF_INET)
        return (ntohl(((const struct sockaddr_in *)sa)->sin_addr.s_addr) >> 24) == 127;
    if (sa->sa_family == AF_INET6)
        return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)sa)->sin6_addr);
    return 0;
}

const char *web_unix_path(const char *place)
{
    return strncmp(place, UNIX_PREFIX "/", strlen(UNIX_PREFIX) + 1) == 0
               ? place + strlen(UNIX_PREFIX)
               : NULL;
}

int web_host_is_loopback(const char *host_port)
{
    struct addrinfo *list;
    int yes = 1;

    if (web_unix_path(host_port) != NULL)
        return 1;
    if (resolve(host_port, &list, NULL) != 0)
        return 0;
    for (struct addrinfo *a = list; a != NULL; a = a->ai_next)
        yes = yes && is_loopback(a->ai_addr);
    freeaddrinfo(list);
    return yes;
}

static int port_of(int fd)
{
    struct sockaddr_storage ss;
    socklen_t len = sizeof(ss);

    if (getsockname(fd, (struct sockaddr *)&ss, &len) != 0)
        return 0;
    return ntohs(ss.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&ss)->sin6_port
                                          : ((struct sockaddr_in *)&ss)->sin_port);
}

char *web_adopt(int fd)
{
    struct sockaddr_storage ss;
    socklen_t len = sizeof(ss);
    const struct sockaddr_un *un = (const struct sockaddr_un *)&ss;
    char host[INET6_ADDRSTRLEN];
    int flags = fcntl(fd, F_GETFL);

    memset(&ss, 0, sizeof(ss));
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0 ||
        getsockname(fd, (struct sockaddr *)&ss, &len) != 0)
        return NULL;
    if (ss.ss_family == AF_UNIX && un->sun_path[0] == '/')
        return str_printf(UNIX_PREFIX "%s", un->sun_path);
    if ((ss.ss_family != AF_INET && ss.ss_family != AF_INET6) ||
        getnameinfo((struct sockaddr *)&ss, len, host, sizeof(host), NULL, 0, NI_NUMERICHOST) != 0)
        return NULL;
    return str_printf(ss.ss_family == AF_INET6 ? "[%s]:%d" : "%s:%d", host, port_of(fd));
}

/* One that a server left which was killed is in the way; one that somebody listens on stays. */
static void remove_stale(const struct sockaddr_un *un)
{
    int fd = fd_socket(AF_UNIX);
    struct stat st;

    if (fd < 0)
        return;
    if (lstat(un->sun_path, &st) == 0 && S_ISSOCK(st.st_mode) &&
        connect(fd, (const struct sockaddr *)un, sizeof(*un)) != 0 && errno == ECONNREFUSED)
        unlink(un->sun_path);
    close(fd);
}

/* Whoever may go to its folder may connect, as anybody of this machine may to a loopback port. */
static int listen_unix(const char *path, int *ret_fd, struct ct_err *err)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    int fd;

    if (strlen(path) >= sizeof(un.sun_path))
        return err_set(err, ERR_CONFIG, "%s is too long for a UNIX socket", path);
    memcpy(un.sun_path, path, strlen(path) + 1);
    fd = fd_socket(AF_UNIX);
    if (fd < 0)
        return err_sys(err, "can't make a socket for %s", path);
    remove_stale(&un);
    if (fd_no_wait(fd) != 0 || bind(fd, (const struct sockaddr *)&un, sizeof(un)) != 0 ||
        chmod(path, 0666) != 0 || listen(fd, 1024) != 0) {
        err_sys(err, "can't listen on %s", path);
        close(fd);
        return -1;
    }
    *ret_fd = fd;
    return 0;
}

int web_listen(const char *host_port, int *ret_fd, int *ret_port, struct ct_err *err)
{
    const char *path = web_unix_path(host_port);
    struct addrinfo *list;
    int fd, one = 1;

    *ret_port = 0;
    if (path != NULL)
        return listen_unix(path, ret_fd, err);
    if (resolve(host_port, &list, err) != 0)
        return -1;
    fd = fd_socket(list->ai_family);
    if (fd < 0) {
        err_sys(err, "can't make a socket for %s", host_port);
        goto err0;
    }
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (fd_no_wait(fd) != 0 || bind(fd, list->ai_addr, list->ai_addrlen) != 0 ||
        listen(fd, 1024) != 0) {
        err_sys(err, "can't listen on %s", host_port);
        goto err1;
    }
    freeaddrinfo(list);
    *ret_fd = fd;
    *ret_port = port_of(fd);
    return 0;

err1:
    close(fd);
err0:
    freeaddrinfo(list);
    return -1;
}

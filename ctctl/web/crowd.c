#include <sys/socket.h>
#include <sys/stat.h>

#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>

#include "common/base/str.h"

#include "ctctl/web/crowd.h"

#define FDS \
    (4 * CROWD_MAX) /* there are never so many, for the crowd is looked after at each one \
                     */

struct crowd {
    int port;
    int64_t n; /* how many have come */
    struct guest {
        ino_t inode;  /* which socket this descriptor is; 0: none of ours */
        int64_t came; /* as the how manieth it was seen first */
        int is_trusted;
    } guests[FDS];
};

struct crowd *crowd_new(int port)
{
    struct crowd *c = str_calloc(1, sizeof(*c));

    c->port = port;
    return c;
}

void crowd_free(struct crowd *c)
{
    free(c);
}

/* Return which socket ${fd} is if it is a connection to our port, else 0. */
static ino_t inode_of(const struct crowd *c, int fd)
{
    struct sockaddr_in own, peer;
    socklen_t n = sizeof(own), m = sizeof(peer);
    struct stat st;

    if (getsockname(fd, (struct sockaddr *)&own, &n) != 0 || own.sin_family != AF_INET ||
        ntohs(own.sin_port) != c->port || getpeername(fd, (struct sockaddr *)&peer, &m) != 0 ||
        fstat(fd, &st) != 0)
        return 0;
    return st.st_ino;
}

/* Learn which there are; return how many. */
static size_t look(struct crowd *c)
{
    size_t n = 0;

    for (int fd = 0; fd < FDS; fd++) {
        struct guest *g = &c->guests[fd];
        ino_t inode = inode_of(c, fd);
        if (inode != g->inode)
            *g = (struct guest){.inode = inode, .came = c->n};
        n += inode != 0;
    }
    return n;
}

static int oldest_stranger(const struct crowd *c)
{
    int ret = -1;

    for (int fd = 0; fd < FDS; fd++) {
        const struct guest *g = &c->guests[fd];
        if (g->inode != 0 && !g->is_trusted && (ret < 0 || g->came < c->guests[ret].came))
            ret = fd;
    }
    return ret;
}

void crowd_came(struct crowd *c)
{
    int fd;

    c->n++;
    for (size_t n = look(c); n > CROWD_MAX && (fd = oldest_stranger(c)) >= 0; n--) {
        shutdown(fd, SHUT_RDWR);
        c->guests[fd].is_trusted = 1; /* it is on its way out, and no more to be thought of */
    }
}

void crowd_trust(struct crowd *c, int fd)
{
    if (fd < 0 || fd >= FDS)
        return;
    look(c);
    c->guests[fd].is_trusted = 1;
}

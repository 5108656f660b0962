#include <sys/socket.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include <event2/event.h>

#include "common/base/log.h"
#include "common/base/str.h"

#include "net/network.h"

/* An address comes with routes and more; together they are one change. */
#define SETTLE_MS 300

struct network {
    struct event_base *base;
    void (*changed)(void *arg);
    void *arg;
    int fd; /* -1: not listening */
    struct event *ev;
    struct event *settle;
};

/* What goes away makes nothing possible. */
static int is_gain(const struct nlmsghdr *h)
{
    return h->nlmsg_type == RTM_NEWADDR || h->nlmsg_type == RTM_NEWROUTE ||
           h->nlmsg_type == RTM_NEWLINK;
}

/* Read all that is there.  ENOBUFS: some was lost, so anything may have come. */
static int read_gains(int fd)
{
    union {
        struct nlmsghdr align;
        char bytes[16384];
    } buf;
    int gains = 0;

    for (;;) {
        ssize_t n = recv(fd, &buf, sizeof(buf), MSG_DONTWAIT);
        size_t left;
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == ENOBUFS) {
            gains++;
            continue;
        }
        if (n <= 0)
            return gains;
        left = (size_t)n;
        for (const struct nlmsghdr *h = &buf.align; NLMSG_OK(h, left); h = NLMSG_NEXT(h, left))
            gains += is_gain(h);
    }
}

static void on_news(evutil_socket_t fd, short what, void *arg)
{
    static const struct timeval soon = {0, SETTLE_MS * 1000};
    struct network *n = arg;

    (void)what;
    if (read_gains((int)fd) > 0 && !evtimer_pending(n->settle, NULL))
        evtimer_add(n->settle, &soon);
}

static void on_settled(evutil_socket_t fd, short what, void *arg)
{
    struct network *n = arg;

    (void)fd;
    (void)what;
    log_debug("network-changed");
    n->changed(n->arg);
}

struct network *network_new(struct event_base *base, void (*changed)(void *arg), void *arg)
{
    struct network *n = str_calloc(1, sizeof(*n));

    n->base = base;
    n->changed = changed;
    n->arg = arg;
    n->fd = -1;
    n->settle = evtimer_new(base, on_settled, n);
    if (n->settle == NULL)
        abort();
    return n;
}

static void stop(struct network *n)
{
    if (n->fd < 0)
        return;
    event_free(n->ev);
    close(n->fd);
    n->fd = -1;
    evtimer_del(n->settle);
}

static void start(struct network *n)
{
    struct sockaddr_nl sa = {
        .nl_family = AF_NETLINK,
        .nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_IFADDR |
                     RTMGRP_IPV6_ROUTE,
    };

    n->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
    if (n->fd < 0 || bind(n->fd, (struct sockaddr *)&sa, sizeof(sa)) != 0) {
        /* A sandbox may forbid it: then only the back-off tells. */
        log_debug("network-news error=\"%s\"", strerror(errno));
        if (n->fd >= 0)
            close(n->fd);
        n->fd = -1;
        return;
    }
    n->ev = event_new(n->base, n->fd, EV_READ | EV_PERSIST, on_news, n);
    if (n->ev == NULL || event_add(n->ev, NULL) != 0)
        abort();
}

void network_listen(struct network *n, int is_wanted)
{
    if (!is_wanted)
        stop(n);
    else if (n->fd < 0)
        start(n);
}

void network_free(struct network *n)
{
    if (n == NULL)
        return;
    stop(n);
    event_free(n->settle);
    free(n);
}

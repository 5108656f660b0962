#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "common/base/log.h"
#include "common/base/now.h"
#include "common/base/str.h"

#include "net/bus_systemd.h"

struct bus {
    struct event_base *base;
    void (*lost)(void *arg);
    void *arg;
    sd_bus *sd;
    struct event *ev;
};

static void on_bus(evutil_socket_t fd, short what, void *arg)
{
    struct bus *b = arg;
    int rc;

    (void)fd;
    (void)what;
    while ((rc = sd_bus_process(b->sd, NULL)) > 0)
        ;
    if (rc < 0) {
        log_debug("bus-lost error=\"%s\"", strerror(-rc));
        b->lost(b->arg);
        return;
    }
    bus_arm(b);
}

/* What the bus waits for may be another thing each time. */
void bus_arm(struct bus *b)
{
    int events = sd_bus_get_events(b->sd);
    uint64_t at_us = UINT64_MAX, now_us = (uint64_t)now_mono_ms() * 1000;
    struct timeval tv = {0};
    short flags = 0;

    if (b->ev != NULL)
        event_free(b->ev);
    if (events > 0 && (events & POLLIN) != 0)
        flags |= EV_READ;
    if (events > 0 && (events & POLLOUT) != 0)
        flags |= EV_WRITE;
    b->ev = event_new(b->base, sd_bus_get_fd(b->sd), flags, on_bus, b);
    if (b->ev == NULL)
        abort();
    sd_bus_get_timeout(b->sd, &at_us);
    if (at_us != UINT64_MAX && at_us > now_us) {
        tv.tv_sec = (time_t)((at_us - now_us) / 1000000);
        tv.tv_usec = (suseconds_t)((at_us - now_us) % 1000000);
    }
    event_add(b->ev, at_us == UINT64_MAX ? NULL : &tv);
}

static int on_loop(int rc, sd_bus *sd, struct event_base *base, void (*lost)(void *arg), void *arg,
                   struct bus **ret)
{
    struct bus *b;

    if (rc < 0) {
        errno = -rc;
        return -1;
    }
    b = str_calloc(1, sizeof(*b));
    b->base = base;
    b->lost = lost;
    b->arg = arg;
    b->sd = sd;
    bus_arm(b);
    *ret = b;
    return 0;
}

int bus_open(struct event_base *base, void (*lost)(void *arg), void *arg, struct bus **ret)
{
    sd_bus *sd = NULL;
    int rc = sd_bus_open_system(&sd);

    return on_loop(rc, sd, base, lost, arg, ret);
}

int bus_open_user(struct event_base *base, void (*lost)(void *arg), void *arg, struct bus **ret)
{
    sd_bus *sd = NULL;
    int rc = sd_bus_open_user(&sd);

    return on_loop(rc, sd, base, lost, arg, ret);
}

void bus_close(struct bus *b)
{
    if (b == NULL)
        return;
    if (b->ev != NULL)
        event_free(b->ev);
    sd_bus_close_unref(b->sd);
    free(b);
}

sd_bus *bus_sd(struct bus *b)
{
    return b->sd;
}

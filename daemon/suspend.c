#include <stdlib.h>

#include <event2/event.h>

#include "common/base/log.h"
#include "common/base/str.h"

#include "daemon/daemon.h"
#include "daemon/system/sleep.h"

/* Logind waits 5 s unless it is told otherwise; what takes longer goes on after waking up. */
#define DELAY_S 5

struct suspend {
    struct sleep_lock *lock;
    struct event *timer;
    int is_going; /* the machine waits for us */
};

static void let_go(struct daemon *d, const char *why)
{
    if (!d->suspend->is_going)
        return;
    d->suspend->is_going = 0;
    evtimer_del(d->suspend->timer);
    log_info("sleep delayed=done reason=\"%s\"", why);
    sleep_lock_release(d->suspend->lock);
}

static void on_late(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    let_go(arg, "the rest has to wait");
}

static void on_saved(struct daemon *d)
{
    let_go(d, "nothing is left that could go out");
}

static void on_going(void *arg)
{
    struct daemon *d = arg;
    const struct timeval tv = {.tv_sec = DELAY_S};

    if (d->suspend->is_going)
        return;
    d->suspend->is_going = 1;
    evtimer_add(d->suspend->timer, &tv);
    /* Nobody asked for it by name: a pause holds, and so does a connection that is paid by the
     * byte. */
    if (pause_is_on(d) || d->is_metered || d->is_stopping)
        let_go(d, "uploads are paused");
    else
        waiter_hurry(d, on_saved);
}

void suspend_begin(struct daemon *d)
{
    if (d->is_once)
        return;
    d->suspend = str_calloc(1, sizeof(*d->suspend));
    d->suspend->timer = evtimer_new(d->base, on_late, d);
    d->suspend->lock = sleep_lock_new(d->base, on_going, d);
}

void suspend_end(struct daemon *d)
{
    if (d->suspend == NULL)
        return;
    sleep_lock_free(d->suspend->lock);
    if (d->suspend->timer != NULL)
        event_free(d->suspend->timer);
    free(d->suspend);
    d->suspend = NULL;
}

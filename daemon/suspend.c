#include <event2/event.h>

#include "common/base/log.h"

#include "daemon/daemon.h"
#include "daemon/system/sleep.h"

/* Logind waits 5 s unless it is told otherwise; what takes longer goes on after waking up. */
#define DELAY_S 5

static void let_go(struct daemon *d, const char *why)
{
    if (!d->is_going_to_sleep)
        return;
    d->is_going_to_sleep = 0;
    evtimer_del(d->sleep_timer);
    log_info("sleep delayed=done reason=\"%s\"", why);
    sleep_lock_release(d->sleep_lock);
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

    if (d->is_going_to_sleep)
        return;
    d->is_going_to_sleep = 1;
    evtimer_add(d->sleep_timer, &tv);
    /* Nobody asked for it by name: a pause holds, and so does a connection that is paid by the
     * byte. */
    if (d->is_paused || d->is_metered || d->is_stopping)
        let_go(d, "uploads are paused");
    else
        waiter_hurry(d, on_saved);
}

void suspend_begin(struct daemon *d)
{
    if (d->is_once)
        return;
    d->sleep_timer = evtimer_new(d->base, on_late, d);
    d->sleep_lock = sleep_lock_new(d->base, on_going, d);
}

void suspend_end(struct daemon *d)
{
    sleep_lock_free(d->sleep_lock);
    if (d->sleep_timer != NULL)
        event_free(d->sleep_timer);
    d->sleep_lock = NULL;
    d->sleep_timer = NULL;
}

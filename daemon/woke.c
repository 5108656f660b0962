#include <event2/event.h>

#include "common/base/now.h"

#include "daemon/account/cloud.h"
#include "daemon/daemon.h"
#include "daemon/account/login_view.h"

/* A pause for an hour is over an hour later, whether or not the machine was awake. */
static void check_pause(struct daemon *d)
{
    int64_t left_ms = d->paused_until_ms - now_wall_ms();
    struct timeval tv = {.tv_sec = (time_t)(left_ms / 1000),
                         .tv_usec = (suseconds_t)(left_ms % 1000 * 1000)};

    if (!d->is_paused || d->paused_until_ms == 0)
        return;
    if (left_ms <= 0)
        pause_end(d);
    else
        evtimer_add(d->pause_timer, &tv);
}

void daemon_woke(struct daemon *d)
{
    /* What was connected before is most likely dead, and the network may be back. */
    http_engine_rest(d->engine);
    check_pause(d);
    login_view_try_now(d->login);
    cloud_try_now(d->cloud);
    if (d->books != NULL)
        uploader_try_now(d->books->uploader);
    control_event(d, "state", NULL, 0, 0, "resumed from suspend");
}

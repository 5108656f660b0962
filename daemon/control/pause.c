#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/now.h"
#include "common/base/path.h"
#include "common/base/str.h"

#include "daemon/daemon.h"

struct pause {
    int is_on;
    int64_t until_ms; /* wall clock, 0: until told */
    struct event *timer;
};

/* The file "paused" in the shared folder holds until when (wall clock, ms; 0: until told), so that
 * neither a restart nor another name of the host ends what somebody asked for. */

static char *file_of(const struct daemon *d)
{
    return path_join(d->config->shared_dir, "paused");
}

/* Where daemons of before kept it: in the folder that is called as the host. */
static char *old_file_of(const struct daemon *d)
{
    return path_join(d->config->state_dir, "paused");
}

static void keep(const struct daemon *d)
{
    char *path = file_of(d), *text = str_printf("%lld\n", (long long)d->pause->until_ms);
    struct ct_err err;

    if (file_replace(path, text, strlen(text), 0600, &err) != 0)
        log_warn("pause-not-kept error=\"%s\" effect=\"a restart ends it\"", err.msg);
    free(text);
    free(path);
}

static void forget(const struct daemon *d)
{
    char *path = file_of(d), *old = old_file_of(d);

    unlink(path);
    unlink(old);
    free(old);
    free(path);
}

static void hold(struct daemon *d, int64_t until_ms)
{
    int64_t left_ms = until_ms - now_wall_ms();
    struct timeval tv = {.tv_sec = left_ms / 1000, .tv_usec = left_ms % 1000 * 1000};

    d->pause->is_on = 1;
    d->pause->until_ms = until_ms;
    evtimer_del(d->pause->timer);
    if (until_ms > 0)
        evtimer_add(d->pause->timer, &tv);
    if (d->books != NULL)
        uploader_pause(d->books->uploader, 1);
}

void pause_begin(struct daemon *d, int64_t seconds)
{
    hold(d, seconds > 0 ? now_wall_ms() + seconds * 1000 : 0);
    keep(d);
    log_info("paused seconds=%lld", (long long)seconds);
    control_event(d, "state", NULL, 0, 0, "paused");
}

void pause_end(struct daemon *d)
{
    if (!d->pause->is_on)
        return;
    d->pause->is_on = 0;
    d->pause->until_ms = 0;
    forget(d);
    evtimer_del(d->pause->timer);
    if (d->books != NULL)
        uploader_pause(d->books->uploader, 0);
    log_info("resumed");
    control_event(d, "state", NULL, 0, 0, "resumed");
}

void pause_restore(struct daemon *d)
{
    char *path = file_of(d), *old = old_file_of(d);
    struct buf b = {0};
    unsigned long long until_ms = 0;

    if (file_read(path, 64, &b, NULL) != 0 && file_read(old, 64, &b, NULL) != 0)
        goto done;
    if (b.len > 0 && b.data[b.len - 1] == '\n')
        b.data[--b.len] = '\0';
    /* Not readable: somebody asked for a pause, and until when is not known. */
    if (b.len == 0 || str_parse_u64(b.data, &until_ms) != 0 || until_ms > INT64_MAX / 2)
        until_ms = 0;
    if (until_ms != 0 && (int64_t)until_ms <= now_wall_ms()) {
        forget(d);
    } else {
        hold(d, (int64_t)until_ms);
        log_info("paused reason=\"as before the restart\"");
    }
done:
    buf_free(&b);
    free(old);
    free(path);
}

static void on_pause_over(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    pause_end(arg);
}

int pause_is_on(const struct daemon *d)
{
    return d->pause->is_on;
}

int64_t pause_until_ms(const struct daemon *d)
{
    return d->pause->is_on ? d->pause->until_ms : 0;
}

/* A pause for an hour is over an hour later, whether or not the machine was awake. */
void pause_woke(struct daemon *d)
{
    int64_t left_ms = d->pause->until_ms - now_wall_ms();
    struct timeval tv = {.tv_sec = (time_t)(left_ms / 1000),
                         .tv_usec = (suseconds_t)(left_ms % 1000 * 1000)};

    if (!d->pause->is_on || d->pause->until_ms == 0)
        return;
    if (left_ms <= 0)
        pause_end(d);
    else
        evtimer_add(d->pause->timer, &tv);
}

struct pause *pause_new(struct daemon *d)
{
    struct pause *p = str_calloc(1, sizeof(*p));

    p->timer = evtimer_new(d->base, on_pause_over, d);
    if (p->timer == NULL)
        abort();
    return p;
}

void pause_free(struct pause *p)
{
    event_free(p->timer);
    free(p);
}

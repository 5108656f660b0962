#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/now.h"
#include "common/base/path.h"
#include "common/base/str.h"

#include "daemon/system/confine.h"
#include "daemon/daemon.h"

/* So that what is replaced in a circle does not use up the starts that a service manager grants
 * (see the unit): the first restart is made at once, the next so long after it. */
#define DISTANCE_MS 75000

struct restart {
    struct event *timer;
    char *path; /* that it is to start anew for, or NULL */
};

static char *stamp_of(const struct daemon *d)
{
    return path_join(d->config->state_dir, "restarted");
}

static int64_t wait_ms(const char *stamp)
{
    struct stat st;
    int64_t age_ms;

    if (stat(stamp, &st) != 0)
        return 0;
    age_ms = now_wall_ms() - file_mtime_ns(&st) / 1000000;
    return age_ms >= 0 && age_ms < DISTANCE_MS ? DISTANCE_MS - age_ms : 0;
}

static void touch(const char *stamp)
{
    int fd = open(stamp, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0)
        return;
    if (futimens(fd, NULL) != 0)
        log_debug("restart-not-noted errno=%d", errno);
    close(fd);
}

static void on_restart(evutil_socket_t fd, short what, void *arg)
{
    struct daemon *d = arg;
    char *stamp = stamp_of(d);

    (void)fd;
    (void)what;
    if (!d->is_stopping) {
        /* Nobody starts that one anew; and not all could be looked at. */
        d->exit_status = d->is_once ? 75 : DAEMON_RESTART;
        if (!d->is_once)
            touch(stamp);
        daemon_stop(d);
    }
    free(stamp);
}

void restart_if_barred(struct daemon *d, const char *path)
{
    if (!confine_bars(d->confine, path))
        return;
    restart_begin(d, path);
}

void restart_begin(struct daemon *d, const char *path)
{
    char quoted[512], *stamp = stamp_of(d);
    int64_t left_ms = d->is_once ? 0 : wait_ms(stamp);
    struct timeval tv = {.tv_sec = left_ms / 1000, .tv_usec = left_ms % 1000 * 1000};

    free(stamp);
    if (d->restart->path != NULL || d->is_stopping)
        return;
    d->restart->path = str_dup(path);
    log_warn("restart path=%s reason=\"it is new since the sandbox closed\" in-seconds=%lld",
             log_quote(path, quoted, sizeof(quoted)), (long long)((left_ms + 999) / 1000));
    evtimer_add(d->restart->timer, &tv);
    control_event(d, "state", NULL, 0, 0, "the daemon starts anew");
}

const char *restart_path(const struct daemon *d)
{
    return d->restart->path;
}

struct restart *restart_new(struct daemon *d)
{
    struct restart *r = str_calloc(1, sizeof(*r));

    r->timer = evtimer_new(d->base, on_restart, d);
    if (r->timer == NULL)
        abort();
    return r;
}

void restart_free(struct restart *r)
{
    event_free(r->timer);
    free(r->path);
    free(r);
}

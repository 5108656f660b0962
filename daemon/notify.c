#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/base/buf.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/path.h"
#include "common/base/str.h"
#include "daemon/account/login_view.h"
#include "daemon/daemon.h"
#include "daemon/system/desktop.h"

/*
 * Whoever does not look at the status is told on the desktop: that a log-in has ended, at once, and
 * that something has been NOT SAFE for long.  Once for each cause, over restarts too: what was told
 * last stands in a file, until all is well.
 */

#define SOON_MS 1000 /* what changes, often changes again at once */

struct notify {
    struct daemon *d;
    struct event *soon;  /* to look at how things stand */
    struct event *later; /* it has been so for long; pending while it is */
    struct desktop *desktop;
};

enum cause { CAUSE_NONE, CAUSE_LOGIN, CAUSE_UNSAFE };

static const struct {
    const char *word, *body;
} causes[] = {
    [CAUSE_NONE] = {"", ""},
    [CAUSE_LOGIN] = {"login", "The log-in of this machine has ended, so nothing is saved any more. "
                              "To log in again: ctctl login"},
    [CAUSE_UNSAFE] = {"unsafe", "Something has not been safe for a while. To see what it is and "
                                "what to do: ctctl status"},
};

static enum cause cause_of(struct daemon *d)
{
    const char *email, *url, *device, *why;
    char line[300];

    if (login_view_look(d->login, &email, &url, &device, &why) == LOGIN_REFUSED)
        return CAUSE_LOGIN;
    report_line(d, line, sizeof(line));
    return strncmp(line, "NOT SAFE", 8) == 0 && d->books != NULL ? CAUSE_UNSAFE : CAUSE_NONE;
}

static char *told_file(const struct daemon *d)
{
    return path_join(d->config->state_dir, "notified");
}

static int was_told(const struct daemon *d, enum cause cause)
{
    char *path = told_file(d);
    struct buf b = {0};
    int yes = file_read(path, 64, &b, NULL) == 0 && b.data != NULL &&
              strcmp(b.data, causes[cause].word) == 0;

    buf_free(&b);
    free(path);
    return yes;
}

static void tell(struct notify *n, enum cause cause)
{
    const char *word = causes[cause].word;
    char *path;

    if (was_told(n->d, cause))
        return;
    log_info("notified cause=%s", word);
    path = told_file(n->d);
    (void)file_replace(path, word, strlen(word), 0600, NULL);
    free(path);
    desktop_free(n->desktop);
    n->desktop = desktop_say(n->d->base, "Codeteleport: NOT SAFE", causes[cause].body);
}

static void all_is_well(struct notify *n)
{
    char *path = told_file(n->d);

    evtimer_del(n->later);
    unlink(path);
    free(path);
}

static void on_soon(evutil_socket_t fd, short what, void *arg)
{
    struct notify *n = arg;
    int64_t ms = n->d->config->notify_after_ms;
    struct timeval tv = {.tv_sec = (time_t)(ms / 1000), .tv_usec = (suseconds_t)(ms % 1000 * 1000)};
    enum cause cause = cause_of(n->d);

    (void)fd;
    (void)what;
    if (cause == CAUSE_NONE)
        all_is_well(n);
    else if (ms > 0 && cause == CAUSE_LOGIN)
        tell(n, cause);
    else if (ms > 0 && !evtimer_pending(n->later, NULL) && !was_told(n->d, cause))
        evtimer_add(n->later, &tv);
}

static void on_later(evutil_socket_t fd, short what, void *arg)
{
    struct notify *n = arg;
    enum cause cause = cause_of(n->d);

    (void)fd;
    (void)what;
    if (cause != CAUSE_NONE && n->d->config->notify_after_ms > 0)
        tell(n, cause);
}

void notify_look(struct daemon *d)
{
    const struct timeval tv = {.tv_sec = SOON_MS / 1000};

    if (d->notify != NULL && !evtimer_pending(d->notify->soon, NULL))
        evtimer_add(d->notify->soon, &tv);
}

void notify_begin(struct daemon *d)
{
    struct notify *n;

    if (d->is_once)
        return;
    n = str_calloc(1, sizeof(*n));
    n->d = d;
    n->soon = evtimer_new(d->base, on_soon, n);
    n->later = evtimer_new(d->base, on_later, n);
    if (n->soon == NULL || n->later == NULL)
        abort();
    d->notify = n;
}

void notify_end(struct daemon *d)
{
    if (d->notify == NULL)
        return;
    desktop_free(d->notify->desktop);
    event_free(d->notify->soon);
    event_free(d->notify->later);
    free(d->notify);
    d->notify = NULL;
}

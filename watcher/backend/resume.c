#include <stdlib.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/base/log.h"
#include "common/base/str.h"

#include "watcher/backend/resume.h"

#define LEAST_MS 2000 /* clocks read one after the other may differ a little */

struct resume {
    int fd;
    struct event *readable;
    void (*woke)(void *arg);
    void *arg;
    int64_t asleep_ms; /* as last seen */
};

void resume_look(struct resume *r)
{
    int64_t asleep_ms = resume_system_asleep_ms();
    int64_t slept_ms = asleep_ms - r->asleep_ms;

    if (slept_ms <= LEAST_MS)
        return; /* and short ones add up */
    r->asleep_ms = asleep_ms;
    log_info("resumed-from-suspend seconds=%lld", (long long)(slept_ms / 1000));
    r->woke(r->arg);
}

/* What is read does not matter: that something could be read is the occasion. */
static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    char buf[64];

    (void)what;
    while (read(fd, buf, sizeof(buf)) > 0)
        ;
    resume_look(arg);
}

int resume_new(struct event_base *base, void (*woke)(void *arg), void *arg, struct resume **ret,
               struct ct_err *err)
{
    struct resume *r = str_calloc(1, sizeof(*r));

    r->woke = woke;
    r->arg = arg;
    r->asleep_ms = resume_system_asleep_ms();
    r->fd = resume_system_open();
    if (r->fd != -1) {
        r->readable = event_new(base, r->fd, EV_READ | EV_PERSIST, on_readable, r);
        if (r->readable == NULL || event_add(r->readable, NULL) == -1) {
            err_set(err, ERR_FAIL, "the event loop takes no event for suspends");
            goto err0;
        }
    }

    /* Success! */
    *ret = r;
    return 0;

err0:
    resume_free(r);

    /* Failure! */
    return -1;
}

void resume_free(struct resume *r)
{
    if (r == NULL)
        return;
    if (r->readable != NULL)
        event_free(r->readable);
    if (r->fd != -1)
        close(r->fd);
    free(r);
}

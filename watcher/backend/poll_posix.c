#include <errno.h>
#include <stdio.h>

#include "watcher/backend/backend.h"

/* Polling is what the scheduler of scans does with each folder that could not be watched. */
static int polling_open(struct event_base *base, const struct backend_listener *listener, void *arg,
                        void **ret, struct ct_err *err)
{
    (void)base;
    (void)listener;
    (void)arg;
    (void)err;
    *ret = NULL;
    return 0;
}

static void polling_close(void *b)
{
    (void)b;
}

static int polling_watch(void *b, int fd, unsigned what, int exactly)
{
    (void)b;
    (void)fd;
    (void)what;
    (void)exactly;
    errno = ENOTSUP;
    return -1;
}

static int polling_unwatch(void *b, int watch)
{
    (void)b;
    (void)watch;
    return 0;
}

static void polling_cure(char *buf, unsigned long size)
{
    snprintf(buf, size, "this system offers no watches");
}

const struct backend *backend_polling(void)
{
    static const struct backend polling = {
        .name = "polling",
        .doubt = "",
        .open = polling_open,
        .close = polling_close,
        .watch = polling_watch,
        .unwatch = polling_unwatch,
        .cure = polling_cure,
    };

    return &polling;
}

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/path.h"
#include "common/base/str.h"

#include "watcher/core.h"

#ifndef O_PATH
#define O_PATH O_RDONLY
#endif

#define PREFIX "drain-"

struct drain {
    struct drain *next;
    void (*done)(void *arg);
    void *arg;
    uint64_t number; /* of its marker */
    int is_marked;   /* the marker is on its way */
    uint64_t epoch;  /* once it came back: done when no work of it or before is left */
};

struct drains {
    char *dir;
    struct watch watch;
    struct drain *first;
    struct drain **end;
    uint64_t number;
    int is_swept;
};

struct drains *drain_new(const char *marker_dir)
{
    struct drains *ds = str_calloc(1, sizeof(*ds));

    ds->dir = str_dup(marker_dir != NULL ? marker_dir : "");
    ds->end = &ds->first;
    ds->watch.id = -1;
    ds->watch.kind = WATCH_MARKER;
    ds->watch.what = BACKEND_NAMES;
    return ds;
}

static char *marker_path(const struct drains *ds, const struct drain *d)
{
    char name[64];

    snprintf(name, sizeof(name), PREFIX "%" PRIu64, d->number);
    return path_join(ds->dir, name);
}

static void unmark(const struct drains *ds, struct drain *d)
{
    char *path;

    if (!d->is_marked)
        return;
    d->is_marked = 0;
    path = marker_path(ds, d);
    (void)unlink(path);
    free(path);
}

void drain_free(struct watcher *w, struct drains *ds)
{
    struct drain *d;

    while ((d = ds->first) != NULL) {
        ds->first = d->next;
        unmark(ds, d);
        free(d);
    }
    watches_leave(w->watches, &ds->watch);
    free(ds->dir);
    free(ds);
}

/* Remove the markers of a process that was killed. */
static void sweep(struct drains *ds)
{
    const struct dirent *e;
    DIR *stream;

    ds->is_swept = 1;
    if ((stream = opendir(ds->dir)) == NULL)
        return;
    while ((e = readdir(stream)) != NULL) {
        if (strncmp(e->d_name, PREFIX, strlen(PREFIX)) == 0)
            (void)unlinkat(dirfd(stream), e->d_name, 0);
    }
    closedir(stream);
}

/* Have the folder for markers watched.  Return 0, or -1. */
static int watch_dir(struct watcher *w, struct drains *ds)
{
    int fd, id;

    if (ds->watch.id != -1)
        return 0;
    if (*ds->dir == '\0')
        return -1;
    if (!ds->is_swept)
        sweep(ds);
    if ((fd = open(ds->dir, O_PATH | O_DIRECTORY | O_CLOEXEC)) == -1)
        return -1;
    if ((id = watches_ask(w->watches, fd, ds->watch.what)) != -1)
        watches_join(w->watches, &ds->watch, id);
    close(fd);
    return id != -1 ? 0 : -1;
}

/* Send the marker of ${d} off.  Return 0, or -1. */
static int mark(struct watcher *w, struct drains *ds, struct drain *d)
{
    char *path;
    int fd;

    if (watch_dir(w, ds) == -1)
        return -1;
    path = marker_path(ds, d);
    fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0600);
    free(path);
    if (fd == -1)
        return -1;
    close(fd);
    d->is_marked = 1;
    return 0;
}

/* All that happened before the drain is known, as are the scans that it leads to. */
static void close_epoch(struct watcher *w, struct drain *d)
{
    unmark(w->drains, d);
    pass_ask_all(w, PASS_POLL);
    d->epoch = w->epoch++;
    watcher_kick(w);
}

/* There is no telling what is known: look at all of it. */
static void look_at_all(struct watcher *w, struct drain *d)
{
    pass_ask_all(w, PASS_FULL);
    anchor_doubt(w, NULL);
    close_epoch(w, d);
}

void drain_add(struct watcher *w, void (*done)(void *arg), void *arg)
{
    struct drains *ds = w->drains;
    struct drain *d = str_calloc(1, sizeof(*d));

    d->done = done;
    d->arg = arg;
    d->number = ++ds->number;
    *ds->end = d;
    ds->end = &d->next;
    if (mark(w, ds, d) == 0)
        return;
    if (w->backend == backend_polling()) {
        anchor_doubt(w, NULL);
        close_epoch(w, d);
        return;
    }
    log_debug("watch_marker_failed errno=%d", errno);
    look_at_all(w, d);
}

void drain_event(struct watcher *w, const char *name)
{
    unsigned long long number;

    if (strncmp(name, PREFIX, strlen(PREFIX)) != 0 ||
        str_parse_u64(name + strlen(PREFIX), &number) == -1)
        return;
    for (struct drain *d = w->drains->first; d != NULL; d = d->next) {
        if (d->is_marked && d->number == number)
            close_epoch(w, d);
    }
}

void drain_lost(struct watcher *w)
{
    for (struct drain *d = w->drains->first; d != NULL; d = d->next) {
        if (d->is_marked)
            look_at_all(w, d);
    }
}

static struct drain *take_settled(struct drains *ds, uint64_t epoch)
{
    for (struct drain **at = &ds->first, *d; (d = *at) != NULL; at = &d->next) {
        if (d->is_marked || d->epoch >= epoch)
            continue;
        if ((*at = d->next) == NULL)
            ds->end = at;
        return d;
    }
    return NULL;
}

void drain_settle(struct watcher *w)
{
    uint64_t scan = scan_epoch(w), pass = pass_epoch(w);
    struct drain *d;

    while ((d = take_settled(w->drains, scan < pass ? scan : pass)) != NULL) {
        d->done(d->arg);
        free(d);
    }
}

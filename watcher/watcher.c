#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <event2/event.h>

#include "common/base/log.h"
#include "common/base/str.h"

#include "watcher/core.h"
#include "watcher/backend/fs.h"
#include "watcher/backend/resume.h"

#define POLL_DEFAULT_MS 5000
#define POLL_SHARE 20 /* polling takes at most one part in so many of the time */

static void add_timer(struct event *timer, int64_t ms)
{
    struct timeval tv = {.tv_sec = (time_t)(ms / 1000), .tv_usec = (suseconds_t)(ms % 1000 * 1000)};

    event_add(timer, &tv);
}

/* A timer, for an event that is activated from its own callback runs again before the loop looks at
 * any descriptor. */
void watcher_kick(struct watcher *w)
{
    if (w->is_kicked)
        return;
    w->is_kicked = 1;
    add_timer(w->work, 0);
}

static void rescan_all(struct watcher *w)
{
    anchor_doubt(w, NULL);
    pass_ask_all(w, PASS_FULL);
}

/* Others may have written to a network file system meanwhile, and nothing tells of that. */
static void on_resume(void *arg)
{
    struct watcher *w = arg;

    rescan_all(w);
    if (w->ops->resumed != NULL)
        w->ops->resumed(w->arg);
}

static int is_polling(const struct watcher *w)
{
    for (int i = 0; i < w->n_roots; i++) {
        if (w->roots[i].polled > 0 || w->roots[i].is_unknown)
            return 1;
    }
    return anchor_is_polled(w);
}

static void on_queue_read(void *arg)
{
    struct watcher *w = arg;

    look_exhume(w, w->lossy_graves);
}

static void become_idle(struct watcher *w)
{
    int64_t ms = w->poll_cost_ms * POLL_SHARE;

    /* The end of some watches was among what was lost.  All others are known once everything that
     * is in the queue now has been read. */
    if (w->is_lossy) {
        w->is_lossy = 0;
        w->lossy_graves = w->n_graves;
        drain_add(w, on_queue_read, w);
    }

    if (w->is_trim_due) {
        w->is_trim_due = 0;
        fs_give_memory_back();
    }
    if (is_polling(w) && !evtimer_pending(w->poll, NULL))
        add_timer(w->poll, ms > w->poll_ms ? ms : w->poll_ms);
}

static void on_work(evutil_socket_t fd, short what, void *arg)
{
    struct watcher *w = arg;

    (void)fd;
    (void)what;
    w->is_kicked = 0;
    resume_look(w->resume);
    anchor_update(w);
    pass_start(w);
    scan_slice(w);
    if (!anchor_is_doubtful(w))
        drain_settle(w);
    if (anchor_is_doubtful(w) || !scan_is_idle(w) || pass_epoch(w) != UINT64_MAX)
        watcher_kick(w);
    else if (!w->is_kicked)
        become_idle(w);
}

static void on_poll(evutil_socket_t fd, short what, void *arg)
{
    struct watcher *w = arg;

    (void)fd;
    (void)what;
    anchor_doubt(w, NULL);
    pass_ask_all(w, PASS_POLL);
}

static void on_rescan(evutil_socket_t fd, short what, void *arg)
{
    struct watcher *w = arg;

    (void)fd;
    (void)what;
    rescan_all(w);
    add_timer(w->rescan, w->rescan_ms);
}

/* The watch of the folder ${d} tells of the folder itself. */
static void on_dir_self(struct watcher *w, struct dir *d, unsigned flags)
{
    struct root *r = &w->roots[d->root];

    /* What it held is at its path no more.  That a folder moved is told to its parent as well, but
     * that one may not have been watched yet. */
    if (flags & (BACKEND_UNMOUNTED | BACKEND_MOVED_AWAY))
        pass_ask(w, r, PASS_FULL, w->epoch);
    if (d->parent == NULL) {
        r->is_lost |= (flags & BACKEND_ENDED) != 0;
        r->is_suspect = 1;
        anchor_doubt(w, r);
    } else if (flags & BACKEND_ENDED) {
        scan_queue(w, d, w->epoch, 0, 0);
    }
}

static void tell_user(struct watcher *w, struct watch *u, unsigned flags, const char *name)
{
    int is_self = (flags & (BACKEND_SELF_GONE | BACKEND_UNMOUNTED | BACKEND_ENDED)) != 0;

    switch ((enum watch_kind)u->kind) {
    case WATCH_DIR:
        if (is_self)
            on_dir_self(w, (struct dir *)u, flags);
        else if (*name != '\0')
            look_event(w, (struct dir *)u, flags, name);
        break;
    case WATCH_GRAVE:
        if (flags & BACKEND_ENDED)
            look_grave_ended(w, u);
        else
            look_grave_event(w, u, flags, name);
        break;
    case WATCH_STEP:
        anchor_event(w, u, flags, name);
        break;
    case WATCH_MARKER:
        if (flags & BACKEND_ENDED)
            drain_lost(w);
        else if (!is_self)
            drain_event(w, name);
        break;
    }
}

static int is_user(const struct watcher *w, int id, const struct watch *user)
{
    for (const struct watch *u = watches_find(w->watches, id); u != NULL; u = u->next) {
        if (u == user)
            return 1;
    }
    return 0;
}

static void on_event(void *arg, int id, unsigned flags, const char *name)
{
    struct watcher *w = arg;
    struct watch *users, *next;

    users = flags & BACKEND_ENDED ? watches_ended(w->watches, id) : watches_find(w->watches, id);
    for (struct watch *u = users; u != NULL; u = next) {
        next = u->next;
        tell_user(w, u, flags, name);
        /* To look may have ended other ways to the same folder, if they lead through this one. */
        if (next != NULL && !(flags & BACKEND_ENDED) && !is_user(w, id, next)) {
            pass_ask_all(w, PASS_FULL);
            break;
        }
    }
}

/* The end of a watch may be among what was lost, and another folder may have got the same inode. */
static void distrust_all(struct watcher *w)
{
    for (int i = 0; i < w->n_roots; i++) {
        const struct root *r = &w->roots[i];
        for (struct dir *d = r->top; d != NULL; d = dirtree_next(d, r->top, 0))
            d->inode = 0;
    }
}

static void on_overflow(void *arg)
{
    struct watcher *w = arg;

    w->overflows++;
    log_warn("watch_overflow count=%lld", (long long)w->overflows);
    look_exhume(w, w->n_graves);
    distrust_all(w);
    w->is_lossy = 1;
    rescan_all(w);
    drain_lost(w);
}

static void on_rest(void *arg)
{
    struct watcher *w = arg;

    look_rest(w);
    resume_look(w->resume);
}

static int open_backend(struct watcher *w, int is_polled, struct ct_err *err)
{
    static const struct backend_listener listener = {on_event, on_overflow, on_rest};
    struct ct_err why;

    w->backend = is_polled ? backend_polling() : backend_system();
    if (watches_new(w->backend, w->base, &listener, w, &w->watches, &why) == 0)
        return 0;
    log_warn("watch_backend_failed backend=%s error=\"%s\"", w->backend->name, why.msg);
    snprintf(w->no_backend, sizeof(w->no_backend), "%s", why.msg);
    w->backend = backend_polling();
    return watches_new(w->backend, w->base, &listener, w, &w->watches, err);
}

static void add_roots(struct watcher *w, const struct strlist *paths,
                      const struct agent *const *agents)
{
    w->n_roots = (int)paths->n;
    w->roots = str_calloc(paths->n + 1, sizeof(*w->roots));
    for (int i = 0; i < w->n_roots; i++) {
        w->roots[i].index = i;
        w->roots[i].agent = agents != NULL ? agents[i] : agent_unnamed();
        w->roots[i].path = str_dup(paths->v[i]);
        w->roots[i].sigs = sigs_new();
        anchor_add(w, paths->v[i], &w->roots[i]);
    }
}

int watcher_new(struct event_base *base, const struct watcher_opts *opts,
                const struct watcher_ops *ops, void *arg, struct watcher **ret, struct ct_err *err)
{
    struct watcher *w = str_calloc(1, sizeof(*w));

    w->base = base;
    w->ops = ops;
    w->arg = arg;
    w->rescan_ms = opts->rescan_ms;
    w->poll_ms = opts->poll_ms > 0 ? opts->poll_ms : POLL_DEFAULT_MS;
    w->epoch = 1;
    w->folder.root_fd = w->folder.dir_fd = -1;
    w->tree = dirtree_new();
    w->scans = scan_new();
    w->anchors = anchor_new();
    w->drains = drain_new(opts->marker_dir);
    if ((w->work = evtimer_new(base, on_work, w)) == NULL ||
        (w->poll = evtimer_new(base, on_poll, w)) == NULL ||
        (w->rescan = evtimer_new(base, on_rescan, w)) == NULL) {
        err_set(err, ERR_FAIL, "the event loop takes no timer for the watcher");
        goto err0;
    }
    if (resume_new(base, on_resume, w, &w->resume, err) == -1 ||
        open_backend(w, opts->is_polling, err) == -1)
        goto err0;
    add_roots(w, opts->roots, opts->agents);
    if (w->rescan_ms > 0)
        add_timer(w->rescan, w->rescan_ms);

    /* Success! */
    *ret = w;
    return 0;

err0:
    watcher_free(w);

    /* Failure! */
    return -1;
}

const struct agent *watcher_agent(const struct watcher *w, int root)
{
    return w->roots[root].agent;
}

void watcher_free(struct watcher *w)
{
    if (w == NULL)
        return;
    if (w->watches != NULL) {
        for (int i = 0; i < w->n_roots; i++)
            root_drop_tree(w, &w->roots[i]);
        look_exhume(w, w->n_graves);
    }
    drain_free(w, w->drains);
    anchor_free(w, w->anchors);
    for (int i = 0; i < w->n_roots; i++) {
        sigs_free(w->roots[i].sigs);
        untaken_free(&w->roots[i]);
        free(w->roots[i].path);
    }
    free(w->roots);
    watches_free(w->watches);
    resume_free(w->resume);
    scan_free(w->scans);
    dirtree_free(w->tree);
    if (w->work != NULL)
        event_free(w->work);
    if (w->poll != NULL)
        event_free(w->poll);
    if (w->rescan != NULL)
        event_free(w->rescan);
    free(w);
}

int watcher_add_file(struct watcher *w, const char *path, struct ct_err *err)
{
    if (*path != '/')
        return err_set(err, ERR_BUG, "a file to watch must be named by an absolute path");
    anchor_add(w, path, NULL);
    return 0;
}

void watcher_drain(struct watcher *w, void (*done)(void *arg), void *arg)
{
    untaken_look(w); /* who waits may have given a file back, which nothing tells */
    drain_add(w, done, arg);
}

void watcher_rescan(struct watcher *w)
{
    rescan_all(w);
}

void watcher_stats(const struct watcher *w, struct watcher_stats *ret)
{
    int n_remote = 0;

    for (int i = 0; i < w->n_roots; i++)
        n_remote += w->roots[i].is_there && w->roots[i].is_remote;
    memset(ret, 0, sizeof(*ret));
    ret->backend =
        n_remote > 0 && n_remote == w->n_roots ? backend_polling()->name : w->backend->name;
    ret->watches = (int64_t)watches_count(w->watches);
    ret->overflows = w->overflows;
    ret->last_scan_wall_ms = w->last_scan_wall_ms;
    ret->is_scanning = !scan_is_idle(w) || pass_epoch(w) != UINT64_MAX;
}

void watcher_each_degraded(const struct watcher *w,
                           void (*f)(void *arg, const char *path, const char *reason), void *arg)
{
    degraded_each(w, f, arg);
}

size_t watcher_each_untaken(const struct watcher *w,
                            void (*f)(void *arg, const char *path, const char *why,
                                      const char *cure),
                            void *arg)
{
    return untaken_each(w, f, arg);
}

#include "common/base/now.h"

#include "watcher/core.h"

void pass_ask(struct watcher *w, struct root *r, enum pass_kind kind, uint64_t epoch)
{
    if (r->again == PASS_NONE || epoch < r->again_epoch)
        r->again_epoch = epoch;
    if (kind > r->again)
        r->again = kind;
    watcher_kick(w);
}

void pass_ask_all(struct watcher *w, enum pass_kind kind)
{
    for (int i = 0; i < w->n_roots; i++)
        pass_ask(w, &w->roots[i], kind, w->epoch);
}

uint64_t pass_epoch(const struct watcher *w)
{
    uint64_t epoch = UINT64_MAX;

    for (int i = 0; i < w->n_roots; i++) {
        if (w->roots[i].again != PASS_NONE && w->roots[i].again_epoch < epoch)
            epoch = w->roots[i].again_epoch;
    }
    return epoch;
}

static void end(struct watcher *w, struct root *r)
{
    enum pass_kind kind = r->pass;
    size_t missing = sigs_end(r->sigs);

    r->pass = PASS_NONE;
    if (r->polled > 0)
        w->poll_cost_ms = now_mono_ms() - r->pass_began_ms;
    if (kind == PASS_FULL) {
        anchor_end(w, r);
        untaken_end(r);
        w->is_limit_told &= w->is_limit_hit;
        w->last_scan_wall_ms = now_wall_ms();
        w->is_trim_due = 1;
        if (w->ops->scanned != NULL)
            w->ops->scanned(w->arg, r->index, r->files);
    } else if (missing > 0) {
        /* Which ones is for the listener to find out. */
        pass_ask(w, r, PASS_FULL, r->pass_epoch);
    }
    watcher_kick(w);
}

/* Queue the folders that are polled; what is polled below them is met from there. */
static void queue_polled(struct watcher *w, struct root *r)
{
    int is_polled;

    for (struct dir *d = r->top; d != NULL; d = dirtree_next(d, r->top, is_polled)) {
        if ((is_polled = (d->flags & DIR_POLLED) != 0))
            scan_queue(w, d, r->pass_epoch, 1, 0);
    }
}

static void start(struct watcher *w, struct root *r)
{
    r->pass = r->again;
    r->pass_epoch = r->again_epoch;
    r->pass_began_ms = now_mono_ms();
    r->again = PASS_NONE;
    r->files = 0;
    sigs_begin(r->sigs);
    r->pass_jobs = 1; /* until all is queued */
    if (r->pass == PASS_FULL) {
        w->is_limit_hit = 0;
        anchor_begin(w, r);
        untaken_begin(r);
        if (w->ops->scan_began != NULL)
            w->ops->scan_began(w->arg, r->index);
        if (r->top != NULL)
            scan_queue(w, r->top, r->pass_epoch, 1, 0);
        else if (r->is_unknown && w->ops->unreadable != NULL)
            w->ops->unreadable(w->arg, r->index, "");
    } else if (r->polled > 0) {
        queue_polled(w, r);
    }
    pass_job_done(w, r);
}

void pass_start(struct watcher *w)
{
    for (int i = 0; i < w->n_roots; i++) {
        struct root *r = &w->roots[i];
        if (r->is_told && r->again != PASS_NONE && r->pass == PASS_NONE)
            start(w, r);
    }
}

void pass_job_done(struct watcher *w, struct root *r)
{
    if (r->pass != PASS_NONE && --r->pass_jobs == 0)
        end(w, r);
}

void pass_cancel(struct root *r)
{
    r->pass = PASS_NONE;
    r->pass_jobs = 0;
}

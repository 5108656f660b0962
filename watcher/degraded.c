#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/path.h"
#include "common/base/str.h"

#include "watcher/core.h"

enum cause { CAUSE_LIMIT, CAUSE_UNWATCHABLE, CAUSES };

/* Folders with the same trouble, and the folder that all of them are or lie in. */
struct tally {
    int64_t n;
    const struct dir *top;
};

struct report {
    const struct watcher *w;
    void (*f)(void *arg, const char *path, const char *reason);
    void *arg;
};

static int depth(const struct dir *d)
{
    int n = 0;

    for (; d->parent != NULL; d = d->parent)
        n++;
    return n;
}

static const struct dir *common_top(const struct dir *a, const struct dir *b)
{
    int a_depth = depth(a), b_depth = depth(b);

    for (; a_depth > b_depth; a_depth--)
        a = a->parent;
    for (; b_depth > a_depth; b_depth--)
        b = b->parent;
    for (; a != b; a = a->parent)
        b = b->parent;
    return a;
}

/* Is it polled, and not because it has to be? */
static int is_troubled(const struct watcher *w, const struct dir *d, enum cause *ret)
{
    if (!(d->flags & DIR_POLLED))
        return 0;
    if (d->flags & DIR_UNREADABLE)
        return 0; /* see untaken.c */
    if (d->flags & DIR_LIMIT)
        *ret = CAUSE_LIMIT;
    else if (!(d->flags & DIR_REMOTE) && w->backend != backend_polling())
        *ret = CAUSE_UNWATCHABLE;
    else
        return 0;
    return 1;
}

static void word(const struct watcher *w, enum cause cause, int64_t n, char *buf, size_t size)
{
    long long s = (w->poll_ms + 999) / 1000, count = n;
    const char *many = n == 1 ? "folder is" : "folders are";
    char cure[128];

    switch (cause) {
    case CAUSE_LIMIT:
        w->backend->cure(cure, sizeof(cure));
        snprintf(
            buf, size,
            "the limit on watches (fs.inotify.max_user_watches) is reached, so %lld %s looked at "
            "every %lld s instead; raise it: %s (and in /etc/sysctl.d to keep it)",
            count, many, s, cure);
        break;
    default:
        snprintf(buf, size, "%lld %s looked at every %lld s, for the system refuses to watch (%s)",
                 count, many, s, w->backend->doubt);
        break;
    }
}

static void tell_root(const struct report *rep, const struct root *r)
{
    const struct watcher *w = rep->w;
    struct tally tallies[CAUSES] = {{0}};
    char below[PATH_MAX], reason[768], *path;
    enum cause cause;

    if (r->is_unknown)
        rep->f(rep->arg, r->path,
               "it can't be looked at; give yourself permission to search the "
               "folders above it: chmod u+x");
    if (*w->no_backend != '\0') {
        snprintf(reason, sizeof(reason), "looked at every %lld s instead of watched: %s",
                 (long long)(w->poll_ms + 999) / 1000, w->no_backend);
        rep->f(rep->arg, r->path, reason);
    }
    for (const struct dir *d = r->polled > 0 ? r->top : NULL; d != NULL;
         d = dirtree_next(d, r->top, 0)) {
        if (!is_troubled(w, d, &cause))
            continue;
        tallies[cause].top = tallies[cause].n == 0 ? d : common_top(tallies[cause].top, d);
        tallies[cause].n++;
    }
    for (int i = 0; i < CAUSES; i++) {
        if (tallies[i].n == 0 || dirtree_path(tallies[i].top, NULL, below, sizeof(below)) == -1)
            continue;
        word(w, (enum cause)i, tallies[i].n, reason, sizeof(reason));
        path = *below == '\0' ? str_dup(r->path) : path_join(r->path, below);
        rep->f(rep->arg, path, reason);
        free(path);
    }
}

static void tell_way(void *arg, const char *path)
{
    const struct report *rep = arg;
    char cure[128], reason[512];

    if (rep->w->is_limit_hit) {
        rep->w->backend->cure(cure, sizeof(cure));
        snprintf(
            reason, sizeof(reason),
            "the limit on watches (fs.inotify.max_user_watches) is reached, so the way to it is "
            "looked at every %lld s instead; raise it: %s",
            (long long)(rep->w->poll_ms + 999) / 1000, cure);
    } else {
        snprintf(reason, sizeof(reason),
                 "the folder that is to hold it can't be watched, so it is looked at every %lld s; "
                 "permission to read that folder would mend it",
                 (long long)(rep->w->poll_ms + 999) / 1000);
    }
    rep->f(rep->arg, path, reason);
}

void degraded_each(const struct watcher *w,
                   void (*f)(void *arg, const char *path, const char *reason), void *arg)
{
    struct report rep = {w, f, arg};

    for (int i = 0; i < w->n_roots; i++)
        tell_root(&rep, &w->roots[i]);
    if (w->backend != backend_polling())
        anchor_each_polled(w, tell_way, &rep);
}

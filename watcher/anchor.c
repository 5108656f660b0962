#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/base/path.h"
#include "common/base/str.h"

#include "watcher/chain.h"
#include "watcher/core.h"

#ifndef O_PATH
#define O_PATH O_RDONLY
#endif

#define MOST_TRIES 4

struct anchor;

/* A folder on the way. */
struct step {
    struct watch watch; /* first */
    struct anchor *anchor;
    const char *name; /* in it; borrowed from the chain */
};

struct anchor {
    struct anchor *next;
    struct root *root; /* or NULL: a single file */
    char *path;
    int is_link; /* the way to what a link below the root leads to */
    int is_met;  /* in the present pass */
    struct chain chain;
    struct step *steps; /* one for each link of the chain */
    int is_doubtful;
    int is_broken;  /* a watch ended: set up all anew */
    int is_blind;   /* something on the way can't be watched */
    int is_touched; /* the file itself had an event */
    int is_known;   /* the file looked like this when last looked at: */
    int is_there;
    struct stat st;
};

struct anchors {
    struct anchor *first;
};

struct anchors *anchor_new(void)
{
    return str_calloc(1, sizeof(struct anchors));
}

static void drop_steps(struct watcher *w, struct step *steps, size_t n)
{
    for (size_t i = 0; i < n; i++)
        watches_leave(w->watches, &steps[i].watch);
    free(steps);
}

static void drop(struct watcher *w, struct anchor *a)
{
    drop_steps(w, a->steps, a->chain.n);
    chain_free(&a->chain);
    free(a->path);
    free(a);
}

void anchor_free(struct watcher *w, struct anchors *as)
{
    struct anchor *a;

    while ((a = as->first) != NULL) {
        as->first = a->next;
        drop(w, a);
    }
    free(as);
}

void anchor_add(struct watcher *w, const char *path, struct root *r)
{
    struct anchor *a;

    for (a = w->anchors->first; r == NULL && a != NULL; a = a->next) {
        if (a->root == NULL && strcmp(a->path, path) == 0)
            return;
    }
    a = str_calloc(1, sizeof(*a));
    a->path = str_dup(path);
    a->root = r;
    a->is_doubtful = a->is_broken = 1;
    a->next = w->anchors->first;
    w->anchors->first = a;
    watcher_kick(w);
}

/* Before whoever calls it looks at the link: what changes after that look is noticed then. */
void anchor_add_link(struct watcher *w, struct root *r, const char *path)
{
    char *whole = path_join(r->path, path);
    struct anchor *a;

    for (a = w->anchors->first; a != NULL; a = a->next) {
        if (a->is_link && a->root == r && strcmp(a->path, whole) == 0)
            break;
    }
    if (a == NULL) {
        anchor_add(w, whole, r);
        a = w->anchors->first;
        a->is_link = 1;
    }
    a->is_met = a->is_known = 1;
    a->is_there = stat(whole, &a->st) == 0 && S_ISDIR(a->st.st_mode);
    free(whole);
}

void anchor_begin(struct watcher *w, const struct root *r)
{
    for (struct anchor *a = w->anchors->first; a != NULL; a = a->next) {
        if (a->root == r)
            a->is_met = 0;
    }
}

void anchor_end(struct watcher *w, const struct root *r)
{
    for (struct anchor **at = &w->anchors->first, *a; (a = *at) != NULL;) {
        if (a->root != r || !a->is_link || a->is_met) {
            at = &a->next;
            continue;
        }
        *at = a->next;
        drop(w, a);
    }
}

void anchor_event(struct watcher *w, struct watch *u, unsigned flags, const char *name)
{
    const struct step *s = (const struct step *)u;
    struct anchor *a = s->anchor;

    if (flags & BACKEND_ENDED)
        a->is_broken = 1;
    else if (!(flags & (BACKEND_SELF_GONE | BACKEND_UNMOUNTED))) {
        if (!(u->what & (BACKEND_NAMES | BACKEND_LEFT)) || strcmp(name, s->name) != 0)
            return;
        a->is_touched |= (u->what & BACKEND_TREE) != 0;
    }
    a->is_doubtful = 1;
    watcher_kick(w);
}

void anchor_doubt(struct watcher *w, const struct root *r)
{
    for (struct anchor *a = w->anchors->first; a != NULL; a = a->next) {
        if (r == NULL || a->root == r)
            a->is_doubtful = 1;
    }
    watcher_kick(w);
}

int anchor_is_polled(const struct watcher *w)
{
    for (const struct anchor *a = w->anchors->first; a != NULL; a = a->next) {
        if (a->is_blind)
            return 1;
    }
    return 0;
}

void anchor_each_polled(const struct watcher *w, void (*f)(void *arg, const char *path), void *arg)
{
    for (const struct anchor *a = w->anchors->first; a != NULL; a = a->next) {
        if (a->is_blind)
            f(arg, a->path);
    }
}

static void watch_step(struct watcher *w, struct anchor *a, const struct chain_link *l,
                       struct step *s)
{
    int fd, id = -1;

    s->anchor = a;
    s->name = l->name;
    s->watch.id = -1;
    s->watch.kind = WATCH_STEP;
    s->watch.what = (uint8_t)l->what;
    if ((fd = open(l->dir, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)) != -1 &&
        (id = watches_ask(w->watches, fd, l->what)) != -1)
        watches_join(w->watches, &s->watch, id);
    /* That a folder can't be watched for its own going away is what the slow rescan is for. */
    if (id == -1 && l->is_vital)
        a->is_blind = 1;
    if (fd != -1)
        close(fd);
}

/* A folder that was watched for more before it became a mere step would go on to wake us. */
static void narrow(struct watcher *w, const struct anchor *a)
{
    int fd;

    for (size_t i = 0; i < a->chain.n; i++) {
        if (a->steps[i].watch.id == -1)
            continue;
        fd = open(a->chain.v[i].dir, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd == -1)
            continue;
        watches_narrow(w->watches, a->steps[i].watch.id, fd);
        close(fd);
    }
}

/* Watch the way, until it is the same after the watching as it was before.  Return 0, or -1 if it
 * keeps changing. */
static int walk(struct watcher *w, struct anchor *a)
{
    struct chain chain, old_chain;
    struct step *steps, *old_steps;

    for (int i = 0; i < MOST_TRIES; i++) {
        chain_resolve(a->path, a->root == NULL, &chain);
        if (!a->is_broken && chain_is_same(&chain, &a->chain)) {
            chain_free(&chain);
            if (i > 0)
                narrow(w, a);
            return 0;
        }
        a->is_broken = a->is_blind = 0;
        steps = str_calloc(chain.n + 1, sizeof(*steps));
        for (size_t k = 0; k < chain.n; k++)
            watch_step(w, a, &chain.v[k], &steps[k]);
        old_steps = a->steps;
        old_chain = a->chain;
        a->steps = steps;
        a->chain = chain;
        drop_steps(w, old_steps, old_chain.n);
        chain_free(&old_chain);
    }
    return -1;
}

static int is_same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mode == b->st_mode && file_mtime_ns(a) == file_mtime_ns(b) &&
           file_ctime_ns(a) == file_ctime_ns(b);
}

static void update_file(struct watcher *w, struct anchor *a)
{
    struct stat st = {0};
    int is_there = stat(a->path, &st) == 0;
    int is_new = a->is_known && (a->is_touched || is_there != a->is_there ||
                                 (is_there && !is_same_file(&st, &a->st)));

    a->is_known = 1;
    a->is_touched = 0;
    a->is_there = is_there;
    a->st = st;
    if (is_new && w->ops->file_changed != NULL)
        w->ops->file_changed(w->arg, a->path);
}

/* Whether it may be followed is for the pass to say. */
static void update_link(struct watcher *w, struct anchor *a)
{
    struct stat st = {0};
    int is_there = stat(a->path, &st) == 0 && S_ISDIR(st.st_mode);

    if (is_there == a->is_there &&
        (!is_there || (st.st_dev == a->st.st_dev && st.st_ino == a->st.st_ino)))
        return;
    a->is_there = is_there;
    a->st = st;
    pass_ask(w, a->root, PASS_FULL, 0);
}

int anchor_is_doubtful(const struct watcher *w)
{
    for (const struct anchor *a = w->anchors->first; a != NULL; a = a->next) {
        if (a->is_doubtful)
            return 1;
    }
    return 0;
}

void anchor_update(struct watcher *w)
{
    for (struct anchor *a = w->anchors->first; a != NULL; a = a->next) {
        if (!a->is_doubtful)
            continue;
        a->is_doubtful = walk(w, a) == -1;
        if (a->is_link)
            update_link(w, a);
        else if (a->root != NULL)
            root_update(w, a->root);
        else
            update_file(w, a);
    }
}

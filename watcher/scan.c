#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agents/disk/beneath.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/now.h"
#include "common/base/str.h"

#include "watcher/core.h"
#include "watcher/backend/fs.h"

/*
 * Folders are read one at a time, each watched before it is read, for a few milliseconds on end:
 * whatever happens in one afterwards comes as an event.  Those found below come next, before others
 * that wait, so that few wait at a time.
 */

#define SLICE_MS 4
#define CLOCK_EVERY 8 /* entries between two looks at the clock */

struct job {
    struct job *next;
    struct job *prev;
    struct dir *dir;
    uint64_t epoch;
    int is_pass;
};

struct scans {
    struct job *first; /* by epoch */
    struct job *last;

    /* The folder that is being read. */
    struct dir *dir; /* or NULL */
    DIR *stream;
    uint64_t epoch;
    int is_pass;
    dev_t dev;
    uint32_t mark; /* of this reading */
    size_t len;    /* of its path, with the slash */
    char path[PATH_MAX];
};

struct scans *scan_new(void)
{
    return str_calloc(1, sizeof(struct scans));
}

void scan_free(struct scans *s)
{
    free(s);
}

int scan_is_idle(const struct watcher *w)
{
    return w->scans->dir == NULL && w->scans->first == NULL;
}

uint64_t scan_epoch(const struct watcher *w)
{
    const struct scans *s = w->scans;
    uint64_t epoch = UINT64_MAX;

    if (s->dir != NULL)
        epoch = s->epoch;
    if (s->first != NULL && s->first->epoch < epoch)
        epoch = s->first->epoch;
    return epoch;
}

static void unlink_job(struct scans *s, struct job *j)
{
    *(j->prev != NULL ? &j->prev->next : &s->first) = j->next;
    *(j->next != NULL ? &j->next->prev : &s->last) = j->prev;
}

/* Put ${j} behind ${before}, or first if that is NULL. */
static void link_job(struct scans *s, struct job *j, struct job *before)
{
    j->prev = before;
    j->next = before != NULL ? before->next : s->first;
    *(j->prev != NULL ? &j->prev->next : &s->first) = j;
    *(j->next != NULL ? &j->next->prev : &s->last) = j;
}

void scan_queue(struct watcher *w, struct dir *d, uint64_t epoch, int is_pass, int is_urgent)
{
    struct scans *s = w->scans;
    struct job *j = d->job, *before;

    if (j == NULL) {
        d->job = j = str_calloc(1, sizeof(*j));
        j->dir = d;
        j->epoch = epoch;
    } else {
        unlink_job(s, j);
        if (epoch < j->epoch)
            j->epoch = epoch;
    }
    if (is_pass && !j->is_pass) {
        j->is_pass = 1;
        w->roots[d->root].pass_jobs++;
    }
    before = s->last;
    if (is_urgent) {
        for (struct job *p = before = NULL; (p = p == NULL ? s->first : p->next) != NULL;) {
            if (p->epoch >= j->epoch)
                break;
            before = p;
        }
    } else {
        while (before != NULL && before->epoch > j->epoch)
            before = before->prev;
    }
    link_job(s, j, before);
    watcher_kick(w);
}

static void drop_job(struct watcher *w, struct dir *d)
{
    struct job *j = d->job;

    if (j == NULL)
        return;
    d->job = NULL;
    unlink_job(w->scans, j);
    if (j->is_pass)
        pass_job_done(w, &w->roots[d->root]);
    free(j);
}

/* The folder that was being read is done with. */
static void leave(struct watcher *w)
{
    struct scans *s = w->scans;
    struct root *r = &w->roots[s->dir->root];

    if (s->stream != NULL)
        closedir(s->stream);
    s->stream = NULL;
    s->dir = NULL;
    if (s->is_pass)
        pass_job_done(w, r);
}

void scan_set_flags(struct watcher *w, struct dir *d, unsigned flags)
{
    w->roots[d->root].polled += !!(flags & DIR_POLLED) - !!(d->flags & DIR_POLLED);
    d->flags = (uint8_t)flags;
}

int scan_forget(struct watcher *w, struct dir *top)
{
    struct dir *d, *next;
    int was_untold = top->parent != NULL && top->parent->flags & DIR_POLLED;

    for (d = dirtree_leaf(top);; d = next) {
        was_untold |= d->flags & (DIR_POLLED | DIR_LINKED);
        look_bury(w, d);
        scan_set_flags(w, d, 0);
        drop_job(w, d);
        if (w->scans->dir == d)
            leave(w);
        next = d->next != NULL ? dirtree_leaf(d->next) : d->parent;
        if (d == top)
            break;
        dirtree_del(w->tree, d);
    }
    dirtree_del(w->tree, top);
    return was_untold;
}

/* A folder that had to be there is not.  Its parent tells of that, unless it is polled. */
static void lost(struct watcher *w, struct dir *d)
{
    struct root *r = &w->roots[d->root];

    if (d->parent == NULL) {
        r->is_suspect = 1;
        anchor_doubt(w, r);
    } else if (scan_forget(w, d)) {
        pass_ask(w, r, PASS_FULL, w->scans->epoch);
    }
}

static void unreadable(struct watcher *w, struct dir *d, const char *path)
{
    struct root *r = &w->roots[d->root];

    scan_set_flags(w, d, d->flags | DIR_POLLED | DIR_UNREADABLE);
    if (w->ops->unreadable != NULL && r->pass != PASS_POLL)
        w->ops->unreadable(w->arg, d->root, path);
}

/* Watch ${d}, which is open as ${fd}, or else have it polled. */
static void watch(struct watcher *w, struct dir *d, int fd, int is_remote)
{
    unsigned flags = d->flags & ~(unsigned)(DIR_POLLED | DIR_LIMIT | DIR_UNREADABLE | DIR_REMOTE);
    int id = -1;

    if (is_remote) {
        flags |= DIR_POLLED | DIR_REMOTE;
    } else if (w->is_limit_hit && d->watch.id == -1) {
        flags |= DIR_POLLED | DIR_LIMIT;
    } else if ((id = watches_ask(w->watches, fd, d->watch.what)) == -1) {
        flags |= DIR_POLLED;
        if (errno == ENOSPC) {
            w->is_limit_hit = 1;
            if (!w->is_limit_told)
                log_warn("watch_limit_reached watches=%zu", watches_count(w->watches));
            w->is_limit_told = 1;
            flags |= DIR_LIMIT;
        }
    }
    if (id != d->watch.id) {
        look_bury(w, d);
        if (id != -1)
            watches_join(w->watches, &d->watch, id);
    }
    scan_set_flags(w, d, flags);
}

/* A root may have been moved away after it was opened and before it was watched; of other folders
 * the parent's watch tells. */
static void check_top(struct watcher *w, struct root *r)
{
    int fd = root_open(w, r);

    if (fd != -1)
        close(fd);
}

/* Take the next folder that waits, open and watch it.  What can't be done so is dealt with. */
static void enter(struct watcher *w)
{
    struct scans *s = w->scans;
    struct job *j = s->first;
    struct dir *d = j->dir;
    struct root *r = &w->roots[d->root];
    struct stat st;
    int root_fd, fd = -1, len;

    s->dir = d;
    s->epoch = j->epoch;
    s->is_pass = j->is_pass;
    s->mark++;
    unlink_job(s, j);
    d->job = NULL;
    free(j);
    if ((len = dirtree_path(d, NULL, s->path, sizeof(s->path) - NAME_MAX - 2)) == -1) {
        s->path[0] = '\0'; /* too deep to be named: as if it were not there, but said so */
        unreadable(w, d, d->name);
        goto err0;
    }
    if ((root_fd = look_root(w, d->root)) == -1 ||
        (fd = link_open_dir(w, s->dir->root, root_fd, s->path, 1)) == -1 || fstat(fd, &st) == -1)
        goto err1;
    watch(w, d, fd, st.st_dev == r->dev ? r->is_remote : fs_is_remote(fd));
    d->inode = st.st_ino;
    if (d->parent == NULL)
        check_top(w, r);
    if ((s->stream = fdopendir(fd)) == NULL)
        goto err1;
    s->len = (size_t)len;
    if (len > 0)
        s->path[s->len++] = '/';

    /* Success! */
    return;

err1:
    if (errno == ENOENT || errno == ENOTDIR || errno == ELOOP || errno == ESTALE) {
        lost(w, d);
    } else {
        unreadable(w, d, s->path);
    }
    if (fd != -1)
        close(fd);
err0:
    if (s->dir != NULL)
        leave(w);

    /* Failure! */
    return;
}

/* Tell of a file that was met, if it is not what is known of it. */
static void meet_file(struct watcher *w, const struct agent_path *place, const struct stat *st)
{
    struct scans *s = w->scans;
    struct root *r = &w->roots[s->dir->root];
    int64_t size = beneath_size(st), known_size, known_mtime;
    int64_t mtime = file_mtime_ns(st);
    enum sigs_verdict verdict = SIGS_NEW;
    uint64_t inode;

    r->files += s->is_pass;
    if (s->dir->flags & DIR_POLLED) {
        verdict = sigs_meet(r->sigs, s->path, size, mtime, st->st_ino);
        if (verdict == SIGS_SAME && r->pass == PASS_POLL && s->is_pass)
            return;
    }
    if (verdict != SIGS_CHANGED &&
        w->ops->recorded(w->arg, r->index, s->path, &known_size, &known_mtime, &inode) &&
        known_size == size && known_mtime == mtime && inode == st->st_ino) {
        link_note_file(w, r->index, s->path, place, st);
        if (w->ops->seen != NULL)
            w->ops->seen(w->arg, r->index, s->path);
        return;
    }
    look_tell(w, r->index, s->path, place, st);
}

static void meet_dir(struct watcher *w, const char *name, uint64_t inode, unsigned linked)
{
    struct scans *s = w->scans;
    const struct root *r = &w->roots[s->dir->root];
    struct dir *child;
    int is_new = 0;

    if (!watcher_agent(w, s->dir->root)->wants_dir(s->path))
        return;
    untaken_note(&w->roots[s->dir->root], s->path, NULL, NULL);
    if ((child = dirtree_find(w->tree, s->dir, name)) == NULL) {
        child = dirtree_add(w->tree, s->dir->root, s->dir, name);
        is_new = 1;
    }
    child->mark = s->mark;
    scan_set_flags(w, child, (child->flags & ~(unsigned)DIR_LINKED) | linked);
    /* One that is watched tells of itself; only a full pass looks at each. */
    if ((s->is_pass && r->pass == PASS_FULL) || is_new || child->watch.id == -1 ||
        child->inode != inode)
        scan_queue(w, child, s->epoch, s->is_pass, 1);
}

static void meet(struct watcher *w, const struct dirent *e)
{
    struct scans *s = w->scans;
    struct agent_path place;
    struct stat st, target;
    size_t n = strlen(e->d_name) + 1;
    int is_there = 0;

    memcpy(s->path + s->len, e->d_name, n);
    if (e->d_type == DT_DIR) {
        meet_dir(w, e->d_name, e->d_ino, 0);
        return;
    }
    if (e->d_type == DT_UNKNOWN || e->d_type == DT_LNK) {
        if (fstatat(dirfd(s->stream), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == -1)
            return;
        if (S_ISDIR(st.st_mode)) {
            meet_dir(w, e->d_name, st.st_ino, 0);
            return;
        }
        if (S_ISLNK(st.st_mode) && watcher_agent(w, s->dir->root)->wants_dir(s->path)) {
            target = st;
            if (link_look(w, s->dir->root, s->path, &target)) {
                meet_dir(w, e->d_name, target.st_ino, DIR_LINKED);
                return;
            }
        }
        is_there = 1;
    }
    watcher_agent(w, s->dir->root)->classify(s->path, &place);
    if (place.kind == AGENT_NOTHING)
        return;
    /* One that went meanwhile has its event, or is missed by the pass. */
    if (!is_there && fstatat(dirfd(s->stream), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == -1)
        return;
    if (!S_ISDIR(st.st_mode))
        meet_file(w, &place, &st);
}

/* The folder was read to its end: those in the tree that it did not hold may have come after the
 * reading passed them, or are gone. */
static void finish(struct watcher *w)
{
    struct scans *s = w->scans;
    struct dir *d = s->dir, *next;
    struct stat st;

    for (struct dir *child = d->child; child != NULL; child = next) {
        next = child->next;
        if (child->mark == s->mark)
            continue;
        if (fstatat(dirfd(s->stream), child->name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
            (S_ISDIR(st.st_mode) || (S_ISLNK(st.st_mode) && child->flags & DIR_LINKED))) {
            if (s->is_pass)
                scan_queue(w, child, s->epoch, 1, 1);
            continue;
        }
        if (scan_forget(w, child) && w->roots[d->root].pass != PASS_FULL)
            pass_ask(w, &w->roots[d->root], PASS_FULL, s->epoch);
    }
    leave(w);
}

/* Read one entry of the folder at hand. */
static void advance(struct watcher *w)
{
    struct scans *s = w->scans;
    const struct dirent *e;

    errno = 0;
    if ((e = readdir(s->stream)) == NULL) {
        if (errno == 0) {
            finish(w);
            return;
        }
        s->path[s->len > 0 ? s->len - 1 : 0] = '\0';
        unreadable(w, s->dir, s->path);
        leave(w);
        return;
    }
    if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
        meet(w, e);
}

void scan_slice(struct watcher *w)
{
    int64_t end_ms = now_mono_ms() + SLICE_MS;

    for (int n = 0; !scan_is_idle(w); n++) {
        if (n % CLOCK_EVERY == CLOCK_EVERY - 1 && now_mono_ms() >= end_ms)
            break;
        if (w->scans->dir == NULL)
            enter(w);
        else
            advance(w);
    }
    look_rest(w);
}

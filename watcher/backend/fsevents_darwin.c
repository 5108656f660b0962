#include <sys/stat.h>

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <CoreServices/CoreServices.h>
#include <event2/event.h>

#include "common/base/fd.h"
#include "common/base/hashset.h"
#include "common/base/log.h"
#include "common/base/path.h"
#include "common/base/str.h"
#include "common/base/strlist.h"

#include "watcher/backend/backend.h"
#include "watcher/backend/fs.h"

/*
 * FSEvents, as Apple documents it: one stream tells, by path and a little late, of all that happens
 * below some folders (the covers).  It may merge what happened to one path, tell of a folder and
 * all below it instead, or lose events and say so.  A thread of the system takes that in and keeps
 * what is about a watched folder (a place); the loop is woken through a pipe and tells the
 * listener.
 *
 * What the stream can't name ends in overflow(): everything is looked at anew.  Written from the
 * documentation and tried against a stand-in (tests/watcher/fake_fsevents.c); not yet run on a Mac.
 */

#define LATENCY_S 0.1
#define MOST_HEARD 8192
#define ROUNDS 4 /* of waiting for what is older than a marker, in one turn of the loop */

/* What is told of names in a folder. */
#define NAME_FLAGS \
    (kFSEventStreamEventFlagItemCreated | kFSEventStreamEventFlagItemRemoved | \
     kFSEventStreamEventFlagItemRenamed | kFSEventStreamEventFlagItemCloned)
#define CONTENT_FLAGS \
    (kFSEventStreamEventFlagItemModified | kFSEventStreamEventFlagItemInodeMetaMod)
#define META_FLAGS \
    (kFSEventStreamEventFlagItemInodeMetaMod | kFSEventStreamEventFlagItemChangeOwner | \
     kFSEventStreamEventFlagItemXattrMod | kFSEventStreamEventFlagItemFinderInfoMod)
#define GONE_FLAGS (kFSEventStreamEventFlagItemRemoved | kFSEventStreamEventFlagItemRenamed)
#define LOST_FLAGS \
    (kFSEventStreamEventFlagMustScanSubDirs | kFSEventStreamEventFlagUserDropped | \
     kFSEventStreamEventFlagKernelDropped | kFSEventStreamEventFlagEventIdsWrapped)
#define WAY_FLAGS \
    (kFSEventStreamEventFlagRootChanged | kFSEventStreamEventFlagMount | \
     kFSEventStreamEventFlagUnmount)

/* A watched folder. */
struct place {
    struct place *next;
    struct place **at;
    int id;
    unsigned what;
    dev_t dev;
    ino_t inode;
    char *path; /* where it was when last asked for, free of links */
};

/* What the stream told. */
struct heard {
    struct heard *next;
    FSEventStreamEventFlags flags;
    char path[];
};

struct queue {
    struct heard *first;
    struct heard **end;
};

struct fsevents {
    const struct backend_listener *listener;
    void *arg;
    int pipe[2];
    struct event *readable;
    dispatch_queue_t thread;
    FSEventStreamRef stream; /* or NULL */
    struct strlist covers;   /* of the stream; none lies below another */
    int is_shrunk;           /* fewer may do */
    int is_doubtful;         /* the stream is to be made anew */
    int last_id;
    struct hashset by_id;
    struct hashset by_inode;
    struct place *ended; /* their end is still to be told; in by_id only */
    struct queue late;   /* markers that may have overtaken something */

    pthread_mutex_t lock;   /* for what the thread has as well: */
    struct hashset by_path; /* changed by the loop alone */
    struct place *places;   /* all that are in it */
    struct queue heard;
    size_t n_heard;
    int is_lost; /* more than that was to be heard */
    int is_signalled;
};

static void queue_init(struct queue *q)
{
    q->first = NULL;
    q->end = &q->first;
}

static void queue_put(struct queue *q, struct heard *h)
{
    h->next = NULL;
    *q->end = h;
    q->end = &h->next;
}

static struct heard *queue_take(struct queue *q)
{
    struct heard *h = q->first;

    if (h != NULL && (q->first = h->next) == NULL)
        q->end = &q->first;
    return h;
}

/* Put all of ${from} behind ${to}. */
static void queue_move(struct queue *to, struct queue *from)
{
    if (from->first == NULL)
        return;
    *to->end = from->first;
    to->end = from->end;
    queue_init(from);
}

static void queue_free(struct queue *q)
{
    struct heard *h;

    while ((h = queue_take(q)) != NULL)
        free(h);
}

/* ---- places -------------------------------------------------------------------------------------
 */

/* The first ${len} bytes of a path. */
struct stretch {
    const char *path;
    size_t len;
};

struct inode_key {
    dev_t dev;
    ino_t inode;
};

static uint64_t hash_id(const struct hashset *t, const void *item)
{
    (void)t;
    return (uint64_t)((const struct place *)item)->id;
}

static int is_id(const void *item, const void *key)
{
    return ((const struct place *)item)->id == *(const int *)key;
}

static uint64_t inode_hash(const struct inode_key *k)
{
    return hashset_mix(hashset_mix(0, &k->dev, sizeof(k->dev)), &k->inode, sizeof(k->inode));
}

static uint64_t hash_inode(const struct hashset *t, const void *item)
{
    const struct place *p = item;
    struct inode_key k = {p->dev, p->inode};

    (void)t;
    return inode_hash(&k);
}

static int is_inode(const void *item, const void *key)
{
    const struct place *p = item;
    const struct inode_key *k = key;

    return p->dev == k->dev && p->inode == k->inode;
}

static uint64_t hash_path(const struct hashset *t, const void *item)
{
    const struct place *p = item;

    return hashset_mix(t->seed, p->path, strlen(p->path));
}

static int is_path(const void *item, const void *key)
{
    const struct place *p = item;
    const struct stretch *k = key;

    return strncmp(p->path, k->path, k->len) == 0 && p->path[k->len] == '\0';
}

static struct place *find_id(const struct fsevents *f, int id)
{
    return hashset_find(&f->by_id, (uint64_t)id, is_id, &id);
}

static struct place *find_inode(const struct fsevents *f, const struct stat *st)
{
    struct inode_key k = {st->st_dev, st->st_ino};

    return hashset_find(&f->by_inode, inode_hash(&k), is_inode, &k);
}

static struct place *find_path(const struct fsevents *f, const char *path, size_t len)
{
    struct stretch k = {path, len};

    return hashset_find(&f->by_path, hashset_mix(f->by_path.seed, path, len), is_path, &k);
}

/* The watched folder that ${path} lies in, or NULL; ${ret_name} is its name there. */
static struct place *find_parent(const struct fsevents *f, const char *path, const char **ret_name)
{
    const char *slash = strrchr(path, '/');

    if (slash == NULL || slash[1] == '\0')
        return NULL;
    *ret_name = slash + 1;
    return find_path(f, path, slash == path ? 1 : (size_t)(slash - path));
}

static int is_at_or_below(const char *path, const char *dir)
{
    size_t len = strlen(dir);

    return strncmp(path, dir, len) == 0 &&
           (path[len] == '\0' || path[len] == '/' || strcmp(dir, "/") == 0);
}

static void put_at(struct fsevents *f, struct place *p, const char *path)
{
    pthread_mutex_lock(&f->lock);
    p->path = str_dup(path);
    hashset_add(&f->by_path, p);
    if ((p->next = f->places) != NULL)
        p->next->at = &p->next;
    p->at = &f->places;
    f->places = p;
    pthread_mutex_unlock(&f->lock);
}

static void take_from(struct fsevents *f, struct place *p)
{
    pthread_mutex_lock(&f->lock);
    hashset_del(&f->by_path, p);
    if ((*p->at = p->next) != NULL)
        p->next->at = p->at;
    pthread_mutex_unlock(&f->lock);
    f->is_shrunk |= strlist_has(&f->covers, p->path);
    free(p->path);
    p->path = NULL;
}

static int is_there(const struct place *p)
{
    struct stat st;

    return lstat(p->path, &st) == 0 && st.st_dev == p->dev && st.st_ino == p->inode;
}

/* ---- the stream ---------------------------------------------------------------------------------
 */

/* With the lock. */
static void signal_loop(struct fsevents *f)
{
    if (f->is_signalled)
        return;
    f->is_signalled = 1;
    if (write(f->pipe[1], "", 1) == -1 && errno != EAGAIN)
        log_error("fsevents_write errno=%d", errno);
}

/* What a watch must be for to be told of ${flags}. */
static unsigned interest(FSEventStreamEventFlags flags)
{
    unsigned what = 0;

    if (flags & NAME_FLAGS)
        what |= BACKEND_NAMES | BACKEND_TREE;
    if (flags & GONE_FLAGS && flags & kFSEventStreamEventFlagItemIsDir)
        what |= BACKEND_LEFT;
    if (flags & CONTENT_FLAGS)
        what |= BACKEND_TREE;
    if (flags & META_FLAGS)
        what |= BACKEND_META;
    return what;
}

/* Whether there is a watched folder at ${path}, right above, or anywhere below it. */
static int is_near(const struct fsevents *f, const char *path)
{
    const char *name;

    if (find_path(f, path, strlen(path)) != NULL || find_parent(f, path, &name) != NULL)
        return 1;
    for (const struct place *p = f->places; p != NULL; p = p->next) {
        if (is_at_or_below(p->path, path))
            return 1;
    }
    return 0;
}

/* An event that does not say what happened to which name: of a folder, as streams without file
 * events have them. */
static int is_coarse(FSEventStreamEventFlags flags)
{
    return (flags & (NAME_FLAGS | CONTENT_FLAGS | META_FLAGS)) == 0;
}

static int is_wanted(const struct fsevents *f, const char *path, FSEventStreamEventFlags flags)
{
    const struct place *p;
    const char *name;

    if (flags & kFSEventStreamEventFlagHistoryDone)
        return 0;
    if (flags & (WAY_FLAGS | kFSEventStreamEventFlagEventIdsWrapped))
        return 1;
    if (flags & LOST_FLAGS || is_coarse(flags))
        return is_near(f, path);
    p = find_parent(f, path, &name);
    return (p != NULL && p->what & interest(flags)) ||
           (flags & GONE_FLAGS && find_path(f, path, strlen(path)) != NULL);
}

/* In a thread of the system's. */
static void on_events(ConstFSEventStreamRef stream, void *arg, size_t n, void *paths,
                      const FSEventStreamEventFlags *flags, const FSEventStreamEventId *ids)
{
    struct fsevents *f = arg;
    char **v = paths;

    (void)stream;
    (void)ids;
    pthread_mutex_lock(&f->lock);
    for (size_t i = 0; i < n; i++) {
        size_t len = strlen(v[i]);
        struct heard *h;

        while (len > 1 && v[i][len - 1] == '/')
            len--;
        h = str_calloc(1, sizeof(*h) + len + 1);
        memcpy(h->path, v[i], len);
        h->flags = flags[i];
        if (!is_wanted(f, h->path, h->flags)) {
            free(h);
            continue;
        }
        if (f->n_heard++ >= MOST_HEARD) {
            queue_free(&f->heard);
            f->n_heard = f->is_lost = 1;
        }
        queue_put(&f->heard, h);
        signal_loop(f);
    }
    pthread_mutex_unlock(&f->lock);
}

static void stop(FSEventStreamRef stream)
{
    if (stream == NULL)
        return;
    FSEventStreamStop(stream);
    FSEventStreamInvalidate(stream);
    FSEventStreamRelease(stream);
}

/* ${paths} as a list of Apple's, or NULL. */
static CFArrayRef array_of(const struct strlist *paths)
{
    const void **v = str_calloc(paths->n + 1, sizeof(*v));
    CFArrayRef array = NULL;
    size_t n = 0;

    while (n < paths->n &&
           (v[n] = CFStringCreateWithFileSystemRepresentation(NULL, paths->v[n])) != NULL)
        n++;
    if (n == paths->n)
        array = CFArrayCreate(NULL, v, (CFIndex)n, &kCFTypeArrayCallBacks);
    while (n > 0)
        CFRelease(v[--n]);
    free(v);
    return array;
}

/* Have a stream over ${covers} (taken over) in place of the one there is; there is no moment
 * without one.  Return 0, or -1: it is as before. */
static int cover(struct fsevents *f, struct strlist *covers)
{
    FSEventStreamContext context = {.info = f};
    FSEventStreamEventId since = FSEventsGetCurrentEventId();
    FSEventStreamRef old = f->stream, stream = NULL;
    CFArrayRef array;

    if (covers->n > 0) {
        if ((array = array_of(covers)) == NULL)
            goto err0;
        stream = FSEventStreamCreate(NULL, on_events, &context, array, since, LATENCY_S,
                                     kFSEventStreamCreateFlagFileEvents |
                                         kFSEventStreamCreateFlagWatchRoot |
                                         kFSEventStreamCreateFlagNoDefer);
        CFRelease(array);
        if (stream == NULL)
            goto err0;
        FSEventStreamSetDispatchQueue(stream, f->thread);
        if (!FSEventStreamStart(stream))
            goto err1;
    }
    f->stream = stream;
    if (old != NULL)
        FSEventStreamFlushSync(old);
    stop(old);
    strlist_free(&f->covers);
    f->covers = *covers;

    /* Success! */
    return 0;

err1:
    FSEventStreamInvalidate(stream);
    FSEventStreamRelease(stream);
err0:
    log_warn("fsevents_failed covers=%zu", covers->n);
    strlist_free(covers);

    /* Failure! */
    return -1;
}

static int is_covered(const struct strlist *covers, const char *path)
{
    for (size_t i = 0; i < covers->n; i++) {
        if (is_at_or_below(path, covers->v[i]))
            return 1;
    }
    return 0;
}

/* Have ${covers} reach ${path} as well. */
static void add_cover(struct strlist *covers, const char *path)
{
    struct strlist more = {0};

    if (is_covered(covers, path))
        return;
    for (size_t i = 0; i < covers->n; i++) {
        if (!is_at_or_below(covers->v[i], path))
            strlist_add(&more, covers->v[i]);
    }
    strlist_add(&more, path);
    strlist_free(covers);
    *covers = more;
}

/* That a folder goes away itself is told by the covers below it, which tell of their whole way. */
static int wants_cover(const struct place *p)
{
    return (p->what & (BACKEND_NAMES | BACKEND_TREE | BACKEND_META)) != 0;
}

static int widen(struct fsevents *f, const char *path)
{
    struct strlist covers = {0};

    if (is_covered(&f->covers, path))
        return 0;
    strlist_copy(&covers, &f->covers);
    add_cover(&covers, path);
    return cover(f, &covers);
}

/* Cover what is watched now and no more. */
static void cover_anew(struct fsevents *f)
{
    struct strlist covers = {0};
    int is_same = !f->is_doubtful;

    f->is_shrunk = f->is_doubtful = 0;
    for (const struct place *p = f->places; p != NULL; p = p->next) {
        if (wants_cover(p))
            add_cover(&covers, p->path);
    }
    is_same &= covers.n == f->covers.n;
    for (size_t i = 0; is_same && i < covers.n; i++)
        is_same = strlist_has(&f->covers, covers.v[i]);
    if (is_same)
        strlist_free(&covers);
    else
        (void)cover(f, &covers); /* the old one goes on to tell, if not of all */
}

/* ---- what is told -------------------------------------------------------------------------------
 */

static void tell_ended(struct fsevents *f)
{
    struct place *p;

    while ((p = f->ended) != NULL) {
        f->ended = p->next;
        hashset_del(&f->by_id, p);
        f->listener->event(f->arg, p->id, BACKEND_ENDED, "");
        free(p);
    }
}

/* ${p} is watched no more; that is told at the end of the next turn. */
static void end(struct fsevents *f, struct place *p)
{
    hashset_del(&f->by_inode, p);
    take_from(f, p);
    p->next = f->ended;
    f->ended = p;
    pthread_mutex_lock(&f->lock);
    signal_loop(f);
    pthread_mutex_unlock(&f->lock);
}

/* Folders at or below ${path} may have gone from where they were: end those that have. */
static void check_below(struct fsevents *f, const char *path, unsigned flags)
{
    int *ids = NULL;
    size_t n = 0;
    struct place *p;

    for (p = f->places; p != NULL; p = p->next) {
        if (is_at_or_below(p->path, path) && !is_there(p)) {
            ids = str_realloc(ids, n + 1, sizeof(*ids));
            ids[n++] = p->id;
        }
    }
    for (size_t i = 0; i < n; i++) {
        if ((p = find_id(f, ids[i])) == NULL || p->path == NULL)
            continue; /* who was told of another has let go of it */
        f->listener->event(f->arg, ids[i], flags, "");
        if ((p = find_id(f, ids[i])) != NULL && p->path != NULL)
            end(f, p);
    }
    free(ids);
}

static void tell_item(struct fsevents *f, const struct heard *h)
{
    int is_dir = (h->flags & kFSEventStreamEventFlagItemIsDir) != 0;
    int is_gone = (h->flags & GONE_FLAGS) != 0;
    struct place *p;
    const char *name;

    if ((p = find_parent(f, h->path, &name)) != NULL && p->what & interest(h->flags))
        f->listener->event(f->arg, p->id,
                           (is_dir ? BACKEND_IS_DIR : 0) | (is_gone ? BACKEND_MOVED_AWAY : 0),
                           name);
    if (!is_gone)
        return;
    check_below(f, h->path, BACKEND_SELF_GONE | BACKEND_MOVED_AWAY);
    /* One that is there was away meanwhile, and nobody told what happened in it there. */
    if ((p = find_path(f, h->path, strlen(h->path))) != NULL)
        f->listener->event(f->arg, p->id, BACKEND_SELF_GONE | BACKEND_MOVED_AWAY, "");
}

/* The way to a cover changed, or a file system came or went.  Nobody says what a stream goes on to
 * tell then, of this cover or of others. */
static void tell_way(struct fsevents *f, const struct heard *h)
{
    f->is_doubtful = 1;
    check_below(f, "/",
                BACKEND_SELF_GONE | BACKEND_MOVED_AWAY |
                    (h->flags & kFSEventStreamEventFlagUnmount ? BACKEND_UNMOUNTED : 0));
}

/* A name in a folder that is watched for names alone: a marker, or a step of a way. */
static int is_marker(const struct fsevents *f, const struct heard *h)
{
    const char *name;
    const struct place *p;

    if (h->flags & (LOST_FLAGS | WAY_FLAGS) || is_coarse(h->flags) ||
        h->flags & kFSEventStreamEventFlagItemIsDir)
        return 0;
    p = find_parent(f, h->path, &name);
    return p != NULL && !(p->what & BACKEND_TREE);
}

/* Tell what has been heard so far, but for markers.  Return whether something was lost. */
static int tell(struct fsevents *f)
{
    struct queue taken;
    struct heard *h;
    int is_lost;

    queue_init(&taken);
    pthread_mutex_lock(&f->lock);
    queue_move(&taken, &f->heard);
    is_lost = f->is_lost;
    f->is_lost = 0;
    f->n_heard = 0;
    pthread_mutex_unlock(&f->lock);
    while ((h = queue_take(&taken)) != NULL) {
        if (is_marker(f, h)) {
            queue_put(&f->late, h);
            continue;
        }
        if (h->flags & WAY_FLAGS)
            tell_way(f, h);
        else if (h->flags & LOST_FLAGS || is_coarse(h->flags))
            is_lost = 1;
        else
            tell_item(f, h);
        f->is_doubtful |= (h->flags & kFSEventStreamEventFlagEventIdsWrapped) != 0;
        free(h);
    }
    return is_lost;
}

/* A marker says that all before it has been told.  But what happened to one path several times is
 * told once, in the place of the last time: so whatever is under way comes first. */
static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct fsevents *f = arg;
    struct queue due;
    struct heard *h;
    char buf[64];
    int is_lost;

    (void)what;
    queue_init(&due);
    pthread_mutex_lock(&f->lock);
    while (read(fd, buf, sizeof(buf)) > 0)
        ;
    f->is_signalled = 0;
    pthread_mutex_unlock(&f->lock);
    is_lost = tell(f);
    for (int i = 0; i < ROUNDS && f->late.first != NULL; i++) {
        if (f->stream != NULL)
            FSEventStreamFlushSync(f->stream);
        queue_move(&due, &f->late);
        is_lost |= tell(f);
    }
    if (f->is_doubtful) {
        cover_anew(f);
        is_lost = 1;
    }
    if (is_lost)
        f->listener->overflow(f->arg);
    while ((h = queue_take(&due)) != NULL) {
        tell_item(f, h);
        free(h);
    }
    tell_ended(f);
    if (f->is_shrunk)
        cover_anew(f);
    f->listener->rest(f->arg);
    if (f->late.first == NULL)
        return;
    pthread_mutex_lock(&f->lock);
    signal_loop(f);
    pthread_mutex_unlock(&f->lock);
}

/* ---- the interface ------------------------------------------------------------------------------
 */

static void nothing(void *arg)
{
    (void)arg;
}

static void fsevents_close(void *arg)
{
    struct fsevents *f = arg;
    struct place *p;

    if (f == NULL)
        return;
    stop(f->stream);
    if (f->thread != NULL) {
        dispatch_sync_f(f->thread, NULL, nothing); /* what is under way in it comes to its end */
        dispatch_release(f->thread);
    }
    if (f->readable != NULL)
        event_free(f->readable);
    for (int i = 0; i < 2; i++) {
        if (f->pipe[i] != -1)
            close(f->pipe[i]);
    }
    while ((p = f->places) != NULL) {
        take_from(f, p);
        free(p);
    }
    while ((p = f->ended) != NULL) {
        f->ended = p->next;
        free(p);
    }
    hashset_free(&f->by_id);
    hashset_free(&f->by_inode);
    hashset_free(&f->by_path);
    queue_free(&f->late);
    queue_free(&f->heard);
    strlist_free(&f->covers);
    pthread_mutex_destroy(&f->lock);
    free(f);
}

static int fsevents_open(struct event_base *base, const struct backend_listener *listener,
                         void *arg, void **ret, struct ct_err *err)
{
    struct fsevents *f = str_calloc(1, sizeof(*f));

    f->listener = listener;
    f->arg = arg;
    f->pipe[0] = f->pipe[1] = -1;
    f->by_id.hash = hash_id;
    f->by_inode.hash = hash_inode;
    f->by_path.hash = hash_path;
    queue_init(&f->late);
    queue_init(&f->heard);
    pthread_mutex_init(&f->lock, NULL);
    if (fd_pipe(f->pipe) == -1 || fd_no_wait(f->pipe[0]) == -1 || fd_no_wait(f->pipe[1]) == -1) {
        err_sys(err, "no pipe for FSEvents");
        goto err0;
    }
    f->readable = event_new(base, f->pipe[0], EV_READ | EV_PERSIST, on_readable, f);
    if (f->readable == NULL || event_add(f->readable, NULL) == -1) {
        err_set(err, ERR_FAIL, "the event loop takes no event for FSEvents");
        goto err0;
    }
    if ((f->thread = dispatch_queue_create("codeteleportd.fsevents", NULL)) == NULL) {
        err_set(err, ERR_FAIL, "no thread for FSEvents");
        goto err0;
    }

    /* Success! */
    *ret = f;
    return 0;

err0:
    fsevents_close(f);

    /* Failure! */
    return -1;
}

/* The stream has to be there before this returns: whoever asks reads the folder next. */
static int fsevents_watch(void *arg, int fd, unsigned what, int exactly)
{
    struct fsevents *f = arg;
    struct place *p, *other;
    char path[PATH_MAX];
    struct stat st;

    if (fstat(fd, &st) == -1 || fs_path(fd, path) == -1)
        goto err0;
    if ((p = find_inode(f, &st)) != NULL && strcmp(p->path, path) != 0)
        take_from(f, p);
    if ((other = find_path(f, path, strlen(path))) != NULL && other != p)
        end(f, other);
    if (p == NULL) {
        p = str_calloc(1, sizeof(*p));
        p->id = ++f->last_id;
        p->dev = st.st_dev;
        p->inode = st.st_ino;
        hashset_add(&f->by_id, p);
        hashset_add(&f->by_inode, p);
    }
    if (p->path == NULL)
        put_at(f, p, path);
    pthread_mutex_lock(&f->lock);
    p->what = exactly ? what : p->what | what;
    f->is_shrunk |= exactly;
    if (f->is_shrunk)
        signal_loop(f);
    pthread_mutex_unlock(&f->lock);
    if (wants_cover(p) && widen(f, path) == -1) {
        end(f, p);
        goto err0;
    }

    /* Success! */
    return p->id;

err0:
    errno = ENOTSUP;

    /* Failure! */
    return -1;
}

/* Whether it is still there matters little: that it may be is the answer on the safe side. */
static int fsevents_unwatch(void *arg, int watch)
{
    struct fsevents *f = arg;
    struct place *p = find_id(f, watch);

    if (p == NULL || p->path == NULL)
        return 0;
    end(f, p);
    return 1;
}

static void fsevents_cure(char *buf, unsigned long size)
{
    snprintf(buf, size, "this system has no limit on watches");
}

const struct backend *backend_system(void)
{
    static const struct backend fsevents = {
        .name = "fsevents",
        .doubt = "does fseventsd run?",
        .open = fsevents_open,
        .close = fsevents_close,
        .watch = fsevents_watch,
        .unwatch = fsevents_unwatch,
        .cure = fsevents_cure,
    };

    return &fsevents;
}

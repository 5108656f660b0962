/*
 * FSEvents made of inotify, for watcher/backend/fsevents_darwin.c on Linux.  It delivers what Apple
 * documents, the unkind parts too.  ${CT_FSEVENTS} is a list of words:
 *
 *   late     events come long after their time, and at different ones
 *   coarse   some become "this folder", or "this folder and all below it", of their folder or of
 * one further up dropped  some batches are dropped by the kernel or the service; that is said
 *   wrapped  event ids begin anew now and then, which is said with the next event
 *   deaf     a stream whose root changed tells nothing more
 *
 * Always: what happened to one path within the latency is told once, flags merged, in the place of
 * the last; batches are cut in pieces; nothing is told of what a folder brings along that is moved
 * here; the way to each root is watched; history ends with a mark.
 */
#include <sys/inotify.h>
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/fd.h"
#include "common/base/hashset.h"
#include "common/base/now.h"
#include "common/base/path.h"
#include "common/base/str.h"
#include "common/base/strlist.h"

#include "watcher/backend/fs.h"

#include "tests/watcher/apple/CoreServices/CoreServices.h"

#define MOST_AT_ONCE 300

#define TREE_MASK \
    (IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_MODIFY | IN_ATTRIB | IN_ONLYDIR | \
     IN_DONT_FOLLOW)
#define WAY_MASK (IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ONLYDIR | IN_DONT_FOLLOW)

enum {
    CREATED = kFSEventStreamEventFlagItemCreated,
    REMOVED = kFSEventStreamEventFlagItemRemoved,
    RENAMED = kFSEventStreamEventFlagItemRenamed,
    MODIFIED = kFSEventStreamEventFlagItemModified,
    META = kFSEventStreamEventFlagItemInodeMetaMod,
    IS_FILE = kFSEventStreamEventFlagItemIsFile,
    IS_DIR = kFSEventStreamEventFlagItemIsDir
};

/* ---- CoreFoundation and dispatch, as far as needed
 * ------------------------------------------------
 */

struct object {
    struct strlist paths;
};

const CFArrayCallBacks kCFTypeArrayCallBacks;

CFStringRef CFStringCreateWithFileSystemRepresentation(CFAllocatorRef allocator, const char *path)
{
    struct object *o = str_calloc(1, sizeof(*o));

    (void)allocator;
    strlist_add(&o->paths, path);
    return (CFStringRef)(void *)o;
}

CFArrayRef CFArrayCreate(CFAllocatorRef allocator, const void **values, CFIndex n,
                         const CFArrayCallBacks *callbacks)
{
    struct object *o = str_calloc(1, sizeof(*o));

    (void)allocator;
    (void)callbacks;
    for (CFIndex i = 0; i < n; i++)
        strlist_copy(&o->paths, &((const struct object *)values[i])->paths);
    return (CFArrayRef)(void *)o;
}

void CFRelease(CFTypeRef item)
{
    struct object *o = (struct object *)(uintptr_t)item;

    strlist_free(&o->paths);
    free(o);
}

struct dispatch_queue_s {
    pthread_mutex_t lock;
};

dispatch_queue_t dispatch_queue_create(const char *label, void *attributes)
{
    dispatch_queue_t q = str_calloc(1, sizeof(*q));

    (void)label;
    (void)attributes;
    pthread_mutex_init(&q->lock, NULL);
    return q;
}

void dispatch_sync_f(dispatch_queue_t q, void *context, void (*work)(void *context))
{
    pthread_mutex_lock(&q->lock);
    work(context);
    pthread_mutex_unlock(&q->lock);
}

void dispatch_release(dispatch_queue_t q)
{
    pthread_mutex_destroy(&q->lock);
    free(q);
}

/* fcntl(F_GETPATH). */
int fs_path(int fd, char buf[PATH_MAX])
{
    char link[64];
    struct stat a, b;
    ssize_t n;

    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    if ((n = readlink(link, buf, PATH_MAX - 1)) == -1)
        return -1;
    buf[n] = '\0';
    if (fstat(fd, &a) == 0 && lstat(buf, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino)
        return 0;
    errno = ENOENT;
    return -1;
}

/* ---- a stream
 * -------------------------------------------------------------------------------------
 */

struct item {
    struct item *next, *prev;
    FSEventStreamEventFlags flags;
    char path[];
};

struct step {
    int wd;
    size_t root;
    char *dir, *name;
    dev_t dev;
    ino_t inode;
};

struct __FSEventStream {
    FSEventStreamCallback callback;
    void *info;
    struct strlist roots;
    int64_t latency_ms;
    dispatch_queue_t queue;
    pthread_t thread;
    int is_running;
    int wake[2];
    unsigned seed;
    int is_late, is_coarse, is_dropped, is_wrapped, is_deaf;

    pthread_mutex_t lock; /* for these four */
    pthread_cond_t flushed;
    int is_ending;
    uint64_t flushes_asked, flushes_done;

    /* The thread's own. */
    int trees, ways; /* inotify */
    char **paths;    /* by the number of the watch in trees; NULL: elsewhere */
    size_t n_paths;
    struct step *steps;
    size_t n_steps;
    struct item *first, *last;
    struct hashset by_path;
    int64_t due_ms;
    int is_told_off; /* deaf now */
};

static _Atomic uint64_t last_id = 1000;

FSEventStreamEventId FSEventsGetCurrentEventId(void)
{
    return last_id;
}

static uint64_t hash_item(const struct hashset *t, const void *item)
{
    const char *path = ((const struct item *)item)->path;

    return hashset_mix(t->seed, path, strlen(path));
}

static int is_item(const void *item, const void *key)
{
    return strcmp(((const struct item *)item)->path, key) == 0;
}

static void unlink_item(FSEventStreamRef s, struct item *i)
{
    *(i->prev != NULL ? &i->prev->next : &s->first) = i->next;
    *(i->next != NULL ? &i->next->prev : &s->last) = i->prev;
}

static int die(FSEventStreamRef s, int sides)
{
    return rand_r(&s->seed) % sides == 0;
}

static void pend(FSEventStreamRef s, const char *path, FSEventStreamEventFlags flags)
{
    struct item *i =
        hashset_find(&s->by_path, hashset_mix(s->by_path.seed, path, strlen(path)), is_item, path);
    size_t n = strlen(path) + 1;

    if (s->first == NULL)
        s->due_ms = now_mono_ms() + s->latency_ms + (s->is_late ? rand_r(&s->seed) % 16 : 0);
    if (i == NULL) {
        i = str_calloc(1, sizeof(*i) + n);
        memcpy(i->path, path, n);
        hashset_add(&s->by_path, i);
    } else {
        unlink_item(s, i);
    }
    i->flags |= flags;
    i->next = NULL;
    if ((i->prev = s->last) != NULL)
        s->last->next = i;
    else
        s->first = i;
    s->last = i;
}

static void forget_items(FSEventStreamRef s)
{
    struct item *i;

    while ((i = s->first) != NULL) {
        hashset_del(&s->by_path, i);
        unlink_item(s, i);
        free(i);
    }
}

static void call(FSEventStreamRef s, size_t n, char **paths, const FSEventStreamEventFlags *flags)
{
    FSEventStreamEventId ids[MOST_AT_ONCE];

    for (size_t i = 0; i < n; i++)
        ids[i] = flags[i] & kFSEventStreamEventFlagRootChanged ? 0 : ++last_id;
    pthread_mutex_lock(&s->queue->lock);
    s->callback(s, s->info, n, paths, flags, ids);
    pthread_mutex_unlock(&s->queue->lock);
}

static void call_one(FSEventStreamRef s, const char *path, FSEventStreamEventFlags flags)
{
    char *copy = str_dup(path);

    if (!s->is_told_off)
        call(s, 1, &copy, &flags);
    free(copy);
}

/* What is told of ${path} in place of what happened to it. */
static void coarsen(FSEventStreamRef s, char *path, FSEventStreamEventFlags *flags)
{
    int up = 1 + rand_r(&s->seed) % 3;
    char *slash;

    for (size_t r = 0; r < s->roots.n; r++) {
        size_t len = strlen(s->roots.v[r]);
        if (!path_is_below(path, s->roots.v[r]))
            continue;
        for (; up > 0 && (slash = strrchr(path, '/')) >= path + len && slash > path; up--)
            *slash = '\0';
        break;
    }
    *flags = kFSEventStreamEventFlagMustScanSubDirs;
    if (die(s, 2) && up == 0)
        *flags |= kFSEventStreamEventFlagUserDropped;
}

static void deliver(FSEventStreamRef s)
{
    FSEventStreamEventFlags flags[MOST_AT_ONCE];
    char *paths[MOST_AT_ONCE];
    struct item *i;
    size_t n = 0;

    if (s->first == NULL)
        return;
    if (s->is_told_off) {
        forget_items(s);
        return;
    }
    if (s->is_dropped && die(s, 10)) {
        forget_items(s);
        for (size_t r = 0; r < s->roots.n; r++)
            call_one(s, die(s, 3) ? "/" : s->roots.v[r],
                     kFSEventStreamEventFlagMustScanSubDirs |
                         (die(s, 2) ? kFSEventStreamEventFlagUserDropped
                                    : kFSEventStreamEventFlagKernelDropped));
        return;
    }
    while ((i = s->first) != NULL) {
        hashset_del(&s->by_path, i);
        unlink_item(s, i);
        paths[n] = str_printf("%s%s", i->path, i->flags & IS_DIR && die(s, 4) ? "/" : "");
        flags[n] = i->flags;
        free(i);
        if (s->is_coarse && die(s, 10))
            coarsen(s, paths[n], &flags[n]);
        if (s->is_wrapped && die(s, 50))
            flags[n] |= kFSEventStreamEventFlagEventIdsWrapped;
        if (++n < MOST_AT_ONCE && s->first != NULL)
            continue;
        call(s, n, paths, flags);
        while (n > 0)
            free(paths[--n]);
    }
}

/* ---- what happens
 * ---------------------------------------------------------------------------------
 */

/* What lies below ${path} is not there any more, as far as is known. */
static void drop_below(FSEventStreamRef s, const char *path)
{
    for (size_t wd = 0; wd < s->n_paths; wd++) {
        if (s->paths[wd] != NULL &&
            (strcmp(s->paths[wd], path) == 0 || path_is_below(s->paths[wd], path))) {
            free(s->paths[wd]);
            s->paths[wd] = NULL;
        }
    }
}

static void set_path(FSEventStreamRef s, int wd, const char *path)
{
    while (s->n_paths <= (size_t)wd) {
        s->paths = str_realloc(s->paths, s->n_paths + 1, sizeof(*s->paths));
        s->paths[s->n_paths++] = NULL;
    }
    free(s->paths[wd]);
    s->paths[wd] = str_dup(path);
}

static int is_since(const struct stat *st, const struct timespec *since)
{
    return since == NULL || st->st_ctim.tv_sec > since->tv_sec ||
           (st->st_ctim.tv_sec == since->tv_sec && st->st_ctim.tv_nsec >= since->tv_nsec);
}

/* Listen to the folder ${path} and all below it.  With ${is_told}, what happened there since
 * ${since} (NULL: ever) was too early for us to hear, but not for FSEvents. */
static void add_tree(FSEventStreamRef s, const char *path, int is_told,
                     const struct timespec *since)
{
    const struct dirent *e;
    struct stat st;
    DIR *stream;
    char *below;
    int wd;

    if ((wd = inotify_add_watch(s->trees, path, TREE_MASK)) == -1)
        return;
    set_path(s, wd, path);
    if ((stream = opendir(path)) == NULL)
        return;
    while ((e = readdir(stream)) != NULL) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        below = path_join(path, e->d_name);
        if (lstat(below, &st) == 0) {
            if (is_told && is_since(&st, since))
                pend(s, below,
                     S_ISDIR(st.st_mode) ? CREATED | IS_DIR : CREATED | MODIFIED | IS_FILE);
            if (S_ISDIR(st.st_mode))
                add_tree(s, below, is_told, since);
        }
        free(below);
    }
    closedir(stream);
}

static void on_tree_event(FSEventStreamRef s, const struct inotify_event *e)
{
    FSEventStreamEventFlags flags = e->mask & IN_ISDIR ? IS_DIR : IS_FILE;
    struct stat st;
    char *path;

    if (e->len == 0 || (size_t)e->wd >= s->n_paths || s->paths[e->wd] == NULL)
        return;
    path = path_join(s->paths[e->wd], e->name);
    flags |= e->mask & IN_CREATE ? CREATED : 0;
    flags |= e->mask & IN_DELETE ? REMOVED : 0;
    flags |= e->mask & (IN_MOVED_FROM | IN_MOVED_TO) ? RENAMED : 0;
    flags |= e->mask & IN_MODIFY ? MODIFIED : 0;
    flags |= e->mask & IN_ATTRIB ? META : 0;
    pend(s, path, flags);
    if (e->mask & IN_ISDIR && !(e->mask & IN_ATTRIB)) {
        drop_below(s, path);
        if (lstat(path, &st) == 0 && S_ISDIR(st.st_mode))
            add_tree(s, path, 1, e->mask & IN_CREATE ? NULL : &st.st_ctim);
    }
    free(path);
}

static void forget_steps(FSEventStreamRef s)
{
    for (size_t i = 0; i < s->n_steps; i++) {
        free(s->steps[i].dir);
        free(s->steps[i].name);
    }
    s->n_steps = 0;
}

static void add_step(FSEventStreamRef s, size_t root, const char *dir, const char *name)
{
    struct step *p;
    struct stat st = {0};
    int wd = inotify_add_watch(s->ways, dir, WAY_MASK);

    (void)lstat(dir, &st);
    s->steps = str_realloc(s->steps, s->n_steps + 1, sizeof(*s->steps));
    p = &s->steps[s->n_steps++];
    *p = (struct step){.wd = wd,
                       .root = root,
                       .dir = str_dup(dir),
                       .name = str_dup(name),
                       .dev = st.st_dev,
                       .inode = st.st_ino};
}

static int are_steps_true(FSEventStreamRef s)
{
    for (size_t i = 0; i < s->n_steps; i++) {
        struct stat st = {0};
        (void)lstat(s->steps[i].dir, &st);
        if (st.st_dev != s->steps[i].dev || st.st_ino != s->steps[i].inode)
            return 0;
    }
    return 1;
}

static void watch_ways(FSEventStreamRef s)
{
    do {
        forget_steps(s);
        for (size_t r = 0; r < s->roots.n; r++) {
            char *at = str_dup(s->roots.v[r]), *dir;
            while (strcmp(at, "/") != 0) {
                dir = path_parent(at);
                add_step(s, r, dir, path_base(at));
                free(at);
                at = dir;
            }
            free(at);
        }
    } while (!are_steps_true(s));
}

static void on_way_event(FSEventStreamRef s, const struct inotify_event *e)
{
    int changed[64] = {0}, any = 0;

    for (size_t i = 0; e->len > 0 && i < s->n_steps; i++) {
        if (s->steps[i].wd == e->wd && strcmp(s->steps[i].name, e->name) == 0)
            any = changed[s->steps[i].root] = 1;
    }
    if (!any)
        return;
    watch_ways(s);
    for (size_t r = 0; r < s->roots.n; r++) {
        if (!changed[r])
            continue;
        drop_below(s, s->roots.v[r]);
        add_tree(s, s->roots.v[r], !s->is_deaf, NULL);
        call_one(s, s->roots.v[r], kFSEventStreamEventFlagRootChanged);
        s->is_told_off |= s->is_deaf;
    }
}

/* Take in all that ${fd} has. */
static int hear(FSEventStreamRef s, int fd,
                void (*f)(FSEventStreamRef s, const struct inotify_event *e))
{
    _Alignas(struct inotify_event) char buf[65536];
    const struct inotify_event *e;
    int any = 0;
    ssize_t n;

    while ((n = read(fd, buf, sizeof(buf))) > 0) {
        any = 1;
        for (char *p = buf; p < buf + n; p += sizeof(*e) + e->len) {
            e = (const struct inotify_event *)(void *)p;
            if (!(e->mask & IN_Q_OVERFLOW)) {
                f(s, e);
                continue;
            }
            for (size_t r = 0; r < s->roots.n; r++) {
                drop_below(s, s->roots.v[r]);
                add_tree(s, s->roots.v[r], 0, NULL);
                call_one(s, s->roots.v[r],
                         kFSEventStreamEventFlagMustScanSubDirs |
                             kFSEventStreamEventFlagKernelDropped);
            }
        }
    }
    return any;
}

static void hear_all(FSEventStreamRef s)
{
    while (hear(s, s->ways, on_way_event) | hear(s, s->trees, on_tree_event))
        ;
}

static void *run(void *arg)
{
    FSEventStreamRef s = arg;
    struct pollfd fds[] = {{.fd = s->trees, .events = POLLIN},
                           {.fd = s->ways, .events = POLLIN},
                           {.fd = s->wake[0], .events = POLLIN}};
    int64_t wait_ms;
    uint64_t asked;
    int is_ending = 0;
    char buf[64];

    call_one(s, s->roots.v[0], kFSEventStreamEventFlagHistoryDone);
    while (!is_ending) {
        wait_ms = s->first == NULL ? -1 : s->due_ms - now_mono_ms();
        if (s->first == NULL || wait_ms > 0)
            (void)poll(fds, 3, (int)wait_ms);
        while (read(s->wake[0], buf, sizeof(buf)) > 0)
            ;
        pthread_mutex_lock(&s->lock);
        asked = s->flushes_asked;
        is_ending = s->is_ending;
        pthread_mutex_unlock(&s->lock);
        hear_all(s);
        if (asked != s->flushes_done || (s->first != NULL && now_mono_ms() >= s->due_ms))
            deliver(s);
        pthread_mutex_lock(&s->lock);
        s->flushes_done = asked;
        pthread_cond_broadcast(&s->flushed);
        pthread_mutex_unlock(&s->lock);
    }
    return NULL;
}

/* ---- Apple's calls
 * --------------------------------------------------------------------------------
 */

FSEventStreamRef FSEventStreamCreate(CFAllocatorRef allocator, FSEventStreamCallback callback,
                                     FSEventStreamContext *context, CFArrayRef paths,
                                     FSEventStreamEventId since, CFTimeInterval latency,
                                     FSEventStreamCreateFlags flags)
{
    FSEventStreamRef s = str_calloc(1, sizeof(*s));
    const char *how = getenv("CT_FSEVENTS");

    (void)allocator;
    (void)since;
    if (how == NULL)
        how = "";
    if (!(flags & kFSEventStreamCreateFlagFileEvents) ||
        !(flags & kFSEventStreamCreateFlagWatchRoot))
        abort(); /* only such streams are told here */
    s->callback = callback;
    s->info = context->info;
    strlist_copy(&s->roots, &((const struct object *)(const void *)paths)->paths);
    s->latency_ms = (int64_t)(latency * 20); /* a fiftieth */
    s->is_late = strstr(how, "late") != NULL;
    s->is_coarse = strstr(how, "coarse") != NULL;
    s->is_dropped = strstr(how, "dropped") != NULL;
    s->is_wrapped = strstr(how, "wrapped") != NULL;
    s->is_deaf = strstr(how, "deaf") != NULL;
    s->seed = (unsigned)last_id;
    s->by_path.hash = hash_item;
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->flushed, NULL);
    return s;
}

void FSEventStreamSetDispatchQueue(FSEventStreamRef s, dispatch_queue_t queue)
{
    s->queue = queue;
}

Boolean FSEventStreamStart(FSEventStreamRef s)
{
    sigset_t all, before;

    if ((s->trees = inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) == -1 ||
        (s->ways = inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) == -1 || fd_pipe(s->wake) == -1 ||
        fd_no_wait(s->wake[0]) == -1)
        abort();
    watch_ways(s);
    for (size_t r = 0; r < s->roots.n; r++)
        add_tree(s, s->roots.v[r], 0, NULL);
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    if (pthread_create(&s->thread, NULL, run, s) != 0)
        abort();
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    s->is_running = 1;
    return 1;
}

void FSEventStreamFlushSync(FSEventStreamRef s)
{
    uint64_t mine;

    pthread_mutex_lock(&s->lock);
    mine = ++s->flushes_asked;
    (void)!write(s->wake[1], "", 1);
    while (s->flushes_done < mine)
        pthread_cond_wait(&s->flushed, &s->lock);
    pthread_mutex_unlock(&s->lock);
}

void FSEventStreamStop(FSEventStreamRef s)
{
    pthread_mutex_lock(&s->lock);
    s->is_ending = 1;
    (void)!write(s->wake[1], "", 1);
    pthread_mutex_unlock(&s->lock);
    pthread_join(s->thread, NULL);
    s->is_running = 0;
}

void FSEventStreamInvalidate(FSEventStreamRef s)
{
    close(s->trees);
    close(s->ways);
    close(s->wake[0]);
    close(s->wake[1]);
}

void FSEventStreamRelease(FSEventStreamRef s)
{
    if (s->is_running)
        abort();
    forget_items(s);
    forget_steps(s);
    hashset_free(&s->by_path);
    for (size_t wd = 0; wd < s->n_paths; wd++)
        free(s->paths[wd]);
    free(s->paths);
    free(s->steps);
    strlist_free(&s->roots);
    pthread_mutex_destroy(&s->lock);
    pthread_cond_destroy(&s->flushed);
    free(s);
}

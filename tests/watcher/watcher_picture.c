#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <event2/event.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "common/base/map.h"
#include "common/base/path.h"
#include "common/base/str.h"
#include "watcher/watcher.h"

#include "tests/watcher/watcher_picture.h"

#define LIMIT_S 120

struct entry {
    int64_t size;
    int64_t mtime_ns;
    uint64_t inode;
    uint32_t scan;
    int is_on_disk;
    char key[];
};

static int wants_dir(const char *path)
{
    if (*path == '\0')
        return 1;
    if (strcmp(path, "projects") != 0 && strncmp(path, "projects/", 9) != 0)
        return 0;
    return strcmp(path_base(path), "debug") != 0;
}

static void classify(const char *path, struct agent_path *ret)
{
    size_t n = strlen(path);

    memset(ret, 0, sizeof(*ret));
    if (strncmp(path, "projects/", 9) != 0 || (n > 4 && strcmp(path + n - 4, ".tmp") == 0))
        return;
    ret->kind = AGENT_SUBDIR;
}

static const char *const link_places[] = {"projects", "projects/*", NULL};

static const struct agent stand_in = {
    .id = "stand-in", .classify = classify, .wants_dir = wants_dir, .link_places = link_places};

static const char *key_of(int root, const char *path, char buf[PATH_MAX + 16])
{
    snprintf(buf, PATH_MAX + 16, "%d:%s", root, path);
    return buf;
}

static void forget(struct picture *p, const char *key)
{
    free(map_remove(p->files, key));
}

static void on_changed(void *arg, const struct watcher_change *c)
{
    struct picture *p = arg;
    char key[PATH_MAX + 16], line[PATH_MAX + 16];
    struct entry *e;
    size_t n;

    assert_int_not_equal(c->place->kind, AGENT_NOTHING);
    p->changed++;
    if (p->is_logging) {
        snprintf(line, sizeof(line), "%c%s", c->is_gone ? '-' : '+', c->path);
        strlist_add(&p->log, line);
    }
    key_of(c->root, c->path, key);
    if (c->is_gone) {
        forget(p, key);
        return;
    }
    if ((e = map_get(p->files, key)) == NULL) {
        n = strlen(key) + 1;
        e = str_calloc(1, sizeof(*e) + n);
        memcpy(e->key, key, n);
        map_put(p->files, key, e);
    }
    e->size = c->size_bytes;
    e->mtime_ns = c->mtime_ns;
    e->inode = c->inode;
    e->scan = p->scan;
}

static int on_recorded(void *arg, int root, const char *path, int64_t *ret_size_bytes,
                       int64_t *ret_mtime_ns, uint64_t *ret_inode)
{
    const struct picture *p = arg;
    char key[PATH_MAX + 16];
    const struct entry *e = map_get(p->files, key_of(root, path, key));

    if (e == NULL)
        return 0;
    *ret_size_bytes = e->size;
    *ret_mtime_ns = e->mtime_ns;
    *ret_inode = e->inode;
    return 1;
}

static void on_seen(void *arg, int root, const char *path)
{
    struct picture *p = arg;
    char key[PATH_MAX + 16];
    struct entry *e = map_get(p->files, key_of(root, path, key));

    p->seen++;
    assert_non_null(e);
    e->scan = p->scan;
}

/* Roots are scanned at the same time, so marks of one root must not disturb the other: the number
 * only grows, and what a scan must have met is what is not older than its beginning. */
struct sweep {
    struct picture *p;
    int root;
    uint32_t began;
};

static uint32_t *began_of(struct picture *p, int root)
{
    static uint32_t began[8];

    (void)p;
    return &began[root];
}

static void on_began(void *arg, int root)
{
    struct picture *p = arg;

    p->began++;
    *began_of(p, root) = ++p->scan;
}

static int sweep_one(void *arg, const char *key, void *value)
{
    const struct sweep *s = arg;
    const struct entry *e = value;
    const char *path = strchr(key, ':') + 1, *dir;

    if (atoi(key) != s->root || e->scan >= s->began)
        return 0;
    for (size_t i = 0; i < s->p->unreadable.n; i++) {
        dir = s->p->unreadable.v[i];
        if (*dir == '\0' || path_is_below(path, dir))
            return 0;
    }
    forget(s->p, key);
    return 0;
}

static void on_scanned(void *arg, int root, int64_t files)
{
    struct picture *p = arg;
    struct sweep s = {p, root, *began_of(p, root)};

    assert_true(files >= 0);
    map_each(p->files, sweep_one, &s);
    strlist_free(&p->unreadable);
    p->scanned++;
}

static void on_unreadable(void *arg, int root, const char *path)
{
    struct picture *p = arg;

    (void)root;
    strlist_add(&p->unreadable, path);
}

static void on_linked(void *arg, int root, const char *path)
{
    struct picture *p = arg;

    (void)root;
    strlist_add_once(&p->linked, path);
}

static void on_root_state(void *arg, int root, int there)
{
    struct picture *p = arg;

    (void)root;
    p->states++;
    p->is_there = there;
}

static void on_file_changed(void *arg, const char *path)
{
    struct picture *p = arg;

    assert_int_equal(path[0], '/');
    p->file_changed++;
}

static void on_resumed(void *arg)
{
    struct picture *p = arg;

    p->resumed++;
}

static const struct agent *const stand_ins[] = {&stand_in, &stand_in, &stand_in, &stand_in};

struct picture *picture_setup(int roots)
{
    return picture_setup_in("/tmp", roots);
}

struct picture *picture_setup_in(const char *place, int roots)
{
    struct picture *p = str_calloc(1, sizeof(*p));
    const char *tmp = getenv("TMPDIR");
    char name[2] = "a", *path;

    if (tmp == NULL || *tmp == '\0')
        tmp = access(place, W_OK | X_OK) == 0 ? place : "/tmp";
    path = path_join(tmp, "ct-watcher.XXXXXX");
    assert_non_null(mkdtemp(path));
    p->dir = realpath(path, NULL);
    free(path);
    p->files = map_new();
    assert_non_null(p->base = event_base_new());
    for (int i = 0; i < roots; i++, name[0]++) {
        path = path_join(p->dir, name);
        strlist_add(&p->roots, path);
        free(path);
    }
    assert_true((size_t)roots <= sizeof(stand_ins) / sizeof(stand_ins[0]));
    path = path_join(p->dir, "markers");
    assert_int_equal(mkdir(path, 0700), 0);
    p->opts.roots = &p->roots;
    p->opts.agents = stand_ins;
    p->opts.marker_dir = path;
    p->opts.poll_ms = 50;
    return p;
}

struct picture *picture_setup_for(void **state, int roots)
{
    struct picture *p = picture_setup(roots);

    p->opts.is_polling = *state != NULL;
    return p;
}

void picture_start(struct picture *p)
{
    static const struct watcher_ops ops = {
        .changed = on_changed,
        .recorded = on_recorded,
        .seen = on_seen,
        .scan_began = on_began,
        .scanned = on_scanned,
        .unreadable = on_unreadable,
        .linked = on_linked,
        .root_state = on_root_state,
        .file_changed = on_file_changed,
        .resumed = on_resumed,
    };
    struct ct_err err;

    if (watcher_new(p->base, &p->opts, &ops, p, &p->w, &err) == -1)
        fail_msg("%s", err.msg);
}

void picture_stop(struct picture *p)
{
    watcher_free(p->w);
    p->w = NULL;
}

void picture_free(struct picture *p)
{
    picture_stop(p);
    picture_remove(p->dir);
    map_free_all(p->files);
    event_base_free(p->base);
    strlist_free(&p->roots);
    strlist_free(&p->log);
    strlist_free(&p->degraded);
    strlist_free(&p->untaken);
    strlist_free(&p->linked);
    strlist_free(&p->unreadable);
    free((char *)p->opts.marker_dir);
    free(p->dir);
    free(p);
}

static void on_limit(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)arg;
    fail_msg("nothing came for %d s", LIMIT_S);
}

/* Run the loop until ${is_done} says so. */
static void run(struct picture *p, int (*is_done)(void *arg), void *arg)
{
    struct timeval tv = {.tv_sec = LIMIT_S};
    struct event *limit = evtimer_new(p->base, on_limit, NULL);

    evtimer_add(limit, &tv);
    while (!is_done(arg))
        assert_int_not_equal(event_base_loop(p->base, EVLOOP_ONCE), -1);
    event_free(limit);
}

static void on_drained(void *arg)
{
    struct picture *p = arg;

    p->is_drained = 1;
}

static int is_drained(void *arg)
{
    return ((const struct picture *)arg)->is_drained;
}

void picture_drain(struct picture *p)
{
    p->is_drained = 0;
    watcher_drain(p->w, on_drained, p);
    assert_false(p->is_drained);
    run(p, is_drained, p);
}

struct goal {
    const int64_t *counter;
    int64_t least;
};

static int is_reached(void *arg)
{
    const struct goal *g = arg;

    return *g->counter >= g->least;
}

void picture_until(struct picture *p, const int64_t *counter, int64_t least)
{
    struct goal g = {counter, least};

    run(p, is_reached, &g);
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)arg;
}

struct child {
    pid_t pid;
    int status;
};

static int has_exited(void *arg)
{
    struct child *c = arg;

    return waitpid(c->pid, &c->status, WNOHANG) == c->pid;
}

void picture_run_until_exit(struct picture *p, int pid)
{
    struct child c = {.pid = pid};
    struct timeval tv = {.tv_usec = 5000};
    struct event *tick = event_new(p->base, -1, EV_PERSIST, on_tick, NULL);

    event_add(tick, &tv);
    run(p, has_exited, &c);
    event_free(tick);
    assert_true(WIFEXITED(c.status));
    assert_int_equal(WEXITSTATUS(c.status), 0);
}

struct walk {
    struct picture *p;
    int root;
    int64_t files;
    int64_t wrong;
};

static void complain(struct walk *k, const char *what, const char *path)
{
    if (k->wrong++ < 10)
        print_error("%s: %s\n", what, path);
}

static void walk_file(struct walk *k, const char *rel, const struct stat *st)
{
    struct agent_path place;
    char key[PATH_MAX + 16];
    struct entry *e;

    classify(rel, &place);
    if (place.kind == AGENT_NOTHING)
        return;
    k->files++;
    if ((e = map_get(k->p->files, key_of(k->root, rel, key))) == NULL) {
        complain(k, "missed", rel);
        return;
    }
    e->is_on_disk = 1;
    if (e->size != (S_ISREG(st->st_mode) && st->st_uid == geteuid() ? st->st_size : 0) ||
        e->inode != st->st_ino)
        complain(k, "outdated", rel);
}

/* Links where they may be, to a folder that says that it may. */
static int is_followed(const char *abs, const char *rel)
{
    char *mark = path_join(abs, "followed.tmp");
    int yes = access(mark, F_OK) == 0 &&
              (strcmp(rel, "projects") == 0 ||
               (strncmp(rel, "projects/", 9) == 0 && strchr(rel + 9, '/') == NULL));

    free(mark);
    return yes;
}

static void walk_dir(struct walk *k, const char *abs, const char *rel)
{
    const struct dirent *d;
    struct stat st;
    DIR *stream = opendir(abs);
    char *a, *r;

    if (stream == NULL)
        return;
    while ((d = readdir(stream)) != NULL) {
        if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
            continue;
        a = path_join(abs, d->d_name);
        r = *rel == '\0' ? str_dup(d->d_name) : path_join(rel, d->d_name);
        assert_int_equal(lstat(a, &st), 0);
        if (S_ISLNK(st.st_mode) && is_followed(a, r))
            assert_int_equal(stat(a, &st), 0);
        if (!S_ISDIR(st.st_mode))
            walk_file(k, r, &st);
        else if (wants_dir(r))
            walk_dir(k, a, r);
        free(a);
        free(r);
    }
    closedir(stream);
}

static int check_one(void *arg, const char *key, void *value)
{
    struct walk *k = arg;
    struct entry *e = value;

    if (!e->is_on_disk)
        complain(k, "not on disk", key);
    e->is_on_disk = 0;
    return 0;
}

int64_t picture_check(struct picture *p)
{
    struct walk k = {.p = p};

    for (k.root = 0; k.root < (int)p->roots.n; k.root++)
        walk_dir(&k, p->roots.v[k.root], "");
    map_each(p->files, check_one, &k);
    assert_int_equal(k.wrong, 0);
    return k.files;
}

int64_t picture_has(const struct picture *p, int root, const char *path)
{
    char key[PATH_MAX + 16];
    const struct entry *e = map_get(p->files, key_of(root, path, key));

    return e != NULL ? e->size : -1;
}

static void give_up(struct picture *p, const char *why)
{
    print_message("%s\n", why);
    picture_free(p);
    skip();
}

void picture_needs_watches(struct picture *p)
{
    struct watcher_stats stats;

    watcher_stats(p->w, &stats);
    if (strcmp(stats.backend, "polling") == 0)
        give_up(p, "this build can only poll");
}

void picture_needs_inotify(struct picture *p)
{
    struct watcher_stats stats;

    watcher_stats(p->w, &stats);
    if (strcmp(stats.backend, "inotify") != 0)
        give_up(p, "this is about a limit of inotify");
}

static void add_degraded(void *arg, const char *path, const char *reason)
{
    struct picture *p = arg;
    char *line = str_printf("%s: %s", path, reason);

    strlist_add(&p->degraded, line);
    free(line);
}

void picture_degraded(struct picture *p)
{
    strlist_free(&p->degraded);
    watcher_each_degraded(p->w, add_degraded, p);
}

static void add_untaken(void *arg, const char *path, const char *why, const char *cure)
{
    struct picture *p = arg;
    char *line = str_printf("%s: %s", path, why);

    assert_true(*cure != '\0');
    strlist_add(&p->untaken, line);
    free(line);
}

size_t picture_untaken(struct picture *p)
{
    strlist_free(&p->untaken);
    return watcher_each_untaken(p->w, add_untaken, p);
}

const char *picture_path(const struct picture *p, int root, const char *fmt, ...)
{
    static char paths[16][PATH_MAX];
    static unsigned n;
    char *path = paths[n++ % 16];
    size_t len;
    va_list ap;

    len = (size_t)snprintf(path, PATH_MAX, "%s/", root < 0 ? p->dir : p->roots.v[root]);
    va_start(ap, fmt);
    vsnprintf(path + len, PATH_MAX - len, fmt, ap);
    va_end(ap);
    return path;
}

static void fill(const char *path, int flags, int n)
{
    char block[4096];
    int fd = open(path, flags | O_WRONLY | O_CREAT | O_CLOEXEC, 0600), k;

    if (fd == -1) {
        perror(path);
        abort();
    }
    memset(block, 'x', sizeof(block));
    for (; n > 0; n -= k) {
        k = n < (int)sizeof(block) ? n : (int)sizeof(block);
        if (write(fd, block, (size_t)k) != k)
            abort();
    }
    close(fd);
}

void picture_put(const char *path, int n)
{
    fill(path, O_TRUNC, n);
}

void picture_append(const char *path, int n)
{
    fill(path, O_APPEND, n);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

void picture_remove(const char *path)
{
    if (nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) == -1 && errno != ENOENT) {
        perror(path);
        abort();
    }
}

void picture_mkdir(const char *path)
{
    struct ct_err err;

    if (path_make_dirs(path, 0700, &err) == -1) {
        fprintf(stderr, "%s\n", err.msg);
        abort();
    }
}

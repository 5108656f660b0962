#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <event2/event.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "common/base/buf.h"
#include "common/base/file.h"
#include "common/base/path.h"
#include "common/base/str.h"
#include "watcher/watcher.h"

/*
 * scan [ROUNDS]: how long the watcher takes from its start to the end of its first scan, beside the
 * bare system calls that watching and reading the same tree needs, and beside inotifywait -r.  Each
 * measurement is a process of its own; they take turns, and the median of each is printed.
 */

#define SESSIONS 1960
#define PROJECTS 40
#define MASK \
    (IN_CREATE | IN_MODIFY | IN_CLOSE_WRITE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE | \
     IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR | IN_DONT_FOLLOW | IN_EXCL_UNLINK)
#define MOST_ROUNDS 101

static void die(const char *what) __attribute__((noreturn));

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static double now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static void put(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static void put(const char *fmt, ...)
{
    char path[PATH_MAX], *dir;
    va_list ap;
    int fd;

    va_start(ap, fmt);
    vsnprintf(path, sizeof(path), fmt, ap);
    va_end(ap);
    dir = path_parent(path);
    if (path_make_dirs(dir, 0700, NULL) == -1 ||
        (fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600)) == -1)
        die(path);
    free(dir);
    if (write(fd, "{}\n", 3) != 3)
        die(path);
    close(fd);
}

/* Some 6,000 folders and 20,000 files, shaped like the data of Claude Code. */
static void make_tree(const char *root)
{
    char id[64], base[PATH_MAX];

    for (int i = 0; i < SESSIONS; i++) {
        snprintf(id, sizeof(id), "%08x-1d4e-4f6a-8b2c-%012x", i * 2654435761U, i);
        snprintf(base, sizeof(base), "%s/projects/-home-alice-src-project-%d", root, i % PROJECTS);
        put("%s/%s.jsonl", base, id);
        for (int k = 0; k < 2; k++) {
            put("%s/%s/subagents/agent-%08x.jsonl", base, id, i * 7 + k);
            put("%s/%s/subagents/agent-%08x.meta.json", base, id, i * 7 + k);
        }
        for (int k = 1; k <= 5; k++)
            put("%s/file-history/%s/74f89b15%08x@v%d", root, id, i, k);
    }
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

struct count {
    int64_t dirs;
    int64_t files;
};

static void bare_dir(int in, const char *path, int fd, struct count *n)
{
    DIR *stream = fdopendir(fd);
    const struct dirent *e;
    struct stat st;
    char *below;
    int child;

    n->dirs++;
    if (stream == NULL || inotify_add_watch(in, path, MASK) == -1)
        die(path);
    while ((e = readdir(stream)) != NULL) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        if (e->d_type != DT_DIR) {
            n->files += fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0;
            continue;
        }
        if ((child = openat(fd, e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)) == -1)
            die(e->d_name);
        below = path_join(path, e->d_name);
        bare_dir(in, below, child, n);
        free(below);
    }
    closedir(stream);
}

static double run_bare(const char *root, struct count *n)
{
    double began = now_ms();
    int in = inotify_init1(IN_CLOEXEC), fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (in == -1 || fd == -1)
        die(root);
    bare_dir(in, root, fd, n);
    return now_ms() - began;
}

static double run_inotifywait(const char *root)
{
    double began = now_ms(), took = -1;
    char line[512];
    int out[2];
    pid_t pid;
    FILE *f;

    if (pipe2(out, O_CLOEXEC) == -1 || (pid = fork()) == -1)
        die("inotifywait");
    if (pid == 0) {
        dup2(out[1], 2);
        execlp("inotifywait", "inotifywait", "-m", "-r", root, (char *)NULL);
        _exit(127);
    }
    close(out[1]);
    if ((f = fdopen(out[0], "r")) == NULL)
        die("inotifywait");
    while (fgets(line, sizeof(line), f) != NULL) {
        if (strstr(line, "established") != NULL) {
            took = now_ms() - began;
            break;
        }
    }
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    fclose(f);
    return took;
}

struct watching {
    struct event_base *base;
    int64_t files;
    int is_scanned;
};

static void on_changed(void *arg, const struct watcher_change *change)
{
    (void)arg;
    (void)change;
}

static int on_recorded(void *arg, int root, const char *path, int64_t *ret_size_bytes,
                       int64_t *ret_mtime_ns, uint64_t *ret_inode)
{
    (void)arg;
    (void)root;
    (void)path;
    (void)ret_size_bytes;
    (void)ret_mtime_ns;
    (void)ret_inode;
    return 0;
}

static void on_scanned(void *arg, int root, int64_t files)
{
    struct watching *k = arg;

    (void)root;
    k->files = files;
    k->is_scanned = 1;
}

static void on_drained(void *arg)
{
    struct watching *k = arg;

    event_base_loopbreak(k->base);
}

static long private_dirty_kb(void)
{
    struct buf text = {0};
    long kb = -1;
    char *at;

    if (file_read("/proc/self/smaps_rollup", 65536, &text, NULL) == 0 &&
        (at = strstr(text.data, "Private_Dirty:")) != NULL)
        kb = atol(at + strlen("Private_Dirty:"));
    buf_free(&text);
    return kb;
}

struct result {
    double ms;
    struct count n;
    long kb; /* of memory that the watcher holds once it is idle */
};

static void run_watcher(const char *root, const char *markers, struct result *ret)
{
    static const struct watcher_ops ops = {
        .changed = on_changed, .recorded = on_recorded, .scanned = on_scanned};
    struct strlist roots = {0};
    struct watcher_opts opts = {.roots = &roots, .marker_dir = markers};
    struct watching k = {.base = event_base_new()};
    struct watcher_stats stats;
    struct watcher *w;
    struct ct_err err;
    long before = private_dirty_kb();
    double began = now_ms();

    strlist_add(&roots, root);
    if (watcher_new(k.base, &opts, &ops, &k, &w, &err) == -1) {
        fprintf(stderr, "%s\n", err.msg);
        exit(1);
    }
    while (!k.is_scanned)
        event_base_loop(k.base, EVLOOP_ONCE);
    ret->ms = now_ms() - began;
    watcher_drain(w, on_drained, &k);
    event_base_dispatch(k.base);
    event_base_loop(k.base, EVLOOP_NONBLOCK);
    ret->kb = private_dirty_kb() - before;
    watcher_stats(w, &stats);
    ret->n.dirs = stats.watches;
    ret->n.files = k.files;
    watcher_free(w);
    event_base_free(k.base);
    strlist_free(&roots);
}

enum way { BARE, WATCHER, INOTIFYWAIT, WAYS };

/* Measure in a process of its own, so that none inherits the heap of another. */
static struct result measure(enum way way, const char *root, const char *markers)
{
    struct result r = {0};
    int out[2];
    pid_t pid;

    if (pipe2(out, O_CLOEXEC) == -1 || (pid = fork()) == -1)
        die("fork");
    if (pid == 0) {
        if (way == BARE)
            r.ms = run_bare(root, &r.n);
        else if (way == WATCHER)
            run_watcher(root, markers, &r);
        else
            r.ms = run_inotifywait(root);
        _exit(write(out[1], &r, sizeof(r)) == sizeof(r) ? 0 : 1);
    }
    close(out[1]);
    if (read(out[0], &r, sizeof(r)) != sizeof(r))
        r.ms = -1;
    close(out[0]);
    waitpid(pid, NULL, 0);
    return r;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(double *ms, int n)
{
    qsort(ms, (size_t)n, sizeof(*ms), compare);
    return ms[n / 2];
}

int main(int argc, char **argv)
{
    const char *tmp = getenv("TMPDIR");
    char *dir = path_join(tmp != NULL ? tmp : "/tmp", "ct-scan.XXXXXX"), *root, *markers;
    double ms[WAYS][MOST_ROUNDS], mid[WAYS];
    struct result last[WAYS];
    int rounds = argc > 1 ? atoi(argv[1]) : 7;

    if (rounds < 1 || rounds > MOST_ROUNDS || mkdtemp(dir) == NULL)
        die("scan");
    root = path_join(dir, "claude");
    markers = path_join(dir, "markers");
    if (mkdir(markers, 0700) == -1)
        die(markers);
    make_tree(root);
    (void)measure(BARE, root, markers); /* into the caches */
    for (int i = 0; i < rounds; i++) {
        for (int way = 0; way < WAYS; way++) {
            last[way] = measure((enum way)way, root, markers);
            ms[way][i] = last[way].ms;
        }
    }
    for (int way = 0; way < WAYS; way++)
        mid[way] = median(ms[way], rounds);
    printf("scan.tree dirs=%" PRId64 " files=%" PRId64 " rounds=%d\n", last[BARE].n.dirs,
           last[BARE].n.files, rounds);
    printf("scan.bare ms=%.1f\n", mid[BARE]);
    printf("scan.watcher ms=%.1f ratio_to_bare=%.2f files=%" PRId64 " watches=%" PRId64
           " private_dirty_kb=%ld\n",
           mid[WATCHER], mid[WATCHER] / mid[BARE], last[WATCHER].n.files, last[WATCHER].n.dirs,
           last[WATCHER].kb);
    printf("ratio name=scan value=%.3f peer=bare-system-calls\n", mid[WATCHER] / mid[BARE]);
    if (mid[INOTIFYWAIT] > 0)
        printf("ratio name=scan value=%.3f peer=inotifywait\n", mid[WATCHER] / mid[INOTIFYWAIT]);
    if (mid[INOTIFYWAIT] > 0)
        printf("scan.inotifywait ms=%.1f watcher_ratio_to_it=%.2f\n", mid[INOTIFYWAIT],
               mid[WATCHER] / mid[INOTIFYWAIT]);
    else
        printf("scan.inotifywait skipped: not installed\n");
    nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(root);
    free(markers);
    free(dir);
    return 0;
}

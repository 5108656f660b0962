#ifndef TESTS_WATCHER_WATCHER_PICTURE_H
#define TESTS_WATCHER_WATCHER_PICTURE_H

#include <stdint.h>

#include "common/base/strlist.h"
#include "watcher/watcher.h"

/*
 * What a listener of the watcher knows, built from its callbacks alone, beside the disk itself. The
 * stand-in for an agent: everything in files below projects/ counts, but nothing named *.tmp, and
 * nothing in folders named debug.  Symbolic links may be at projects and projects/<name>; a folder
 * that one of them leads to has a file followed.tmp if it is to be followed.
 */
struct picture {
    struct event_base *base;
    struct watcher *w;
    struct watcher_opts opts;
    struct strlist roots;
    char *dir; /* a new folder: roots "a", "b"... and markers in it */
    struct map *files;
    struct strlist log;      /* every changed() as "+path" or "-path", if is_logging */
    struct strlist degraded; /* "path: reason", of picture_degraded() */
    struct strlist untaken;  /* the same, of picture_untaken() */
    struct strlist linked;   /* paths that linked() told */
    struct strlist unreadable;
    int is_logging;
    uint32_t scan;
    int64_t changed; /* calls so far */
    int64_t seen;
    int64_t began;
    int64_t scanned;
    int64_t file_changed;
    int64_t resumed;
    int64_t states; /* calls of root_state */
    int is_there;   /* of the last one */
    int is_drained;
};

/**
 * picture_setup(roots):
 * Make a folder for a test, with ${roots} names of roots to come (not made), and a picture of
 * nothing.
 */
struct picture *picture_setup(int roots);

/**
 * picture_setup_in(place, roots):
 * The same, in the folder ${place} if there is one and TMPDIR names no other.
 */
struct picture *picture_setup_in(const char *place, int roots);

/**
 * picture_setup_for(state, roots):
 * The same as picture_setup(); with polling if the test's ${*state} is PICTURE_POLLING.
 */
struct picture *picture_setup_for(void **state, int roots);

/* A test that runs once with the system's backend and once polling. */
#define PICTURE_POLLING ((void *)"polling")
#define BOTH(f) \
    {#f, f, NULL, NULL, NULL}, \
    { \
#f " (polling)", f, NULL, NULL, PICTURE_POLLING \
    }

/**
 * picture_start(p):
 * Begin watching with p->opts.
 */
void picture_start(struct picture *p);

/**
 * picture_stop(p):
 * End watching; what was recorded stays.
 */
void picture_stop(struct picture *p);

/**
 * picture_free(p):
 * End all and remove the folder.
 */
void picture_free(struct picture *p);

/**
 * picture_drain(p):
 * Run the loop until everything so far was told.  Fails the test after two minutes.
 */
void picture_drain(struct picture *p);

/**
 * picture_until(p, counter, least):
 * Run the loop until ${*counter} is at least ${least}.  Fails the test after two minutes.
 */
void picture_until(struct picture *p, const int64_t *counter, int64_t least);

/**
 * picture_run_until_exit(p, pid):
 * Run the loop until the child ${pid} has ended; fails the test if it failed.
 */
void picture_run_until_exit(struct picture *p, int pid);

/**
 * picture_check(p):
 * Fail the test unless the picture equals the disk: paths, sizes, inodes.  Return how many files.
 */
int64_t picture_check(struct picture *p);

/**
 * picture_has(p, root, path):
 * Return the size that the picture has of ${path}, or -1.
 */
int64_t picture_has(const struct picture *p, int root, const char *path);

/**
 * picture_needs_watches(p), picture_needs_inotify(p):
 * Skip the test, saying so, if this build can only poll, or watches by other means.
 */
void picture_needs_watches(struct picture *p);
void picture_needs_inotify(struct picture *p);

/**
 * picture_degraded(p):
 * Ask for what is degraded, into p->degraded.
 */
void picture_degraded(struct picture *p);

/**
 * picture_untaken(p):
 * Ask for what can't be taken, into p->untaken; return how many there are.
 */
size_t picture_untaken(struct picture *p);

/**
 * picture_path(p, root, fmt, ...):
 * Return an absolute path below a root (below the test's own folder if that is -1), in a buffer
 * that the next 16 calls leave alone.
 */
const char *picture_path(const struct picture *p, int root, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/**
 * picture_put(path, n), picture_append(path, n), picture_remove(path), picture_mkdir(path):
 * Write a file of ${n} bytes, append to it, remove it or a whole tree, make folders with their
 * parents.  They abort when that can't be done.
 */
void picture_put(const char *path, int n);
void picture_append(const char *path, int n);
void picture_remove(const char *path);
void picture_mkdir(const char *path);

#endif

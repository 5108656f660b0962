#ifndef WATCHER_WATCHER_H
#define WATCHER_WATCHER_H

#include <stdint.h>

#include "agents/agent.h"
#include "common/base/err.h"
#include "common/base/strlist.h"

/*
 * File-system events below several roots -> "this file of that session changed".  It only reads.
 * Every callback comes from the event loop, never from within a call below.
 *
 * The watcher keeps no table of files; whoever listens does, and compares: what changed() told is
 * the state of that path at a moment after everything that caused the call, so the last call for a
 * path is the truth once watcher_drain() has come back.  A folder that is moved away takes files
 * along without a word about each of them; a full scan of the root follows by itself then, and the
 * files that it does not find are gone (see scan_began() and scanned()).
 */

struct event_base;
struct watcher;

struct watcher_change {
    int root;                       /* index into the roots */
    const char *path;               /* relative to the root, borrowed */
    const struct agent_path *place; /* what it is (never AGENT_NOTHING) */
    int is_gone;                    /* nothing is there any more, or a folder is in its place */
    int64_t size_bytes;             /* as lstat(2) saw it, when it is there; what can't be read */
    int64_t mtime_ns; /* (a symbolic link, a FIFO, another user's file...) counts as */
    uint64_t inode;   /* empty: beneath_size().  The snapshot names what it skips */
};

/* Members other than changed and recorded may be NULL. */
struct watcher_ops {
    /* A file changed, or a scan found one that differs from recorded().  May come more often than
     * needed, never less often. */
    void (*changed)(void *arg, const struct watcher_change *change);

    /* What is recorded of a file?  Return 1 and fill in, or 0 if nothing is.  Asked in scans (and
     * for folders that vanish), so that a start or a rescan speaks up about differences alone. */
    int (*recorded)(void *arg, int root, const char *path, int64_t *ret_size_bytes,
                    int64_t *ret_mtime_ns, uint64_t *ret_inode);

    /* A scan met a file that equals its record. */
    void (*seen)(void *arg, int root, const char *path);

    /* A full scan of a root began.  It begins anew, without having ended, if the root vanished or
     * was replaced meanwhile. */
    void (*scan_began)(void *arg, int root);

    /* A full scan of a root ended (the first, a periodic one, after an overflow, after a folder was
     * moved away, after the root came back), having met ${files}.  A file that is recorded, but for
     * which neither seen() nor changed() came since scan_began(), and that does not lie below a
     * folder that unreadable() named since then, is gone: the listener sweeps its table.  An absent
     * root has its (empty) scan as well, after root_state(). */
    void (*scanned)(void *arg, int root, int64_t files);

    /* The folder ${path} ("" is the root) is there but could not be read: what is recorded of files
     * below it stays.  It is tried again every poll_ms and stands among the degraded trees. */
    void (*unreadable)(void *arg, int root, const char *path);

    /* A scan met a symbolic link at ${path} that is followed (agents/linked.h). */
    void (*linked)(void *arg, int root, const char *path);

    /* A root is ${there} or not: told once for each root at the start, then at every change.  A
     * root that was replaced by another folder vanishes and appears. */
    void (*root_state)(void *arg, int root, int there);

    /* A file that watcher_add_file() named changed (its permissions count), appeared or vanished.
     */
    void (*file_changed)(void *arg, const char *path);

    /* The machine was suspended and is awake again; a full scan of all roots follows. */
    void (*resumed)(void *arg);
};

struct watcher_opts {
    const struct strlist *roots; /* absolute paths; may not exist yet; may be symbolic links */
    const struct agent *const *agents; /* of each root; NULL: agent_unnamed() of all */
    const char *marker_dir; /* a private folder of ours for drain markers, 0700, exists */
    int64_t rescan_ms;      /* slow periodic rescan; 0: never */
    int64_t poll_ms;        /* how often a polled tree is looked at; 0: the default, 5 s */
    int is_polling;         /* poll everything */
};

/**
 * watcher_new(base, opts, ops, arg, ret, err):
 * Begin watching; the first full scan starts from the loop.  ${opts} is copied; ${ops} and the
 * agent must stay.  Where the system offers no (further) watches at all, everything is polled; that
 * is no error.
 */
int watcher_new(struct event_base *base, const struct watcher_opts *opts,
                const struct watcher_ops *ops, void *arg, struct watcher **ret, struct ct_err *err);

/**
 * watcher_free(w):
 * Stop; NULL is harmless.  Drains that wait are dropped without a word.  Not from a callback.
 */
void watcher_free(struct watcher *w);

/**
 * watcher_add_file(w, path, err):
 * Also watch the single file ${path} (absolute; it and folders above it may be absent) and report
 * through file_changed().
 */
int watcher_add_file(struct watcher *w, const char *path, struct ct_err *err);

/**
 * watcher_drain(w, done, arg):
 * Call ${done} once every event that happened before this call has been reported through changed(),
 * all scans under way have ended, and every polled tree has been looked at once more.  Changes that
 * go on meanwhile do not hold it up.
 */
void watcher_drain(struct watcher *w, void (*done)(void *arg), void *arg);

/**
 * watcher_rescan(w):
 * Scan everything anew, as after an overflow.
 */
void watcher_rescan(struct watcher *w);

struct watcher_stats {
    const char *backend; /* "inotify"; "polling" if every root is polled */
    int64_t watches;     /* directories watched */
    int64_t overflows;
    int64_t last_scan_wall_ms; /* end of the last full scan, 0: none yet */
    int is_scanning;
};

/**
 * watcher_stats(w, ret):
 * Fill in the figures for status.
 */
void watcher_stats(const struct watcher *w, struct watcher_stats *ret);

/**
 * watcher_each_degraded(w, f, arg):
 * Call ${f} for each tree that is polled although it should not be (one entry for each root and
 * cause: the folder that all of them lie in) or cannot be read, with the reason and the cure in one
 * sentence.  ${path} is absolute.  A tree on a network or FUSE file system is polled by design and
 * not named.
 */
void watcher_each_degraded(const struct watcher *w,
                           void (*f)(void *arg, const char *path, const char *reason), void *arg);

/**
 * watcher_each_untaken(w, f, arg):
 * Call ${f} for each name that a session could have and that can't be taken (a symbolic link that
 * is not followed, another user's file, a file that can't be read), with why and the cure.  ${path}
 * is absolute.  Return how many there are; the first hundred are told.  ${f} may be NULL.
 */
size_t watcher_each_untaken(const struct watcher *w,
                            void (*f)(void *arg, const char *path, const char *why,
                                      const char *cure),
                            void *arg);

#endif

#ifndef WATCHER_CORE_H
#define WATCHER_CORE_H

#include <sys/stat.h>
#include <sys/types.h>

#include "watcher/dirtree.h"
#include "watcher/sigs.h"
#include "watcher/watcher.h"
#include "watcher/watches.h"

/*
 * What the parts of the watcher share; nobody outside this folder includes it.
 *
 *   watcher.c  the handle, the timers, one step of work after another
 *   look.c     an event says "look there": look, and tell what is there now
 *   scan.c     folders that wait to be read, and the one that is being read, a slice at a time
 *   pass.c     scans of a whole root (or of what is polled in it), from beginning to end
 *   root.c     the roots come, go and are replaced
 *   anchor.c   the ways to the roots, to what links lead to, and to single files
 *   links.c    symbolic links: those that are followed
 *   untaken.c  what can't be taken, for people
 *   degraded.c what is wrong, for people
 *   drain.c    who waits for everything so far to have been told
 *
 * Work carries an epoch: a drain whose marker has come back closes the current one and is done when
 * no work of it or an earlier one is left.  What work leads to is work of the same epoch.
 */

struct anchors;
struct drains;
struct event;
struct grave;
struct resume;
struct scans;
struct untaken;

enum pass_kind { PASS_NONE, PASS_POLL, PASS_FULL }; /* each does what the ones before it do */

struct root {
    int index;
    const struct agent *agent;
    char *path;

    int is_told;    /* root_state() was called */
    int is_unknown; /* not there as far as we can see, but something kept us from seeing */
    int is_there;   /* as what it was when last looked at: */
    dev_t dev;
    ino_t inode;
    struct dir *top;
    int is_remote;
    int is_lost;    /* its folder was removed, whatever is at its path now */
    int is_suspect; /* events may have been judged by a path that led elsewhere */

    enum pass_kind pass; /* under way */
    uint64_t pass_epoch;
    int64_t pass_jobs; /* of it, not yet done */
    int64_t pass_began_ms;
    int64_t files;        /* met in it */
    enum pass_kind again; /* asked for; starts when none is under way */
    uint64_t again_epoch;

    int64_t polled; /* folders in the tree that are */
    struct sigs *sigs;
    struct untaken *untaken; /* ordered by path */
    size_t n_untaken;
};

/* What the events of one batch, or the scans of one slice, have open. */
struct folder_at {
    int root; /* of root_fd, or -1 */
    int root_fd;
    const struct dir *dir; /* of dir_fd, or NULL */
    int dir_fd;
};

struct watcher {
    struct event_base *base;
    const struct watcher_ops *ops;
    void *arg;
    int64_t rescan_ms;
    int64_t poll_ms;

    const struct backend *backend;
    char no_backend[512]; /* why everything is polled, or "" */
    struct watches *watches;
    int is_limit_hit;  /* no further watch, as far as is known */
    int is_limit_told; /* in the log, once until it is over */

    struct root *roots;
    int n_roots;
    struct dirtree *tree;
    struct scans *scans;
    struct anchors *anchors;
    struct drains *drains;
    struct folder_at folder;
    struct grave *graves; /* of look_bury() */
    uint64_t n_graves;    /* dug so far */
    int is_lossy;         /* events were lost; some graves may wait in vain */
    uint64_t lossy_graves;
    uint64_t epoch;

    struct event *work; /* the next step, at once */
    struct event *poll;
    struct event *rescan;
    int is_kicked;
    int is_trim_due;
    int64_t poll_cost_ms; /* of the last pass over what is polled */
    struct resume *resume;
    int64_t overflows;
    int64_t last_scan_wall_ms;
};

/**
 * watcher_agent(w, root):
 * Return the agent of that root.
 */
const struct agent *watcher_agent(const struct watcher *w, int root);

/**
 * watcher_kick(w):
 * There is work: have the loop come back to it at once.
 */
void watcher_kick(struct watcher *w);

/**
 * look_event(w, d, flags, name), look_grave_event(w, grave, flags, name):
 * Something about ${name} in a folder changed: tell what is there now.
 */
void look_event(struct watcher *w, struct dir *d, unsigned flags, const char *name);
void look_grave_event(struct watcher *w, struct watch *grave, unsigned flags, const char *name);

/**
 * look_again(w, root, path):
 * As if something had been told of ${path}, which is no folder; look_rest() afterwards.
 */
void look_again(struct watcher *w, int root, const char *path);

/**
 * look_tell(w, root, path, place, st):
 * Call changed() for ${path}; ${st} is NULL if it is gone.
 */
void look_tell(struct watcher *w, int root, const char *path, const struct agent_path *place,
               const struct stat *st);

/**
 * look_root(w, root):
 * As root_open(), kept until look_rest().
 */
int look_root(struct watcher *w, int root);

/**
 * look_rest(w):
 * Close what is open: the batch of events, or the slice of a scan, is over.
 */
void look_rest(struct watcher *w);

/**
 * look_bury(w, d):
 * ${d} goes, or its watch is of a folder that is not at its path any more: keep what is needed to
 * understand the events of that watch that are still to come.
 */
void look_bury(struct watcher *w, struct dir *d);

/**
 * look_exhume(w, number):
 * Drop the first ${number} things that look_bury() kept: no event of theirs is to come.
 */
void look_exhume(struct watcher *w, uint64_t number);

/**
 * look_grave_ended(w, grave):
 * Its last event has come.
 */
void look_grave_ended(struct watcher *w, struct watch *grave);

/**
 * scan_new(), scan_free(s):
 */
struct scans *scan_new(void);
void scan_free(struct scans *s);

/**
 * scan_queue(w, d, epoch, is_pass, is_urgent):
 * Have ${d} read: as a part of its root's pass if ${is_pass}; before others of its epoch if
 * ${is_urgent}.
 */
void scan_queue(struct watcher *w, struct dir *d, uint64_t epoch, int is_pass, int is_urgent);

/**
 * scan_slice(w):
 * Go on for a few milliseconds.
 */
void scan_slice(struct watcher *w);

/**
 * scan_is_idle(w):
 * Return whether no folder waits to be read or is being read.
 */
int scan_is_idle(const struct watcher *w);

/**
 * scan_epoch(w):
 * Return the lowest epoch of a folder that is or waits to be read, or UINT64_MAX.
 */
uint64_t scan_epoch(const struct watcher *w);

/**
 * scan_forget(w, d):
 * Take the folder ${d} and all below it out of the tree, with their watches and what waits for
 * them. Return whether any of them was polled or reached through a symbolic link, so that nothing
 * told of the files that went with it.
 */
int scan_forget(struct watcher *w, struct dir *d);

/**
 * scan_set_flags(w, d, flags):
 * Set what ${d} is (DIR_POLLED...).
 */
void scan_set_flags(struct watcher *w, struct dir *d, unsigned flags);

/**
 * pass_ask(w, r, kind, epoch):
 * Have a pass over ${r} made after the one under way, if there is one.
 */
void pass_ask(struct watcher *w, struct root *r, enum pass_kind kind, uint64_t epoch);

/**
 * pass_ask_all(w, kind):
 * The same over all roots, in the current epoch.
 */
void pass_ask_all(struct watcher *w, enum pass_kind kind);

/**
 * pass_start(w):
 * Start what was asked for and can start.
 */
void pass_start(struct watcher *w);

/**
 * pass_job_done(w, r):
 * A folder that was queued as a part of the pass over ${r} was read or is gone.
 */
void pass_job_done(struct watcher *w, struct root *r);

/**
 * pass_cancel(r):
 * Forget the pass under way; its folders are gone.
 */
void pass_cancel(struct root *r);

/**
 * pass_epoch(w):
 * Return the lowest epoch of a pass that is asked for, or UINT64_MAX.
 */
uint64_t pass_epoch(const struct watcher *w);

/**
 * root_update(w, r):
 * Look whether ${r} is there, and as what; set things going if that changed.
 */
void root_update(struct watcher *w, struct root *r);

/**
 * root_open(w, r):
 * Return a descriptor of the root's folder (a place only), or -1 with errno; ESTALE if another
 * folder than the one known is there, which is being looked into then.
 */
int root_open(struct watcher *w, struct root *r);

/**
 * root_drop_tree(w, r):
 * Forget all folders of ${r}.
 */
void root_drop_tree(struct watcher *w, struct root *r);

/**
 * anchor_new(), anchor_free(w, as):
 */
struct anchors *anchor_new(void);
void anchor_free(struct watcher *w, struct anchors *as);

/**
 * anchor_add(w, path, r):
 * Watch the way to ${path}: of the root ${r}, or of a single file if that is NULL.
 */
void anchor_add(struct watcher *w, const char *path, struct root *r);

/**
 * anchor_add_link(w, r, path):
 * Watch the way to what the symbolic link ${path} below ${r} leads to: when it becomes another
 * folder than now there is a full pass over ${r}.
 */
void anchor_add_link(struct watcher *w, struct root *r, const char *path);

/**
 * anchor_begin(w, r), anchor_end(w, r):
 * A full pass over ${r} begins; it has ended, and links that it did not meet are gone.
 */
void anchor_begin(struct watcher *w, const struct root *r);
void anchor_end(struct watcher *w, const struct root *r);

/**
 * anchor_event(w, u, flags, name):
 * The folder of a step of a way, ${u}, had an event.
 */
void anchor_event(struct watcher *w, struct watch *u, unsigned flags, const char *name);

/**
 * anchor_doubt(w, r):
 * Look at the way to ${r} again; at all ways if it is NULL.
 */
void anchor_doubt(struct watcher *w, const struct root *r);

/**
 * anchor_update(w):
 * Go all ways again that are in doubt.
 */
void anchor_update(struct watcher *w);

/**
 * anchor_is_doubtful(w):
 * Return whether some way is in doubt.
 */
int anchor_is_doubtful(const struct watcher *w);

/**
 * anchor_is_polled(w):
 * Return whether some way can't be watched.
 */
int anchor_is_polled(const struct watcher *w);

/**
 * anchor_each_polled(w, f, arg):
 * Call ${f} with each path whose way can't be watched.
 */
void anchor_each_polled(const struct watcher *w, void (*f)(void *arg, const char *path), void *arg);

/**
 * untaken_note(r, path, st, why):
 * ${path} was looked at: a file that looks like ${st}, or a symbolic link that is not followed for
 * the reason ${why}; ${st} is NULL if nothing is there, or what needs no word.
 */
void untaken_note(struct root *r, const char *path, const struct stat *st, const char *why);

/**
 * untaken_begin(r), untaken_end(r), untaken_free(r):
 * A full pass over ${r} begins; it has ended, and what it did not meet is forgotten; forget all.
 */
void untaken_begin(struct root *r);
void untaken_end(struct root *r);
void untaken_free(struct root *r);

/**
 * untaken_look(w):
 * Look at each of them anew: a change of owner is told by nobody.
 */
void untaken_look(struct watcher *w);

/**
 * untaken_each(w, f, arg):
 * As watcher_each_untaken().
 */
size_t untaken_each(const struct watcher *w,
                    void (*f)(void *arg, const char *path, const char *why, const char *cure),
                    void *arg);

/**
 * link_look(w, root, path, st):
 * There is the symbolic link ${st} at ${path}, where a folder or a file of a session could be.  If
 * it is followed, return 1 with what it leads to in ${st}; else 0, and that is noted.  Either way
 * it is watched over until a full pass does not meet it.
 */
int link_look(struct watcher *w, int root, const char *path, struct stat *st);

/**
 * link_note_file(w, root, path, place, st):
 * There is the file ${st} at ${path}: note whether it can be taken, if that matters.
 */
void link_note_file(struct watcher *w, int root, const char *path, const struct agent_path *place,
                    const struct stat *st);

/**
 * link_open_dir(w, root, root_fd, path, is_readable):
 * As fs_open_dir(), and through symbolic links that are followed.
 */
int link_open_dir(struct watcher *w, int root, int root_fd, const char *path, int is_readable);

/**
 * degraded_each(w, f, arg):
 * As watcher_each_degraded().
 */
void degraded_each(const struct watcher *w,
                   void (*f)(void *arg, const char *path, const char *reason), void *arg);

/**
 * drain_new(w, marker_dir), drain_free(w, ds):
 */
struct drains *drain_new(const char *marker_dir);
void drain_free(struct watcher *w, struct drains *ds);

/**
 * drain_add(w, done, arg):
 * As watcher_drain().
 */
void drain_add(struct watcher *w, void (*done)(void *arg), void *arg);

/**
 * drain_event(w, name):
 * A file ${name} came or went in the folder for markers.
 */
void drain_event(struct watcher *w, const char *name);

/**
 * drain_lost(w):
 * Markers may have been lost; a full pass over everything has been asked for.
 */
void drain_lost(struct watcher *w);

/**
 * drain_settle(w):
 * Call back those whose time has come.
 */
void drain_settle(struct watcher *w);

#endif

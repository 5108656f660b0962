#ifndef DAEMON_SESSION_SESSIONS_H
#define DAEMON_SESSION_SESSIONS_H

#include <sys/queue.h>

#include <stdint.h>

#include "common/base/err.h"
#include "common/base/heap.h"
#include "common/base/uuid.h"
#include "daemon/session/growth.h"

/*
 * The sessions that are on their way, and when each comes to rest.
 */
struct agent;
struct daemon;
struct sessions;

/* A session that is not safe yet: it changed, or its bundle is in the queue.  All others are in
 * state only. */
struct session {
    struct heap_node due;        /* its place among those to be bundled */
    TAILQ_ENTRY(session) parked; /* to be bundled, but not yet */
    char id[UUID_SIZE];
    const struct agent *agent; /* whose it is, NULL: a change of it has to come yet */
    uint64_t dirty_seq;    /* number of its last change; every change of any session has its own */
    uint64_t taken_seq;    /* changes up to this one are in the bundle that is being made */
    uint64_t queued_seq;   /* ... in the bundle that is in the queue */
    uint64_t safe_seq;     /* ... are safe */
    uint64_t doubted_seq;  /* ... are safe if the server has what a pull installed */
    int64_t mtime_ms;      /* newest change seen, wall clock */
    struct growth growth;  /* what is new in it, for progress; */
    int64_t bundled_bytes; /* and what of that is in the bundle that is being made or queued */
    int is_waiting;        /* in debounce */
    int is_due;            /* to be bundled */
    int is_parked;         /* ... when its upload ended, or some time after a failure */
    int is_bundling;
    int is_urgent; /* asked for by name or by `sync` */
    int is_behind; /* a fuller bundle in the queue has to be safe before the next is made */
    int cancels;   /* bundles of it given up for a newer change, in a row */
    int failures;  /* bundling, in a row */
    int64_t room_used_bytes; /* waits until the spool holds less than that, 0: does not */
    int64_t retry_ms;        /* not bundled again before (monotonic clock) */
    int is_known;            /* it was in state when it came here ... */
    int was_safe;            /* ... with a confirmed version */
    struct ct_err *err;      /* why bundling failed last, or NULL */
};

/**
 * sessions_new(d), sessions_free(s):
 * None yet; with the clocks of the configuration.
 */
struct sessions *sessions_new(struct daemon *d);
void sessions_free(struct sessions *s);

/**
 * sessions_set_clocks(d):
 * Go by the configuration's clocks for debounce, and by what the plan allows.
 */
void sessions_set_clocks(struct daemon *d);

/**
 * sessions_n(d), sessions_each(d, f, arg):
 * Return how many there are; call ${f} with the id and the struct session of each until it returns
 * other than 0.
 */
size_t sessions_n(const struct daemon *d);
void sessions_each(struct daemon *d, int (*f)(void *arg, const char *id, void *session), void *arg);

/**
 * sessions_seq(d), sessions_next_seq(d):
 * Return the number of the last change of any session; count one more and return its number.
 */
uint64_t sessions_seq(const struct daemon *d);
uint64_t sessions_next_seq(struct daemon *d);

/**
 * sessions_rest(d):
 * Nothing is on its way: forget uploads that are too long ago to count for the distance.
 */
void sessions_rest(struct daemon *d);

/**
 * sessions_get(d, id), sessions_need(d, id):
 * The session on its way, or NULL; the second makes it.
 */
struct session *sessions_get(struct daemon *d, const char *id);
struct session *sessions_need(struct daemon *d, const char *id);

/**
 * sessions_touch(d, id, age_ms, mtime_ms):
 * The session changed, ${age_ms} ago.  Return it, or NULL: it is excluded.
 */
struct session *sessions_touch(struct daemon *d, const char *id, int64_t age_ms, int64_t mtime_ms);

/**
 * sessions_grew(d, s, root, path, size_bytes):
 * A file of the session has ${size_bytes} now.  After sessions_touch(), whose NULL is harmless.
 */
void sessions_grew(struct daemon *d, struct session *s, int root, const char *path,
                   int64_t size_bytes);

/**
 * sessions_uploaded(d, id, took_ms):
 * A bundle of the session was stored just now: the next one keeps its distance.
 */
void sessions_uploaded(struct daemon *d, const char *id, int64_t took_ms);

/**
 * sessions_pending_bytes(s):
 * Return how much of the session is new and not safe.
 */
int64_t sessions_pending_bytes(const struct session *s);

/**
 * sessions_turn_ended(d, id):
 * A turn of the session ended, or the session did.
 */
void sessions_turn_ended(struct daemon *d, const char *id);

/**
 * sessions_make_due(d, s):
 * Have the session bundled without debounce.
 */
void sessions_make_due(struct daemon *d, struct session *s);

/**
 * sessions_is_dirty(s):
 * Return whether it has changes that are neither safe nor in the queue.
 */
int sessions_is_dirty(const struct session *s);

/**
 * sessions_settle(d, s):
 * Forget the session if nothing of it is on its way, and wake who waited for that.
 */
void sessions_settle(struct daemon *d, struct session *s);

/**
 * sessions_undoubted(d, id):
 * The server has what a pull installed, or the session was touched anew for it has not.
 */
void sessions_undoubted(struct daemon *d, const char *id);

/**
 * sessions_set_err(s, err):
 * Remember why bundling failed; NULL: it did not.
 */
void sessions_set_err(struct session *s, const struct ct_err *err);

/**
 * sessions_give_up(d, s):
 * Nothing of the session goes out any more (it is excluded): forget its changes.
 */
void sessions_give_up(struct daemon *d, struct session *s);

/**
 * sessions_forget_all(d):
 * Forget all of them (the account is closed).
 */
void sessions_forget_all(struct daemon *d);

struct sessions_counts {
    int64_t all;       /* on their way, those that fail too */
    int64_t is_new;    /* of them: not in state before */
    int64_t were_safe; /* of them: an older version is safe */
    int64_t failed;
    int64_t limit;
    int64_t bytes; /* of what changed in them */
};

/**
 * sessions_counts(d, ret):
 * Count the sessions on their way.
 */
void sessions_counts(struct daemon *d, struct sessions_counts *ret);

#endif

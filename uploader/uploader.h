#ifndef UPLOADER_UPLOADER_H
#define UPLOADER_UPLOADER_H

#include <stdint.h>

#include "common/config/cred.h"
#include "common/data/db.h"
#include "common/base/err.h"
#include "common/sys/worker.h"
#include "net/http.h"
#include "uploader/keep.h"
#include "uploader/kept.h"
#include "uploader/queue.h"

/*
 * Bundles -> object storage: the durable queue, who goes next, and what to do when something fails.
 * All of it lives on the event loop.
 */
struct event_base;
struct uploader;

struct uploader_ops {
    /* Does a person wait for what is queued?  Then it is tried more often. */
    int (*is_waited)(void *arg);

    /* An attempt begins: fill in what is decided at each (struct queue_facts). */
    void (*facts)(void *arg, const struct queue_item *item, struct queue_facts *ret);

    /* A bundle is in the store: ${is_loopback}, on this machine, or the API is. */
    void (*stored)(void *arg, int is_loopback);

    /* ${item} is confirmed as ${version}; without sha256 the bytes there are others of the same
     * content.  ${is_loopback} is as for stored(), or -1: it was stored earlier.  Record the
     * session as safe; called inside the transaction that also takes it out of the queue.  Return
     * 0, or -1 with ${err}: tried again later. */
    int (*confirmed)(void *arg, const struct queue_item *item, int64_t version, int is_loopback,
                     int64_t took_ms, struct ct_err *err);

    /* That transaction is on disk. */
    void (*settled)(void *arg, const char *session_id, int64_t version, int64_t size_bytes);

    /* ${item} has no news, and the cloud has a version that it does not contain (item->beside): it
     * was not uploaded, or what was confirmed is deleted again.  The first as confirmed(), the
     * second as settled(). */
    int (*behind)(void *arg, const struct queue_item *item, struct ct_err *err);
    void (*passed)(void *arg, const char *session_id);

    /* Nobody knows what ${item} goes on from, or whether what others made of just that is news; the
     * server has ${heads} (rows for api_head_read()), which it may contain.  It is held until
     * uploader_looked(). */
    void (*unsure)(void *arg, const struct queue_item *item, struct json_object *heads);

    /* An attempt began, or failed.  ${is_final}: not tried again until the session changes or
     * uploader_kick(). */
    void (*started)(void *arg, const struct queue_item *item);
    void (*failed)(void *arg, const struct queue_item *item, const struct ct_err *err,
                   int is_final);

    /* The bundle is damaged or missing.  First: see to it that the session counts as changed,
     * whatever happens next; then, once the bundle was dropped: make a new one. */
    int (*forget)(void *arg, const char *session_id, struct ct_err *err);
    void (*rebuild)(void *arg, const char *session_id);

    /* The server says that the session was deleted; its bundle was dropped.  ${was_revived}: it was
     * to take the session back.  ${why}: who did it and when, a sentence without a full stop. */
    void (*deleted)(void *arg, const char *session_id, int was_revived, const char *why);

    /* The token is refused: nothing goes on until uploader_set_cred(). */
    void (*auth)(void *arg, const struct ct_err *err);
};

struct uploader_opts {
    struct event_base *base;
    struct db *db;
    struct worker *worker;
    const char *spool_dir;
    const char *kept_dir; /* for fuller versions that the server would rotate out */
    int64_t kept_bytes;   /* at most so much in it */
    int concurrency;
    const char *device_id; /* borrowed: this machine's (common/config/device.h), "" or NULL: none */
};

/**
 * uploader_new(opts, ops, arg, ret, err):
 * Read the queue and remove what lies in the spool without a row.  Nothing starts before
 * uploader_set_cred().
 */
int uploader_new(const struct uploader_opts *opts, const struct uploader_ops *ops, void *arg,
                 struct uploader **ret, struct ct_err *err);

/**
 * uploader_free(u):
 * Stop all transfers; what waits stays on disk.  NULL is harmless.  Before the worker is freed.
 */
void uploader_free(struct uploader *u);

/**
 * uploader_set_cred(u, engine, cred):
 * Go on with these credentials (copied) and engine, or stop if ${cred} is NULL.
 */
void uploader_set_cred(struct uploader *u, struct http_engine *engine, const struct cred *cred);

/**
 * uploader_set_features(u, features):
 * The server said which enum api_feature it has.  Until it does, it counts as having none.
 */
void uploader_set_features(struct uploader *u, unsigned features);

/**
 * uploader_pause(u, is_paused):
 * Begin no new transfer, or go on.
 */
void uploader_pause(struct uploader *u, int is_paused);

/**
 * uploader_set_metered(u, is_metered):
 * The connection is metered, or is not any more: bundles above UPLOADER_METERED_BYTES wait while it
 * is, unless they are asked for.
 */
#define UPLOADER_METERED_BYTES 20000000
void uploader_set_metered(struct uploader *u, int is_metered);

/**
 * uploader_seal_only(u, is_sealed_only):
 * Let nothing leave in clear, whoever asks, and stop what is leaving so; or let all go.
 */
void uploader_seal_only(struct uploader *u, int is_sealed_only);

/**
 * uploader_stop(u):
 * Begin no new transfer any more, not even one that is asked for; those under way go on.
 */
void uploader_stop(struct uploader *u);

/**
 * uploader_set_concurrency(u, n):
 * At most ${n} transfers at once.
 */
void uploader_set_concurrency(struct uploader *u, int n);

/**
 * uploader_set_kept_limit(u, bytes):
 * Keep at most so many bytes of fuller versions; what waited for room is tried again.
 */
void uploader_set_kept_limit(struct uploader *u, int64_t bytes);

/**
 * uploader_kept(u):
 * The folder of fuller versions, to look into.
 */
const struct kept *uploader_kept(const struct uploader *u);

/**
 * uploader_spool_path(u, session_id):
 * Return a new path in the spool for a bundle of the session; the caller frees it.
 */
char *uploader_spool_path(struct uploader *u, const char *session_id);

/**
 * uploader_spool_bytes(u):
 * Return how many bytes the queue holds in the spool.
 */
int64_t uploader_spool_bytes(const struct uploader *u);

/**
 * uploader_put(u, item, err), uploader_take(u, item):
 * Queue a bundle whose file is in the spool already; copied.  It replaces one that waits for the
 * same session.  Not while that one is in flight (see uploader_is_active()).  The first records it,
 * inside the caller's transaction; the second, once that is on disk, goes by it, and removes the
 * file of the one that was replaced.
 */
int uploader_put(struct uploader *u, const struct queue_item *item, struct ct_err *err);
void uploader_take(struct uploader *u, const struct queue_item *item);

/* Why a bundle does not go out for the moment. */
enum uploader_hold {
    UPLOADER_HOLD_NEWER = 1,   /* a newer one is being made */
    UPLOADER_HOLD_ASKING = 2,  /* the server is asked whether it has this one */
    UPLOADER_HOLD_SEALING = 4, /* it is being sealed */
    UPLOADER_HOLD_LOOKING = 8  /* what stands beside it is looked into */
};

/**
 * uploader_hold(u, session_id, why, is_held):
 * Do not begin with this session's bundle for the reason ${why}, or that reason is gone.
 */
void uploader_hold(struct uploader *u, const char *session_id, enum uploader_hold why, int is_held);

/**
 * uploader_looked(u, session_id, pin, err):
 * What stands beside the session's bundle was looked into, as far as it can be: go on, and have
 * that version (0: none) kept beyond rotation.  If it failed in a way that may pass (${err}, else
 * NULL), the bundle waits as after any failure.
 */
void uploader_looked(struct uploader *u, const char *session_id, int64_t pin,
                     const struct ct_err *err);

/**
 * uploader_fetch(u, what, done, arg, ret, err):
 * Fetch a version to what->path, as keep_start() does.  ERR_AUTH while there are no credentials.
 */
int uploader_fetch(struct uploader *u, const struct keep_what *what,
                   void (*done)(void *arg, const struct ct_err *err), void *arg, struct keep **ret,
                   struct ct_err *err);

/**
 * uploader_settle(u, session_id, version, beside, is_loopback), uploader_settle_sealed(u,
 * session_id, version, sha256, key_id, generation, beside, is_loopback): The server turned out to
 * have the session's bundle already, as ${version}: as if it had just been confirmed, with
 * ${beside} (NULL: nothing is known of that) there as well.  The second: it has the same content in
 * other bytes, whose digest is ${sha256} ("": not known), sealed with that key and generation (""
 * and 0: in clear).
 */
void uploader_settle(struct uploader *u, const char *session_id, int64_t version,
                     const struct queue_beside *beside, int is_loopback);
void uploader_settle_sealed(struct uploader *u, const char *session_id, int64_t version,
                            const char *sha256, const char *key_id, int64_t generation,
                            const struct queue_beside *beside, int is_loopback);

/**
 * uploader_drop(u, session_id, err):
 * Take a session's bundle out of the queue, stopping its transfer.
 */
int uploader_drop(struct uploader *u, const char *session_id, struct ct_err *err);

/**
 * uploader_refuse(u, session_id, err), uploader_try_again(u, session_id):
 * Count the session's bundle as refused for good with ${err}, as if it had been tried; or no
 * longer.
 */
void uploader_refuse(struct uploader *u, const char *session_id, const struct ct_err *err);
void uploader_try_again(struct uploader *u, const char *session_id);

/**
 * uploader_is_refused(u, session_id):
 * Return whether the session has a bundle here that was refused for good.
 */
int uploader_is_refused(const struct uploader *u, const char *session_id);

/**
 * uploader_kick(u, session_id):
 * Try ${session_id} (NULL: all) now: no back-off, pause or earlier refusal counts.
 */
void uploader_kick(struct uploader *u, const char *session_id);

/**
 * uploader_try_now(u):
 * The network may be back: what waits after a failure is tried now, with its back-off begun anew.
 * What is paused, held or refused stays so.
 */
void uploader_try_now(struct uploader *u);

/**
 * uploader_is_active(u, session_id), uploader_has(u, session_id):
 * Return whether a transfer of the session is under way; whether it has a bundle here.
 */
int uploader_is_active(const struct uploader *u, const char *session_id);
int uploader_has(const struct uploader *u, const char *session_id);

struct uploader_view {
    const struct queue_item *item;
    const char *phase; /* "ready", "uploading", "stored", "failed", "limit" */
    int attempts;
    int64_t next_attempt_ms; /* of the monotonic clock, 0: none planned */
    int64_t sent_bytes;
    const struct ct_err *err; /* the last failure, or NULL */
};

/**
 * uploader_look(u, session_id, ret):
 * Fill in what is known of a session's bundle.  Return 1, or 0 if it has none.
 */
int uploader_look(const struct uploader *u, const char *session_id, struct uploader_view *ret);

/**
 * uploader_each(u, f, arg):
 * Call ${f} for each bundle, oldest first.
 */
void uploader_each(const struct uploader *u, void (*f)(void *arg, const struct uploader_view *view),
                   void *arg);

struct uploader_stats {
    int64_t queued;
    int64_t queued_bytes;
    int64_t active;
    int64_t metered;          /* wait because the connection is metered */
    int64_t bytes_sent;       /* since the start */
    int64_t confirmed;        /* since the start */
    int64_t last_contact_ms;  /* wall clock; 0: none yet */
    int failures;             /* exchanges in a row that the server did not answer */
    int64_t clock_skew_ms;    /* the server's clock less ours, as last seen */
    int has_store_skew;       /* both clocks were seen; then ... */
    int64_t store_skew_ms;    /* ... the object store's less ours */
    const struct ct_err *err; /* why nothing goes on at the moment, or NULL */
    int64_t next_attempt_ms;  /* when it is tried again, 0: not waiting */
};

/**
 * uploader_stats(u, ret):
 * Fill in the figures for status.
 */
void uploader_stats(const struct uploader *u, struct uploader_stats *ret);

#endif

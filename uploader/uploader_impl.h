#ifndef UPLOADER_UPLOADER_IMPL_H
#define UPLOADER_UPLOADER_IMPL_H

#include <sys/queue.h>

#include "common/base/map.h"
#include "uploader/outage.h"
#include "uploader/transfer.h"
#include "uploader/uploader.h"

/*
 * What uploader.c (who goes next), uploader_fail.c (what a failure leads to) and uploader_look.c
 * (what others see of it) share.
 */
struct entry {
    TAILQ_ENTRY(entry) link;
    struct uploader *u;
    struct queue_item *item;
    struct transfer *transfer;       /* in flight, or NULL */
    struct reservation *reservation; /* an attempt's that may be used again, or NULL */
    struct outage_wait wait;
    int64_t began_ms;
    int64_t sent_bytes;
    struct ct_err err;  /* the last failure */
    int is_final;       /* refused: waits for a change or a kick */
    unsigned held;      /* enum uploader_hold */
    int is_urgent;      /* asked for: pause does not count */
    int is_looked_into; /* what stands beside it was */
};

struct uploader {
    struct uploader_opts opts;
    const struct uploader_ops *ops;
    void *arg;
    char *spool_dir;
    struct kept *kept;
    struct http_engine *engine;
    struct cred *cred;
    unsigned features; /* enum api_feature of that server */
    int is_paused;
    int is_metered;
    int is_sealed_only; /* what is in clear stays here */
    int is_stopping;
    TAILQ_HEAD(, entry) entries;
    struct map *by_session;
    struct event *timer;
    int active;
    struct outage outage;
    int64_t queued_bytes;
    int64_t bytes_sent;
    int64_t confirmed;
    int64_t last_contact_ms;
    int64_t skew_ms[TRANSFER_PEERS]; /* a peer's clock less ours */
    int has_skew[TRANSFER_PEERS];
};

/**
 * uploader_failed(e, err):
 * The transfer of ${e} ended with ${err}: decide what that leads to.  ${e} may be gone after it.
 */
void uploader_failed(struct entry *e, const struct ct_err *err);

/**
 * uploader_disk_failed(e, err):
 * Our own disk or database is the trouble: ${e} is tried again later.
 */
void uploader_disk_failed(struct entry *e, const struct ct_err *err);

/**
 * uploader_recovered(u):
 * The server did what it was asked: whatever was waited for is over.
 */
void uploader_recovered(struct uploader *u);

/**
 * uploader_is_too_dear(e):
 * Return whether ${e} is too large for the metered connection that this machine has.
 */
int uploader_is_too_dear(const struct entry *e);

/**
 * uploader_is_barred(e):
 * Return whether ${e} is in clear and may not leave so.
 */
int uploader_is_barred(const struct entry *e);

/**
 * uploader_schedule(u):
 * Begin with what may begin now.
 */
void uploader_schedule(struct uploader *u);

/**
 * uploader_entry_stop(e):
 * Stop the transfer of ${e}, if there is one, and forget its reservation.
 */
void uploader_entry_stop(struct entry *e);

/**
 * uploader_entry_drop(e, err):
 * Take ${e} out of the queue, with its file.
 */
int uploader_entry_drop(struct entry *e, struct ct_err *err);

#endif

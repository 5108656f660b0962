#ifndef UPLOADER_UPLOADER_IMPL_H
#define UPLOADER_UPLOADER_IMPL_H

#include <sys/queue.h>

#include "common/map.h"
#include "uploader/transfer.h"
#include "uploader/uploader.h"

/*
 * What uploader.c (who goes next) and uploader_look.c (what others see of it) share.
 */
struct entry {
    TAILQ_ENTRY(entry) link;
    struct uploader *u;
    struct queue_item *item;
    struct transfer *transfer; /* in flight, or NULL */
    int failures;
    int64_t next_ms; /* not before; 0: now */
    int64_t began_ms;
    int64_t sent_bytes;
    struct ct_err err; /* the last failure */
    int is_final;      /* refused: waits for a change or a kick */
    int is_held;
    int is_urgent; /* asked for: pause does not count */
};

struct uploader {
    struct uploader_opts opts;
    const struct uploader_ops *ops;
    void *arg;
    char *spool_dir;
    struct kept *kept;
    struct http_engine *engine;
    struct cred *cred;
    int is_paused;
    int is_stopping;
    TAILQ_HEAD(, entry) entries;
    struct map *by_session;
    struct event *timer;
    int active;
    /* What fails for all (no network, the server down) is waited out once, and tried by one. */
    int net_failures;
    int64_t net_next_ms;
    struct ct_err net_err;
    int64_t queued_bytes;
    int64_t bytes_sent;
    int64_t confirmed;
    int64_t last_contact_ms;
    int64_t clock_skew_ms;
};

#endif

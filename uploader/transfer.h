#ifndef UPLOADER_TRANSFER_H
#define UPLOADER_TRANSFER_H

#include <stdint.h>

#include "common/cred.h"
#include "common/err.h"
#include "common/worker.h"
#include "net/http.h"
#include "uploader/keep.h"
#include "uploader/queue.h"

/*
 * One bundle on its way: check the spool file, reserve a version, PUT, confirm.  A presigned URL
 * lives here, in memory, and nowhere else.
 */
struct transfer;

struct transfer_env {
    struct http_engine *engine;
    struct worker *worker;
    struct kept *kept;
    const struct cred *cred; /* copied */
};

struct transfer_ops {
    /* The object store has it as ${version}: record STORED.  Return 0, or -1 with ${err}. */
    int (*stored)(void *arg, int64_t version, struct ct_err *err);

    /* The server does not know the reservation any more: record READY. */
    int (*unstored)(void *arg, struct ct_err *err);

    /* What is known of the version that ${item} wants pinned: fill in ${what}, whose session and
     * version are set.  Return 0, or -1 with ${err}. */
    int (*pinned)(void *arg, struct keep_what *what, struct ct_err *err);

    /* The end; the transfer is gone after it.  ${err} is NULL when ${version} is confirmed.
     * ERR_CORRUPT: the spool file is not what was put there, a new bundle is needed. */
    void (*done)(void *arg, int64_t version, int is_loopback, const struct ct_err *err);

    /* Bytes of the bundle that were sent so far. */
    void (*progress)(void *arg, int64_t sent);

    /* The server's clock, from a Date header, and ours at the same time. */
    void (*clock)(void *arg, int64_t server_ms, int64_t wall_ms);
};

/**
 * transfer_start(env, item, path, ops, arg):
 * Begin.  ${item} and ${ops} must live until ops->done; ${path} (the spool file) is copied.  No
 * callback comes from within this call.
 */
struct transfer *transfer_start(const struct transfer_env *env, const struct queue_item *item,
                                const char *path, const struct transfer_ops *ops, void *arg);

/**
 * transfer_cancel(t):
 * Stop without a callback; NULL is harmless.
 */
void transfer_cancel(struct transfer *t);

#endif

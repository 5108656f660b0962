#ifndef UPLOADER_TRANSFER_H
#define UPLOADER_TRANSFER_H

#include <stdint.h>

#include "common/config/cred.h"
#include "common/base/err.h"
#include "common/sys/worker.h"
#include "net/http.h"
#include "uploader/keep.h"
#include "uploader/queue.h"

/*
 * One bundle on its way: check the spool file, reserve a version, PUT, confirm.  A presigned URL
 * lives here, in memory, and nowhere else.
 */
struct transfer;

/* A version that the server reserved, and its presigned URL: of use for some minutes. */
struct reservation;

/**
 * reservation_free(r):
 * Forget it, and wipe the URL; NULL is harmless.
 */
void reservation_free(struct reservation *r);

enum transfer_peer { TRANSFER_API, TRANSFER_STORE, TRANSFER_PEERS };

struct transfer_env {
    struct http_engine *engine;
    struct worker *worker;
    struct kept *kept;
    const struct cred *cred; /* copied */
    unsigned features;       /* enum api_feature, as far as the server has told */
    const char *device_id; /* borrowed: this machine's (common/config/device.h), "" or NULL: none */
    int is_looked_into;    /* what stands beside it was; what the bundle lacks of it is known */
};

struct transfer_ops {
    /* The object store has it as ${version}: record STORED.  ${is_loopback}: store or API are on
     * this machine.  Return 0, or -1 with ${err}. */
    int (*stored)(void *arg, int64_t version, int is_loopback, struct ct_err *err);

    /* The server does not know the reservation any more: record READY. */
    int (*unstored)(void *arg, struct ct_err *err);

    /* What the server said of itself, and of what the bundle does not contain. */
    void (*features)(void *arg, unsigned features);
    void (*beside)(void *arg, const struct queue_beside *beside);

    /* Another end: the bundle has no news, and what the server has is not in it; nothing of it is
     * left there. */
    void (*behind)(void *arg);

    /* Another end: nobody knows what the bundle goes on from, and the server has ${heads} (rows for
     * api_head_read()) that it may lack, or not; nothing of it is left there. */
    void (*unsure)(void *arg, struct json_object *heads);

    /* The end; the transfer is gone after it.  ${err} is NULL when ${version} is confirmed;
     * ${is_loopback} is -1 if it was stored by an earlier transfer, elsewhere or on this machine.
     * ERR_CORRUPT: the spool file is not what was put there, a new bundle is needed. */
    void (*done)(void *arg, int64_t version, int is_loopback, const struct ct_err *err);

    /* Bytes of the bundle that were sent so far. */
    void (*progress)(void *arg, int64_t sent);

    /* A peer's clock less ours, from its Date header. */
    void (*clock)(void *arg, enum transfer_peer peer, int64_t skew_ms);
};

/**
 * transfer_start(env, item, path, slot, ops, arg):
 * Begin.  ${item}, ${slot} and ${ops} must live until ops->done; ${path} (the spool file) is
 * copied.  What lies in ${slot} is taken and used if it is fresh; if the PUT fails in a way that
 * may pass, the reservation lies in ${slot} at the end, for the next attempt with the same ${item}.
 * No callback comes from within this call.
 */
struct transfer *transfer_start(const struct transfer_env *env, const struct queue_item *item,
                                const char *path, struct reservation **slot,
                                const struct transfer_ops *ops, void *arg);

/**
 * transfer_cancel(t):
 * Stop without a callback; NULL is harmless.
 */
void transfer_cancel(struct transfer *t);

#endif

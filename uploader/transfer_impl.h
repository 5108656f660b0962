#ifndef UPLOADER_TRANSFER_IMPL_H
#define UPLOADER_TRANSFER_IMPL_H

#include "api/api.h"
#include "api/client.h"
#include "uploader/probe.h"
#include "uploader/transfer.h"

/*
 * What transfer.c (one bundle on its way) and transfer_stock.c (what a server that is not ours
 * would lose by it) share.
 */
struct check;

struct reservation {
    struct api_upload_res res;
    int64_t boot_ms; /* when it came */
    size_t n_bases;  /* that it was asked for with */
};

struct transfer {
    struct transfer_env env;
    char *api_url;
    char *token;
    const struct queue_item *item;
    const struct transfer_ops *ops;
    void *arg;
    char *path;
    struct http_call *call;
    struct api_request *request;
    struct reservation *reserved;
    struct reservation **slot;
    int new_urls; /* how often a new one was asked for */
    int is_again; /* the store says that it received something else, and the file is checked */
    int64_t skew_ms[TRANSFER_PEERS];
    int has_skew[TRANSFER_PEERS];
    int64_t version;
    int is_loopback;
    int is_stock; /* the server knows no uploadHeaders: it is not ours */
    int fd;
    struct check *check;              /* on the worker, or NULL */
    struct probe *probe;              /* a sealed one is looked for where it was stored, or NULL */
    struct keep *keep;                /* a version is being fetched, or NULL */
    void (*then)(struct transfer *t); /* what comes after that, or after what is given up */
    void (*otherwise)(struct transfer *t); /* ... if what keeps the bundle safe is not there: */
    struct ct_err refusal;                 /* ... and what the server said then */
    int is_kept;                           /* the fuller version is here, or nowhere */
    int is_looked;  /* the versions of a server without heads were looked at */
    int64_t hidden; /* the newest of them that the bundle lacks, 0: none */
    int is_told;    /* the confirm's answer said what is current */
};

/**
 * transfer_finish(t, err):
 * The end, for better (NULL) or worse; ${t} is gone.
 */
void transfer_finish(struct transfer *t, const struct ct_err *err);

/**
 * transfer_confirmed(t):
 * The server says that it has it: the end, in clear.  A sealed one counts once its object's header
 * was read back.
 */
void transfer_confirmed(struct transfer *t);

/**
 * transfer_behind(t):
 * The end of a bundle that has no news, and lacks what is there; ${t} is gone.
 */
void transfer_behind(struct transfer *t);

/**
 * transfer_reserve(t), transfer_go_on(t), transfer_put(t):
 * Go on with: reserving a version; that, or what comes after it if that is done; the PUT.
 */
void transfer_reserve(struct transfer *t);
void transfer_go_on(struct transfer *t);
void transfer_put(struct transfer *t);

/**
 * transfer_versions(t, done):
 * Ask for the session's versions.
 */
void transfer_versions(struct transfer *t, void (*done)(void *arg, const struct http_res *res,
                                                        const struct ct_err *err));

/**
 * transfer_if_held(t, then, otherwise):
 * Go on with ${then} if the server lists the version that keeps a bundle without news safe.
 */
void transfer_if_held(struct transfer *t, void (*then)(struct transfer *t),
                      void (*otherwise)(struct transfer *t));

/* ---- transfer_stock.c ---------------------------------------------------------------------------
 */

/**
 * transfer_look(t):
 * Before the PUT: what would the bundle hide?  Without news it does not go; else what it would hide
 * is fetched into the folder of kept ones.  Then transfer_go_on().
 */
void transfer_look(struct transfer *t);

/**
 * transfer_keep_pinned(t):
 * Fetch what the bundle is to pin, where the server does not; then go on.
 */
void transfer_keep_pinned(struct transfer *t);

/**
 * transfer_settle(t):
 * After the confirm: is it listed?  Such a server is believed only then; and what another device
 * stored meanwhile is fetched too.
 */
void transfer_settle(struct transfer *t);

#endif

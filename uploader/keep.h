#ifndef UPLOADER_KEEP_H
#define UPLOADER_KEEP_H

#include <stdint.h>

#include "common/base/err.h"
#include "common/base/hash.h"
#include "common/base/uuid.h"
#include "common/sys/worker.h"
#include "net/http.h"
#include "uploader/kept.h"

/*
 * Fetching one version from the server into the folder of kept ones: the API for a presigned URL
 * (and for size and digest where we don't know them), the object store for the bytes, the worker to
 * check and publish them.
 */
struct keep;

struct keep_env {
    struct http_engine *engine;
    struct worker *worker;
    struct kept *kept;
    const char *api_url; /* copied */
    const char *token;   /* copied */
};

struct keep_what {
    char session_id[UUID_SIZE]; /* what the API calls it; the file is named so too */
    int64_t version;
    int64_t size_bytes;
    char sha256[HASH_SHA256_HEX]; /* "": neither is known; what the server lists counts then */
    const char *path;             /* where to put it, copied; NULL: into the folder of kept ones */
};

/* Reasons of final errors: the server has the version, but not as it was uploaded. */
#define KEEP_DAMAGED "kept_damaged"

/**
 * keep_start(env, what, done, arg, ret, err):
 * Begin; no callback comes from within this call.  ${done} gets NULL when the version is kept, or
 * when the API says that it has it no more, so that there is nothing to keep.  Else, and here:
 * ERR_NOSPACE (reason KEPT_FULL if our own limit is meant); ERR_FAIL with reason KEEP_DAMAGED if
 * what came is not what was uploaded; or what the API or the store said, ERR_RETRY among it.
 */
int keep_start(const struct keep_env *env, const struct keep_what *what,
               void (*done)(void *arg, const struct ct_err *err), void *arg, struct keep **ret,
               struct ct_err *err);

/**
 * keep_cancel(k):
 * Stop without a callback; NULL is harmless.
 */
void keep_cancel(struct keep *k);

#endif

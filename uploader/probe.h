#ifndef UPLOADER_PROBE_H
#define UPLOADER_PROBE_H

#include <stdint.h>

#include "bundle/seal/seal.h"
#include "common/base/err.h"
#include "net/http.h"

/*
 * Is a sealed version there?  Its object's header is read back and compared: 48 bytes, whatever the
 * object's size.  A server's word is not enough.
 */
struct probe;

struct probe_what {
    const char *api_url; /* copied, as the next two */
    const char *token;
    const char *session_id; /* what the API calls it */
    int64_t version;
    unsigned char object_id[SEAL_OBJECT_ID_BYTES];
    int64_t generation;
};

/**
 * probe_start(engine, what, done, arg, ret, err):
 * Begin; no callback comes from within this call.  ${done} gets NULL if the object is there and
 * begins as it should; ERR_GONE if there is none, or another one; else why nobody knows.
 */
int probe_start(struct http_engine *engine, const struct probe_what *what,
                void (*done)(void *arg, const struct ct_err *err), void *arg, struct probe **ret,
                struct ct_err *err);

/**
 * probe_cancel(p):
 * Stop without a callback; NULL is harmless.
 */
void probe_cancel(struct probe *p);

#endif

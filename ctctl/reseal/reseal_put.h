#ifndef CTCTL_RESEAL_RESEAL_PUT_H
#define CTCTL_RESEAL_RESEAL_PUT_H

#include "ctctl/cloud/copy.h"

/* A version in clear that is to be saved once more, sealed. */
struct reseal_put {
    const struct keyring *ring;
    const char *session_id, *wire_id;
    const struct copy *copy;
    const struct copy_source *source;
    const struct json_object *item; /* of the server's list; may be NULL */
    int64_t generation;
    int64_t base_version; /* newest sealed one that is known */
    int64_t pin;          /* sealed version to keep beyond rotation, 0: none */
    int is_asked_for;     /* by name: a deletion of the sealed session does not stand against it */
    void (*progress)(void *arg, int64_t done, int64_t total);
    void *progress_arg;
};

/**
 * reseal_put(c, p, ret_version, err):
 * Seal it into a temporary file, have a version reserved, store and confirm it; what can be tried
 * again is, a few times.  The version that the server confirmed goes to ${ret_version}.
 */
int reseal_put(struct ctx *c, const struct reseal_put *p, int64_t *ret_version, struct ct_err *err);

#endif

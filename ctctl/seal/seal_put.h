#ifndef CTCTL_SEAL_SEAL_PUT_H
#define CTCTL_SEAL_SEAL_PUT_H

#include "ctctl/cloud/copy.h"

/* A version in clear that is to be saved once more, sealed. */
struct seal_put {
    const struct keyring *ring;
    const char *session_id, *wire_id;
    const struct copy *copy;
    const struct copy_source *source;
    const struct json_object *item; /* of the server's list; may be NULL */
    int64_t generation;
    struct json_object *bases; /* numbers of the sealed versions that it contains */
    int64_t base_version; /* newest sealed one that is known, for a server that knows no bases */
    int is_own;           /* this device uploaded it itself: else it stays a stranger's */
    int is_asked_for;     /* by name: a deletion of the sealed session does not stand against it */
    void (*progress)(void *arg, int64_t done, int64_t total);
    void *progress_arg;
};

/**
 * seal_put(c, p, ret_version, err):
 * Seal it into a temporary file, have a version reserved, store and confirm it; what can be tried
 * again is, a few times.  The version that the server confirmed goes to ${ret_version}.
 */
int seal_put(struct ctx *c, const struct seal_put *p, int64_t *ret_version, struct ct_err *err);

#endif

#ifndef CTCTL_SEAL_SEAL_ONE_H
#define CTCTL_SEAL_SEAL_ONE_H

#include "ctctl/cloud/copy.h"
#include "ctctl/ui/progress.h"

/* One session that is in the cloud in clear. */
struct seal_session {
    const char *id;
    const struct json_object *item; /* of the server's list */
    const char *own_sha256;         /* of the version that this device uploaded itself, or NULL */
    int is_asked_for;               /* by name */
    int may_be_strange;             /* somebody knows it: also what this device did not upload */

    /* What became of it. */
    int64_t stored;           /* sealed versions that were made here */
    int64_t deleted;          /* versions in clear */
    struct json_object *left; /* numbers of versions in clear that stay, for no sealed one holds
                                 all that they hold; an array */
};

struct seal_tools {
    struct ctx *c;
    const struct keyring *ring;
    const char *account_dir;
    struct progress *progress;
};

/**
 * seal_one(t, s, err):
 * All of it, for one session.  -1 with what went wrong: then nothing that is not safe was deleted.
 */
int seal_one(const struct seal_tools *t, struct seal_session *s, struct ct_err *err);

#endif

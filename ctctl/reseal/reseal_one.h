#ifndef CTCTL_RESEAL_RESEAL_ONE_H
#define CTCTL_RESEAL_RESEAL_ONE_H

#include "common/base/strlist.h"
#include "ctctl/cloud/copy.h"
#include "ctctl/ui/progress.h"

/* One session that is in the cloud in clear. */
struct reseal_session {
    const char *id;
    const struct json_object *item; /* of the server's list */
    int is_here;                    /* the daemon has made its sealed version */
    int is_asked_for;               /* by name */

    /* What became of it. */
    int64_t stored;           /* sealed versions that were made here */
    int64_t deleted;          /* versions in clear */
    struct json_object *left; /* numbers of versions in clear that stay, for no sealed one holds
                                 all that they hold; an array */
};

struct reseal_tools {
    struct ctx *c;
    const struct keyring *ring;
    const char *account_dir;
    struct progress *progress;
};

/**
 * reseal_one(t, s, err):
 * All of it, for one session.  -1 with what went wrong: then nothing that is not safe was deleted.
 */
int reseal_one(const struct reseal_tools *t, struct reseal_session *s, struct ct_err *err);

#endif

#ifndef CTCTL_SEAL_SEAL_H
#define CTCTL_SEAL_SEAL_H

#include "common/base/strlist.h"
#include "ctctl/ctx/ctx.h"

struct seal_opts {
    const struct strlist *ids; /* as they were given; none: all that is in clear */
    int is_agreed;             /* --yes */
};

/**
 * seal_run(c, o):
 * Bring what is in the cloud in clear there sealed, and delete it in clear once that was fetched
 * back, opened with the key and compared.  What this device never had is asked about one by one,
 * for whoever runs the server can have put it there; it stays a stranger's when it is sealed.  A
 * version that holds what no sealed one does is never deleted.  To be killed at any point, and to
 * be run again.  Return the exit status.
 */
int seal_run(struct ctx *c, const struct seal_opts *o);

#endif

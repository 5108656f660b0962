#ifndef CTCTL_RESEAL_RESEAL_H
#define CTCTL_RESEAL_RESEAL_H

#include "common/base/strlist.h"
#include "ctctl/ctx/ctx.h"

struct reseal_opts {
    const struct strlist *ids; /* as they were given; none: all that are this device's */
    int is_agreed;             /* --yes */
    int all_devices;           /* what other devices have saved too */
};

/**
 * reseal_run(c, o):
 * Bring what is in the cloud in clear there sealed, and delete it in clear once that was fetched
 * back, opened with the key and compared.  Of sessions that are here the daemon makes the sealed
 * version; of those that are gone from here the versions in clear are fetched, sealed and stored
 * again, oldest first.  Whatever a sealed version does not hold stays.  To be killed at any point,
 * and to be run again.  Return the exit status.
 */
int reseal_run(struct ctx *c, const struct reseal_opts *o);

#endif

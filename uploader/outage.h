#ifndef UPLOADER_OUTAGE_H
#define UPLOADER_OUTAGE_H

#include <stdint.h>

#include "common/base/err.h"
#include "common/base/uuid.h"
#include "uploader/verdict.h"

/*
 * Who waits after a failure, and how long: one bundle, or all of them.  What fails for all (no
 * network, the server down) is waited out once, and tried by one.  Nothing here reads a clock or
 * rolls dice: both are parameters.
 */
struct outage {
    int failures;            /* in a row, of whichever session */
    int is_on;               /* and it is known that they concern all */
    int is_alive;            /* since the last of them a store took bytes: more than one may try */
    int64_t next_ms;         /* nobody tries before; 0: now */
    char session[UUID_SIZE]; /* whose was the last */
    struct ct_err err;       /* and what */
};

/* What one bundle waits for by itself. */
struct outage_wait {
    int failures;
    int64_t next_ms; /* not before; 0: now */
};

/* When something failed. */
struct outage_moment {
    int64_t now_ms;
    int is_waited; /* a person waits for the outcome */
    uint32_t dice;
};

/**
 * outage_failed(o, w, session_id, verdict, err, m):
 * The session's bundle failed with ${err}, of which ${verdict} is one of VERDICT_SLOW,
 * VERDICT_LOCAL, VERDICT_BACK_OFF and VERDICT_AWAY: work out when it is tried again.  Return
 * whether all wait, so that another one should try first.
 *
 * Trouble that may be everybody's or this bundle's own is everybody's once two sessions have met it
 * in a row; until then a bundle that never gets through holds up nobody.
 */
int outage_failed(struct outage *o, struct outage_wait *w, const char *session_id,
                  enum verdict verdict, const struct ct_err *err, const struct outage_moment *m);

/**
 * outage_hurry(o):
 * The network may be back: try now, and begin the back-off anew.
 */
void outage_hurry(struct outage *o);

#endif

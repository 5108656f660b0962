#ifndef SERVER_LEDGER_PURGE_H
#define SERVER_LEDGER_PURGE_H

#include <stdint.h>

#include "common/base/err.h"

#include "server/ledger/ledger.h"
#include "server/store/store.h"

/* What goes for good: objects first and rows after, so that a crash leaves a row that is taken up
 * again. */

struct purged {
    long n;
    long failed;
    int64_t bytes;
};

/**
 * purge_due(l, s, now_ms, ret, err):
 * Remove versions whose time has come.  Cheap when there is nothing to do.  What was done is added
 * to ${ret}.
 */
int purge_due(struct ledger *l, struct store *s, int64_t now_ms, struct purged *ret,
              struct ct_err *err);

/**
 * purge_for_room(l, s, user_id, bytes, now_ms, ret, err):
 * Make room for ${bytes} of this user or (NULL) of anybody, from what nobody misses: reservations
 * for which nothing came, and what has been in the trash for seven days, the oldest first.
 */
int purge_for_room(struct ledger *l, struct store *s, const char *user_id, int64_t bytes,
                   int64_t now_ms, struct purged *ret, struct ct_err *err);

#endif

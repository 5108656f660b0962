#ifndef SERVER_LEDGER_LEDGER_IMPL_H
#define SERVER_LEDGER_LEDGER_IMPL_H

#include "server/ledger/ledger.h"
#include "server/ledger/sql.h"

/* What the ledger_*.c share; nobody else includes it. */

#define LEDGER_RESERVATION_MS (24LL * 3600 * 1000)
#define LEDGER_TRASH_MS (30LL * 24 * 3600 * 1000)
#define LEDGER_SIGNIN_MS (10LL * 60 * 1000)
#define LEDGER_DROPPED_MS (10LL * 60 * 1000) /* longer than a presigned URL lives */

struct ledger {
    struct sql *db;
};

/**
 * ledger_lock(l), ledger_unlock(l):
 * Around everything that reads l->db outside of a transaction.
 */
void ledger_lock(struct ledger *l);
void ledger_unlock(struct ledger *l);

/**
 * ledger_begin(l, err), ledger_end(l, rc, err):
 * Begin a transaction; commit it if ${rc} is 0, else roll it back.  Return 0 or -1.  Not while
 * ledger_lock() is held.
 */
int ledger_begin(struct ledger *l, struct ct_err *err);
int ledger_end(struct ledger *l, int rc, struct ct_err *err);

/**
 * ledger_fail(err, code, reason, sentence):
 * Fill ${err} with the wire's ${reason} too.  Return -1.
 */
int ledger_fail(struct ct_err *err, enum err_code code, const char *reason, const char *sentence);

/**
 * ledger_null(s), ledger_when(ms):
 * ${s}, or NULL if it is empty; ${ms} as a JSON string in RFC 3339, or null for 0.
 */
const char *ledger_null(const char *s);
struct json_object *ledger_when(int64_t ms);

/**
 * ledger_copy(to, from, size):
 * Copy a string that is known to fit.
 */
void ledger_copy(char *to, const char *from, size_t size);

/**
 * ledger_insert_user(l, u, id, err):
 * In a transaction: ledger_user_add() with an id that was made before.
 */
int ledger_insert_user(struct ledger *l, const struct ledger_new_user *u, const char *id,
                       struct ct_err *err);

/**
 * ledger_refresh(l, user_id, session_id, now_ms, err):
 * After versions came or went, in a transaction: bring the session's current version, count and
 * time up to date; without any left it becomes a tombstone.
 */
int ledger_refresh(struct ledger *l, const char *user_id, const char *session_id, int64_t now_ms,
                   struct ct_err *err);

/**
 * ledger_rotate(l, user_id, session_id, version, keep, now_ms, err):
 * ${version} was just confirmed, in this transaction: drop what it amends, if that is the newest
 * but for it, of the same token and young, and what is beyond ${keep}.
 */
int ledger_rotate(struct ledger *l, const char *user_id, const char *session_id, int64_t version,
                  int keep, int64_t now_ms, struct ct_err *err);

/**
 * ledger_frees(l, user_id, session_id, version, keep, now_ms, err):
 * How many bytes ledger_rotate() would let go if the reserved ${version} were confirmed now; -1 on
 * error.
 */
int64_t ledger_frees(struct ledger *l, const char *user_id, const char *session_id, int64_t version,
                     int keep, int64_t now_ms, struct ct_err *err);

/**
 * ledger_bytes(l, user_id, with_reserved, err):
 * What the confirmed versions of a user take together, and the reserved ones; -1 on error.
 */
int64_t ledger_bytes(struct ledger *l, const char *user_id, int with_reserved, struct ct_err *err);

#endif

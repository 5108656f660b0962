#include <stdlib.h>

#include "common/base/str.h"

#include "server/ledger/ledger_impl.h"

#define AMEND_MS (3600 * 1000)
#define THIS "user_id = ?1 AND session_id = ?2"

/* Of a session as it is once ?3 is confirmed and ?4, what that amends, is gone. */
#define STAYS(v) "(" v ".state = 'confirmed' OR " v ".version = ?3) AND " v ".version <> ?4"
#define IN(v) v ".user_id = ?1 AND " v ".session_id = ?2 AND "

/* Beyond the newest ?5: pinned versions stay, and of each device its newest. */
#define GOES \
    " FROM versions v WHERE " IN("v") STAYS( \
        "v") " AND v.pinned = 0" \
             " AND (SELECT count(*) FROM versions n WHERE " IN("n") STAYS( \
                 "n") "  AND n.version > v.version) >= ?5" \
                      " AND (v.device_id IS NULL OR EXISTS (SELECT 1 FROM versions d WHERE " IN( \
                          "d") \
                          STAYS("d") "  AND d.device_id = v.device_id AND d.version > v.version))"

/* A log-in is no device: two machines share it, and neither may drop what the other sent. */
static int64_t amended(struct ledger *l, const char *user_id, const char *session_id,
                       int64_t version, int64_t now_ms, struct ct_err *err)
{
    return sql_one(l->db, err,
                   "SELECT old.version FROM versions new JOIN versions old"
                   " ON old.user_id = new.user_id AND old.session_id = new.session_id"
                   " AND old.version = new.amend AND old.token_id = new.token_id"
                   " WHERE new.user_id = ?1 AND new.session_id = ?2 AND new.version = ?3"
                   " AND new.token_id <> ''"
                   " AND old.state = 'confirmed' AND old.pinned = 0 AND old.confirmed_ms > ?4"
                   " AND old.version = (SELECT max(version) FROM versions WHERE " THIS
                   "  AND state = 'confirmed' AND version <> ?3)"
                   " AND old.version < ?3",
                   "ssii", user_id, session_id, version, now_ms - AMEND_MS);
}

static int drop(struct ledger *l, const char *user_id, const char *session_id, int64_t version,
                int64_t now_ms, struct ct_err *err)
{
    /* A presigned URL for it may be on its way: its object goes a little later. */
    return sql_exec(l->db, err,
                    "UPDATE versions SET state = 'dropped', purge_ms = ?4 WHERE " THIS
                    " AND version = ?3",
                    "ssii", user_id, session_id, version, now_ms + LEDGER_DROPPED_MS);
}

static int rotate(struct ledger *l, const char *user_id, const char *session_id, int64_t version,
                  int keep, int64_t now_ms, struct ct_err *err)
{
    struct sql_rows *st;
    int64_t *out = NULL;
    size_t n = 0, cap = 0;
    int rc;

    if (sql_query(l->db, err, &st, "SELECT v.version" GOES, "ssiii", user_id, session_id, version,
                  (int64_t)0, (int64_t)keep) != 0)
        return -1;
    while ((rc = sql_step(st, err)) == 1) {
        if (n == cap) {
            cap = cap * 2 + 8;
            out = str_realloc(out, cap, sizeof(*out));
        }
        out[n++] = sql_int64(st, 0);
    }
    sql_done(st);
    for (size_t i = 0; i < n && rc == 0; i++)
        rc = drop(l, user_id, session_id, out[i], now_ms, err);
    free(out);
    return rc;
}

int ledger_rotate(struct ledger *l, const char *user_id, const char *session_id, int64_t version,
                  int keep, int64_t now_ms, struct ct_err *err)
{
    int64_t old = amended(l, user_id, session_id, version, now_ms, err);

    if (old < 0 || (old > 0 && drop(l, user_id, session_id, old, now_ms, err) != 0))
        return -1;
    return rotate(l, user_id, session_id, version, keep, now_ms, err);
}

int64_t ledger_frees(struct ledger *l, const char *user_id, const char *session_id, int64_t version,
                     int keep, int64_t now_ms, struct ct_err *err)
{
    int64_t old = amended(l, user_id, session_id, version, now_ms, err);
    int64_t bytes, more;

    if (old < 0)
        return -1;
    bytes = sql_one(l->db, err, "SELECT size_bytes FROM versions WHERE " THIS " AND version = ?3",
                    "ssi", user_id, session_id, old);
    more = sql_one(l->db, err, "SELECT sum(v.size_bytes)" GOES " AND v.version <> ?3", "ssiii",
                   user_id, session_id, version, old, (int64_t)keep);
    return bytes < 0 || more < 0 ? -1 : bytes + more;
}

int64_t ledger_bytes(struct ledger *l, const char *user_id, int with_reserved, struct ct_err *err)
{
    return sql_one(l->db, err,
                   "SELECT sum(size_bytes) FROM versions WHERE user_id = ?"
                   " AND (state = 'confirmed' OR (? AND state = 'reserved'))",
                   "si", user_id, (int64_t)with_reserved);
}

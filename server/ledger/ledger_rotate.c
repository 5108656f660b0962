#include <stdlib.h>

#include "common/base/str.h"

#include "server/ledger/ledger_impl.h"

#define AMEND_MS (3600 * 1000)
#define THIS "user_id = ?1 AND session_id = ?2"

/* A log-in is no device: two machines share it, and neither may drop what the other sent. */
int64_t ledger_amended(struct ledger *l, const char *user_id, const char *session_id,
                       int64_t version, int64_t now_ms, struct ct_err *err)
{
    return sql_one(l->db, err,
                   "SELECT old.version FROM versions new JOIN versions old"
                   " ON old.user_id = new.user_id AND old.session_id = new.session_id"
                   " AND old.version = new.amend AND old.device_id = new.device_id"
                   " WHERE new.user_id = ?1 AND new.session_id = ?2 AND new.version = ?3"
                   " AND new.token_id <> '' AND old.token_id <> ''"
                   " AND old.is_head = 1 AND old.pinned = 0 AND old.confirmed_ms > ?4"
                   " AND EXISTS (SELECT 1 FROM ancestry a WHERE a.user_id = ?1"
                   "  AND a.session_id = ?2 AND a.version = ?3 AND a.base = old.version)",
                   "ssii", user_id, session_id, version, now_ms - AMEND_MS);
}

static int drop(struct ledger *l, const char *user_id, const char *session_id, int64_t version,
                int64_t now_ms, struct ct_err *err)
{
    /* A presigned URL for it may be on its way: its object goes a little later. */
    return sql_exec(l->db, err,
                    "UPDATE versions SET state = 'dropped', is_head = 0, purge_ms = ?4"
                    " WHERE " THIS " AND version = ?3",
                    "ssii", user_id, session_id, version, now_ms + LEDGER_DROPPED_MS);
}

/* What a rotation lets go: ${v} are ${n} numbers, ${bytes} together. */
struct rotated {
    int64_t *v;
    size_t n;
    int64_t bytes;
};

/*
 * Go through the confirmed versions, oldest first, as they are once ${version} is confirmed and
 * ${amended} is gone, until one stays: it has fewer than ${keep} above it, and so have all others.
 * What the reserved ${version} will contain counts as no head.
 */
static int look(struct ledger *l, const char *user_id, const char *session_id, int64_t version,
                int64_t amended, int keep, struct rotated *ret, struct ct_err *err)
{
    struct sql_rows *st;
    int64_t above;
    size_t cap = 0;
    int rc;

    above = sql_one(l->db, err,
                    "SELECT version_count - (?4 > 0) + (NOT EXISTS (SELECT 1 FROM versions"
                    "  WHERE " THIS " AND version = ?3 AND state = 'confirmed'))"
                    " FROM sessions WHERE " THIS,
                    "ssii", user_id, session_id, version, amended);
    if (above < 0)
        return -1;
    if (above <= keep)
        return 0;
    if (sql_query(l->db, err, &st,
                  "SELECT v.version, v.size_bytes, v.pinned = 0 AND (v.is_head = 0 OR EXISTS"
                  " (SELECT 1 FROM ancestry a WHERE a.user_id = ?1 AND a.session_id = ?2"
                  "  AND a.version = ?3 AND a.base = v.version))"
                  " FROM versions v" BY_CONFIRMED " WHERE v.user_id = ?1 AND v.session_id = ?2"
                  " AND v.state = 'confirmed' AND v.version NOT IN (?3, ?4) ORDER BY v.version",
                  "ssii", user_id, session_id, version, amended) != 0)
        return -1;
    while ((rc = sql_step(st, err)) == 1 && --above >= keep) {
        if (sql_int64(st, 2) == 0)
            continue;
        if (ret->n == cap) {
            cap = cap * 2 + 8;
            ret->v = str_realloc(ret->v, cap, sizeof(*ret->v));
        }
        ret->v[ret->n++] = sql_int64(st, 0);
        ret->bytes += sql_int64(st, 1);
    }
    sql_done(st);
    return rc < 0 ? -1 : 0;
}

int ledger_rotate(struct ledger *l, const char *user_id, const char *session_id, int64_t version,
                  int64_t amended, int keep, int64_t now_ms, struct ct_err *err)
{
    struct rotated r = {0};
    int rc = 0;

    if (amended > 0)
        rc = drop(l, user_id, session_id, amended, now_ms, err);
    if (rc == 0)
        rc = look(l, user_id, session_id, version, 0, keep, &r, err);
    for (size_t i = 0; i < r.n && rc == 0; i++)
        rc = drop(l, user_id, session_id, r.v[i], now_ms, err);
    free(r.v);
    return rc;
}

int64_t ledger_frees(struct ledger *l, const char *user_id, const char *session_id, int64_t version,
                     int keep, int64_t now_ms, struct ct_err *err)
{
    int64_t amended = ledger_amended(l, user_id, session_id, version, now_ms, err);
    struct rotated r = {0};
    int64_t bytes;
    int rc;

    if (amended < 0)
        return -1;
    bytes = sql_one(l->db, err, "SELECT size_bytes FROM versions WHERE " THIS " AND version = ?3",
                    "ssi", user_id, session_id, amended);
    rc = bytes < 0 ? -1 : look(l, user_id, session_id, version, amended, keep, &r, err);
    free(r.v);
    return rc != 0 ? -1 : bytes + r.bytes;
}

int64_t ledger_bytes(struct ledger *l, const char *user_id, int with_reserved, struct ct_err *err)
{
    return sql_one(l->db, err,
                   "SELECT sum(bytes) FROM usage WHERE user_id = ?"
                   " AND (state = 'confirmed' OR (? AND state = 'reserved'))",
                   "si", user_id, (int64_t)with_reserved);
}

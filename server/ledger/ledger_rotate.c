#include <stdlib.h>

#include "common/base/str.h"

#include "server/ledger/ledger_impl.h"

#define HOUR_MS (3600 * 1000)
#define MAX_AT_ONCE 50
#define THIS "user_id = ?1 AND session_id = ?2"

/* A log-in is no device: two machines share it, and neither may drop what the other sent.  Nor may
 * a token alone what its machine sent. */
int64_t ledger_amended(struct ledger *l, const char *user_id, const char *session_id,
                       int64_t version, int64_t now_ms, struct ct_err *err)
{
    return sql_one(l->db, err,
                   "SELECT old.version FROM versions new JOIN versions old"
                   " ON old.user_id = new.user_id AND old.session_id = new.session_id"
                   " AND old.version = new.amend AND old.device_id = new.device_id"
                   " WHERE new.user_id = ?1 AND new.session_id = ?2 AND new.version = ?3"
                   " AND new.token_id <> '' AND old.token_id <> '' AND (old.is_machines = 0"
                   "  OR new.is_machines = 1)"
                   " AND old.is_head = 1 AND old.pinned = 0 AND old.confirmed_ms > ?4"
                   " AND EXISTS (SELECT 1 FROM ancestry a WHERE a.user_id = ?1"
                   "  AND a.session_id = ?2 AND a.version = ?3 AND a.base = old.version)",
                   "ssii", user_id, session_id, version, now_ms - HOUR_MS);
}

static int drop(struct ledger *l, const char *user_id, const char *session_id, int64_t version,
                const char *why, int64_t keep_ms, int64_t now_ms, struct ct_err *err)
{
    return sql_exec(l->db, err,
                    "UPDATE versions SET state = 'trash', is_head = 0, why = ?4, left_ms = ?5,"
                    " purge_ms = ?6 WHERE " THIS " AND version = ?3",
                    "ssisii", user_id, session_id, version, why, now_ms, now_ms + keep_ms);
}

/*
 * A sitting amends its version every few minutes, and each time holds all that it held before: the
 * oldest of each hour is kept like anything else that goes, the others for a day.  But nobody here
 * can look into a sealed one.  So all stay that were pushed out by less, or by a token that has no
 * machine of its own.
 */
static int drop_amended(struct ledger *l, const char *user_id, const char *session_id,
                        int64_t version, int64_t by, int64_t now_ms, struct ct_err *err)
{
    int64_t is_passing = sql_one(l->db, err,
                                 "SELECT EXISTS (SELECT 1 FROM versions v, versions n, versions o"
                                 " INDEXED BY versions_amended"
                                 " WHERE v.user_id = ?1 AND v.session_id = ?2 AND v.version = ?3"
                                 " AND n.user_id = ?1 AND n.session_id = ?2 AND n.version = ?4"
                                 " AND n.is_machines = 1 AND n.size_bytes >= v.size_bytes"
                                 " AND o.user_id = ?1 AND o.session_id = ?2 AND o.state = 'trash'"
                                 " AND o.why = '" LEDGER_AMENDED "'"
                                 " AND o.confirmed_ms >= v.confirmed_ms - v.confirmed_ms % ?5"
                                 " AND o.confirmed_ms <= v.confirmed_ms)",
                                 "ssiii", user_id, session_id, version, by, (int64_t)HOUR_MS);

    if (is_passing < 0)
        return -1;
    return drop(l, user_id, session_id, version, is_passing > 0 ? LEDGER_PASSING : LEDGER_AMENDED,
                is_passing > 0 ? LEDGER_PASSING_MS : LEDGER_TRASH_MS, now_ms, err);
}

/* What a rotation lets go. */
struct rotated {
    int64_t *v;
    size_t n;
};

/*
 * Go through the confirmed versions, first those that a token alone sent and then machines' own,
 * oldest first, until one stays: it has fewer than ${keep} above it, and so have all others.  And a
 * token alone drops nothing of a machine's.  After ${keep} was lowered there may be thousands:
 * those that are too many for one confirm go with the next.
 */
static int look(struct ledger *l, const char *user_id, const char *session_id, int64_t version,
                int keep, struct rotated *ret, struct ct_err *err)
{
    struct sql_rows *st;
    int64_t above;
    size_t cap = 0;
    int rc;

    above = sql_one(l->db, err, "SELECT version_count FROM sessions WHERE " THIS, "ss", user_id,
                    session_id);
    if (above < 0)
        return -1;
    if (above <= keep)
        return 0;
    if (sql_query(l->db, err, &st,
                  "SELECT version, pinned = 0 AND is_head = 0 AND (is_machines = 0 OR"
                  "  (SELECT n.is_machines FROM versions n WHERE n.user_id = ?1"
                  "   AND n.session_id = ?2 AND n.version = ?3) = 1) FROM versions v INDEXED BY "
                  "versions_rotating"
                  " WHERE " THIS " AND state = 'confirmed' AND version <> ?3"
                  " ORDER BY is_machines, version",
                  "ssi", user_id, session_id, version) != 0)
        return -1;
    while (ret->n < MAX_AT_ONCE && (rc = sql_step(st, err)) == 1 && --above >= keep) {
        if (sql_int64(st, 1) == 0)
            continue;
        if (ret->n == cap) {
            cap = cap * 2 + 8;
            ret->v = str_realloc(ret->v, cap, sizeof(*ret->v));
        }
        ret->v[ret->n++] = sql_int64(st, 0);
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
        rc = drop_amended(l, user_id, session_id, amended, version, now_ms, err);
    if (rc == 0)
        rc = look(l, user_id, session_id, version, keep, &r, err);
    for (size_t i = 0; i < r.n && rc == 0; i++)
        rc = drop(l, user_id, session_id, r.v[i], LEDGER_ROTATED, LEDGER_TRASH_MS, now_ms, err);
    free(r.v);
    return rc;
}

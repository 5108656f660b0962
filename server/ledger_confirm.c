#include <stdlib.h>
#include <string.h>

#include "common/str.h"

#include "server/ledger_impl.h"

#define AMEND_MS (3600 * 1000)
#define THIS "user_id = ?1 AND session_id = ?2"

static int no_reservation(struct ct_err *err)
{
    return ledger_fail(err, ERR_CONFLICT, "no_reservation",
                       "There is no such reservation (any more); upload it again.");
}

/* One version: 1 with ${state} and ${ret}, 0 if there is none. */
static int look_up(struct ledger *l, const char *user_id, const char *session_id, int64_t version,
                   int64_t now_ms, char state[16], struct ledger_pending *ret, struct ct_err *err)
{
    struct sql_rows *st;
    int rc;

    if (sql_query(l->db, err, &st,
                  "SELECT state, size_bytes, checksum, md5 FROM versions WHERE " THIS
                  " AND version = ?3 AND (state = 'confirmed'"
                  " OR (state = 'reserved' AND purge_ms > ?4))",
                  "ssii", user_id, session_id, version, now_ms) != 0)
        return -1;
    rc = sql_step(st, err);
    if (rc == 1) {
        ledger_copy(state, sql_text(st, 0), 16);
        ret->version = version;
        ret->size_bytes = sql_int64(st, 1);
        ledger_copy(ret->checksum, sql_text(st, 2), sizeof(ret->checksum));
        ledger_copy(ret->md5, sql_text(st, 3), sizeof(ret->md5));
        ret->confirmed = strcmp(state, "confirmed") == 0;
    }
    sql_done(st);
    return rc;
}

/*
 * A stock client names no version: the newest reservation of its own token, newer than what it has
 * confirmed; else of anybody, newer than the current version.  If there is none but something was
 * confirmed, this is the second confirm of the same upload; 0 if there is nothing, -1 on error.
 */
static int64_t newest(struct ledger *l, const struct ledger_who *who, const char *session_id,
                      int64_t now_ms, struct ct_err *err)
{
    int64_t v, confirmed;

    confirmed = sql_one(l->db, err,
                        "SELECT max(version) FROM versions WHERE " THIS
                        " AND state = 'confirmed' AND token_id = ?3",
                        "sss", who->user_id, session_id, who->token_id);
    if (confirmed < 0)
        return -1;
    v = sql_one(l->db, err,
                "SELECT max(version) FROM versions WHERE " THIS
                " AND state = 'reserved' AND purge_ms > ?3 AND token_id = ?4 AND version > ?5",
                "ssisi", who->user_id, session_id, now_ms, who->token_id, confirmed);
    if (v != 0 || confirmed != 0)
        return v != 0 ? v : confirmed;
    confirmed = sql_one(l->db, err, "SELECT current_version FROM sessions WHERE " THIS, "ss",
                        who->user_id, session_id);
    if (confirmed < 0)
        return -1;
    v = sql_one(l->db, err,
                "SELECT max(version) FROM versions WHERE " THIS
                " AND state = 'reserved' AND purge_ms > ?3 AND version > ?4",
                "ssii", who->user_id, session_id, now_ms, confirmed);
    return v != 0 ? v : confirmed;
}

static int pending(struct ledger *l, const struct ledger_who *who, const char *session_id,
                   const struct api_confirm_req *req, int64_t now_ms, struct ledger_pending *ret,
                   struct ct_err *err)
{
    int64_t version = req->version;
    char state[16];
    int rc;
    int64_t known = sql_one(l->db, err, "SELECT count(*) FROM sessions WHERE " THIS, "ss",
                            who->user_id, session_id);

    if (known < 0)
        return -1;
    if (known == 0)
        return ledger_fail(err, ERR_GONE, "not_found", "There is no such session.");
    if (version == 0)
        version = newest(l, who, session_id, now_ms, err);
    if (version < 0)
        return -1;
    rc = look_up(l, who->user_id, session_id, version, now_ms, state, ret, err);
    if (rc < 0)
        return -1;
    if (rc == 0 || (req->version != 0 && strcmp(ret->checksum, req->checksum) != 0))
        return no_reservation(err);
    return 0;
}

int ledger_pending(struct ledger *l, const struct ledger_who *who, const char *session_id,
                   const struct api_confirm_req *req, int64_t now_ms, struct ledger_pending *ret,
                   struct ct_err *err)
{
    struct ledger_pending p = {0};
    int rc;

    ledger_lock(l);
    rc = pending(l, who, session_id, req, now_ms, &p, err);
    ledger_unlock(l);
    if (rc == 0)
        *ret = p;
    return rc;
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

/* Drop what ${version} amends, if that is still the newest but for it, of the same token and young.
 */
static int amend(struct ledger *l, const char *user_id, const char *session_id, int64_t version,
                 int64_t now_ms, struct ct_err *err)
{
    int64_t old =
        sql_one(l->db, err,
                "SELECT old.version FROM versions new JOIN versions old"
                " ON old.user_id = new.user_id AND old.session_id = new.session_id"
                " AND old.version = new.amend AND old.token_id = new.token_id"
                " WHERE new.user_id = ?1 AND new.session_id = ?2 AND new.version = ?3"
                " AND old.state = 'confirmed' AND old.pinned = 0 AND old.confirmed_ms > ?4"
                " AND old.version = (SELECT max(version) FROM versions WHERE " THIS
                "  AND state = 'confirmed' AND version <> ?3)"
                " AND old.version < ?3",
                "ssii", user_id, session_id, version, now_ms - AMEND_MS);

    if (old <= 0)
        return (int)old;
    return drop(l, user_id, session_id, old, now_ms, err);
}

/* Beyond the newest ${keep}: pinned versions stay, and of each device its newest. */
static int rotate(struct ledger *l, const char *user_id, const char *session_id, int keep,
                  int64_t now_ms, struct ct_err *err)
{
    struct sql_rows *st;
    int64_t *out = NULL;
    size_t n = 0, cap = 0;
    int rc;

    if (sql_query(
            l->db, err, &st,
            "SELECT version FROM versions v WHERE " THIS " AND state = 'confirmed' AND pinned = 0"
            " AND (SELECT count(*) FROM versions n WHERE n.user_id = ?1"
            "  AND n.session_id = ?2 AND n.state = 'confirmed' AND n.version > v.version) >= ?3"
            " AND (device_id IS NULL OR EXISTS (SELECT 1 FROM versions d"
            "  WHERE d.user_id = ?1 AND d.session_id = ?2 AND d.state = 'confirmed'"
            "  AND d.device_id = v.device_id AND d.version > v.version))",
            "ssi", user_id, session_id, (int64_t)keep) != 0)
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

static int check_quota(struct ledger *l, const char *user_id, int64_t size_bytes, int64_t max_bytes,
                       struct ct_err *err)
{
    int64_t n;

    if (max_bytes <= 0)
        return 0;
    n = sql_one(l->db, err,
                "SELECT sum(size_bytes) FROM versions WHERE user_id = ? AND state = 'confirmed'",
                "s", user_id);
    if (n < 0)
        return -1;
    if (n > max_bytes - size_bytes)
        return ledger_fail(err, ERR_REFUSED, "quota",
                           "This account has used up its space on the server.");
    return 0;
}

static int confirm(struct ledger *l, const struct ledger_who *who, const char *session_id,
                   int64_t version, int keep, int64_t max_bytes, int64_t now_ms, struct ct_err *err)
{
    struct ledger_pending p = {0};
    char state[16];
    int rc = look_up(l, who->user_id, session_id, version, now_ms, state, &p, err);

    if (rc < 0)
        return -1;
    if (rc == 0)
        return no_reservation(err);
    if (p.confirmed)
        return 0;
    if (check_quota(l, who->user_id, p.size_bytes, max_bytes, err) != 0 ||
        sql_exec(l->db, err,
                 "UPDATE versions SET state = 'confirmed', confirmed_ms = ?4, purge_ms = NULL"
                 " WHERE " THIS " AND version = ?3",
                 "ssii", who->user_id, session_id, version, now_ms) != 0 ||
        sql_exec(l->db, err, "UPDATE sessions SET deleted_ms = 0 WHERE " THIS, "ss", who->user_id,
                 session_id) != 0 ||
        amend(l, who->user_id, session_id, version, now_ms, err) != 0 ||
        rotate(l, who->user_id, session_id, keep, now_ms, err) != 0)
        return -1;
    return ledger_refresh(l, who->user_id, session_id, now_ms, err);
}

int ledger_confirm(struct ledger *l, const struct ledger_who *who, const char *session_id,
                   int64_t version, int keep, int64_t max_bytes, int64_t now_ms, struct ct_err *err)
{
    if (ledger_begin(l, err) != 0)
        return -1;
    return ledger_end(l, confirm(l, who, session_id, version, keep, max_bytes, now_ms, err), err);
}

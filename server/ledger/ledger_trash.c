#include <string.h>

#include "server/ledger/ledger_impl.h"

#define THIS "user_id = ?1 AND session_id = ?2"
#define LEASE_MS (10 * 60 * 1000) /* a purge that was broken off is taken up again after this */

int ledger_refresh(struct ledger *l, const char *user_id, const char *session_id, int64_t current,
                   const char *device_id, int64_t now_ms, struct ct_err *err)
{
    /* The user's own clock goes on with each change, and never back. */
    if (sql_exec(l->db, err, "UPDATE users SET changes = max(changes + 1, ?2) WHERE id = ?1", "si",
                 user_id, now_ms) != 0)
        return -1;
    if (sql_exec(l->db, err,
                 "UPDATE sessions SET current_version = CASE WHEN ?3 > 0 THEN ?3"
                 " WHEN EXISTS (SELECT 1 FROM versions h" BY_HEADS " WHERE " THIS " AND is_head = 1"
                 "  AND version = current_version) THEN current_version"
                 " ELSE (SELECT coalesce(max(version), 0) FROM versions h" BY_HEADS " WHERE " THIS
                 "  AND is_head = 1) END WHERE " THIS,
                 "ssi", user_id, session_id, current) != 0)
        return -1;
    return sql_exec(l->db, err,
                    "UPDATE sessions SET changed = (SELECT changes FROM users WHERE id = ?1),"
                    " updated_ms = (SELECT coalesce(max(confirmed_ms), ?3) FROM versions h" BY_HEADS
                    " WHERE " THIS "  AND is_head = 1),"
                    " deleted_ms = CASE WHEN current_version > 0 THEN 0 ELSE ?3 END,"
                    " deleted_by = CASE WHEN current_version > 0 THEN NULL ELSE ?4 END WHERE " THIS,
                    "ssis", user_id, session_id, now_ms, device_id);
}

static int not_found(struct ct_err *err, const char *sentence)
{
    return ledger_fail(err, ERR_GONE, "not_found", sentence);
}

static int delete_session(struct ledger *l, const struct ledger_who *who, const char *session_id,
                          int64_t now_ms, struct ct_err *err)
{
    const char *user_id = who->user_id;
    int64_t known =
        sql_one(l->db, err, "SELECT count(*) FROM sessions WHERE " THIS " AND current_version > 0",
                "ss", user_id, session_id);

    if (known < 0)
        return -1;
    if (known == 0)
        return not_found(err, "There is no such session.");
    /* Reservations too: an upload under way must not bring back what is being deleted. */
    if (sql_exec(l->db, err,
                 "UPDATE versions SET state = 'trash', is_head = 0, purge_ms = ?3 WHERE " THIS
                 " AND state IN ('confirmed', 'reserved')",
                 "ssi", user_id, session_id, now_ms + LEDGER_TRASH_MS) != 0)
        return -1;
    return ledger_refresh(l, user_id, session_id, 0, ledger_null(who->device_id), now_ms, err);
}

int ledger_session_delete(struct ledger *l, const struct ledger_who *who, const char *session_id,
                          int64_t now_ms, struct ct_err *err)
{
    if (ledger_begin(l, err) != 0)
        return -1;
    return ledger_end(l, delete_session(l, who, session_id, now_ms, err), err);
}

/* A device may give up a reservation of its own; its URL lives a little longer. */
static int give_up(struct ledger *l, const struct ledger_who *who, const char *session_id,
                   int64_t version, int64_t now_ms, struct ct_err *err)
{
    if (sql_exec(l->db, err,
                 "UPDATE versions SET state = 'dropped', purge_ms = ?4 WHERE " THIS
                 " AND version = ?3 AND state = 'reserved' AND token_id = ?5",
                 "ssiis", who->user_id, session_id, version, now_ms + LEDGER_DROPPED_MS,
                 who->token_id) != 0)
        return -1;
    return sql_changes(l->db) > 0 ? 0 : not_found(err, "There is no such version.");
}

static int delete_version(struct ledger *l, const struct ledger_who *who, const char *session_id,
                          int64_t version, int64_t now_ms, struct ct_err *err)
{
    if (sql_exec(l->db, err,
                 "UPDATE versions SET state = 'trash', purge_ms = ?4 WHERE " THIS
                 " AND version = ?3 AND state = 'confirmed'",
                 "ssii", who->user_id, session_id, version, now_ms + LEDGER_TRASH_MS) != 0)
        return -1;
    if (sql_changes(l->db) == 0)
        return give_up(l, who, session_id, version, now_ms, err);
    if (ledger_heads_leave(l, who->user_id, session_id, version, err) != 0)
        return -1;
    return ledger_refresh(l, who->user_id, session_id, 0, ledger_null(who->device_id), now_ms, err);
}

int ledger_version_delete(struct ledger *l, const struct ledger_who *who, const char *session_id,
                          int64_t version, int64_t now_ms, struct ct_err *err)
{
    if (ledger_begin(l, err) != 0)
        return -1;
    return ledger_end(l, delete_version(l, who, session_id, version, now_ms, err), err);
}

static void read_object(struct sql_rows *st, struct ledger_object *ret)
{
    ledger_copy(ret->user_id, sql_text(st, 0), sizeof(ret->user_id));
    ledger_copy(ret->session_id, sql_text(st, 1), sizeof(ret->session_id));
    ret->version = sql_int64(st, 2);
    ret->size_bytes = sql_int64(st, 3);
    ledger_copy(ret->checksum, sql_text(st, 4), sizeof(ret->checksum));
    ledger_copy(ret->md5, sql_text(st, 5), sizeof(ret->md5));
}

static int take_next(struct ledger *l, int64_t now_ms, struct ledger_object *ret, int *found,
                     struct ct_err *err)
{
    struct sql_rows *st;
    int rc;

    if (sql_exec(l->db, err,
                 "UPDATE versions SET state = 'trash', purge_ms = ?2"
                 " WHERE purge_ms <= ?1 AND state = 'reserved'",
                 "ii", now_ms, now_ms + LEDGER_TRASH_MS) != 0 ||
        sql_query(l->db, err, &st,
                  "SELECT user_id, session_id, version, size_bytes, checksum, md5 FROM versions"
                  " WHERE purge_ms IS NOT NULL AND purge_ms <= ? ORDER BY purge_ms LIMIT 1",
                  "i", now_ms) != 0)
        return -1;
    rc = sql_step(st, err);
    if (rc == 1)
        read_object(st, ret);
    sql_done(st);
    if (rc <= 0)
        return rc;
    *found = 1;
    return sql_exec(l->db, err,
                    "UPDATE versions SET state = 'purging', purge_ms = ?4 WHERE " THIS
                    " AND version = ?3",
                    "ssii", ret->user_id, ret->session_id, ret->version, now_ms + LEASE_MS);
}

int ledger_purge_next(struct ledger *l, int64_t now_ms, struct ledger_object *ret,
                      struct ct_err *err)
{
    struct ledger_object o = {0};
    int found = 0;

    if (ledger_begin(l, err) != 0 || ledger_end(l, take_next(l, now_ms, &o, &found, err), err) != 0)
        return -1;
    if (found)
        *ret = o;
    return found;
}

int ledger_purged(struct ledger *l, const struct ledger_object *o, struct ct_err *err)
{
    int rc;

    if (ledger_begin(l, err) != 0)
        return -1;
    rc = sql_exec(l->db, err,
                  "DELETE FROM versions WHERE " THIS " AND version = ?3 AND state = 'purging'",
                  "ssi", o->user_id, o->session_id, o->version);
    if (rc == 0 && sql_changes(l->db) > 0)
        rc = ledger_heads_forget(l, o->user_id, o->session_id, o->version, err);
    return ledger_end(l, rc, err);
}

int ledger_knows(struct ledger *l, const char *user_id, const char *session_id, int64_t version)
{
    int64_t n;

    ledger_lock(l);
    n = sql_one(l->db, NULL, "SELECT count(*) FROM versions WHERE " THIS " AND version = ?3", "ssi",
                user_id, session_id, version);
    ledger_unlock(l);
    return (int)n;
}

int ledger_confirmed_after(struct ledger *l, const struct ledger_object *after,
                           struct ledger_object *ret, struct ct_err *err)
{
    struct sql_rows *st;
    int rc;

    ledger_lock(l);
    rc = sql_query(l->db, err, &st,
                   "SELECT user_id, session_id, version, size_bytes, checksum, md5 FROM versions"
                   " WHERE (user_id, session_id, version) > (?, ?, ?) AND (state = 'confirmed'"
                   " OR (state = 'trash' AND confirmed_ms > 0))"
                   " ORDER BY user_id, session_id, version LIMIT 1",
                   "ssi", after->user_id, after->session_id, after->version);
    if (rc == 0) {
        rc = sql_step(st, err);
        if (rc == 1)
            read_object(st, ret);
        sql_done(st);
    }
    ledger_unlock(l);
    return rc;
}

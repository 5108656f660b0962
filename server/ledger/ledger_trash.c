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
                 "UPDATE versions SET state = 'trash', is_head = 0, why = '" LEDGER_DELETED "',"
                 " left_ms = ?3, purge_ms = ?4 WHERE " THIS
                 " AND state IN ('confirmed', 'reserved')",
                 "ssii", user_id, session_id, now_ms, now_ms + LEDGER_TRASH_MS) != 0)
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
    int64_t left;

    if (sql_exec(l->db, err,
                 "UPDATE versions SET state = 'trash', why = '" LEDGER_DELETED "', left_ms = ?4,"
                 " purge_ms = ?5 WHERE " THIS " AND version = ?3 AND state = 'confirmed'",
                 "ssiii", who->user_id, session_id, version, now_ms, now_ms + LEDGER_TRASH_MS) != 0)
        return -1;
    if (sql_changes(l->db) == 0)
        return give_up(l, who, session_id, version, now_ms, err);
    if (ledger_heads_leave(l, who->user_id, session_id, version, err) != 0 ||
        ledger_refresh(l, who->user_id, session_id, 0, ledger_null(who->device_id), now_ms, err) !=
            0)
        return -1;
    left = sql_one(l->db, err,
                   "SELECT count(*) FROM versions WHERE user_id = ? AND session_id = ?"
                   " AND state = 'confirmed'",
                   "ss", who->user_id, session_id);
    /* Nobody means to go on showing what they delete. */
    return left != 0 ? (left < 0 ? -1 : 0)
                     : ledger_end_shares(l, who->user_id, session_id, now_ms, err);
}

int ledger_version_delete(struct ledger *l, const struct ledger_who *who, const char *session_id,
                          int64_t version, int64_t now_ms, struct ct_err *err)
{
    if (ledger_begin(l, err) != 0)
        return -1;
    return ledger_end(l, delete_version(l, who, session_id, version, now_ms, err), err);
}

#define OBJECT "user_id, session_id, version, size_bytes, checksum"

static void read_object(struct sql_rows *st, struct ledger_object *ret)
{
    ledger_copy(ret->user_id, sql_text(st, 0), sizeof(ret->user_id));
    ledger_copy(ret->session_id, sql_text(st, 1), sizeof(ret->session_id));
    ret->version = sql_int64(st, 2);
    ret->size_bytes = sql_int64(st, 3);
    ledger_copy(ret->checksum, sql_text(st, 4), sizeof(ret->checksum));
}

/* The first of these rows: 1, or 0 without one. */
static int one_object(struct ledger *l, struct ledger_object *ret, struct ct_err *err,
                      const char *sql, int64_t ms, int64_t left_ms, const char *user_id)
{
    struct sql_rows *st;
    int rc = sql_query(l->db, err, &st, sql, "iis", ms, left_ms, user_id);

    if (rc != 0)
        return -1;
    rc = sql_step(st, err);
    if (rc == 1) {
        read_object(st, ret);
        ret->is_lapsed = sql_int64(st, 5) != 0;
    }
    sql_done(st);
    return rc;
}

/* Nobody can confirm it or take it back any more. */
static int begin_purge(struct ledger *l, const struct ledger_object *o, int64_t now_ms,
                       struct ct_err *err)
{
    return sql_exec(
        l->db, err,
        "UPDATE versions SET state = 'purging', purge_ms = ?4,"
        " why = CASE WHEN ?5 THEN '" LEDGER_LAPSED "' ELSE why END WHERE " THIS " AND version = ?3",
        "ssiii", o->user_id, o->session_id, o->version, now_ms + LEASE_MS, (int64_t)o->is_lapsed);
}

/* A reservation that nobody has put aside yet, also if a purge of it was broken off. */
#define IS_LAPSED \
    "state = 'reserved' OR (state = 'purging' AND why = '" LEDGER_LAPSED "' AND left_ms = 0)"

static int take(struct ledger *l, const char *sql, int64_t ms, int64_t left_ms, const char *user_id,
                int64_t now_ms, struct ledger_object *ret, struct ct_err *err)
{
    struct ledger_object o = {0};
    int rc;

    if (ledger_begin(l, err) != 0)
        return -1;
    rc = one_object(l, &o, err, sql, ms, left_ms, user_id);
    if (ledger_end(l, rc == 1 ? begin_purge(l, &o, now_ms, err) : rc, err) != 0)
        return -1;
    if (rc == 1)
        *ret = o;
    return rc;
}

int ledger_purge_next(struct ledger *l, int64_t now_ms, struct ledger_object *ret,
                      struct ct_err *err)
{
    return take(l,
                "SELECT " OBJECT ", " IS_LAPSED " FROM versions WHERE purge_ms IS NOT NULL"
                " AND purge_ms <= ?1 AND ?2 = 0 AND ?3 IS NULL ORDER BY purge_ms LIMIT 1",
                now_ms, 0, NULL, now_ms, ret, err);
}

int64_t ledger_due(struct ledger *l, int64_t now_ms, struct ct_err *err)
{
    int64_t n;

    ledger_lock(l);
    n = sql_one(l->db, err,
                "SELECT count(*) FROM versions WHERE purge_ms IS NOT NULL AND purge_ms <= ?", "i",
                now_ms);
    ledger_unlock(l);
    return n;
}

#define ROOM \
    "SELECT " OBJECT ", 0 FROM versions WHERE state = 'trash' AND purge_ms <= ?1" \
    " AND left_ms <= ?2"

/* All but the passing ones have been there for LEDGER_KEPT_MS by then. */
int ledger_room_next(struct ledger *l, const char *user_id, int64_t now_ms,
                     struct ledger_object *ret, struct ct_err *err)
{
    return take(l,
                user_id != NULL ? ROOM " AND user_id = ?3 ORDER BY purge_ms LIMIT 1"
                                : ROOM " AND purge_ms IS NOT NULL AND ?3 IS NULL"
                                       " ORDER BY purge_ms LIMIT 1",
                now_ms + LEDGER_TRASH_MS - LEDGER_KEPT_MS, now_ms - LEDGER_PASSING_KEPT_MS, user_id,
                now_ms, ret, err);
}

int ledger_idle_after(struct ledger *l, const char *user_id, int64_t now_ms,
                      const struct ledger_object *after, struct ledger_object *ret,
                      struct ct_err *err)
{
    struct sql_rows *st;
    int rc;

    ledger_lock(l);
    rc = sql_query(l->db, err, &st,
                   "SELECT " OBJECT " FROM versions v" BY_RESERVED "WHERE state = 'reserved'"
                   " AND (user_id, session_id, version) > (?1, ?2, ?3)"
                   " AND (?4 IS NULL OR user_id = ?4) AND created_ms <= ?5"
                   " ORDER BY user_id, session_id, version LIMIT 1",
                   "ssisi", after->user_id[0] != '\0' || user_id == NULL ? after->user_id : user_id,
                   after->session_id, after->version, user_id, now_ms - LEDGER_IDLE_MS);
    if (rc == 0) {
        rc = sql_step(st, err);
        if (rc == 1)
            read_object(st, ret);
        sql_done(st);
    }
    ledger_unlock(l);
    return rc;
}

/* ${state}: as what it is known to be there. */
static int forget(struct ledger *l, const struct ledger_object *o, const char *state,
                  struct ct_err *err)
{
    int rc;

    if (ledger_begin(l, err) != 0)
        return -1;
    rc = sql_exec(l->db, err, "DELETE FROM versions WHERE " THIS " AND version = ?3 AND state = ?4",
                  "ssis", o->user_id, o->session_id, o->version, state);
    if (rc == 0 && sql_changes(l->db) > 0)
        rc = ledger_heads_forget(l, o->user_id, o->session_id, o->version, err);
    return ledger_end(l, rc, err);
}

int ledger_purged(struct ledger *l, const struct ledger_object *o, struct ct_err *err)
{
    return forget(l, o, "purging", err);
}

int ledger_idle_forget(struct ledger *l, const struct ledger_object *o, struct ct_err *err)
{
    return forget(l, o, "reserved", err);
}

int ledger_purge_later(struct ledger *l, const struct ledger_object *o, int64_t now_ms,
                       struct ct_err *err)
{
    int rc;

    if (ledger_begin(l, err) != 0)
        return -1;
    rc = sql_exec(l->db, err,
                  "UPDATE versions SET state = 'trash', left_ms = ?4, purge_ms = ?5 WHERE " THIS
                  " AND version = ?3 AND state = 'purging'",
                  "ssiii", o->user_id, o->session_id, o->version, now_ms, now_ms + LEDGER_TRASH_MS);
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
                   "SELECT " OBJECT " FROM versions"
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

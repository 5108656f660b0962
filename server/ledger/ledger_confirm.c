#include <string.h>

#include "server/ledger/ledger_impl.h"

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
                  "SELECT state, size_bytes, checksum FROM versions WHERE " THIS
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

    /* A log-in is no device; there are few uploads with one. */
    confirmed = sql_one(l->db, err,
                        who->device_id[0] != '\0'
                            ? "SELECT max(version) FROM versions WHERE " THIS
                              " AND state = 'confirmed' AND token_id = ?3 AND device_id = ?4"
                            : "SELECT max(version) FROM versions WHERE " THIS
                              " AND state = 'confirmed' AND token_id = ?3 AND ?4 = ''",
                        "ssss", who->user_id, session_id, who->token_id, who->device_id);
    if (confirmed < 0)
        return -1;
    v = sql_one(l->db, err,
                "SELECT max(version) FROM versions r" BY_RESERVED " WHERE " THIS
                " AND state = 'reserved' AND purge_ms > ?3 AND token_id = ?4 AND version > ?5",
                "ssisi", who->user_id, session_id, now_ms, who->token_id, confirmed);
    if (v != 0 || confirmed != 0)
        return v != 0 ? v : confirmed;
    confirmed = sql_one(l->db, err, "SELECT current_version FROM sessions WHERE " THIS, "ss",
                        who->user_id, session_id);
    if (confirmed < 0)
        return -1;
    v = sql_one(l->db, err,
                "SELECT max(version) FROM versions r" BY_RESERVED " WHERE " THIS
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

/* Of a reserved version: its device ("": forgotten), and whether it said on what it builds. */
static int read_line(struct ledger *l, const char *user_id, const char *session_id, int64_t version,
                     char device_id[UUID_SIZE], int *ret_has_bases, struct ct_err *err)
{
    struct sql_rows *st;
    int rc;

    if (sql_query(l->db, err, &st,
                  "SELECT device_id, bases IS NOT NULL FROM versions WHERE " THIS
                  " AND version = ?3",
                  "ssi", user_id, session_id, version) != 0)
        return -1;
    rc = sql_step(st, err);
    if (rc == 1) {
        ledger_copy(device_id, sql_text(st, 0), UUID_SIZE);
        *ret_has_bases = sql_int64(st, 1) != 0;
    }
    sql_done(st);
    return rc == 1 ? 0 : -1;
}

/* Is it the current version, or one beside that?  Then what it amends and rotates out goes. */
static int join(struct ledger *l, const struct ledger_who *who, const char *session_id,
                int64_t version, int keep, int64_t now_ms, struct ct_err *err)
{
    const char *user_id = who->user_id;
    char device_id[UUID_SIZE] = "";
    int has_bases = 0, is_current = 0;
    int64_t amended;

    if (read_line(l, user_id, session_id, version, device_id, &has_bases, err) != 0)
        return -1;
    if (ledger_heads_check(l, who, session_id, version, err) != 0)
        return -1;
    amended = ledger_amended(l, user_id, session_id, version, now_ms, err);
    if (amended < 0 || ledger_heads_join(l, user_id, session_id, version, device_id, has_bases,
                                         &is_current, err) != 0)
        return -1;
    if (ledger_rotate(l, user_id, session_id, version, amended, keep, now_ms, err) != 0)
        return -1;
    return ledger_refresh(l, user_id, session_id, is_current ? version : 0, NULL, now_ms, err);
}

static int confirm(struct ledger *l, const struct ledger_who *who, const char *session_id,
                   int64_t version, int keep, int64_t now_ms, struct ct_err *err)
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
    if (sql_exec(l->db, err,
                 "UPDATE versions SET state = 'confirmed', confirmed_ms = ?4, purge_ms = NULL"
                 " WHERE " THIS " AND version = ?3",
                 "ssii", who->user_id, session_id, version, now_ms) != 0)
        return -1;
    return join(l, who, session_id, version, keep, now_ms, err);
}

int ledger_confirm(struct ledger *l, const struct ledger_who *who, const char *session_id,
                   int64_t version, int keep, int64_t now_ms, struct ct_err *err)
{
    if (ledger_begin(l, err) != 0)
        return -1;
    return ledger_end(l, confirm(l, who, session_id, version, keep, now_ms, err), err);
}

#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/data/jdoc.h"
#include "common/base/str.h"

#include "server/ledger/ledger_impl.h"

#define SKIP 1000                   /* more than a session gets between two backups */
#define DEFAULT_AGENT "claude-code" /* what a client that names none is */

/* The session's row, made if need be.  Its number goes up here and never down. */
static int next_version(struct ledger *l, const char *user_id, const struct api_upload_req *req,
                        int64_t now_ms, struct ledger_reserved *ret, struct ct_err *err)
{
    struct sql_rows *st;
    int64_t deleted_ms = 0;
    int rc;

    if (sql_query(l->db, err, &st,
                  "SELECT id, last_version, deleted_ms FROM sessions"
                  " WHERE user_id = ? AND session_id = ?",
                  "ss", user_id, req->session_id) != 0)
        return -1;
    rc = sql_step(st, err);
    if (rc == 1) {
        ledger_copy(ret->record_id, sql_text(st, 0), sizeof(ret->record_id));
        ret->version = sql_int64(st, 1) + 1;
        deleted_ms = sql_int64(st, 2);
    }
    sql_done(st);
    if (rc < 0)
        return -1;
    if (deleted_ms != 0 && !req->revive)
        return ledger_fail(err, ERR_CONFLICT, "deleted",
                           "This session was deleted from the cloud; it comes back only if it is "
                           "asked for by its name.");
    if (rc == 1)
        return sql_exec(l->db, err, "UPDATE sessions SET last_version = ? WHERE id = ?", "is",
                        ret->version, ret->record_id);
    uuid_random(ret->record_id);
    ret->version = 1;
    return sql_exec(l->db, err,
                    "INSERT INTO sessions(id, user_id, session_id, last_version, updated_ms)"
                    " VALUES (?, ?, ?, 1, ?)",
                    "sssi", ret->record_id, user_id, req->session_id, now_ms);
}

/*
 * A device is its token.  Uploads with a log-in have none; there the machine's name must do.
 * ${id} is the row's on return.
 */
static int see_device(struct ledger *l, const struct ledger_who *who, const char *machine,
                      int64_t now_ms, char id[UUID_SIZE], struct ct_err *err)
{
    const char *name = machine != NULL ? machine : "unknown";
    char *source = who->token_id[0] != '\0' ? str_printf("token:%s", who->token_id)
                                            : str_printf("name:%s", name);
    struct sql_rows *st;
    int rc;

    uuid_random(id);
    rc = sql_query(l->db, err, &st,
                   "INSERT INTO devices(id, user_id, source, name, first_seen_ms, last_seen_ms)"
                   " VALUES (?1, ?2, ?3, ?4, ?5, ?5) ON CONFLICT(user_id, source)"
                   " DO UPDATE SET name = excluded.name, last_seen_ms = excluded.last_seen_ms"
                   " RETURNING id",
                   "ssssi", id, who->user_id, source, name, now_ms);
    if (rc == 0) {
        rc = sql_step(st, err);
        if (rc == 1) {
            ledger_copy(id, sql_text(st, 0), UUID_SIZE);
            rc = sql_step(st, err);
        }
        sql_done(st);
    }
    free(source);
    return rc;
}

/* As the store's ETag has it; the request was checked when it came in. */
static const char *md5_hex(const char *base64, char hex[2 * HASH_MD5_BYTES + 1])
{
    struct buf raw = {0};

    if (base64 == NULL)
        return NULL;
    if (hash_unbase64(base64, strlen(base64), &raw) == 0 && raw.len == HASH_MD5_BYTES)
        hash_hex(raw.data, raw.len, hex);
    else
        hex[0] = '\0';
    buf_free(&raw);
    return ledger_null(hex);
}

static int insert_version(struct ledger *l, const struct ledger_who *who,
                          const struct api_upload_req *req, const char *device_id, int64_t now_ms,
                          int64_t version, struct ct_err *err)
{
    const char *agent = jdoc_str(req->metadata, "agentId");
    char md5[2 * HASH_MD5_BYTES + 1];

    return sql_exec(
        l->db, err,
        "INSERT INTO versions(user_id, session_id, version, state, size_bytes, checksum,"
        " created_ms, purge_ms, token_id, device_id, base_version, amend, machine, cwd, user_dir,"
        " label, agent, metadata, tags, md5)"
        " VALUES (?, ?, ?, 'reserved', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        "ssiisiissiissssssss", who->user_id, req->session_id, version, req->size_bytes,
        req->checksum, now_ms, now_ms + LEDGER_RESERVATION_MS, who->token_id, device_id,
        req->base_version, req->amend, req->source_machine, req->source_cwd, req->source_user_dir,
        req->label, ledger_null(agent) != NULL ? agent : DEFAULT_AGENT,
        req->metadata != NULL ? jdoc_text(req->metadata) : NULL,
        req->tags != NULL ? jdoc_text(req->tags) : NULL, md5_hex(req->md5, md5));
}

/*
 * Will it fit once it is confirmed and what goes for it has gone?  Reservations count at twice the
 * limit only: one that is never confirmed must not block a later one, but together they must not
 * fill the disk either.
 */
static int check_quota(struct ledger *l, const char *user_id, const struct api_upload_req *req,
                       int64_t version, const struct ledger_limits *limits, int64_t now_ms,
                       struct ct_err *err)
{
    int64_t max = limits->max_bytes, confirmed, all, freed;

    if (max <= 0)
        return 0;
    if ((confirmed = ledger_bytes(l, user_id, 0, err)) < 0 ||
        (all = ledger_bytes(l, user_id, 1, err)) < 0)
        return -1;
    if (confirmed + req->size_bytes <= max && all <= 2 * max)
        return 0;
    freed = ledger_frees(l, user_id, req->session_id, version, limits->keep, now_ms, err);
    if (freed < 0)
        return -1;
    if (confirmed + req->size_bytes - freed <= max && all - freed <= 2 * max)
        return 0;
    return ledger_fail(err, ERR_REFUSED, "quota",
                       "This account has used up its space on the server; delete sessions or ask "
                       "whoever runs it for more.");
}

static int reserve(struct ledger *l, const struct ledger_who *who, const struct api_upload_req *req,
                   const struct ledger_limits *limits, int64_t now_ms, struct ledger_reserved *ret,
                   struct ct_err *err)
{
    char device_id[UUID_SIZE];

    if (next_version(l, who->user_id, req, now_ms, ret, err) != 0 ||
        see_device(l, who, req->source_machine, now_ms, device_id, err) != 0 ||
        insert_version(l, who, req, device_id, now_ms, ret->version, err) != 0)
        return -1;
    if (req->base_version >= 0)
        ret->elsewhere =
            sql_one(l->db, err,
                    "SELECT max(version) FROM versions WHERE user_id = ?"
                    " AND session_id = ? AND state = 'confirmed' AND version > ?"
                    " AND device_id IS NOT ?",
                    "ssis", who->user_id, req->session_id, req->base_version, device_id);
    if (ret->elsewhere < 0)
        return -1;
    if (req->pin != 0) {
        /* At once, not at the confirm: the rotation that it is to stop happens there. */
        if (sql_exec(l->db, err,
                     "UPDATE versions SET pinned = 1 WHERE user_id = ? AND session_id = ?"
                     " AND version = ? AND state = 'confirmed'",
                     "ssi", who->user_id, req->session_id, req->pin) != 0)
            return -1;
        ret->pinned = sql_changes(l->db) > 0;
    }
    return check_quota(l, who->user_id, req, ret->version, limits, now_ms, err);
}

int ledger_reserve(struct ledger *l, const struct ledger_who *who, const struct api_upload_req *req,
                   const struct ledger_limits *limits, int64_t now_ms, struct ledger_reserved *ret,
                   struct ct_err *err)
{
    struct ledger_reserved r = {0};

    if (ledger_begin(l, err) != 0 ||
        ledger_end(l, reserve(l, who, req, limits, now_ms, &r, err), err) != 0)
        return -1;
    *ret = r;
    return 0;
}

static int skip(struct ledger *l, const char *user_id, const char *session_id, int64_t version,
                struct ct_err *err)
{
    if (sql_exec(l->db, err,
                 "DELETE FROM versions WHERE user_id = ? AND session_id = ? AND version = ?"
                 " AND state = 'reserved'",
                 "ssi", user_id, session_id, version) != 0)
        return -1;
    return sql_exec(l->db, err,
                    "UPDATE sessions SET last_version = max(last_version, ?3)"
                    " WHERE user_id = ?1 AND session_id = ?2",
                    "ssi", user_id, session_id, version + SKIP);
}

int ledger_skip(struct ledger *l, const char *user_id, const char *session_id, int64_t version,
                struct ct_err *err)
{
    if (ledger_begin(l, err) != 0)
        return -1;
    return ledger_end(l, skip(l, user_id, session_id, version, err), err);
}

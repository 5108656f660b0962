#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/data/jdoc.h"
#include "common/base/str.h"

#include "server/ledger/ledger_impl.h"

#define SKIP 1000 /* more than a session gets between two backups */

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

/* Did the machine itself send it?  It shows the id that it logged in with, which is not in the
 * token. */
static int64_t is_machines(struct ledger *l, const struct api_upload_req *req,
                           const char *device_id, struct ct_err *err)
{
    return sql_one(l->db, err,
                   "SELECT count(*) FROM devices WHERE id = ?1 AND source = 'device:' || ?2", "ss",
                   device_id, req->device_id);
}

/* What is in clear holds nothing of what is sealed under the same id, whatever it says: it stands
 * beside that.  1, 0, or -1 on error. */
static int64_t is_apart(struct ledger *l, const struct ledger_who *who,
                        const struct api_upload_req *req, struct ct_err *err)
{
    if (jdoc_str(req->metadata, "sealed") != NULL)
        return 0;
    return sql_one(l->db, err,
                   "SELECT EXISTS (SELECT 1 FROM versions v" BY_HEADS " JOIN descriptions d"
                   " ON d.user_id = v.user_id AND d.session_id = v.session_id"
                   " AND d.version = v.version WHERE v.user_id = ?1 AND v.session_id = ?2"
                   " AND v.is_head = 1 AND json_extract(d.metadata, '$.sealed') IS NOT NULL)",
                   "ss", who->user_id, req->session_id);
}

static int insert_version(struct ledger *l, const struct ledger_who *who,
                          const struct api_upload_req *req, const char *device_id, int64_t now_ms,
                          int64_t version, struct ct_err *err)
{
    const char *agent = jdoc_str(req->metadata, "agentId");
    char *bases = NULL, *metadata;
    int64_t by_machine = is_machines(l, req, device_id, err), apart = is_apart(l, who, req, err);
    int rc;

    if (by_machine < 0 || apart < 0)
        return -1;
    if (apart)
        bases = str_dup("[]");
    else if (req->bases != NULL && ledger_heads_bases(l, who->user_id, req->session_id, version,
                                                      req->bases, &bases, err) != 0)
        return -1;
    rc = sql_exec(l->db, err,
                  "INSERT INTO versions(user_id, session_id, version, state, size_bytes, checksum,"
                  " created_ms, purge_ms, token_id, device_id, base_version, bases, amend, pins,"
                  " machine, agent, is_machines)"
                  " VALUES (?, ?, ?, 'reserved', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                  "ssiisiissisiissi", who->user_id, req->session_id, version, req->size_bytes,
                  req->checksum, now_ms, now_ms + LEDGER_RESERVATION_MS, who->token_id, device_id,
                  req->base_version, bases, req->amend, req->pin, req->source_machine,
                  ledger_null(agent) != NULL ? agent : LEDGER_DEFAULT_AGENT, by_machine);
    free(bases);
    if (rc != 0)
        return -1;
    metadata = ledger_known_metadata(req->metadata);
    rc = sql_exec(l->db, err,
                  "INSERT INTO descriptions(user_id, session_id, version, cwd, user_dir, label,"
                  " metadata, tags) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                  "ssisssss", who->user_id, req->session_id, version, req->source_cwd,
                  req->source_user_dir, req->label, metadata,
                  req->tags != NULL ? jdoc_text(req->tags) : NULL);
    free(metadata);
    if (rc != 0)
        return -1;
    return req->bases != NULL || apart
               ? ledger_heads_build_on(l, who->user_id, req->session_id, version, err)
               : ledger_heads_build(l, who->user_id, req->session_id, version, device_id, err);
}

/*
 * All of a user's bytes count that are on the disk or may come there: reserved, confirmed, in the
 * trash, and what the database has to keep of them.  So nothing that is let go makes room at once.
 * Traces, which a thief can make and nobody can remove, count for all users together only.
 */
int ledger_check_quota(struct ledger *l, const char *user_id, const struct ledger_limits *limits,
                       struct ct_err *err)
{
    int64_t n = 0;

    if (limits->max_bytes > 0)
        n = sql_one(l->db, err,
                    "SELECT sum(bytes) FROM usage WHERE user_id = ? AND state <> 'traces'", "s",
                    user_id);
    if (n < 0)
        return -1;
    if (n > limits->max_bytes && limits->max_bytes > 0)
        return ledger_fail(err, ERR_REFUSED, "quota",
                           "This account has used up its space on the server, with what went into "
                           "its trash within the last days; delete sessions, wait, or ask whoever "
                           "runs it for more.");
    if (limits->max_all_bytes > 0)
        n = sql_one(l->db, err, "SELECT sum(bytes) FROM usage", "");
    if (n < 0)
        return -1;
    if (n > limits->max_all_bytes && limits->max_all_bytes > 0)
        return err_set(err, ERR_NOSPACE, "all accounts together have used up max_bytes");
    return 0;
}

/*
 * At once, not at the confirm: the rotation that it is to stop happens there.  There are not to be
 * more than LEDGER_MAX_PINS.
 */
static int pin(struct ledger *l, const char *user_id, const struct api_upload_req *req,
               int *ret_pinned, struct ct_err *err)
{
    if (sql_exec(l->db, err,
                 "UPDATE versions SET pinned = 1 WHERE user_id = ?1 AND session_id = ?2"
                 " AND version = ?3 AND state = 'confirmed' AND (pinned = 1 OR"
                 " (SELECT count(*) FROM versions p" BY_PINNED
                 " WHERE p.user_id = ?1 AND p.session_id = ?2"
                 "  AND p.pinned = 1 AND p.state = 'confirmed') < ?4)",
                 "ssii", user_id, req->session_id, req->pin, (int64_t)LEDGER_MAX_PINS) != 0)
        return -1;
    *ret_pinned = sql_changes(l->db) > 0;
    /* Should it be taken out of the trash, it is offered too. */
    return sql_exec(l->db, err,
                    "UPDATE versions SET pinned = 1 WHERE user_id = ?1 AND session_id = ?2"
                    " AND version = ?3 AND state = 'trash'",
                    "ssi", user_id, req->session_id, req->pin);
}

/* What is it that this version would not contain? */
static int look_beside(struct ledger *l, const struct ledger_who *who,
                       const struct api_upload_req *req, const char *device_id,
                       struct ledger_reserved *ret, struct ct_err *err)
{
    if (ledger_heads_check(l, who, req->session_id, ret->version, err) != 0)
        return -1;
    if (req->bases == NULL && req->base_version < 0)
        return 0;
    ret->elsewhere = ledger_heads_elsewhere(l, who->user_id, req->session_id, ret->version,
                                            device_id, req->base_version, err);
    return ret->elsewhere < 0 ? -1 : 0;
}

static int reserve(struct ledger *l, const struct ledger_who *who, const struct api_upload_req *req,
                   const struct ledger_limits *limits, int64_t now_ms, struct ledger_reserved *ret,
                   struct ct_err *err)
{
    char device_id[UUID_SIZE];

    if (next_version(l, who->user_id, req, now_ms, ret, err) != 0 ||
        ledger_see_device(l, who, req->source_machine, now_ms, device_id, err) != 0 ||
        insert_version(l, who, req, device_id, now_ms, ret->version, err) != 0 ||
        look_beside(l, who, req, device_id, ret, err) != 0 ||
        (req->pin != 0 && pin(l, who->user_id, req, &ret->pinned, err) != 0))
        return -1;
    return ledger_check_quota(l, who->user_id, limits, err);
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

int ledger_confirm_failed(struct ledger *l, const char *user_id, const char *session_id,
                          int64_t version, int64_t now_ms, struct ct_err *err)
{
    int rc;

    if (ledger_begin(l, err) != 0)
        return -1;
    rc = sql_exec(l->db, err,
                  "UPDATE versions SET state = 'trash', why = '" LEDGER_FAILED "', left_ms = ?4,"
                  " purge_ms = ?5 WHERE user_id = ?1 AND session_id = ?2 AND version = ?3"
                  " AND state = 'reserved'",
                  "ssiii", user_id, session_id, version, now_ms, now_ms + LEDGER_TRASH_MS);
    return ledger_end(l, rc, err);
}

static int skip(struct ledger *l, const char *user_id, const char *session_id, int64_t version,
                struct ct_err *err)
{
    if (sql_exec(l->db, err,
                 "DELETE FROM versions WHERE user_id = ? AND session_id = ? AND version = ?"
                 " AND state = 'reserved'",
                 "ssi", user_id, session_id, version) != 0)
        return -1;
    if (sql_changes(l->db) > 0 && ledger_heads_forget(l, user_id, session_id, version, err) != 0)
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

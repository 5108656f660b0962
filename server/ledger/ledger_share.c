#include <stdio.h>
#include <string.h>

#include "common/data/jdoc.h"

#include "server/ledger/ledger_impl.h"
#include "server/ledger/ledger_share.h"

/* A share and its bytes: the name of its session is what store_share_session() makes. */
#define WITH_BYTES \
    " FROM shares s JOIN versions v ON v.user_id = s.user_id AND v.session_id = '-' || s.id" \
    " AND v.version = 1 AND v.state IN ('sharing', 'shared') "

static int refuse_gone(struct ct_err *err)
{
    return ledger_fail(err, ERR_GONE, "not_found", "There is no such share, or it has ended.");
}

static int add(struct ledger *l, const struct ledger_who *who, const struct ledger_new_share *s,
               const struct ledger_limits *limits, int64_t now_ms, const char *id,
               struct ct_err *err)
{
    int64_t n =
        sql_one(l->db, err, "SELECT count(*)" WITH_BYTES "WHERE s.user_id = ? AND s.expires_ms > ?",
                "si", who->user_id, now_ms);

    if (n < 0)
        return -1;
    if (n >= LEDGER_MAX_SHARES)
        return ledger_fail(err, ERR_REFUSED, "too_many_shares",
                           "This account shares as much as it may at one time; end some first.");
    if (sql_exec(l->db, err,
                 "INSERT INTO shares(id, user_id, session_id, token_id, created_ms, expires_ms)"
                 " VALUES (?, ?, ?, ?, ?, ?)",
                 "ssssii", id, who->user_id, s->session_id, who->token_id, now_ms,
                 s->expires_ms) != 0 ||
        sql_exec(l->db, err,
                 "INSERT INTO versions(user_id, session_id, version, state, size_bytes, checksum,"
                 " created_ms, purge_ms, token_id, agent)"
                 " VALUES (?1, '-' || ?2, 1, 'sharing', ?3, ?4, ?5, ?6, ?7, '')",
                 "ssisiis", who->user_id, id, s->size_bytes, s->checksum, now_ms,
                 now_ms + LEDGER_SHARING_MS, who->token_id) != 0 ||
        sql_exec(l->db, err,
                 "INSERT INTO descriptions(user_id, session_id, version, cwd, user_dir)"
                 " VALUES (?1, '-' || ?2, 1, '', '')",
                 "ss", who->user_id, id) != 0)
        return -1;
    return ledger_check_quota(l, who->user_id, limits, err);
}

int ledger_share_add(struct ledger *l, const struct ledger_who *who,
                     const struct ledger_new_share *s, const struct ledger_limits *limits,
                     int64_t now_ms, char ret_id[UUID_SIZE], struct ct_err *err)
{
    char id[UUID_SIZE];

    uuid_random(id);
    if (ledger_begin(l, err) != 0 ||
        ledger_end(l, add(l, who, s, limits, now_ms, id, err), err) != 0)
        return -1;
    memcpy(ret_id, id, UUID_SIZE);
    return 0;
}

static int find(struct ledger *l, const char *user_id, const char *id, int64_t now_ms,
                struct ledger_share *ret, struct ct_err *err)
{
    struct sql_rows *st;
    int rc;

    if (sql_query(l->db, err, &st,
                  "SELECT s.user_id, v.size_bytes, v.checksum, s.expires_ms, v.state = "
                  "'shared'" WITH_BYTES "JOIN users u ON u.id = s.user_id AND u.disabled_ms = 0"
                  " WHERE s.id = ?1 AND s.expires_ms > ?2 AND (?3 IS NULL OR s.user_id = ?3)",
                  "sis", id, now_ms, user_id) != 0)
        return -1;
    rc = sql_step(st, err);
    if (rc == 1) {
        ledger_copy(ret->user_id, sql_text(st, 0), sizeof(ret->user_id));
        ret->size_bytes = sql_int64(st, 1);
        ledger_copy(ret->checksum, sql_text(st, 2), sizeof(ret->checksum));
        ret->expires_ms = sql_int64(st, 3);
        ret->is_open = sql_int64(st, 4) != 0;
    }
    sql_done(st);
    return rc == 0 ? refuse_gone(err) : rc < 0 ? -1 : 0;
}

int ledger_share_find(struct ledger *l, const char *user_id, const char *id, int64_t now_ms,
                      struct ledger_share *ret, struct ct_err *err)
{
    int rc;

    ledger_lock(l);
    rc = find(l, user_id, id, now_ms, ret, err);
    ledger_unlock(l);
    return rc;
}

/* It is purged when it ends. */
static int open_it(struct ledger *l, const char *user_id, const char *id, int64_t now_ms,
                   struct ct_err *err)
{
    struct ledger_share s;

    if (find(l, user_id, id, now_ms, &s, err) != 0)
        return -1;
    return sql_exec(l->db, err,
                    "UPDATE versions SET state = 'shared', purge_ms = ?3"
                    " WHERE user_id = ?1 AND session_id = '-' || ?2 AND version = 1"
                    " AND state = 'sharing'",
                    "ssi", user_id, id, s.expires_ms);
}

int ledger_share_open(struct ledger *l, const char *user_id, const char *id, int64_t now_ms,
                      struct ct_err *err)
{
    if (ledger_begin(l, err) != 0)
        return -1;
    return ledger_end(l, open_it(l, user_id, id, now_ms, err), err);
}

int ledger_share_visited(struct ledger *l, const char *id, int64_t now_ms, struct ct_err *err)
{
    if (ledger_begin(l, err) != 0)
        return -1;
    return ledger_end(l,
                      sql_exec(l->db, err,
                               "UPDATE shares SET visits = visits + 1, visited_ms = ? WHERE id = ?",
                               "is", now_ms, id),
                      err);
}

static struct json_object *share_json(struct sql_rows *st)
{
    struct json_object *o = json_object_new_object();

    jdoc_set_str(o, "id", sql_text(st, 0));
    jdoc_set_str(o, "sessionId", sql_text(st, 1));
    jdoc_set_int(o, "sizeBytes", sql_int64(st, 2));
    json_object_object_add(o, "createdAt", ledger_when(sql_int64(st, 3)));
    json_object_object_add(o, "expiresAt", ledger_when(sql_int64(st, 4)));
    jdoc_set_int(o, "visits", sql_int64(st, 5));
    json_object_object_add(o, "lastVisitAt", ledger_when(sql_int64(st, 6)));
    return o;
}

int ledger_shares(struct ledger *l, const char *user_id, int64_t now_ms, struct json_object **ret,
                  struct ct_err *err)
{
    struct json_object *list = json_object_new_array();
    struct sql_rows *st;
    int rc;

    ledger_lock(l);
    rc = sql_query(l->db, err, &st,
                   "SELECT s.id, s.session_id, v.size_bytes, s.created_ms, s.expires_ms, s.visits,"
                   " s.visited_ms" WITH_BYTES
                   "WHERE s.user_id = ? AND s.expires_ms > ? AND v.state = 'shared'"
                   " ORDER BY s.created_ms DESC, s.id",
                   "si", user_id, now_ms);
    if (rc == 0) {
        while ((rc = sql_step(st, err)) == 1)
            json_object_array_add(list, share_json(st));
        sql_done(st);
    }
    ledger_unlock(l);
    if (rc != 0) {
        json_object_put(list);
        return -1;
    }
    *ret = json_object_new_object();
    json_object_object_add(*ret, "shares", list);
    return 0;
}

/* Those of ${id} or of ${session_id}; both NULL: all.  What can still come in waits for its URL. */
static int end(struct ledger *l, const char *user_id, const char *id, const char *session_id,
               int64_t now_ms, int64_t *ret_n, struct ct_err *err)
{
#define MEANT "user_id = ?1 AND (?2 IS NULL OR id = ?2) AND (?3 IS NULL OR session_id = ?3)"
    if (sql_exec(l->db, err,
                 "UPDATE versions SET state = 'dropped', purge_ms = CASE WHEN state = 'sharing'"
                 " THEN max(?4, created_ms + ?5) ELSE ?4 END WHERE user_id = ?1 AND version = 1"
                 " AND state IN ('sharing', 'shared')"
                 " AND session_id IN (SELECT '-' || id FROM shares WHERE " MEANT ")",
                 "sssii", user_id, id, session_id, now_ms, (int64_t)LEDGER_DROPPED_MS) != 0)
        return -1;
    *ret_n = sql_changes(l->db);
    return sql_exec(l->db, err, "DELETE FROM shares WHERE " MEANT, "sss", user_id, id, session_id);
#undef MEANT
}

int ledger_share_end(struct ledger *l, const char *user_id, const char *id, int64_t now_ms,
                     struct ct_err *err)
{
    int64_t n = 0;
    int rc;

    if (ledger_begin(l, err) != 0)
        return -1;
    rc = end(l, user_id, id, NULL, now_ms, &n, err);
    return ledger_end(l, rc == 0 && n == 0 ? refuse_gone(err) : rc, err);
}

int ledger_end_shares(struct ledger *l, const char *user_id, const char *session_id, int64_t now_ms,
                      struct ct_err *err)
{
    int64_t n;

    return end(l, user_id, NULL, session_id, now_ms, &n, err);
}

int ledger_shares_end(struct ledger *l, const char *user_id, const char *session_id, int64_t now_ms,
                      int64_t *ret_n, struct ct_err *err)
{
    int64_t n = 0;

    if (ledger_begin(l, err) != 0 ||
        ledger_end(l, end(l, user_id, NULL, session_id, now_ms, &n, err), err) != 0)
        return -1;
    *ret_n = n;
    return 0;
}

int ledger_share_is_live(struct ledger *l, const char *user_id, const char *id, int64_t now_ms)
{
    int64_t n;

    ledger_lock(l);
    n = sql_one(l->db, NULL,
                "SELECT count(*)" WITH_BYTES
                "JOIN users u ON u.id = s.user_id AND u.disabled_ms = 0"
                " WHERE s.id = ? AND s.user_id = ? AND s.expires_ms > ?",
                "ssi", id, user_id, now_ms);
    ledger_unlock(l);
    return (int)n;
}

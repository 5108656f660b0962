#include <stdlib.h>
#include <string.h>

#include "common/data/jdoc.h"
#include "common/base/str.h"

#include "server/ledger/ledger_impl.h"
#include "server/ledger/uses.h"

#define NOTE_USE_EVERY_MS 60000

static int add(struct ledger *l, const char *id, const char *user_id,
               const struct ledger_new_token *t, char device_id[UUID_SIZE], struct ct_err *err)
{
    char *source;
    int64_t n;
    int rc = 0;

    /* What has expired makes room. */
    if (sql_exec(l->db, err,
                 "DELETE FROM tokens WHERE user_id = ? AND expires_ms > 0 AND expires_ms <= ?",
                 "si", user_id, t->now_ms) != 0)
        return -1;
    n = sql_one(l->db, err, "SELECT count(*) FROM tokens WHERE user_id = ?", "s", user_id);
    if (n < 0)
        return -1;
    if (n >= LEDGER_MAX_TOKENS)
        return ledger_fail(err, ERR_REFUSED, "too_many_tokens",
                           "There are too many API tokens; revoke some that are not used.");
    if (t->device != NULL) {
        source = str_printf("device:%s", t->device);
        rc = ledger_add_device(l, user_id, source, t->name, t->now_ms, device_id, err);
        free(source);
    }
    if (rc != 0)
        return -1;
    return sql_exec(l->db, err,
                    "INSERT INTO tokens(id, user_id, name, sha256, last4, created_ms, expires_ms,"
                    " device_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    "sssssiis", id, user_id, t->name, t->sha256, t->last4, t->now_ms, t->expires_ms,
                    ledger_null(device_id));
}

int ledger_token_add(struct ledger *l, const char *user_id, const struct ledger_new_token *t,
                     char ret_id[UUID_SIZE], char ret_device_id[UUID_SIZE], struct ct_err *err)
{
    char id[UUID_SIZE], device_id[UUID_SIZE] = "";

    uuid_random(id);
    if (ledger_begin(l, err) != 0 ||
        ledger_end(l, add(l, id, user_id, t, device_id, err), err) != 0)
        return -1;
    memcpy(ret_id, id, UUID_SIZE);
    memcpy(ret_device_id, device_id, UUID_SIZE);
    return 0;
}

int ledger_token_find(struct ledger *l, const char *sha256, int64_t now_ms, struct ledger_who *ret,
                      struct ct_err *err)
{
    int64_t last_used_ms = 0, max_ms = atomic_load(&l->max_token_ms);
    int64_t signed_in_ms = ledger_signed_in_since(l, now_ms);
    struct sql_rows *st;
    int rc;

    ledger_lock(l);
    rc = sql_query(l->db, err, &st,
                   "SELECT t.id, t.user_id, t.last_used_ms, t.device_id FROM tokens t JOIN users u"
                   " ON u.id = t.user_id AND u.disabled_ms = 0 WHERE t.sha256 = ?"
                   " AND (t.expires_ms = 0 OR t.expires_ms > ?) AND t.created_ms > ?"
                   " AND (u.signed_in_ms = 0 OR u.signed_in_ms > ?)",
                   "siii", sha256, now_ms, max_ms > 0 ? now_ms - max_ms : -1, signed_in_ms);
    if (rc == 0) {
        rc = sql_step(st, err);
        if (rc == 1) {
            ledger_copy(ret->token_id, sql_text(st, 0), sizeof(ret->token_id));
            ledger_copy(ret->user_id, sql_text(st, 1), sizeof(ret->user_id));
            last_used_ms = sql_int64(st, 2);
            ledger_copy(ret->device_id, sql_text(st, 3), sizeof(ret->device_id));
            rc = 0;
        } else if (rc == 0) {
            rc =
                err_set(err, ERR_AUTH,
                        "The API token is unknown, expired or revoked, the account is disabled, or "
                        "you have to sign in once more.");
        }
        sql_done(st);
    }
    ledger_unlock(l);
    if (rc == 0 && now_ms - last_used_ms >= NOTE_USE_EVERY_MS)
        uses_note(l->uses, ret->token_id, now_ms);
    return rc;
}

static void add_token(struct json_object *list, struct sql_rows *st, const struct ledger_who *who)
{
    struct json_object *o = json_object_new_object();

    jdoc_set_str(o, "id", sql_text(st, 0));
    jdoc_set_str(o, "name", sql_text(st, 1));
    jdoc_set_str(o, "last4", sql_text(st, 2));
    json_object_object_add(o, "createdAt", ledger_when(sql_int64(st, 3)));
    json_object_object_add(o, "lastUsedAt", ledger_when(sql_int64(st, 4)));
    json_object_object_add(o, "expiresAt", ledger_when(sql_int64(st, 5)));
    jdoc_set_bool(o, "current", strcmp(sql_text(st, 0), who->token_id) == 0);
    json_object_array_add(list, o);
}

static void add_device(struct json_object *list, struct sql_rows *st, const struct ledger_who *who)
{
    struct json_object *o = json_object_new_object();

    jdoc_set_str(o, "id", sql_text(st, 0));
    jdoc_set_str(o, "name", sql_text(st, 1));
    json_object_object_add(o, "firstSeenAt", ledger_when(sql_int64(st, 2)));
    json_object_object_add(o, "lastSeenAt", ledger_when(sql_int64(st, 3)));
    jdoc_set_int(o, "sessionCount", sql_int64(st, 4));
    jdoc_set_bool(o, "current",
                  sql_int64(st, 5) != 0 || strcmp(sql_text(st, 0), who->device_id) == 0);
    json_object_array_add(list, o);
}

static int list(struct ledger *l, const struct ledger_who *who, const char *sql, const char *name,
                void (*add_row)(struct json_object *, struct sql_rows *, const struct ledger_who *),
                struct json_object **ret, struct ct_err *err)
{
    struct json_object *rows = json_object_new_array(), *o;
    struct sql_rows *st;
    int rc;

    if (ledger_write_uses(l, err) != 0) {
        json_object_put(rows);
        return -1;
    }
    ledger_lock(l);
    rc = sql_query(l->db, err, &st, sql, "ss", who->user_id, who->token_id);
    if (rc == 0) {
        while ((rc = sql_step(st, err)) == 1)
            add_row(rows, st, who);
        sql_done(st);
    }
    ledger_unlock(l);
    if (rc != 0) {
        json_object_put(rows);
        return -1;
    }
    o = json_object_new_object();
    json_object_object_add(o, name, rows);
    *ret = o;
    return 0;
}

int ledger_tokens(struct ledger *l, const struct ledger_who *who, struct json_object **ret,
                  struct ct_err *err)
{
    return list(l, who,
                "SELECT id, name, last4, created_ms, last_used_ms, expires_ms FROM tokens"
                " WHERE user_id = ?1 AND ?2 IS NOT NULL ORDER BY created_ms DESC, id",
                "tokens", add_token, ret, err);
}

int ledger_devices(struct ledger *l, const struct ledger_who *who, struct json_object **ret,
                   struct ct_err *err)
{
    return list(l, who,
                "SELECT id, name, first_seen_ms, last_seen_ms,"
                " (SELECT count(DISTINCT session_id) FROM versions v WHERE v.device_id = d.id"
                "  AND v.state = 'confirmed'),"
                " EXISTS (SELECT 1 FROM tokens t WHERE t.device_id = d.id AND t.id = ?2)"
                " FROM devices d WHERE user_id = ?1 ORDER BY last_seen_ms DESC, id",
                "devices", add_device, ret, err);
}

int ledger_token_revoke(struct ledger *l, const char *user_id, const char *id, struct ct_err *err)
{
    int rc;

    if (ledger_begin(l, err) != 0)
        return -1;
    rc = sql_exec(l->db, err, "DELETE FROM tokens WHERE user_id = ? AND id = ?", "ss", user_id, id);
    if (rc == 0 && sql_changes(l->db) == 0)
        rc = ledger_fail(err, ERR_GONE, "not_found", "There is no such token.");
    return ledger_end(l, rc, err);
}

static int delete_device(struct ledger *l, const char *user_id, const char *id, struct ct_err *err)
{
    /* Its tokens go with it. */
    if (sql_exec(l->db, err, "DELETE FROM devices WHERE user_id = ? AND id = ?", "ss", user_id,
                 id) != 0)
        return -1;
    if (sql_changes(l->db) == 0)
        return ledger_fail(err, ERR_GONE, "not_found", "There is no such device.");
    return 0;
}

int ledger_device_delete(struct ledger *l, const char *user_id, const char *id, struct ct_err *err)
{
    if (ledger_begin(l, err) != 0)
        return -1;
    return ledger_end(l, delete_device(l, user_id, id, err), err);
}

int ledger_usage(struct ledger *l, const char *user_id, int64_t *ret_sessions, int64_t *ret_devices,
                 struct ct_err *err)
{
    int64_t sessions, devices = -1;

    ledger_lock(l);
    sessions = sql_one(l->db, err,
                       "SELECT count(*) FROM sessions WHERE user_id = ? AND current_version > 0",
                       "s", user_id);
    if (sessions >= 0)
        devices =
            sql_one(l->db, err, "SELECT count(*) FROM devices WHERE user_id = ?", "s", user_id);
    ledger_unlock(l);
    if (devices < 0)
        return -1;
    *ret_sessions = sessions;
    *ret_devices = devices;
    return 0;
}

#include <stdlib.h>
#include <string.h>

#include "common/base/str.h"

#include "server/ledger/ledger_impl.h"
#include "server/settings/email.h"

void ledger_user_clear(struct ledger_user *u)
{
    free(u->email);
    free(u->password);
    memset(u, 0, sizeof(*u));
}

int ledger_insert_user(struct ledger *l, const struct ledger_new_user *u, const char *id,
                       struct ct_err *err)
{
    int64_t n = sql_one(l->db, err, "SELECT count(*) FROM users WHERE email = ?", "s", u->email);
    int rc;

    if (n < 0)
        return -1;
    if (n > 0)
        return ledger_fail(err, ERR_CONFLICT, "email_taken",
                           "There is an account with this e-mail already.");
    if (email_check_new(u->email, NULL) != 0)
        return ledger_fail(err, ERR_REFUSED, "invalid_email",
                           "No account is made with such an e-mail address.");
    if ((rc = ledger_was_removed(l, NULL, NULL, u->email, err)) != 0)
        return rc < 0 ? -1 : ledger_refuse_removed(err);
    return sql_exec(l->db, err,
                    "INSERT INTO users(id, email, password, email_is_proven, created_ms)"
                    " VALUES (?, ?, ?, ?, ?)",
                    "sssii", id, u->email, u->password, (int64_t)u->email_is_proven, u->now_ms);
}

int ledger_user_add(struct ledger *l, const struct ledger_new_user *u, char ret_id[UUID_SIZE],
                    struct ct_err *err)
{
    char id[UUID_SIZE];

    uuid_random(id);
    if (ledger_begin(l, err) != 0 || ledger_end(l, ledger_insert_user(l, u, id, err), err) != 0)
        return -1;
    memcpy(ret_id, id, UUID_SIZE);
    return 0;
}

static int find(struct ledger *l, const char *sql, const char *key, struct ledger_user *ret,
                struct ct_err *err)
{
    struct sql_rows *st;
    int rc;

    ledger_lock(l);
    rc = sql_query(l->db, err, &st, sql, "s", key);
    if (rc == 0) {
        rc = sql_step(st, err);
        if (rc == 1) {
            ledger_copy(ret->id, sql_text(st, 0), sizeof(ret->id));
            ret->email = str_dup(sql_text(st, 1));
            ret->password = str_dup(sql_text(st, 2));
            ret->generation = sql_int64(st, 3);
            ret->created_ms = sql_int64(st, 4);
            ret->is_disabled = sql_int64(st, 5) != 0;
            ret->signed_in_ms = sql_int64(st, 6);
            rc = 0;
        } else if (rc == 0) {
            rc = ledger_fail(err, ERR_GONE, "not_found", "There is no such account.");
        }
        sql_done(st);
    }
    ledger_unlock(l);
    return rc;
}

#define USER \
    "SELECT id, email, password, generation, created_ms, disabled_ms, signed_in_ms" \
    " FROM users "

int ledger_user_by_email(struct ledger *l, const char *email, struct ledger_user *ret,
                         struct ct_err *err)
{
    return find(l, USER "WHERE email = ?", email, ret, err);
}

int ledger_user_by_id(struct ledger *l, const char *id, struct ledger_user *ret, struct ct_err *err)
{
    return find(l, USER "WHERE id = ?", id, ret, err);
}

static int set_password(struct ledger *l, const char *email, const char *hash, struct ct_err *err)
{
    if (sql_exec(l->db, err,
                 "UPDATE users SET password = ?, generation = generation + 1 WHERE email = ?", "ss",
                 hash, email) != 0)
        return -1;
    if (sql_changes(l->db) == 0)
        return ledger_fail(err, ERR_GONE, "not_found", "There is no such account.");
    return 0;
}

int ledger_user_passwd(struct ledger *l, const char *email, const char *hash, struct ct_err *err)
{
    if (ledger_begin(l, err) != 0)
        return -1;
    return ledger_end(l, set_password(l, email, hash, err), err);
}

/* Run ${sql}, which changes the user with this e-mail, ?1; ${ms} is ?2. */
static int change(struct ledger *l, const char *sql, const char *email, int64_t ms,
                  struct ct_err *err)
{
    if (sql_exec(l->db, err, sql, "si", email, ms) != 0)
        return -1;
    if (sql_changes(l->db) == 0)
        return ledger_fail(err, ERR_GONE, "not_found", "There is no such account.");
    return 0;
}

int ledger_user_disable(struct ledger *l, const char *email, int64_t now_ms, struct ct_err *err)
{
    if (ledger_begin(l, err) != 0)
        return -1;
    return ledger_end(
        l, change(l, "UPDATE users SET disabled_ms = ?2 WHERE email = ?1", email, now_ms, err),
        err);
}

static int end_tokens(struct ledger *l, const char *email, struct ct_err *err)
{
    if (change(l, "UPDATE users SET generation = generation + ?2 WHERE email = ?1", email, 1,
               err) != 0)
        return -1;
    return sql_exec(l->db, err,
                    "DELETE FROM tokens WHERE user_id = (SELECT id FROM users WHERE email = ?)",
                    "s", email);
}

int ledger_user_revoke(struct ledger *l, const char *email, struct ct_err *err)
{
    if (ledger_begin(l, err) != 0)
        return -1;
    return ledger_end(l, end_tokens(l, email, err), err);
}

static int end_others(struct ledger *l, const char *id, const char *token_id, struct ct_err *err)
{
    if (sql_exec(l->db, err, "UPDATE users SET generation = generation + 1 WHERE id = ?", "s",
                 id) != 0)
        return -1;
    return sql_exec(l->db, err, "DELETE FROM tokens WHERE user_id = ? AND id <> ?", "ss", id,
                    token_id);
}

int ledger_user_revoke_others(struct ledger *l, const char *id, const char *token_id,
                              struct ct_err *err)
{
    if (ledger_begin(l, err) != 0)
        return -1;
    return ledger_end(l, end_others(l, id, token_id, err), err);
}

int64_t ledger_signed_in_since(const struct ledger *l, int64_t now_ms)
{
    int64_t max_ms = atomic_load(&l->max_signed_in_ms);

    return max_ms > 0 ? now_ms - max_ms : -1;
}

int ledger_user_is_there(struct ledger *l, const char *id)
{
    int64_t n;

    ledger_lock(l);
    n = sql_one(l->db, NULL, "SELECT count(*) FROM users WHERE id = ?", "s", id);
    ledger_unlock(l);
    return (int)n;
}

static int restore(struct ledger *l, const char *id, const struct ledger_new_user *u,
                   struct ct_err *err)
{
    int64_t n = sql_one(l->db, err, "SELECT count(*) FROM users WHERE id = ?", "s", id);

    if (n < 0)
        return -1;
    if (n > 0)
        return ledger_fail(err, ERR_CONFLICT, "id_taken",
                           "There is an account with this id already.");
    /* Whose it was does not come back to it. */
    if (sql_exec(l->db, err, "DELETE FROM former WHERE user_id = ?", "s", id) != 0)
        return -1;
    return ledger_insert_user(l, u, id, err);
}

int ledger_user_restore(struct ledger *l, const char *id, const struct ledger_new_user *u,
                        struct ct_err *err)
{
    if (ledger_begin(l, err) != 0)
        return -1;
    return ledger_end(l, restore(l, id, u, err), err);
}

int ledger_user_is_active(struct ledger *l, const char *id)
{
    int64_t n;

    ledger_lock(l);
    n = sql_one(l->db, NULL, "SELECT count(*) FROM users WHERE id = ? AND disabled_ms = 0", "s",
                id);
    ledger_unlock(l);
    return (int)n;
}

int ledger_user_usage(struct ledger *l, const char *id,
                      void (*each)(void *arg, const char *state, int64_t n, int64_t bytes),
                      void *arg, struct ct_err *err)
{
    struct sql_rows *st;
    int rc;

    ledger_lock(l);
    rc = sql_query(l->db, err, &st,
                   "SELECT state, n, bytes FROM usage WHERE user_id = ? ORDER BY state", "s", id);
    if (rc == 0) {
        while ((rc = sql_step(st, err)) == 1)
            each(arg, sql_text(st, 0), sql_int64(st, 1), sql_int64(st, 2));
        sql_done(st);
    }
    ledger_unlock(l);
    return rc;
}

int ledger_forget_former(struct ledger *l, int64_t now_ms, struct ct_err *err)
{
    return sql_exec(l->db, err, "DELETE FROM former WHERE until_ms <= ?", "i", now_ms);
}

/* Who came by way of another site can come back alone: what waits counts for them, and is theirs.
 * Whose the id was before, if an operator gave it away, has no part in it. */
static int remember_former(struct ledger *l, const char *email, int64_t now_ms, int64_t purge_ms,
                           struct ct_err *err)
{
    struct ledger_hash h;

    if (ledger_forget_former(l, now_ms, err) != 0 || ledger_hash_email(l, email, &h, err) != 0 ||
        sql_exec(l->db, err,
                 "DELETE FROM former WHERE user_id = (SELECT id FROM users WHERE email = ?)", "s",
                 email) != 0)
        return -1;
    return sql_exec(l->db, err,
                    "INSERT OR REPLACE INTO former(issuer, subject, user_id, until_ms, email_hash)"
                    " SELECT i.issuer, i.subject, i.user_id, ?1, ?4 FROM identities i JOIN users u"
                    " ON u.id = i.user_id WHERE u.email = ?2 AND ?1 > ?3",
                    "isis", purge_ms, email, now_ms, h.hex);
}

/* What they shared is nobody's to bring back. */
static int end_shares_of(struct ledger *l, const char *email, int64_t now_ms, struct ct_err *err)
{
    char id[UUID_SIZE];
    struct sql_rows *st;
    int rc;

    if (sql_query(l->db, err, &st, "SELECT id FROM users WHERE email = ?", "s", email) != 0)
        return -1;
    rc = sql_step(st, err);
    if (rc == 1)
        ledger_copy(id, sql_text(st, 0), sizeof(id));
    sql_done(st);
    return rc == 1 ? ledger_end_shares(l, id, NULL, now_ms, err) : rc;
}

/* A reservation goes no sooner than its URL, by which an object can still come. */
int ledger_remove_user(struct ledger *l, const char *email, int64_t now_ms, int64_t purge_ms,
                       int may_return, struct ct_err *err)
{
    if ((may_return && remember_former(l, email, now_ms, purge_ms, err) != 0) ||
        end_shares_of(l, email, now_ms, err) != 0 ||
        sql_exec(
            l->db, err,
            "UPDATE versions SET state = 'trash', is_head = 0, why = '" LEDGER_DELETED "',"
            " left_ms = ?1, purge_ms = CASE WHEN state = 'reserved' AND created_ms > ?1 - ?4"
            " THEN max(?2, created_ms + ?4) ELSE ?2 END WHERE state NOT IN ('purging', 'dropped')"
            " AND user_id = (SELECT id FROM users WHERE email = ?3)",
            "iisi", now_ms, purge_ms, email, (int64_t)LEDGER_DROPPED_MS) != 0 ||
        sql_exec(l->db, err, "DELETE FROM users WHERE email = ?", "s", email) != 0)
        return -1;
    if (sql_changes(l->db) == 0)
        return ledger_fail(err, ERR_GONE, "not_found", "There is no such account.");
    return 0;
}

int ledger_user_delete(struct ledger *l, const char *email, int64_t now_ms, int64_t purge_ms,
                       struct ct_err *err)
{
    if (ledger_begin(l, err) != 0)
        return -1;
    return ledger_end(l, ledger_remove_user(l, email, now_ms, purge_ms, 1, err), err);
}

int ledger_users(struct ledger *l,
                 void (*each)(void *arg, const char *email, int64_t created_ms, int64_t sessions,
                              int64_t bytes),
                 void *arg, struct ct_err *err)
{
    struct sql_rows *st;
    int rc;

    ledger_lock(l);
    rc = sql_query(l->db, err, &st,
                   "SELECT email, created_ms,"
                   " (SELECT count(*) FROM sessions s WHERE s.user_id = u.id"
                   "  AND s.current_version > 0),"
                   " (SELECT coalesce(sum(bytes), 0) FROM usage"
                   "  WHERE user_id = u.id AND state = 'confirmed')"
                   " FROM users u ORDER BY email",
                   "");
    if (rc == 0) {
        while ((rc = sql_step(st, err)) == 1)
            each(arg, sql_text(st, 0), sql_int64(st, 1), sql_int64(st, 2), sql_int64(st, 3));
        sql_done(st);
    }
    ledger_unlock(l);
    return rc;
}

static int totals(struct ledger *l, struct ledger_totals *t,
                  void (*each)(void *arg, const char *state, int64_t n, int64_t bytes), void *arg,
                  struct ct_err *err)
{
    struct sql_rows *st;
    int rc;

    t->users = sql_one(l->db, err, "SELECT count(*) FROM users", "");
    t->disabled = sql_one(l->db, err, "SELECT count(*) FROM users WHERE disabled_ms > 0", "");
    t->sessions =
        sql_one(l->db, err, "SELECT count(*) FROM sessions WHERE current_version > 0", "");
    t->due_ms =
        sql_one(l->db, err, "SELECT min(purge_ms) FROM versions WHERE purge_ms IS NOT NULL", "");
    if (t->users < 0 || t->disabled < 0 || t->sessions < 0 || t->due_ms < 0 ||
        sql_query(l->db, err, &st,
                  "SELECT state, sum(n), sum(bytes) FROM usage GROUP BY state ORDER BY state",
                  "") != 0)
        return -1;
    while ((rc = sql_step(st, err)) == 1)
        each(arg, sql_text(st, 0), sql_int64(st, 1), sql_int64(st, 2));
    sql_done(st);
    return rc;
}

int ledger_totals(struct ledger *l, struct ledger_totals *ret,
                  void (*each)(void *arg, const char *state, int64_t n, int64_t bytes), void *arg,
                  struct ct_err *err)
{
    struct ledger_totals t = {0};
    int rc;

    ledger_lock(l);
    rc = totals(l, &t, each, arg, err);
    ledger_unlock(l);
    if (rc == 0)
        *ret = t;
    return rc;
}

#include <string.h>

#include "server/ledger/ledger_impl.h"

#define MAX_PENDING 10000 /* together: each is a row that anybody can make */

static int begin_signin(struct ledger *l, const char *sha256, const struct ledger_signin *s,
                        int64_t now_ms, struct ct_err *err)
{
    int64_t n;

    if (sql_exec(l->db, err, "DELETE FROM signins WHERE expires_ms <= ?", "i", now_ms) != 0)
        return -1;
    n = sql_one(l->db, err, "SELECT count(*) FROM signins", "");
    if (n < 0)
        return -1;
    if (n >= MAX_PENDING)
        return err_set(err, ERR_CONFLICT, "too many sign-ins are under way");
    return sql_exec(l->db, err,
                    "INSERT INTO signins(sha256, port, client_state, expires_ms)"
                    " VALUES (?, ?, ?, ?)",
                    "sisi", sha256, (int64_t)s->port, s->client_state, now_ms + LEDGER_SIGNIN_MS);
}

int ledger_signin_begin(struct ledger *l, const char *sha256, const struct ledger_signin *s,
                        int64_t now_ms, struct ct_err *err)
{
    if (ledger_begin(l, err) != 0)
        return -1;
    return ledger_end(l, begin_signin(l, sha256, s, now_ms, err), err);
}

static int take_signin(struct ledger *l, const char *sha256, int64_t now_ms,
                       struct ledger_signin *ret, struct ct_err *err)
{
    struct sql_rows *rows;
    int rc;

    if (sql_query(l->db, err, &rows,
                  "SELECT port, client_state FROM signins WHERE sha256 = ? AND expires_ms > ?",
                  "si", sha256, now_ms) != 0)
        return -1;
    rc = sql_step(rows, err);
    if (rc == 1) {
        ret->port = (int)sql_int64(rows, 0);
        ledger_copy(ret->client_state, sql_text(rows, 1), sizeof(ret->client_state));
    }
    sql_done(rows);
    if (rc < 0)
        return -1;
    if (rc == 0)
        return ledger_fail(err, ERR_GONE, "not_found", "This sign-in is unknown, over or too old.");
    return sql_exec(l->db, err, "DELETE FROM signins WHERE sha256 = ?", "s", sha256);
}

int ledger_signin_take(struct ledger *l, const char *sha256, int64_t now_ms,
                       struct ledger_signin *ret, struct ct_err *err)
{
    struct ledger_signin s = {0};

    if (ledger_begin(l, err) != 0 ||
        ledger_end(l, take_signin(l, sha256, now_ms, &s, err), err) != 0)
        return -1;
    *ret = s;
    return 0;
}

/* An id and a flag of one row: 1, or 0 if there is none.  ${b} may be NULL: one argument. */
static int find_id(struct ledger *l, char ret[UUID_SIZE], int *ret_is_proven, struct ct_err *err,
                   const char *sql, const char *a, const char *b)
{
    struct sql_rows *rows;
    int rc;

    if (sql_query(l->db, err, &rows, sql, b != NULL ? "ss" : "s", a, b) != 0)
        return -1;
    rc = sql_step(rows, err);
    if (rc == 1) {
        ledger_copy(ret, sql_text(rows, 0), UUID_SIZE);
        *ret_is_proven = sql_int64(rows, 1) != 0;
    }
    sql_done(rows);
    return rc;
}

/*
 * Whoever registered with a password never showed that the address is theirs; who comes through the
 * issuer has.  So what the former set up ends here: else they would read along in the account of
 * somebody whose address they once typed in.
 */
static int take_over(struct ledger *l, const char *user_id, struct ct_err *err)
{
    if (sql_exec(l->db, err,
                 "UPDATE users SET password = '', generation = generation + 1, email_is_proven = 1"
                 " WHERE id = ?",
                 "s", user_id) != 0)
        return -1;
    return sql_exec(l->db, err, "DELETE FROM tokens WHERE user_id = ?", "s", user_id);
}

/* By e-mail: an account that is there, or a new one. */
static int link_user(struct ledger *l, const struct ledger_identity *i, int64_t now_ms,
                     char id[UUID_SIZE], struct ct_err *err)
{
    struct ledger_new_user u = {i->email, "", 1, now_ms};
    int is_proven = 0, rc;
    int64_t n;

    rc = find_id(l, id, &is_proven, err, "SELECT id, email_is_proven FROM users WHERE email = ?",
                 i->email, NULL);
    if (rc < 0)
        return -1;
    if (rc == 0 && !i->may_create)
        return ledger_fail(err, ERR_REFUSED, "registration_closed",
                           "There is no account with this e-mail, and this server does not take "
                           "registrations.");
    if (rc == 0) {
        uuid_random(id);
        return ledger_insert_user(l, &u, id, err);
    }
    n = sql_one(l->db, err, "SELECT count(*) FROM identities WHERE user_id = ? AND issuer = ?",
                "ss", id, i->issuer);
    if (n < 0)
        return -1;
    if (n > 0)
        return ledger_fail(err, ERR_REFUSED, "email_in_use",
                           "The account with this e-mail belongs to another sign-in.");
    return is_proven ? 0 : take_over(l, id, err);
}

static int log_in(struct ledger *l, const struct ledger_identity *i, int64_t now_ms,
                  char id[UUID_SIZE], struct ct_err *err)
{
    int is_proven = 0, rc;

    rc = find_id(l, id, &is_proven, err,
                 "SELECT user_id, 1 FROM identities WHERE issuer = ? AND subject = ?", i->issuer,
                 i->subject);
    if (rc != 0)
        return rc < 0 ? -1 : 0;
    if (i->email == NULL)
        return ledger_fail(err, ERR_REFUSED, "email_not_verified",
                           "A verified e-mail address is needed.");
    if (link_user(l, i, now_ms, id, err) != 0)
        return -1;
    return sql_exec(l->db, err,
                    "INSERT INTO identities(issuer, subject, user_id, created_ms)"
                    " VALUES (?, ?, ?, ?)",
                    "sssi", i->issuer, i->subject, id, now_ms);
}

static int is_enabled(struct ledger *l, const char *id, struct ct_err *err)
{
    int64_t n = sql_one(l->db, err, "SELECT disabled_ms > 0 FROM users WHERE id = ?", "s", id);

    if (n < 0)
        return -1;
    return n == 0 ? 0
                  : ledger_fail(err, ERR_REFUSED, "account_disabled",
                                "This account is disabled; ask whoever runs the server.");
}

int ledger_identity_login(struct ledger *l, const struct ledger_identity *i, int64_t now_ms,
                          char ret_id[UUID_SIZE], struct ct_err *err)
{
    char id[UUID_SIZE];

    if (ledger_begin(l, err) != 0 ||
        ledger_end(l, log_in(l, i, now_ms, id, err) != 0 ? -1 : is_enabled(l, id, err), err) != 0)
        return -1;
    memcpy(ret_id, id, UUID_SIZE);
    return 0;
}

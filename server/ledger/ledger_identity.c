#include <string.h>

#include "server/ledger/ledger_impl.h"

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

#define SET_ASIDE \
    "UPDATE versions SET state = 'trash', is_head = 0, why = '" LEDGER_UNPROVEN "', left_ms = ?2," \
    " purge_ms = ?2 + ?3 WHERE user_id = ?1 AND state IN ('confirmed', 'reserved')"

/* All sessions of a user go into the trash, from which they can be brought back. */
static int set_sessions_aside(struct ledger *l, const char *user_id, int64_t now_ms,
                              struct ct_err *err)
{
    if (sql_exec(l->db, err, SET_ASIDE, "sii", user_id, now_ms, (int64_t)LEDGER_TRASH_MS) != 0 ||
        sql_exec(l->db, err, "UPDATE users SET changes = max(changes + 1, ?2) WHERE id = ?1", "si",
                 user_id, now_ms) != 0)
        return -1;
    return sql_exec(l->db, err,
                    "UPDATE sessions SET current_version = 0, updated_ms = ?2, deleted_ms = ?2,"
                    " deleted_by = NULL, changed = (SELECT changes FROM users WHERE id = ?1)"
                    " WHERE user_id = ?1 AND current_version > 0",
                    "si", user_id, now_ms);
}

/*
 * Whoever registered with a password never showed that the address is theirs; who comes through the
 * issuer has.  So what the former set up ends here: else they would read along in the account of
 * somebody whose address they once typed in, and what they planted there would come home to that
 * person's machines as their own.
 */
static int take_over(struct ledger *l, const char *user_id, int64_t now_ms, struct ct_err *err)
{
    if (sql_exec(l->db, err,
                 "UPDATE users SET password = '', generation = generation + 1, email_is_proven = 1"
                 " WHERE id = ?",
                 "s", user_id) != 0 ||
        sql_exec(l->db, err, "DELETE FROM tokens WHERE user_id = ?", "s", user_id) != 0 ||
        sql_exec(l->db, err, "DELETE FROM identities WHERE user_id = ?", "s", user_id) != 0 ||
        set_sessions_aside(l, user_id, now_ms, err) != 0 ||
        ledger_end_shares(l, user_id, NULL, now_ms, err) != 0)
        return -1;
    return sql_exec(l->db, err, "DELETE FROM devices WHERE user_id = ?", "s", user_id);
}

int ledger_user_comes_from(struct ledger *l, const char *user_id, const char *issuer)
{
    int64_t n;

    ledger_lock(l);
    n = sql_one(l->db, NULL, "SELECT count(*) FROM identities WHERE user_id = ? AND issuer = ?",
                "ss", user_id, issuer);
    ledger_unlock(l);
    return n > 0;
}

int ledger_user_set_aside(struct ledger *l, const char *user_id, int64_t *ret_sessions,
                          struct ct_err *err)
{
    ledger_lock(l);
    *ret_sessions = sql_one(l->db, err,
                            "SELECT count(DISTINCT session_id) FROM versions WHERE user_id = ?"
                            " AND state = 'trash' AND why = '" LEDGER_UNPROVEN "'"
                            " AND confirmed_ms > 0",
                            "s", user_id);
    ledger_unlock(l);
    return *ret_sessions < 0 ? -1 : 0;
}

/*
 * A new account, or, within the time that what a deleted one left waits, that one: empty, and with
 * the trash that it had.  Its sessions count on from the versions that lie there.
 */
static int make_user(struct ledger *l, const struct ledger_identity *i, int64_t now_ms,
                     char id[UUID_SIZE], enum ledger_arrival *ret_arrival, struct ct_err *err)
{
    const struct ledger_new_user u = {i->email, "", i->proves_email, now_ms};
    int is_there = 0, rc;

    if (ledger_forget_former(l, now_ms, err) != 0)
        return -1;
    rc = find_id(l, id, &is_there, err,
                 "SELECT f.user_id, u.id IS NOT NULL FROM former f LEFT JOIN users u"
                 " ON u.id = f.user_id WHERE f.issuer = ? AND f.subject = ?",
                 i->issuer, i->subject);
    if (rc < 0)
        return -1;
    *ret_arrival = rc == 0 || is_there ? LEDGER_NEW : LEDGER_BACK;
    if (*ret_arrival == LEDGER_NEW) {
        uuid_random(id);
        return ledger_insert_user(l, &u, id, err);
    }
    if (ledger_insert_user(l, &u, id, err) != 0 ||
        /* No log-in of before counts: theirs had lower generations. */
        sql_exec(l->db, err, "UPDATE users SET generation = ? WHERE id = ?", "is", now_ms, id) !=
            0 ||
        sql_exec(l->db, err, "DELETE FROM former WHERE user_id = ?", "s", id) != 0)
        return -1;
    return sql_exec(l->db, err,
                    "INSERT INTO sessions(id, user_id, session_id, last_version, updated_ms)"
                    " SELECT lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' ||"
                    " substr(hex(randomblob(2)), 2) || '-8' || substr(hex(randomblob(2)), 2) ||"
                    " '-' || hex(randomblob(6))), user_id, session_id, max(version), ?2"
                    " FROM versions WHERE user_id = ?1 GROUP BY session_id",
                    "si", id, now_ms);
}

/* Does an account of theirs wait that they deleted? */
static int has_former(struct ledger *l, const struct ledger_identity *i, int64_t now_ms,
                      struct ct_err *err)
{
    int64_t n = sql_one(l->db, err,
                        "SELECT count(*) FROM former f WHERE issuer = ? AND subject = ?"
                        " AND until_ms > ? AND NOT EXISTS"
                        " (SELECT 1 FROM users WHERE id = f.user_id)",
                        "ssi", i->issuer, i->subject, now_ms);

    return n < 0 ? -1 : n > 0;
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

/* Whoever registered with somebody else's address goes; unless something was saved there, which may
 * be their own, and would be in nobody's trash. */
static int give_way(struct ledger *l, const char *id, const char *email, int64_t now_ms,
                    struct ct_err *err)
{
    int64_t n =
        sql_one(l->db, err, "SELECT EXISTS (SELECT 1 FROM versions WHERE user_id = ?)", "s", id);
    const struct ledger_event e = {.at_ms = now_ms,
                                   .event = "account-deleted",
                                   .user_id = id,
                                   .client = "server",
                                   .detail = "objects=in 30 days, the address was not theirs",
                                   .email = email};

    if (n < 0)
        return -1;
    if (n > 0)
        return ledger_fail(err, ERR_REFUSED, "email_in_use",
                           "Somebody registered with this e-mail since you deleted your account, "
                           "and saved something: if that was you, log in with the password and "
                           "delete that account first; else ask whoever runs the server.");
    if (ledger_remove_user(l, email, now_ms, now_ms + LEDGER_TRASH_MS, 0, err) != 0)
        return -1;
    return ledger_audit_add(l, &e, err);
}

/* By e-mail: an account that is there, or a new one. */
static int link_user(struct ledger *l, const struct ledger_identity *i, int64_t now_ms,
                     char id[UUID_SIZE], enum ledger_arrival *ret_arrival, struct ct_err *err)
{
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
    if (rc == 0)
        return make_user(l, i, now_ms, id, ret_arrival, err);
    n = sql_one(l->db, err, "SELECT count(*) FROM identities WHERE user_id = ? AND issuer = ?",
                "ss", id, i->issuer);
    if (n < 0)
        return -1;
    if (n > 0 || !i->proves_email)
        return ledger_fail(err, ERR_REFUSED, "email_in_use",
                           "The account with this e-mail belongs to another sign-in.");
    if (is_proven)
        return 0;
    /* No way around the operator's word. */
    if (is_enabled(l, id, err) != 0)
        return -1;
    /* Else whoever registers a freed address would keep its owner from what waits for them. */
    if (i->may_create && (rc = has_former(l, i, now_ms, err)) != 0)
        return rc < 0 || give_way(l, id, i->email, now_ms, err) != 0
                   ? -1
                   : make_user(l, i, now_ms, id, ret_arrival, err);
    *ret_arrival = LEDGER_TOOK_OVER;
    return take_over(l, id, now_ms, err);
}

static int log_in(struct ledger *l, const struct ledger_identity *i, int64_t now_ms,
                  char id[UUID_SIZE], enum ledger_arrival *ret_arrival, struct ct_err *err)
{
    int is_proven = 0, rc;

    *ret_arrival = LEDGER_KNOWN;
    if ((rc = ledger_was_removed(l, i->issuer, i->subject, NULL, err)) != 0)
        return rc < 0 ? -1 : ledger_refuse_removed(err);
    rc = find_id(l, id, &is_proven, err,
                 "SELECT user_id, 1 FROM identities WHERE issuer = ? AND subject = ?", i->issuer,
                 i->subject);
    if (rc != 0)
        return rc < 0 ? -1 : 0;
    if (i->email == NULL)
        return ledger_fail(err, ERR_REFUSED, "email_not_verified",
                           "A verified e-mail address is needed.");
    if (link_user(l, i, now_ms, id, ret_arrival, err) != 0)
        return -1;
    return sql_exec(l->db, err,
                    "INSERT INTO identities(issuer, subject, user_id, created_ms)"
                    " VALUES (?, ?, ?, ?)",
                    "sssi", i->issuer, i->subject, id, now_ms);
}

static int come_in(struct ledger *l, const struct ledger_identity *i, int64_t now_ms,
                   char id[UUID_SIZE], enum ledger_arrival *ret_arrival, struct ct_err *err)
{
    if (log_in(l, i, now_ms, id, ret_arrival, err) != 0 || is_enabled(l, id, err) != 0)
        return -1;
    return sql_exec(l->db, err, "UPDATE users SET signed_in_ms = ? WHERE id = ?", "is", now_ms, id);
}

int ledger_identity_login(struct ledger *l, const struct ledger_identity *i, int64_t now_ms,
                          char ret_id[UUID_SIZE], enum ledger_arrival *ret_arrival,
                          struct ct_err *err)
{
    enum ledger_arrival arrival;
    char id[UUID_SIZE];

    if (ledger_begin(l, err) != 0 ||
        ledger_end(l, come_in(l, i, now_ms, id, &arrival, err), err) != 0)
        return -1;
    *ret_arrival = arrival;
    memcpy(ret_id, id, UUID_SIZE);
    return 0;
}

int ledger_identities(struct ledger *l, const char *issuer,
                      void (*each)(void *arg, const char *user_id, const char *subject,
                                   const char *email),
                      void *arg, struct ct_err *err)
{
    struct sql_rows *rows;
    int rc;

    ledger_lock(l);
    rc = sql_query(l->db, err, &rows,
                   "SELECT i.user_id, i.subject, u.email FROM identities i JOIN users u"
                   " ON u.id = i.user_id AND u.disabled_ms = 0 WHERE i.issuer = ?",
                   "s", issuer);
    if (rc == 0) {
        while ((rc = sql_step(rows, err)) == 1)
            each(arg, sql_text(rows, 0), sql_text(rows, 1), sql_text(rows, 2));
        sql_done(rows);
    }
    ledger_unlock(l);
    return rc;
}

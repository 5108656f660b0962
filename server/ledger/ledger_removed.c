#include <string.h>

#include "common/base/map.h"
#include "common/base/strlist.h"

#include "server/ledger/ledger_impl.h"

/*
 * What an operator removes stays away: neither the e-mail nor a sign-in of the person makes an
 * account again, also where everybody may register.  Of the e-mail there is a hash, so that the
 * table does not say whom it is about.
 */

int ledger_hash_email(struct ledger *l, const char *email, struct ledger_hash *ret,
                      struct ct_err *err)
{
    unsigned char mac[HASH_SHA256_BYTES];
    struct sql_rows *rows;
    int rc;

    if (sql_query(l->db, err, &rows, "SELECT value FROM salt WHERE id = 1", "") != 0)
        return -1;
    rc = sql_step(rows, err);
    if (rc == 1) {
        const char *salt = sql_text(rows, 0);
        hash_hmac_sha256(salt, strlen(salt), email, strlen(email), mac);
        hash_hex(mac, sizeof(mac), ret->hex);
    } else if (rc == 0) {
        rc = err_set(err, ERR_CORRUPT, "the database has lost its salt");
    }
    sql_done(rows);
    return rc == 1 ? 0 : -1;
}

int ledger_was_removed(struct ledger *l, const char *issuer, const char *subject, const char *email,
                       struct ct_err *err)
{
    struct ledger_hash h;
    int64_t n;

    if (email == NULL) {
        n = sql_one(l->db, err,
                    "SELECT EXISTS (SELECT 1 FROM removed WHERE issuer = ? AND subject = ?)", "ss",
                    issuer, subject);
    } else {
        if (ledger_hash_email(l, email, &h, err) != 0)
            return -1;
        n = sql_one(l->db, err,
                    "SELECT EXISTS (SELECT 1 FROM removed WHERE email_hash = ? AND issuer = '')",
                    "s", h.hex);
    }
    return n < 0 ? -1 : n > 0;
}

int ledger_refuse_removed(struct ct_err *err)
{
    return ledger_fail(err, ERR_REFUSED, "account_removed",
                       "Whoever runs this server has removed this account; ask them.");
}

static int note(struct ledger *l, const char *email, int64_t now_ms, struct ct_err *err)
{
    struct ledger_hash h;

    if (ledger_hash_email(l, email, &h, err) != 0)
        return -1;
    return sql_exec(l->db, err,
                    "INSERT OR REPLACE INTO removed(email_hash, issuer, subject, at_ms)"
                    " SELECT ?1, '', '', ?2 UNION ALL SELECT ?1, i.issuer, i.subject, ?2"
                    " FROM identities i JOIN users u ON u.id = i.user_id WHERE u.email = ?3"
                    " UNION ALL SELECT ?1, issuer, subject, ?2 FROM former WHERE email_hash = ?1",
                    "sis", h.hex, now_ms, email);
}

/* What waits is theirs again if the operator lets them back in time. */
static int remove_user(struct ledger *l, const char *email, int64_t now_ms, int64_t purge_ms,
                       int *ret_was_there, struct ct_err *err)
{
    int64_t n = sql_one(l->db, err, "SELECT count(*) FROM users WHERE email = ?", "s", email);

    if (n < 0 || note(l, email, now_ms, err) != 0)
        return -1;
    *ret_was_there = n > 0;
    return n > 0 ? ledger_remove_user(l, email, now_ms, purge_ms, 1, err) : 0;
}

int ledger_user_remove(struct ledger *l, const char *email, int64_t now_ms, int64_t purge_ms,
                       int *ret_was_there, struct ct_err *err)
{
    int was_there = 0;

    if (ledger_begin(l, err) != 0 ||
        ledger_end(l, remove_user(l, email, now_ms, purge_ms, &was_there, err), err) != 0)
        return -1;
    *ret_was_there = was_there;
    return 0;
}

static int allow(struct ledger *l, const char *email, int by_sign_in, struct ct_err *err)
{
    struct ledger_hash h;

    if (ledger_hash_email(l, email, &h, err) != 0 ||
        sql_exec(l->db, err, "DELETE FROM removed WHERE email_hash = ? AND (? OR issuer = '')",
                 "si", h.hex, (int64_t)by_sign_in) != 0)
        return -1;
    if (sql_changes(l->db) == 0)
        return ledger_fail(err, ERR_GONE, "not_found",
                           "No account with this e-mail was removed by user delete.");
    return 0;
}

int ledger_user_allow(struct ledger *l, const char *email, int by_sign_in, struct ct_err *err)
{
    if (ledger_begin(l, err) != 0)
        return -1;
    return ledger_end(l, allow(l, email, by_sign_in, err), err);
}

/* The e-mails that the audit table has. */
static int read_emails(struct ledger *l, struct strlist *ret, struct ct_err *err)
{
    struct sql_rows *st;
    int rc;

    if (sql_query(l->db, err, &st, "SELECT DISTINCT email FROM audit WHERE email IS NOT NULL",
                  "") != 0)
        return -1;
    while ((rc = sql_step(st, err)) == 1)
        strlist_add(ret, sql_text(st, 0));
    sql_done(st);
    return rc;
}

/* They stay the list's; ${ret} has them by their hashes. */
static int hash_emails(struct ledger *l, const struct strlist *emails, struct map *ret,
                       struct ct_err *err)
{
    struct ledger_hash h;

    for (size_t i = 0; i < emails->n; i++) {
        if (ledger_hash_email(l, emails->v[i], &h, err) != 0)
            return -1;
        map_put(ret, h.hex, emails->v[i]);
    }
    return 0;
}

static int removed_each(struct ledger *l, const struct map *emails,
                        void (*each)(void *arg, const struct ledger_removed *removed), void *arg,
                        struct ct_err *err)
{
    struct sql_rows *st;
    int rc;

    if (sql_query(l->db, err, &st,
                  "SELECT at_ms, email_hash, issuer, subject FROM removed"
                  " ORDER BY at_ms, email_hash, issuer, subject",
                  "") != 0)
        return -1;
    while ((rc = sql_step(st, err)) == 1) {
        const struct ledger_removed removed = {
            .at_ms = sql_int64(st, 0),
            .email = map_get(emails, sql_text(st, 1)),
            .email_hash = sql_text(st, 1),
            .issuer = sql_text(st, 2),
            .subject = sql_text(st, 3),
        };
        each(arg, &removed);
    }
    sql_done(st);
    return rc;
}

int ledger_removed_each(struct ledger *l,
                        void (*each)(void *arg, const struct ledger_removed *removed), void *arg,
                        struct ct_err *err)
{
    struct map *by_hash = map_new();
    struct strlist emails = {0};
    int rc;

    ledger_lock(l);
    rc = read_emails(l, &emails, err);
    if (rc == 0)
        rc = hash_emails(l, &emails, by_hash, err);
    if (rc == 0)
        rc = removed_each(l, by_hash, each, arg, err);
    ledger_unlock(l);
    map_free(by_hash);
    strlist_free(&emails);
    return rc;
}

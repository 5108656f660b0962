#include <string.h>

#include "server/ledger/ledger_impl.h"

int ledger_invite_add(struct ledger *l, const char *sha256, int64_t now_ms, int64_t expires_ms,
                      struct ct_err *err)
{
    int rc;

    if (ledger_begin(l, err) != 0)
        return -1;
    rc = sql_exec(l->db, err, "DELETE FROM invites WHERE expires_ms <= ?", "i", now_ms);
    if (rc == 0)
        rc = sql_exec(l->db, err,
                      "INSERT INTO invites(sha256, created_ms, expires_ms) VALUES (?, ?, ?)", "sii",
                      sha256, now_ms, expires_ms);
    return ledger_end(l, rc, err);
}

static int is_good(struct ledger *l, const char *sha256, int64_t now_ms, struct ct_err *err)
{
    int64_t n =
        sql_one(l->db, err, "SELECT count(*) FROM invites WHERE sha256 = ? AND expires_ms > ?",
                "si", sha256, now_ms);

    if (n < 0)
        return -1;
    if (n == 0)
        return ledger_fail(err, ERR_REFUSED, "invite_invalid",
                           "This invitation is unknown, used up or expired; ask for a new one.");
    return 0;
}

int ledger_invite_check(struct ledger *l, const char *sha256, int64_t now_ms, struct ct_err *err)
{
    int rc;

    ledger_lock(l);
    rc = is_good(l, sha256, now_ms, err);
    ledger_unlock(l);
    return rc;
}

static int redeem(struct ledger *l, const char *sha256, const struct ledger_new_user *u,
                  const char *id, struct ct_err *err)
{
    if (is_good(l, sha256, u->now_ms, err) != 0 ||
        sql_exec(l->db, err, "DELETE FROM invites WHERE sha256 = ?", "s", sha256) != 0)
        return -1;
    return ledger_insert_user(l, u, id, err);
}

int ledger_invite_redeem(struct ledger *l, const char *sha256, const struct ledger_new_user *u,
                         char ret_id[UUID_SIZE], struct ct_err *err)
{
    char id[UUID_SIZE];

    uuid_random(id);
    if (ledger_begin(l, err) != 0 || ledger_end(l, redeem(l, sha256, u, id, err), err) != 0)
        return -1;
    memcpy(ret_id, id, UUID_SIZE);
    return 0;
}

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/now.h"
#include "common/data/jdoc.h"
#include "common/base/str.h"

#include "server/ledger/ledger_impl.h"
#include "server/ledger/sql_sqlite.h"

/* versions.state: reserved -> confirmed -> dropped (rotated, amended) or trash -> purging. */
static const char *const steps[] = {
    "CREATE TABLE users("
    " id TEXT PRIMARY KEY,"
    " email TEXT NOT NULL UNIQUE,"
    " password TEXT NOT NULL,"
    " generation INTEGER NOT NULL DEFAULT 1,"
    " created_ms INTEGER NOT NULL);"

    "CREATE TABLE tokens("
    " id TEXT PRIMARY KEY,"
    " user_id TEXT NOT NULL REFERENCES users(id) ON DELETE CASCADE,"
    " name TEXT NOT NULL,"
    " sha256 TEXT NOT NULL UNIQUE,"
    " last4 TEXT NOT NULL,"
    " created_ms INTEGER NOT NULL,"
    " last_used_ms INTEGER NOT NULL DEFAULT 0,"
    " expires_ms INTEGER NOT NULL DEFAULT 0);"
    "CREATE INDEX tokens_by_user ON tokens(user_id);"

    /* source: 'token:<id>', or 'name:<machine>' for uploads with a log-in. */
    "CREATE TABLE devices("
    " id TEXT PRIMARY KEY,"
    " user_id TEXT NOT NULL REFERENCES users(id) ON DELETE CASCADE,"
    " source TEXT NOT NULL,"
    " name TEXT NOT NULL,"
    " first_seen_ms INTEGER NOT NULL,"
    " last_seen_ms INTEGER NOT NULL,"
    " UNIQUE(user_id, source));"

    "CREATE TABLE sessions("
    " id TEXT PRIMARY KEY,"
    " user_id TEXT NOT NULL REFERENCES users(id) ON DELETE CASCADE,"
    " session_id TEXT NOT NULL,"
    " last_version INTEGER NOT NULL DEFAULT 0,"
    " current_version INTEGER NOT NULL DEFAULT 0,"
    " version_count INTEGER NOT NULL DEFAULT 0,"
    " updated_ms INTEGER NOT NULL,"
    " deleted_ms INTEGER NOT NULL DEFAULT 0,"
    " UNIQUE(user_id, session_id));"
    "CREATE INDEX sessions_by_time ON sessions(user_id, updated_ms DESC, id)"
    " WHERE current_version > 0;"

    /* No reference to users: what a deleted user leaves waits here for its object's end. */
    "CREATE TABLE versions("
    " user_id TEXT NOT NULL,"
    " session_id TEXT NOT NULL,"
    " version INTEGER NOT NULL,"
    " state TEXT NOT NULL,"
    " size_bytes INTEGER NOT NULL,"
    " checksum TEXT NOT NULL,"
    " created_ms INTEGER NOT NULL,"
    " confirmed_ms INTEGER NOT NULL DEFAULT 0,"
    " purge_ms INTEGER,"
    " token_id TEXT NOT NULL,"
    " device_id TEXT REFERENCES devices(id) ON DELETE SET NULL,"
    " base_version INTEGER NOT NULL DEFAULT -1,"
    " amend INTEGER NOT NULL DEFAULT 0,"
    " pinned INTEGER NOT NULL DEFAULT 0,"
    " machine TEXT,"
    " cwd TEXT NOT NULL,"
    " user_dir TEXT NOT NULL,"
    " label TEXT,"
    " agent TEXT NOT NULL,"
    " metadata TEXT,"
    " tags TEXT,"
    " PRIMARY KEY(user_id, session_id, version)) WITHOUT ROWID;"
    "CREATE INDEX versions_to_purge ON versions(purge_ms) WHERE purge_ms IS NOT NULL;"
    "CREATE INDEX versions_by_device ON versions(device_id, session_id);",

    "ALTER TABLE users ADD COLUMN email_is_proven INTEGER NOT NULL DEFAULT 0;"

    "CREATE TABLE invites("
    " sha256 TEXT PRIMARY KEY,"
    " created_ms INTEGER NOT NULL,"
    " expires_ms INTEGER NOT NULL);"

    "CREATE TABLE identities("
    " issuer TEXT NOT NULL,"
    " subject TEXT NOT NULL,"
    " user_id TEXT NOT NULL REFERENCES users(id) ON DELETE CASCADE,"
    " created_ms INTEGER NOT NULL,"
    " PRIMARY KEY(issuer, subject));"
    "CREATE INDEX identities_by_user ON identities(user_id);"

    "CREATE TABLE signins("
    " sha256 TEXT PRIMARY KEY,"
    " port INTEGER NOT NULL,"
    " expires_ms INTEGER NOT NULL);",

    /* In hex, where the client told it. */
    "ALTER TABLE versions ADD COLUMN md5 TEXT;",

    /* For sums over all of a user, which must not read every row. */
    "CREATE INDEX versions_by_user ON versions(user_id, state, size_bytes);",

    "ALTER TABLE signins ADD COLUMN client_state TEXT NOT NULL DEFAULT '';"};

static int set_up(struct sql *db, struct ledger **ret, struct ct_err *err)
{
    struct ledger *l;

    if (sql_migrate(db, steps, (int)(sizeof(steps) / sizeof(steps[0])), "server", err) != 0) {
        sql_close(db);
        return -1;
    }
    l = str_calloc(1, sizeof(*l));
    l->db = db;
    *ret = l;
    return 0;
}

int ledger_open(const char *path, struct ledger **ret, struct ct_err *err)
{
    struct sql *db;

    return sql_sqlite_open(path, &db, err) != 0 ? -1 : set_up(db, ret, err);
}

int ledger_open_at(const struct hrana_place *place, struct ledger **ret, struct ct_err *err)
{
    struct sql *db;

    return hrana_open(place, &db, err) != 0 ? -1 : set_up(db, ret, err);
}

void ledger_close(struct ledger *l)
{
    if (l == NULL)
        return;
    sql_close(l->db);
    free(l);
}

int ledger_ping(struct ledger *l, struct ct_err *err)
{
    int64_t n;

    ledger_lock(l);
    n = sql_one(l->db, err, "SELECT EXISTS(SELECT 1 FROM users)", "");
    ledger_unlock(l);
    return n < 0 ? -1 : 0;
}

int ledger_integrity(struct ledger *l, struct ct_err *err)
{
    struct sql_rows *st;
    int rc = -1;

    ledger_lock(l);
    if (sql_query(l->db, err, &st, "PRAGMA integrity_check(1)", "") == 0) {
        rc = sql_step(st, err);
        if (rc == 1 && strcmp(sql_text(st, 0), "ok") == 0)
            rc = 0;
        else if (rc >= 0)
            rc = err_set(err, ERR_CORRUPT, "the database is damaged: %s", sql_text(st, 0));
        sql_done(st);
    }
    ledger_unlock(l);
    return rc;
}

void ledger_lock(struct ledger *l)
{
    sql_hold(l->db);
}

void ledger_unlock(struct ledger *l)
{
    sql_release(l->db);
}

int ledger_begin(struct ledger *l, struct ct_err *err)
{
    return sql_begin(l->db, err);
}

int ledger_end(struct ledger *l, int rc, struct ct_err *err)
{
    if (rc == 0)
        return sql_commit(l->db, err);
    sql_rollback(l->db);
    return rc;
}

int ledger_fail(struct ct_err *err, enum err_code code, const char *reason, const char *sentence)
{
    err_set(err, code, "%s", sentence);
    if (err != NULL)
        snprintf(err->reason, sizeof(err->reason), "%s", reason);
    return -1;
}

const char *ledger_null(const char *s)
{
    return s != NULL && s[0] != '\0' ? s : NULL;
}

struct json_object *ledger_when(int64_t ms)
{
    char buf[32];

    return ms > 0 ? jdoc_new_str(now_rfc3339(ms, buf)) : NULL;
}

void ledger_copy(char *to, const char *from, size_t size)
{
    snprintf(to, size, "%s", from);
}

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/now.h"
#include "common/data/jdoc.h"
#include "common/base/str.h"

#include "server/ledger/floods.h"
#include "server/ledger/ledger_impl.h"
#include "server/sql/sql_sqlite.h"
#include "server/ledger/uses.h"

static int set_up(struct sql *db, struct ledger **ret, struct ct_err *err)
{
    struct ledger *l;

    if (sql_migrate(db, ledger_schema, ledger_schema_n, "server", err) != 0) {
        sql_close(db);
        return -1;
    }
    l = str_calloc(1, sizeof(*l));
    l->db = db;
    l->uses = uses_new();
    l->floods = floods_new();
    if (pthread_key_create(&l->acting, NULL) != 0)
        abort();
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

static int clock_of(struct ledger *l, int64_t now_ms, int64_t *ret_seen_ms, struct ct_err *err)
{
    *ret_seen_ms = sql_one(l->db, err, "SELECT seen_ms FROM clock WHERE id = 1", "");
    if (*ret_seen_ms < 0)
        return -1;
    return sql_exec(l->db, err, "INSERT OR REPLACE INTO clock(id, seen_ms) VALUES (1, ?)", "i",
                    now_ms);
}

int ledger_clock(struct ledger *l, int64_t now_ms, int64_t *ret_seen_ms, struct ct_err *err)
{
    if (ledger_begin(l, err) != 0)
        return -1;
    return ledger_end(l, clock_of(l, now_ms, ret_seen_ms, err), err);
}

void ledger_hold_purges(struct ledger *l, int hold)
{
    atomic_store(&l->holds_purges, hold);
}

int ledger_purges_are_held(struct ledger *l)
{
    return atomic_load(&l->holds_purges);
}

void ledger_limit_tokens(struct ledger *l, int64_t max_age_ms, int64_t max_signed_in_ms)
{
    atomic_store(&l->max_token_ms, max_age_ms);
    atomic_store(&l->max_signed_in_ms, max_signed_in_ms);
}

void ledger_close(struct ledger *l)
{
    if (l == NULL)
        return;
    uses_write(l->uses, l->db, NULL);
    uses_free(l->uses);
    ledger_audit_floods(l, NULL);
    floods_free(l->floods);
    sql_close(l->db);
    pthread_key_delete(l->acting);
    free(l);
}

int ledger_write_uses(struct ledger *l, struct ct_err *err)
{
    return uses_write(l->uses, l->db, err);
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

static int is_acting(const struct ledger *l)
{
    return pthread_getspecific(l->acting) != NULL;
}

void ledger_lock(struct ledger *l)
{
    if (!is_acting(l))
        sql_hold(l->db);
}

void ledger_unlock(struct ledger *l)
{
    if (!is_acting(l))
        sql_release(l->db);
}

int ledger_begin(struct ledger *l, struct ct_err *err)
{
    return is_acting(l) ? 0 : sql_begin(l->db, err);
}

int ledger_end(struct ledger *l, int rc, struct ct_err *err)
{
    if (is_acting(l))
        return rc;
    if (rc == 0)
        return sql_commit(l->db, err);
    sql_rollback(l->db);
    return rc;
}

int ledger_act(struct ledger *l, struct ct_err *err)
{
    if (ledger_begin(l, err) != 0)
        return -1;
    pthread_setspecific(l->acting, l);
    return 0;
}

int ledger_acted(struct ledger *l, int rc, const struct ledger_event *e, struct ct_err *err)
{
    if (rc == 0 && e != NULL)
        rc = ledger_audit(l, e, err);
    pthread_setspecific(l->acting, NULL);
    return ledger_end(l, rc, err);
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

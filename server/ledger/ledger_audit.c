#include <string.h>

#include "server/ledger/ledger_impl.h"

static int add(struct ledger *l, const struct ledger_event *e, struct ct_err *err)
{
    return sql_exec(l->db, err,
                    "INSERT INTO audit(at_ms, event, user_id, token_id, client, detail)"
                    " VALUES (?, ?, ?, ?, ?, ?)",
                    "isssss", e->at_ms, e->event, ledger_null(e->user_id), ledger_null(e->token_id),
                    ledger_null(e->client), ledger_null(e->detail));
}

int ledger_audit(struct ledger *l, const struct ledger_event *e, struct ct_err *err)
{
    if (ledger_begin(l, err) != 0)
        return -1;
    return ledger_end(l, add(l, e, err), err);
}

static void each_row(struct sql_rows *st,
                     void (*each)(void *arg, const struct ledger_event *e, const char *email),
                     void *arg)
{
    const struct ledger_event e = {
        .at_ms = sql_int64(st, 1),
        .event = sql_text(st, 2),
        .user_id = sql_text(st, 3),
        .token_id = sql_text(st, 4),
        .client = sql_text(st, 5),
        .detail = sql_text(st, 6),
    };

    each(arg, &e, sql_text(st, 7));
}

#define PAGE 500

/* In pages, so that nobody else waits for whoever reads it. */
int ledger_audit_each(struct ledger *l, int64_t since_ms,
                      void (*each)(void *arg, const struct ledger_event *e, const char *email),
                      void *arg, struct ct_err *err)
{
    int64_t last = 0;
    struct sql_rows *st;
    int rc, n;

    do {
        n = 0;
        ledger_lock(l);
        rc = sql_query(l->db, err, &st,
                       "SELECT a.id, a.at_ms, a.event, a.user_id, a.token_id, a.client, a.detail,"
                       " u.email FROM audit a LEFT JOIN users u ON u.id = a.user_id"
                       " WHERE a.id > ? AND a.at_ms >= ? ORDER BY a.id LIMIT ?",
                       "iii", last, since_ms, (int64_t)PAGE);
        if (rc == 0) {
            while ((rc = sql_step(st, err)) == 1) {
                last = sql_int64(st, 0);
                each_row(st, each, arg);
                n++;
            }
            sql_done(st);
        }
        ledger_unlock(l);
    } while (rc == 0 && n == PAGE);
    return rc;
}

int ledger_audit_forget(struct ledger *l, int64_t now_ms, struct ct_err *err)
{
    if (ledger_begin(l, err) != 0)
        return -1;
    return ledger_end(l,
                      sql_exec(l->db, err,
                               "DELETE FROM audit WHERE at_ms < ?1"
                               " AND at_ms < (SELECT max(at_ms) FROM audit) - ?2",
                               "ii", now_ms - LEDGER_AUDIT_MS, (int64_t)LEDGER_AUDIT_MS),
                      err);
}

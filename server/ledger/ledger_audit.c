#include <stdlib.h>
#include <string.h>

#include "common/base/now.h"
#include "common/base/str.h"

#include "server/ledger/floods.h"
#include "server/ledger/ledger_impl.h"

/*
 * Every act is a row.  What destroys something or takes somebody's access needs something that is
 * there, and so there is an end to it; what brings such things about has a limit of its own.  These
 * are left, which whoever knows the password can do all day.
 */
static const char *const endless[] = {"log-in", "password-changed", "logged-out-everywhere"};

static int is_endless(const char *event)
{
    for (size_t i = 0; i < sizeof(endless) / sizeof(endless[0]); i++) {
        if (strcmp(event, endless[i]) == 0)
            return 1;
    }
    return 0;
}

int ledger_audit_add(struct ledger *l, const struct ledger_event *e, struct ct_err *err)
{
    return sql_exec(l->db, err,
                    "INSERT INTO audit(at_ms, event, user_id, token_id, client, detail, email)"
                    " VALUES (?1, ?2, ?3, ?4, ?5, ?6,"
                    "  coalesce(?7, (SELECT email FROM users WHERE id = ?3)))",
                    "issssss", e->at_ms, e->event, ledger_null(e->user_id),
                    ledger_null(e->token_id), ledger_null(e->client), ledger_null(e->detail),
                    ledger_null(e->email));
}

static int write_row(struct ledger *l, const struct ledger_event *e, struct ct_err *err)
{
    if (ledger_begin(l, err) != 0)
        return -1;
    return ledger_end(l, ledger_audit_add(l, e, err), err);
}

int ledger_audit(struct ledger *l, const struct ledger_event *e, struct ct_err *err)
{
    int is_counted = e->event != NULL && is_endless(e->event);
    int is_part = pthread_getspecific(l->acting) != NULL; /* then what it tells of is not done */
    int rc;

    if (is_counted && !floods_take(l->floods, e))
        return 0;
    rc = write_row(l, e, err);
    if (rc != 0 && is_counted && !is_part)
        floods_keep(l->floods, e);
    return rc;
}

static int write_sum(struct ledger *l, const struct floods_sum *s, struct ct_err *err)
{
    struct ledger_event e = {.at_ms = s->at_ms,
                             .event = s->event,
                             .user_id = s->user_id,
                             .token_id = s->token_id,
                             .client = s->client};
    char since[32], *detail;
    int rc;

    now_rfc3339(s->since_ms, since);
    detail = str_printf("%lld more since %.19sZ, the last: %s", (long long)s->n, since, s->detail);
    e.detail = detail;
    rc = write_row(l, &e, err);
    free(detail);
    return rc;
}

int ledger_audit_floods(struct ledger *l, struct ct_err *err)
{
    struct floods_sum sum;

    for (size_t i = 0; (i = floods_next(l->floods, i, &sum)) != 0;) {
        if (write_sum(l, &sum, err) != 0)
            return -1;
        floods_written(l->floods, &sum);
    }
    return 0;
}

static void each_row(struct sql_rows *st, void (*each)(void *arg, const struct ledger_event *e),
                     void *arg)
{
    const struct ledger_event e = {
        .at_ms = sql_int64(st, 1),
        .event = sql_text(st, 2),
        .user_id = sql_text(st, 3),
        .token_id = sql_text(st, 4),
        .client = sql_text(st, 5),
        .detail = sql_text(st, 6),
        .email = sql_text(st, 7),
    };

    each(arg, &e);
}

#define PAGE 500

/* In pages, so that nobody else waits for whoever reads it. */
int ledger_audit_each(struct ledger *l, int64_t since_ms,
                      void (*each)(void *arg, const struct ledger_event *e), void *arg,
                      struct ct_err *err)
{
    int64_t last = 0;
    struct sql_rows *st;
    int rc, n;

    do {
        n = 0;
        ledger_lock(l);
        rc = sql_query(l->db, err, &st,
                       "SELECT id, at_ms, event, user_id, token_id, client, detail, email"
                       " FROM audit WHERE id > ? AND at_ms >= ? ORDER BY id LIMIT ?",
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

#include <stdlib.h>
#include <string.h>

#include "common/base/str.h"

#include "server/ledger/ledger_impl.h"

/* More than LEDGER_MAX_TOKENS, so that one without a token can always be found to go. */
#define MAX_DEVICES (LEDGER_MAX_TOKENS + 50)

static int make_room(struct ledger *l, const char *user_id, struct ct_err *err)
{
    int64_t n = sql_one(l->db, err, "SELECT count(*) FROM devices WHERE user_id = ?", "s", user_id);

    if (n < 0)
        return -1;
    if (n < MAX_DEVICES)
        return 0;
    return sql_exec(l->db, err,
                    "DELETE FROM devices WHERE id = (SELECT d.id FROM devices d WHERE d.user_id = ?"
                    " AND NOT EXISTS (SELECT 1 FROM tokens t WHERE t.device_id = d.id)"
                    " ORDER BY d.last_seen_ms, d.id LIMIT 1)",
                    "s", user_id);
}

static int insert(struct ledger *l, const char *user_id, const char *source, const char *name,
                  int64_t now_ms, char id[UUID_SIZE], struct ct_err *err)
{
    struct sql_rows *st;
    int rc;

    uuid_random(id);
    if (sql_query(l->db, err, &st,
                  "INSERT INTO devices(id, user_id, source, name, first_seen_ms, last_seen_ms)"
                  " VALUES (?1, ?2, ?3, ?4, ?5, ?5) ON CONFLICT(user_id, source)"
                  " DO UPDATE SET name = excluded.name, last_seen_ms = excluded.last_seen_ms"
                  " RETURNING id",
                  "ssssi", id, user_id, source, name, now_ms) != 0)
        return -1;
    rc = sql_step(st, err);
    if (rc == 1) {
        ledger_copy(id, sql_text(st, 0), UUID_SIZE);
        rc = sql_step(st, err);
    }
    sql_done(st);
    return rc;
}

int ledger_add_device(struct ledger *l, const char *user_id, const char *source, const char *name,
                      int64_t now_ms, char id[UUID_SIZE], struct ct_err *err)
{
    int64_t n = sql_one(l->db, err, "SELECT count(*) FROM devices WHERE user_id = ? AND source = ?",
                        "ss", user_id, source);

    if (n < 0 || (n == 0 && make_room(l, user_id, err) != 0))
        return -1;
    return insert(l, user_id, source, name, now_ms, id, err);
}

/* A token that was made without one is a device of its own, named as its uploads say. */
int ledger_see_device(struct ledger *l, const struct ledger_who *who, const char *machine,
                      int64_t now_ms, char id[UUID_SIZE], struct ct_err *err)
{
    const char *name = machine != NULL ? machine : "unknown";
    char *source;
    int rc;

    if (who->device_id[0] != '\0') {
        memcpy(id, who->device_id, UUID_SIZE);
        return sql_exec(l->db, err,
                        "UPDATE devices SET name = ?2 WHERE id = ?1 AND name <> ?2"
                        " AND source LIKE 'token:%'",
                        "ss", id, name);
    }
    source = who->token_id[0] != '\0' ? str_printf("token:%s", who->token_id)
                                      : str_printf("name:%s", name);
    rc = ledger_add_device(l, who->user_id, source, name, now_ms, id, err);
    free(source);
    if (rc != 0 || who->token_id[0] == '\0')
        return rc;
    return sql_exec(l->db, err, "UPDATE tokens SET device_id = ? WHERE id = ?", "ss", id,
                    who->token_id);
}

int ledger_device_is_known(struct ledger *l, const char *email, const char *device)
{
    char *source = str_printf("device:%s", device);
    int64_t n;

    ledger_lock(l);
    n = sql_one(l->db, NULL,
                "SELECT count(*) FROM devices d JOIN users u ON u.id = d.user_id"
                " WHERE u.email = ? AND d.source = ?",
                "ss", email, source);
    ledger_unlock(l);
    free(source);
    return n > 0;
}

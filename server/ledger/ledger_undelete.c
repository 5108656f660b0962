#include <string.h>

#include "common/data/jdoc.h"

#include "server/ledger/ledger_impl.h"

/* Reservations that were deleted have nothing to bring back. */
#define IN_TRASH "user_id = ?1 AND session_id = ?2 AND state = 'trash' AND confirmed_ms > 0"
/* A version by its number, or all that the last deletion took: they share its time. */
#define CHOSEN \
    IN_TRASH " AND ((?3 > 0 AND version = ?3) OR" \
             " (?3 = 0 AND purge_ms = (SELECT max(purge_ms) FROM versions WHERE " IN_TRASH ")))"

static int undelete(struct ledger *l, const char *user_id, const char *session_id, int64_t version,
                    int64_t max_bytes, int64_t now_ms, int64_t *ret_n, struct ct_err *err)
{
    int64_t n, more, have;

    n = sql_one(l->db, err, "SELECT count(*) FROM versions WHERE " CHOSEN, "ssi", user_id,
                session_id, version);
    if (n < 0)
        return -1;
    more = sql_one(l->db, err, "SELECT coalesce(sum(size_bytes), 0) FROM versions WHERE " CHOSEN,
                   "ssi", user_id, session_id, version);
    have = ledger_bytes(l, user_id, 0, err);
    if (more < 0 || have < 0)
        return -1;
    if (n == 0)
        return ledger_fail(err, ERR_GONE, "not_found",
                           "There is no such session or version in the trash.");
    if (max_bytes > 0 && have > max_bytes - more)
        return ledger_fail(err, ERR_REFUSED, "quota",
                           "This account has no room for it on the server.");
    if (sql_exec(l->db, err,
                 "UPDATE versions SET state = 'confirmed', purge_ms = NULL WHERE " CHOSEN, "ssi",
                 user_id, session_id, version) != 0 ||
        sql_exec(l->db, err,
                 "UPDATE sessions SET deleted_ms = 0 WHERE user_id = ? AND session_id = ?", "ss",
                 user_id, session_id) != 0)
        return -1;
    *ret_n = n;
    return ledger_refresh(l, user_id, session_id, now_ms, err);
}

int ledger_undelete(struct ledger *l, const char *user_id, const char *session_id, int64_t version,
                    int64_t max_bytes, int64_t now_ms, int64_t *ret_n, struct ct_err *err)
{
    int64_t n = 0;

    if (ledger_begin(l, err) != 0 ||
        ledger_end(l, undelete(l, user_id, session_id, version, max_bytes, now_ms, &n, err), err) !=
            0)
        return -1;
    *ret_n = n;
    return 0;
}

static struct json_object *item(struct sql_rows *rows)
{
    struct json_object *o = json_object_new_object(), *metadata = NULL;
    const char *s = sql_text(rows, 7);

    if (s[0] != '\0')
        jdoc_parse(s, strlen(s), &metadata, NULL);
    jdoc_set_str(o, "sessionId", sql_text(rows, 0));
    jdoc_set_int(o, "version", sql_int64(rows, 1));
    jdoc_set_int(o, "sizeBytes", sql_int64(rows, 2));
    json_object_object_add(o, "createdAt", ledger_when(sql_int64(rows, 3)));
    json_object_object_add(o, "deletedAt", ledger_when(sql_int64(rows, 4) - LEDGER_TRASH_MS));
    json_object_object_add(o, "goneAt", ledger_when(sql_int64(rows, 4)));
    jdoc_set_str(o, "sourceMachine", sql_is_null(rows, 5) ? NULL : sql_text(rows, 5));
    jdoc_set_str(o, "sourceCwd", sql_text(rows, 6));
    json_object_object_add(o, "metadata", metadata);
    return o;
}

#define TRASH_OF " FROM versions WHERE user_id = ?1 AND state = 'trash' AND confirmed_ms > 0"

static int trash(struct ledger *l, const char *user_id, int64_t limit, int64_t offset,
                 struct json_object *list, int64_t *total, struct ct_err *err)
{
    struct sql_rows *rows;
    int rc;

    *total = sql_one(l->db, err, "SELECT count(*)" TRASH_OF, "s", user_id);
    if (*total < 0)
        return -1;
    if (sql_query(l->db, err, &rows,
                  "SELECT session_id, version, size_bytes, confirmed_ms, purge_ms, machine, cwd,"
                  " metadata" TRASH_OF " ORDER BY purge_ms DESC, session_id, version DESC"
                  " LIMIT ?2 OFFSET ?3",
                  "sii", user_id, limit, offset) != 0)
        return -1;
    while ((rc = sql_step(rows, err)) == 1)
        json_object_array_add(list, item(rows));
    sql_done(rows);
    return rc;
}

int ledger_trash(struct ledger *l, const char *user_id, int64_t limit, int64_t offset,
                 struct json_object **ret, struct ct_err *err)
{
    struct json_object *list = json_object_new_array(), *o;
    int64_t total = 0;
    int rc;

    ledger_lock(l);
    rc = trash(l, user_id, limit, offset, list, &total, err);
    ledger_unlock(l);
    if (rc != 0) {
        json_object_put(list);
        return -1;
    }
    o = json_object_new_object();
    json_object_object_add(o, "versions", list);
    jdoc_set_int(o, "total", total);
    *ret = o;
    return 0;
}

#include <stdlib.h>
#include <string.h>

#include "common/data/jdoc.h"
#include "common/base/str.h"

#include "server/ledger/ledger_impl.h"

/* Reservations that were deleted have nothing to bring back. */
#define IN_TRASH "user_id = ?1 AND session_id = ?2 AND state = 'trash' AND confirmed_ms > 0"
/* A version by its number, or all that the last deletion took: they share its time. */
#define BY_SESSION "'" LEDGER_DELETED "', '" LEDGER_UNPROVEN "'"
#define CHOSEN \
    IN_TRASH " AND ((?3 > 0 AND version = ?3) OR (?3 = 0 AND why IN (" BY_SESSION ")" \
             " AND left_ms = (SELECT max(left_ms) FROM versions WHERE " IN_TRASH \
             "  AND why IN (" BY_SESSION "))))"

/* Which are chosen, newest first; the caller frees ${ret}. */
static int chosen(struct ledger *l, const char *user_id, const char *session_id, int64_t version,
                  int64_t **ret, size_t *ret_n, struct ct_err *err)
{
    struct sql_rows *rows;
    size_t cap = 0;
    int rc;

    if (sql_query(l->db, err, &rows,
                  "SELECT version FROM versions WHERE " CHOSEN " ORDER BY version DESC", "ssi",
                  user_id, session_id, version) != 0)
        return -1;
    while ((rc = sql_step(rows, err)) == 1) {
        if (*ret_n == cap) {
            cap = cap * 2 + 8;
            *ret = str_realloc(*ret, cap, sizeof(**ret));
        }
        (*ret)[(*ret_n)++] = sql_int64(rows, 0);
    }
    sql_done(rows);
    return rc;
}

/* All of a user's bytes count wherever they are: nothing has to be asked about the quota. */
static int undelete(struct ledger *l, const char *user_id, const char *session_id, int64_t version,
                    int64_t now_ms, int64_t *ret_n, struct ct_err *err)
{
    int64_t *v = NULL;
    size_t n = 0;
    int rc = chosen(l, user_id, session_id, version, &v, &n, err);

    if (rc == 0 && n == 0)
        rc = ledger_fail(err, ERR_GONE, "not_found",
                         "There is no such session or version in the trash.");
    for (size_t i = 0; i < n && rc == 0; i++) {
        rc = sql_exec(l->db, err,
                      "UPDATE versions SET state = 'confirmed', purge_ms = NULL, why = NULL,"
                      " left_ms = 0 WHERE user_id = ? AND session_id = ? AND version = ?",
                      "ssi", user_id, session_id, v[i]);
        if (rc == 0)
            rc = ledger_heads_return(l, user_id, session_id, v[i], err);
    }
    free(v);
    *ret_n = (int64_t)n;
    return rc != 0 ? -1 : ledger_refresh(l, user_id, session_id, 0, NULL, now_ms, err);
}

int ledger_undelete(struct ledger *l, const char *user_id, const char *session_id, int64_t version,
                    int64_t now_ms, int64_t *ret_n, struct ct_err *err)
{
    int64_t n = 0;

    if (ledger_begin(l, err) != 0 ||
        ledger_end(l, undelete(l, user_id, session_id, version, now_ms, &n, err), err) != 0)
        return -1;
    *ret_n = n;
    return 0;
}

static struct json_object *item(struct sql_rows *rows)
{
    struct json_object *o = json_object_new_object();

    jdoc_set_str(o, "sessionId", sql_text(rows, 0));
    jdoc_set_int(o, "version", sql_int64(rows, 1));
    jdoc_set_int(o, "sizeBytes", sql_int64(rows, 2));
    json_object_object_add(o, "createdAt", ledger_when(sql_int64(rows, 3)));
    json_object_object_add(o, "deletedAt", ledger_when(sql_int64(rows, 4)));
    json_object_object_add(o, "goneAt", ledger_when(sql_int64(rows, 5)));
    ledger_set_text(o, "why", rows, 6);
    ledger_set_text(o, "sourceMachine", rows, 7);
    ledger_set_text(o, "sourceCwd", rows, 8);
    json_object_object_add(o, "metadata", ledger_stored(rows, 9));
    return o;
}

#define TRASH_OF " FROM versions WHERE user_id = ?1 AND state = 'trash' AND confirmed_ms > 0"

static int trash(struct ledger *l, const char *user_id, int64_t limit, int64_t offset,
                 struct json_object *list, int64_t *total, struct ct_err *err)
{
    int64_t left = LEDGER_ANSWER_BYTES;
    struct sql_rows *rows;
    int rc = 0;

    *total = sql_one(l->db, err, "SELECT count(*)" TRASH_OF, "s", user_id);
    if (*total < 0)
        return -1;
    if (sql_query(l->db, err, &rows,
                  "SELECT t.session_id, t.version, t.size_bytes, t.confirmed_ms, t.left_ms,"
                  " t.purge_ms, t.why, t.machine, d.cwd, d.metadata"
                  " FROM (SELECT *" TRASH_OF " ORDER BY left_ms DESC, session_id, version DESC"
                  "  LIMIT ?2 OFFSET ?3) t"
                  " JOIN descriptions d ON d.user_id = ?1 AND d.session_id = t.session_id"
                  " AND d.version = t.version"
                  " ORDER BY t.left_ms DESC, t.session_id, t.version DESC",
                  "sii", user_id, limit, offset) != 0)
        return -1;
    while (left > 0 && (rc = sql_step(rows, err)) == 1) {
        left -= (int64_t)strlen(sql_text(rows, 9));
        json_object_array_add(list, item(rows));
    }
    sql_done(rows);
    return rc < 0 ? -1 : 0;
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

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/data/jdoc.h"

#include "server/ledger/ledger_impl.h"

void ledger_set_cursor(struct json_object *o, int64_t cursor)
{
    char text[24];

    snprintf(text, sizeof(text), "%" PRId64, cursor);
    jdoc_set_str(o, "cursor", text);
}

static struct json_object *tombstone(struct sql_rows *st, const struct ledger_who *who)
{
    const char *device = sql_text(st, 2);
    struct json_object *o = json_object_new_object();

    jdoc_set_str(o, "id", sql_text(st, 0));
    json_object_object_add(o, "deletedAt", ledger_when(sql_int64(st, 1)));
    json_object_object_add(o, "deletedBy", ledger_device_json(device, sql_text(st, 3)));
    jdoc_set_bool(o, "thisDevice", device[0] != '\0' && strcmp(device, who->device_id) == 0);
    return o;
}

/* Sessions that were deleted in the changes after ${since}, to the one that is told last. */
static int add_deleted(struct ledger *l, const struct ledger_who *who, int64_t since, int64_t last,
                       struct json_object *list, struct ct_err *err)
{
    struct sql_rows *st;
    int rc;

    if (sql_query(l->db, err, &st,
                  "SELECT s.session_id, s.deleted_ms, s.deleted_by, d.name"
                  " FROM sessions s LEFT JOIN devices d ON d.id = s.deleted_by"
                  " WHERE s.user_id = ?1 AND s.changed > ?2 AND s.changed <= ?3"
                  " AND s.current_version = 0 AND s.deleted_ms > 0 ORDER BY s.changed",
                  "sii", who->user_id, since, last) != 0)
        return -1;
    while ((rc = sql_step(st, err)) == 1)
        json_object_array_add(list, tombstone(st, who));
    sql_done(st);
    return rc;
}

int ledger_deletion(struct ledger *l, const struct ledger_who *who, const char *session_id,
                    struct json_object *o, struct ct_err *err)
{
    struct sql_rows *st;
    int rc;

    ledger_lock(l);
    rc = sql_query(l->db, err, &st,
                   "SELECT s.deleted_ms, s.deleted_by, d.name"
                   " FROM sessions s LEFT JOIN devices d ON d.id = s.deleted_by"
                   " WHERE s.user_id = ? AND s.session_id = ? AND s.deleted_ms > 0",
                   "ss", who->user_id, session_id);
    if (rc == 0) {
        rc = sql_step(st, err);
        if (rc == 1) {
            const char *device = sql_text(st, 1);
            json_object_object_add(o, "deletedAt", ledger_when(sql_int64(st, 0)));
            json_object_object_add(o, "deletedBy", ledger_device_json(device, sql_text(st, 2)));
            jdoc_set_bool(o, "thisDevice",
                          device[0] != '\0' && strcmp(device, who->device_id) == 0);
        }
        sql_done(st);
    }
    ledger_unlock(l);
    return rc < 0 ? -1 : 0;
}

static int64_t count(struct ledger *l, const char *user_id, struct ct_err *err)
{
    return sql_one(l->db, err,
                   "SELECT count(*) FROM sessions WHERE user_id = ? AND current_version > 0", "s",
                   user_id);
}

/* ${last}: up to which change all is told. */
static int since_then(struct ledger *l, const struct ledger_who *who, int64_t since, int64_t limit,
                      int64_t changes, struct json_object *o, struct ct_err *err)
{
    struct json_object *rows = json_object_new_array(), *deleted = json_object_new_array();
    int64_t last = changes, changed = 0, total = count(l, who->user_id, err);
    struct sql_rows *st;
    int more, is_cut = 0;

    json_object_object_add(o, "sessions", rows);
    json_object_object_add(o, "deleted", deleted);
    if (total < 0 ||
        sql_query(l->db, err, &st,
                  "SELECT " LEDGER_SESSION_COLUMNS " FROM sessions s JOIN versions v"
                  " ON v.user_id = s.user_id AND v.session_id = s.session_id"
                  " AND v.version = s.current_version" LEDGER_ITEM_JOINS
                  " WHERE s.user_id = ?1 AND s.changed > ?2 AND s.current_version > 0"
                  " ORDER BY s.changed LIMIT ?3",
                  "sii", who->user_id, since, limit) != 0 ||
        ledger_session_items(l, who, st, rows, &changed, &is_cut, err) != 0)
        return -1;
    more = is_cut || ((int64_t)json_object_array_length(rows) == limit && changed < changes);
    if (more)
        last = changed;
    if (add_deleted(l, who, since, last, deleted, err) != 0)
        return -1;
    jdoc_set_int(o, "total", total);
    ledger_set_cursor(o, last);
    jdoc_set_bool(o, "more", more);
    return 1;
}

int ledger_sessions_since(struct ledger *l, const struct ledger_who *who, int64_t since,
                          int64_t limit, struct json_object **ret, struct ct_err *err)
{
    struct json_object *o = json_object_new_object();
    int64_t changes;
    int rc = 0;

    ledger_lock(l);
    changes = sql_one(l->db, err, "SELECT changes FROM users WHERE id = ?", "s", who->user_id);
    if (changes < 0)
        rc = -1;
    else if (since > changes)
        rc = err_set(err, ERR_GONE, "the cursor is not of this database");
    else if (since < changes)
        rc = since_then(l, who, since, limit, changes, o, err);
    ledger_unlock(l);
    if (rc == 1)
        *ret = o;
    else
        json_object_put(o);
    return rc;
}

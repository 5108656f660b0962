#include <stdlib.h>
#include <string.h>

#include "common/data/jdoc.h"
#include "common/base/str.h"

#include "server/ledger/ledger_impl.h"

static struct json_object *session_item(struct sql_rows *st, const struct ledger_who *who,
                                        int64_t *left)
{
    struct json_object *o = ledger_item(st, who, left),
                       *tags = ledger_stored(st, LEDGER_ITEM_N + 4);

    ledger_set_text(o, "id", st, LEDGER_ITEM_N);
    ledger_set_text(o, "label", st, LEDGER_ITEM_N + 1);
    ledger_set_text(o, "sourceCwd", st, LEDGER_ITEM_N + 2);
    ledger_set_text(o, "sourceUserDir", st, LEDGER_ITEM_N + 3);
    json_object_object_add(o, "tags", tags != NULL ? tags : json_object_new_array());
    jdoc_set_int(o, "currentVersion", sql_int64(st, 0));
    jdoc_set_int(o, "versionCount", sql_int64(st, LEDGER_ITEM_N + 5));
    json_object_object_add(o, "heads", json_object_new_array());
    return o;
}

/* What stands beside the current version, or beside what a reserved one contains. */
static int add_heads(struct ledger *l, const struct ledger_who *who, const char *session_id,
                     const char *chosen, int64_t version, struct json_object *list, int64_t *left,
                     struct ct_err *err)
{
    struct sql_rows *st;
    int rc;

    if (sql_query(l->db, err, &st, chosen, "ssi", who->user_id, session_id, version) != 0)
        return -1;
    while ((rc = sql_step(st, err)) == 1)
        json_object_array_add(list, ledger_item(st, who, left));
    sql_done(st);
    return rc;
}

/* Two indices answer this, and no row of a version that is neither is read. */
#define BESIDE_CURRENT \
    "SELECT " LEDGER_ITEM_COLUMNS " FROM versions v" LEDGER_ITEM_JOINS \
    " WHERE v.user_id = ?1 AND v.session_id = ?2 AND v.version <> ?3 AND v.version IN" \
    " (SELECT version FROM versions h" BY_HEADS "WHERE user_id = ?1 AND session_id = ?2" \
    "   AND is_head = 1" \
    "  UNION SELECT version FROM versions p" BY_PINNED "WHERE user_id = ?1 AND session_id = ?2" \
    "   AND pinned = 1 AND state = 'confirmed')" \
    " ORDER BY v.version DESC"

static int add_beside(struct ledger *l, const struct ledger_who *who, struct json_object *item,
                      int64_t *left, struct ct_err *err)
{
    return add_heads(l, who, jdoc_str(item, "id"), BESIDE_CURRENT,
                     jdoc_int(item, "currentVersion", 0), jdoc_array(item, "heads"), left, err);
}

/* Of the item that was read at each place: its change, and whether it has more than one to show. */
struct told {
    int64_t changed;
    int has_more;
};

int ledger_session_items(struct ledger *l, const struct ledger_who *who, struct sql_rows *st,
                         struct json_object *rows, int64_t *ret_changed, int *ret_cut,
                         struct ct_err *err)
{
    struct told *told = NULL;
    int64_t left = LEDGER_ANSWER_BYTES;
    size_t n = 0, cap = 0, kept = 0;
    int rc;

    while ((rc = sql_step(st, err)) == 1) {
        *ret_cut = left <= 0;
        if (*ret_cut)
            break;
        if (n == cap) {
            cap = cap * 2 + 16;
            told = str_realloc(told, cap, sizeof(*told));
        }
        json_object_array_add(rows, session_item(st, who, &left));
        told[n++] =
            (struct told){sql_int64(st, LEDGER_ITEM_N + 6), sql_int64(st, LEDGER_ITEM_N + 7) != 0};
    }
    sql_done(st);
    rc = rc < 0 ? -1 : 0;
    /* What stands beside their current versions may take as much again; what does not fit waits for
     * the next page. */
    left = LEDGER_ANSWER_BYTES;
    for (; kept < n && left > 0 && rc == 0; kept++) {
        if (told[kept].has_more)
            rc = add_beside(l, who, json_object_array_get_idx(rows, kept), &left, err);
        *ret_changed = told[kept].changed;
    }
    if (kept < n) {
        *ret_cut = 1;
        json_object_array_del_idx(rows, kept, n - kept);
    }
    free(told);
    return rc;
}

#define FROM_SESSIONS \
    " FROM sessions s JOIN versions v ON v.user_id = s.user_id AND v.session_id = s.session_id" \
    " AND v.version = s.current_version" LEDGER_ITEM_JOINS \
    " WHERE s.user_id = ?1 AND s.current_version > 0 AND (?2 IS NULL OR v.machine = ?2)" \
    " AND (?3 IS NULL OR v.agent = ?3)" \
    " AND (?4 IS NULL OR EXISTS (SELECT 1 FROM json_each(d.tags) t WHERE t.value = ?4))"

static int sessions(struct ledger *l, const struct ledger_who *who, const struct ledger_filter *f,
                    struct json_object *rows, int64_t *total, int64_t *cursor, struct ct_err *err)
{
    int filtered = f->machine != NULL || f->tag != NULL || f->agent != NULL, is_cut = 0;
    struct sql_rows *st;
    int64_t changed = 0;

    /* First: what changes while the list is read will be told again. */
    *cursor = sql_one(l->db, err, "SELECT changes FROM users WHERE id = ?", "s", who->user_id);
    if (*cursor < 0)
        return -1;
    /* Without a filter the index alone counts. */
    if (filtered)
        *total = sql_one(l->db, err, "SELECT count(*)" FROM_SESSIONS, "ssss", who->user_id,
                         f->machine, f->agent, f->tag);
    else
        *total = sql_one(l->db, err,
                         "SELECT count(*) FROM sessions WHERE user_id = ? AND current_version > 0",
                         "s", who->user_id);
    if (*total < 0)
        return -1;
    if (sql_query(l->db, err, &st,
                  "SELECT " LEDGER_SESSION_COLUMNS FROM_SESSIONS
                  " ORDER BY s.updated_ms DESC, s.id LIMIT ?5 OFFSET ?6",
                  "ssssii", who->user_id, f->machine, f->agent, f->tag, f->limit, f->offset) != 0)
        return -1;
    return ledger_session_items(l, who, st, rows, &changed, &is_cut, err);
}

int ledger_sessions(struct ledger *l, const struct ledger_who *who,
                    const struct ledger_filter *filter, struct json_object **ret,
                    struct ct_err *err)
{
    struct json_object *rows = json_object_new_array(), *o;
    int64_t total, cursor;
    int rc;

    ledger_lock(l);
    rc = sessions(l, who, filter, rows, &total, &cursor, err);
    ledger_unlock(l);
    if (rc != 0) {
        json_object_put(rows);
        return -1;
    }
    o = json_object_new_object();
    json_object_object_add(o, "sessions", rows);
    jdoc_set_int(o, "total", total);
    ledger_set_cursor(o, cursor);
    *ret = o;
    return 0;
}

static struct json_object *version_item(struct sql_rows *st, const struct ledger_who *who,
                                        int64_t *left)
{
    struct json_object *o = ledger_item(st, who, left);

    ledger_set_text(o, "deviceId", st, 5);
    if (sql_int64(st, LEDGER_ITEM_N) >= 0)
        jdoc_set_int(o, "baseVersion", sql_int64(st, LEDGER_ITEM_N));
    else
        jdoc_set_null(o, "baseVersion");
    return o;
}

/* The numbers of what stands beside the current version. */
static int beside(struct ledger *l, const char *user_id, const char *session_id, int64_t current,
                  struct json_object *list, struct ct_err *err)
{
    struct sql_rows *st;
    int rc;

    if (sql_query(l->db, err, &st,
                  "SELECT version FROM versions h" BY_HEADS "WHERE user_id = ?1"
                  " AND session_id = ?2 AND is_head = 1 AND version <> ?3"
                  " UNION SELECT version FROM versions p" BY_PINNED "WHERE user_id = ?1"
                  " AND session_id = ?2 AND pinned = 1 AND state = 'confirmed' AND version <> ?3"
                  " ORDER BY version DESC",
                  "ssi", user_id, session_id, current) != 0)
        return -1;
    while ((rc = sql_step(st, err)) == 1)
        json_object_array_add(list, json_object_new_int64(sql_int64(st, 0)));
    sql_done(st);
    return rc;
}

static int versions(struct ledger *l, const struct ledger_who *who, const char *session_id,
                    int64_t limit, int64_t offset, struct json_object *rows, struct ct_err *err)
{
    int64_t left = LEDGER_ANSWER_BYTES;
    struct sql_rows *st;
    int rc;

    if (sql_query(l->db, err, &st,
                  "SELECT " LEDGER_ITEM_COLUMNS
                  ", v.base_version FROM versions v" BY_CONFIRMED LEDGER_ITEM_JOINS
                  " WHERE v.user_id = ? AND v.session_id = ? AND v.state = 'confirmed'"
                  " ORDER BY v.version DESC LIMIT ? OFFSET ?",
                  "ssii", who->user_id, session_id, limit, offset) != 0)
        return -1;
    while ((rc = sql_step(st, err)) == 1)
        json_object_array_add(rows, version_item(st, who, &left));
    sql_done(st);
    return rc;
}

/* What of a session is told beside its rows. */
static int describe(struct ledger *l, const struct ledger_who *who, const char *session_id,
                    struct json_object *o, struct ct_err *err)
{
    struct json_object *heads = json_object_new_array();
    int64_t current = 0, total = 0;
    struct sql_rows *st;
    int rc;

    jdoc_set_str(o, "sessionId", session_id);
    json_object_object_add(o, "heads", heads);
    if (sql_query(l->db, err, &st,
                  "SELECT current_version, version_count FROM sessions WHERE user_id = ?"
                  " AND session_id = ?",
                  "ss", who->user_id, session_id) != 0)
        return -1;
    rc = sql_step(st, err);
    if (rc == 1) {
        current = sql_int64(st, 0);
        total = sql_int64(st, 1);
    }
    sql_done(st);
    if (rc < 0)
        return -1;
    if (total == 0)
        return ledger_fail(err, ERR_GONE, "not_found", "There is no such session.");
    jdoc_set_int(o, "currentVersion", current);
    jdoc_set_int(o, "total", total);
    return beside(l, who->user_id, session_id, current, heads, err);
}

int ledger_versions(struct ledger *l, const struct ledger_who *who, const char *session_id,
                    int64_t limit, int64_t offset, struct json_object **ret, struct ct_err *err)
{
    struct json_object *rows = json_object_new_array(), *o = json_object_new_object();
    int rc;

    json_object_object_add(o, "versions", rows);
    ledger_lock(l);
    rc = describe(l, who, session_id, o, err);
    if (rc == 0)
        rc = versions(l, who, session_id, limit, offset, rows, err);
    ledger_unlock(l);
    if (rc != 0) {
        json_object_put(o);
        return -1;
    }
    *ret = o;
    return 0;
}

int ledger_heads(struct ledger *l, const struct ledger_who *who, const char *session_id,
                 int64_t version, int64_t *ret_current, struct json_object **ret,
                 struct ct_err *err)
{
    struct json_object *list = json_object_new_array();
    int64_t current, left = LEDGER_ANSWER_BYTES;
    int rc = -1;

    ledger_lock(l);
    current = sql_one(l->db, err,
                      "SELECT current_version FROM sessions WHERE user_id = ? AND session_id = ?",
                      "ss", who->user_id, session_id);
    if (current >= 0)
        rc = add_heads(l, who, session_id, version > 0 ? ledger_beside_reserved : BESIDE_CURRENT,
                       version > 0 ? version : current, list, &left, err);
    ledger_unlock(l);
    if (rc != 0) {
        json_object_put(list);
        return -1;
    }
    *ret_current = current;
    *ret = list;
    return 0;
}

static int download(struct ledger *l, const char *user_id, const char *session_id, int64_t version,
                    struct api_download_res *ret, struct ct_err *err)
{
    struct sql_rows *st;
    int rc;

    if (sql_query(l->db, err, &st,
                  "SELECT v.version, v.size_bytes, v.checksum, v.machine, d.cwd, d.user_dir,"
                  " d.metadata FROM versions v JOIN descriptions d ON d.user_id = v.user_id"
                  " AND d.session_id = v.session_id AND d.version = v.version"
                  " WHERE v.user_id = ?1 AND v.session_id = ?2 AND v.state = 'confirmed'"
                  " AND v.version = CASE WHEN ?3 > 0 THEN ?3 ELSE (SELECT current_version"
                  "  FROM sessions WHERE user_id = ?1 AND session_id = ?2) END",
                  "ssi", user_id, session_id, version) != 0)
        return -1;
    rc = sql_step(st, err);
    if (rc == 1) {
        ret->session_id = str_dup(session_id);
        ret->version = sql_int64(st, 0);
        ret->size_bytes = sql_int64(st, 1);
        ledger_copy(ret->checksum, sql_text(st, 2), sizeof(ret->checksum));
        if (!sql_is_null(st, 3))
            ret->source_machine = str_dup(sql_text(st, 3));
        ret->source_cwd = str_dup(sql_text(st, 4));
        ret->source_user_dir = str_dup(sql_text(st, 5));
        ret->metadata = ledger_stored(st, 6);
        rc = 0;
    } else if (rc == 0) {
        rc = ledger_fail(err, ERR_GONE, "not_found", "There is no such session or version.");
    }
    sql_done(st);
    return rc;
}

int ledger_download(struct ledger *l, const char *user_id, const char *session_id, int64_t version,
                    struct api_download_res *ret, struct ct_err *err)
{
    struct api_download_res r = {0};
    int rc;

    ledger_lock(l);
    rc = download(l, user_id, session_id, version, &r, err);
    ledger_unlock(l);
    if (rc == 0)
        *ret = r;
    return rc;
}

#include <stdlib.h>
#include <string.h>

#include "common/data/jdoc.h"
#include "common/base/str.h"

#include "server/ledger/ledger_impl.h"

/* JSON that was checked when it came in. */
static struct json_object *stored(struct sql_rows *st, int column)
{
    struct json_object *o = NULL;
    const char *s = sql_text(st, column);

    if (s[0] != '\0')
        jdoc_parse(s, strlen(s), &o, NULL);
    return o;
}

static void set_text(struct json_object *o, const char *key, struct sql_rows *st, int column)
{
    jdoc_set_str(o, key, sql_is_null(st, column) ? NULL : sql_text(st, column));
}

static struct json_object *session_item(struct sql_rows *st)
{
    struct json_object *o = json_object_new_object(), *tags;

    set_text(o, "id", st, 0);
    set_text(o, "label", st, 1);
    set_text(o, "sourceMachine", st, 2);
    set_text(o, "sourceCwd", st, 3);
    set_text(o, "sourceUserDir", st, 4);
    jdoc_set_int(o, "sizeBytes", sql_int64(st, 5));
    json_object_object_add(o, "metadata", stored(st, 6));
    jdoc_set_int(o, "currentVersion", sql_int64(st, 7));
    jdoc_set_int(o, "versionCount", sql_int64(st, 8));
    json_object_object_add(o, "createdAt", ledger_when(sql_int64(st, 9)));
    tags = stored(st, 10);
    json_object_object_add(o, "tags", tags != NULL ? tags : json_object_new_array());
    jdoc_set_str(o, "checksum", sql_text(st, 11));
    jdoc_set_bool(o, "thisDevice", sql_int64(st, 12) != 0);
    return o;
}

#define FROM_SESSIONS \
    " FROM sessions s JOIN versions v ON v.user_id = s.user_id AND v.session_id = s.session_id" \
    " AND v.version = s.current_version" \
    " WHERE s.user_id = ?1 AND s.current_version > 0 AND (?2 IS NULL OR v.machine = ?2)" \
    " AND (?3 IS NULL OR v.agent = ?3)" \
    " AND (?4 IS NULL OR EXISTS (SELECT 1 FROM json_each(v.tags) t WHERE t.value = ?4))"

static int sessions(struct ledger *l, const char *user_id, const struct ledger_filter *f,
                    struct json_object *rows, int64_t *total, struct ct_err *err)
{
    int filtered = f->machine != NULL || f->tag != NULL || f->agent != NULL;
    struct sql_rows *st;
    int rc;

    /* Without a filter the index alone counts. */
    if (filtered)
        *total = sql_one(l->db, err, "SELECT count(*)" FROM_SESSIONS, "ssss", user_id, f->machine,
                         f->agent, f->tag);
    else
        *total = sql_one(l->db, err,
                         "SELECT count(*) FROM sessions WHERE user_id = ? AND current_version > 0",
                         "s", user_id);
    if (*total < 0)
        return -1;
    if (sql_query(l->db, err, &st,
                  "SELECT s.session_id, v.label, v.machine, v.cwd, v.user_dir, v.size_bytes,"
                  " v.metadata, s.current_version, s.version_count, s.updated_ms, v.tags,"
                  " v.checksum, coalesce(v.token_id = ?7, 0)" FROM_SESSIONS
                  " ORDER BY s.updated_ms DESC, s.id LIMIT ?5 OFFSET ?6",
                  "ssssiis", user_id, f->machine, f->agent, f->tag, f->limit, f->offset,
                  f->token_id) != 0)
        return -1;
    while ((rc = sql_step(st, err)) == 1)
        json_object_array_add(rows, session_item(st));
    sql_done(st);
    return rc;
}

int ledger_sessions(struct ledger *l, const char *user_id, const struct ledger_filter *filter,
                    struct json_object **ret, struct ct_err *err)
{
    struct json_object *rows = json_object_new_array(), *o;
    int64_t total;
    int rc;

    ledger_lock(l);
    rc = sessions(l, user_id, filter, rows, &total, err);
    ledger_unlock(l);
    if (rc != 0) {
        json_object_put(rows);
        return -1;
    }
    o = json_object_new_object();
    json_object_object_add(o, "sessions", rows);
    jdoc_set_int(o, "total", total);
    *ret = o;
    return 0;
}

static struct json_object *version_item(struct sql_rows *st)
{
    struct json_object *o = json_object_new_object();

    jdoc_set_int(o, "version", sql_int64(st, 0));
    jdoc_set_int(o, "sizeBytes", sql_int64(st, 1));
    jdoc_set_str(o, "checksum", sql_text(st, 2));
    json_object_object_add(o, "createdAt", ledger_when(sql_int64(st, 3)));
    jdoc_set_bool(o, "pinned", sql_int64(st, 4) != 0);
    set_text(o, "deviceId", st, 5);
    set_text(o, "sourceMachine", st, 6);
    if (sql_int64(st, 7) >= 0)
        jdoc_set_int(o, "baseVersion", sql_int64(st, 7));
    else
        jdoc_set_null(o, "baseVersion");
    json_object_object_add(o, "metadata", stored(st, 8));
    return o;
}

static int versions(struct ledger *l, const char *user_id, const char *session_id,
                    struct json_object *rows, struct ct_err *err)
{
    struct sql_rows *st;
    int rc;

    if (sql_query(l->db, err, &st,
                  "SELECT version, size_bytes, checksum, confirmed_ms, pinned, device_id, machine,"
                  " base_version, metadata FROM versions"
                  " WHERE user_id = ? AND session_id = ? AND state = 'confirmed'"
                  " ORDER BY version DESC",
                  "ss", user_id, session_id) != 0)
        return -1;
    while ((rc = sql_step(st, err)) == 1)
        json_object_array_add(rows, version_item(st));
    sql_done(st);
    if (rc == 0 && json_object_array_length(rows) == 0)
        return ledger_fail(err, ERR_GONE, "not_found", "There is no such session.");
    return rc;
}

int ledger_versions(struct ledger *l, const char *user_id, const char *session_id, int keep,
                    struct json_object **ret, struct ct_err *err)
{
    struct json_object *rows = json_object_new_array(), *o;
    int rc;

    ledger_lock(l);
    rc = versions(l, user_id, session_id, rows, err);
    ledger_unlock(l);
    if (rc != 0) {
        json_object_put(rows);
        return -1;
    }
    o = json_object_new_object();
    jdoc_set_str(o, "sessionId", session_id);
    jdoc_set_int(o, "currentVersion", jdoc_int(json_object_array_get_idx(rows, 0), "version", 0));
    json_object_object_add(o, "versions", rows);
    jdoc_set_int(o, "limit", keep);
    *ret = o;
    return 0;
}

static int download(struct ledger *l, const char *user_id, const char *session_id, int64_t version,
                    struct api_download_res *ret, struct ct_err *err)
{
    struct sql_rows *st;
    int rc;

    if (sql_query(l->db, err, &st,
                  "SELECT version, size_bytes, checksum, machine, cwd, user_dir, metadata"
                  " FROM versions WHERE user_id = ?1 AND session_id = ?2 AND state = 'confirmed'"
                  " AND (?3 = 0 OR version = ?3) ORDER BY version DESC LIMIT 1",
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
        ret->metadata = stored(st, 6);
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

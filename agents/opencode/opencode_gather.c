#include <sys/file.h>
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#include "agents/opencode/opencode.h"
#include "agents/opencode/opencode_copy.h"
#include "common/base/buf.h"
#include "common/base/file.h"
#include "common/base/map.h"
#include "common/base/now.h"
#include "common/base/path.h"
#include "common/base/str.h"
#include "common/data/jdoc.h"

/*
 * What opencode's database has of each session goes into the session's file: what is new, or is
 * another than what the file had last, is put at its end.  Only session, message and part are
 * asked; not accounts, credentials, shares, nor anything else.  The time of the file is that of the
 * newest change in the database, by which a session is passed over in which nothing happened.
 */

#define FRESH_MS 10000 /* what is written as we look is taken when it rests, or ended */
#define FILE_MAX (INT64_C(1) << 31)

struct gathering {
    const char *root;
    sqlite3 *db;
    struct map *here; /* names of files that belong to a session of the database */
    int64_t again_ms;
};

static int db_fail(struct gathering *g, struct ct_err *err)
{
    return err_set(err, ERR_FAIL, "can't read opencode's database: %s", sqlite3_errmsg(g->db));
}

static const char *text(sqlite3_stmt *st, int column)
{
    return (const char *)sqlite3_column_text(st, column);
}

static struct json_object *parsed(const char *s)
{
    struct json_object *o = NULL;

    return s != NULL && jdoc_parse(s, strlen(s), &o, NULL) == 0 ? o : NULL;
}

static void set_if(struct json_object *o, const char *key, const char *s)
{
    if (s != NULL)
        jdoc_set_str(o, key, s);
}

static void set_object(struct json_object *o, const char *key, const char *json)
{
    struct json_object *v = parsed(json);

    if (v != NULL)
        json_object_object_add(o, key, v);
}

/* ---- what the file has ------------------------------------------------------------------------
 */

struct had {
    struct map *last; /* id -> struct json_object, the last record of it */
    int64_t end;      /* bytes of whole lines */
};

static int put_object(void *arg, const char *key, void *value)
{
    (void)arg, (void)key;
    json_object_put(value);
    return 0;
}

static void had_clear(struct had *h)
{
    map_each(h->last, put_object, NULL);
    map_free(h->last);
}

static void had_line(struct had *h, const char *p, size_t n)
{
    struct json_object *o = NULL;
    const char *id;

    if (jdoc_parse(p, n, &o, NULL) != 0)
        return;
    id = jdoc_str(o, "id");
    if (id == NULL) {
        json_object_put(o);
        return;
    }
    json_object_put(map_remove(h->last, id));
    map_put(h->last, id, o);
}

static int had_read(int fd, struct had *h, struct ct_err *err)
{
    struct buf b = {0};
    const char *p, *newline;

    if (file_read_fd(fd, "a session of opencode", (size_t)FILE_MAX, &b, err) != 0)
        return -1;
    for (p = b.data; b.len > 0 && (newline = memchr(p, '\n', b.len - (size_t)(p - b.data))) != NULL;
         p = newline + 1)
        had_line(h, p, (size_t)(newline - p));
    h->end = b.len > 0 ? p - b.data : 0;
    buf_free(&b);
    return 0;
}

/* ---- one session ------------------------------------------------------------------------------
 */

static void add_line(struct had *h, struct buf *out, struct json_object *o)
{
    const char *id = jdoc_str(o, "id");
    struct json_object *before = map_get(h->last, id);
    const char *line;

    if (before != NULL && json_object_equal(before, o)) {
        json_object_put(o);
        return;
    }
    line = jdoc_text(o);
    buf_add(out, line, strlen(line));
    buf_addc(out, '\n');
    json_object_put(map_remove(h->last, id));
    map_put(h->last, id, o);
}

/* Columns of a row of session. */
enum {
    S_ID,
    S_PROJECT,
    S_PARENT,
    S_SLUG,
    S_DIRECTORY,
    S_TITLE,
    S_VERSION,
    S_PERMISSION,
    S_REVERT,
    S_CREATED,
    S_UPDATED,
    S_ARCHIVED,
    S_STAMP,
    S_PATH, /* from here on newer */
    S_AGENT,
    S_MODEL,
    S_COST,
    S_INPUT,
    S_OUTPUT,
    S_REASONING,
    S_READ,
    S_WRITE,
};

#define SESSIONS(more) \
    "SELECT id, project_id, parent_id, slug, directory, title, version, permission, revert," \
    " time_created, time_updated, time_archived, max(time_updated," \
    " ifnull((SELECT max(time_updated) FROM message WHERE session_id = s.id), 0)," \
    " ifnull((SELECT max(time_updated) FROM part WHERE session_id = s.id), 0))" more \
    " FROM session s"

static void add_newer(struct json_object *info, sqlite3_stmt *st)
{
    struct json_object *tokens = json_object_new_object(), *cache = json_object_new_object();

    set_if(info, "path", text(st, S_PATH));
    set_if(info, "agent", text(st, S_AGENT));
    set_object(info, "model", text(st, S_MODEL));
    json_object_object_add(info, "cost", json_object_new_double(sqlite3_column_double(st, S_COST)));
    jdoc_set_int(tokens, "input", sqlite3_column_int64(st, S_INPUT));
    jdoc_set_int(tokens, "output", sqlite3_column_int64(st, S_OUTPUT));
    jdoc_set_int(tokens, "reasoning", sqlite3_column_int64(st, S_REASONING));
    jdoc_set_int(cache, "read", sqlite3_column_int64(st, S_READ));
    jdoc_set_int(cache, "write", sqlite3_column_int64(st, S_WRITE));
    json_object_object_add(tokens, "cache", cache);
    json_object_object_add(info, "tokens", tokens);
}

static struct json_object *session_line(sqlite3_stmt *st)
{
    struct json_object *o = json_object_new_object(), *info = json_object_new_object();
    struct json_object *time = json_object_new_object();

    jdoc_set_str(info, "id", text(st, S_ID));
    set_if(info, "slug", text(st, S_SLUG));
    set_if(info, "projectID", text(st, S_PROJECT));
    set_if(info, "parentID", text(st, S_PARENT));
    set_if(info, "directory", text(st, S_DIRECTORY));
    set_if(info, "title", text(st, S_TITLE));
    set_if(info, "version", text(st, S_VERSION));
    set_object(info, "permission", text(st, S_PERMISSION));
    set_object(info, "revert", text(st, S_REVERT));
    if (sqlite3_column_count(st) > S_PATH)
        add_newer(info, st);
    jdoc_set_int(time, "created", sqlite3_column_int64(st, S_CREATED));
    jdoc_set_int(time, "updated", sqlite3_column_int64(st, S_UPDATED));
    if (sqlite3_column_type(st, S_ARCHIVED) != SQLITE_NULL)
        jdoc_set_int(time, "archived", sqlite3_column_int64(st, S_ARCHIVED));
    json_object_object_add(info, "time", time);

    jdoc_set_str(o, "type", "session");
    jdoc_set_str(o, "id", text(st, S_ID));
    set_if(o, "cwd", text(st, S_DIRECTORY));
    jdoc_set_time(o, "timestamp", sqlite3_column_int64(st, S_CREATED));
    json_object_object_add(o, "info", info);
    return o;
}

/* All parts of a message.  ${ret_is_said}: they hold more than that a step began. */
static int parts_of(struct gathering *g, const char *message, struct json_object **ret,
                    int *ret_is_said, struct ct_err *err)
{
    static const char sql[] = "SELECT id, data FROM part WHERE message_id = ? ORDER BY id";
    struct json_object *list = json_object_new_array(), *o;
    sqlite3_stmt *st = NULL;
    const char *type;
    int rc;

    *ret_is_said = 0;
    rc = sqlite3_prepare_v2(g->db, sql, -1, &st, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_bind_text(st, 1, message, -1, SQLITE_STATIC);
    while (rc == SQLITE_OK || rc == SQLITE_ROW) {
        rc = sqlite3_step(st);
        o = rc == SQLITE_ROW ? parsed(text(st, 1)) : NULL;
        if (o == NULL)
            continue;
        type = jdoc_str(o, "type");
        *ret_is_said |= type != NULL && strcmp(type, "step-start") != 0;
        jdoc_set_str(o, "id", text(st, 0));
        json_object_array_add(list, o);
    }
    sqlite3_finalize(st);
    if (rc != SQLITE_DONE) {
        json_object_put(list);
        return db_fail(g, err);
    }
    *ret = list;
    return 0;
}

/* Can it be taken?  What is written at this moment comes again, whole. */
static int is_ready(struct gathering *g, const struct json_object *line, int is_said,
                    int64_t updated_ms)
{
    int64_t rests_ms = now_wall_ms() - updated_ms;

    if (strcmp(jdoc_str(line, "role"), "assistant") != 0 || jdoc_has(line, "completed"))
        return 1;
    if (!is_said)
        return 0;
    if (rests_ms >= FRESH_MS)
        return 1;
    g->again_ms = FRESH_MS;
    return 0;
}

static struct json_object *message_line(const char *id, struct json_object *info,
                                        struct json_object *parts)
{
    struct json_object *o = json_object_new_object();
    const struct json_object *time = jdoc_obj(info, "time");

    jdoc_set_str(o, "type", "message");
    jdoc_set_str(o, "id", id);
    jdoc_set_str(o, "role", jdoc_str(info, "role") != NULL ? jdoc_str(info, "role") : "unknown");
    jdoc_set_time(o, "timestamp", jdoc_int(time, "created", 0));
    if (jdoc_int(time, "completed", 0) > 0)
        jdoc_set_int(o, "completed", jdoc_int(time, "completed", 0));
    json_object_object_add(o, "info", info);
    json_object_object_add(o, "parts", parts);
    return o;
}

static int add_messages(struct gathering *g, const char *session, struct had *h, struct map *there,
                        struct buf *out, struct ct_err *err)
{
    static const char sql[] = "SELECT id, data, time_updated FROM message WHERE session_id = ?"
                              " ORDER BY time_created, id";
    struct json_object *info, *parts = NULL, *line;
    sqlite3_stmt *st = NULL;
    int rc, is_said, is_bad = 0;

    rc = sqlite3_prepare_v2(g->db, sql, -1, &st, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_bind_text(st, 1, session, -1, SQLITE_STATIC);
    while (!is_bad && (rc == SQLITE_OK || rc == SQLITE_ROW)) {
        rc = sqlite3_step(st);
        info = rc == SQLITE_ROW ? parsed(text(st, 1)) : NULL;
        if (rc == SQLITE_ROW && map_get(there, text(st, 0)) == NULL)
            map_put(there, text(st, 0), there);
        if (info == NULL)
            continue;
        is_bad = parts_of(g, text(st, 0), &parts, &is_said, err) != 0;
        if (is_bad) {
            json_object_put(info);
            break;
        }
        line = message_line(text(st, 0), info, parts);
        if (is_ready(g, line, is_said, sqlite3_column_int64(st, 2)))
            add_line(h, out, line);
        else
            json_object_put(line);
    }
    if (!is_bad && rc != SQLITE_DONE)
        is_bad = db_fail(g, err) != 0;
    sqlite3_finalize(st);
    return is_bad ? -1 : 0;
}

struct removing {
    struct map *there;
    struct buf *out;
};

/* Taken back by a person, or by opencode. */
static int remove_one(void *arg, const char *id, void *value)
{
    struct removing *r = arg;
    const char *type = jdoc_str(value, "type");
    struct json_object *o;

    if (type == NULL || strcmp(type, "message") != 0 || map_get(r->there, id) != NULL)
        return 0;
    o = json_object_new_object();
    jdoc_set_str(o, "type", "removed");
    jdoc_set_str(o, "id", id);
    jdoc_set_time(o, "timestamp", now_wall_ms());
    buf_addstr(r->out, jdoc_text(o));
    buf_addc(r->out, '\n');
    json_object_put(o);
    return 0;
}

static int append(int fd, int64_t end, const struct buf *out, struct ct_err *err)
{
    if (ftruncate(fd, (off_t)end) != 0 || lseek(fd, 0, SEEK_END) < 0 ||
        (out->len > 0 && file_write_all(fd, out->data, out->len) != 0) || file_sync(fd) != 0)
        return err_sys(err, "can't write what opencode has of a session");
    return 0;
}

static int take_session(struct gathering *g, sqlite3_stmt *st, const char *path, struct ct_err *err)
{
    struct had h = {.last = map_new()};
    struct map *there = map_new();
    struct buf out = {0};
    struct removing removing = {there, &out};
    int64_t stamp = sqlite3_column_int64(st, S_STAMP), again = g->again_ms;
    struct timespec t[2] = {{0, UTIME_OMIT}, {stamp / 1000, stamp % 1000 * 1000000}};
    int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600), rc;

    g->again_ms = 0;
    rc = fd < 0 ? err_sys(err, "can't open %s", path) : had_read(fd, &h, err);
    if (rc == 0) {
        add_line(&h, &out, session_line(st));
        rc = add_messages(g, text(st, S_ID), &h, there, &out, err);
    }
    if (rc == 0)
        map_each(h.last, remove_one, &removing);
    if (rc == 0)
        rc = append(fd, h.end, &out, err);
    if (rc == 0 && g->again_ms == 0 && futimens(fd, t) != 0)
        rc = err_sys(err, "can't set the time of %s", path);
    if (again > 0)
        g->again_ms = again;
    if (fd >= 0)
        close(fd);
    buf_free(&out);
    map_free(there);
    had_clear(&h);
    return rc;
}

/* ---- all ---------------------------------------------------------------------------------------
 */

static int is_as_it_was(const char *path, int64_t stamp)
{
    struct stat st;

    return stat(path, &st) == 0 && st.st_size > 0 && file_mtime_ns(&st) == stamp * 1000000;
}

static int take_all(struct gathering *g, struct ct_err *err)
{
    static const char newer[] =
        SESSIONS(", path, agent, model, cost, tokens_input, tokens_output, tokens_reasoning,"
                 " tokens_cache_read, tokens_cache_write");
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v2(g->db, newer, -1, &st, NULL), is_bad = 0;

    if (rc != SQLITE_OK)
        rc = sqlite3_prepare_v2(g->db, SESSIONS(""), -1, &st, NULL);
    while (!is_bad && (rc == SQLITE_OK || rc == SQLITE_ROW)) {
        char *name, *path;
        rc = sqlite3_step(st);
        if (rc != SQLITE_ROW || text(st, S_ID) == NULL ||
            !opencode_is_id(text(st, S_ID), strlen(text(st, S_ID)), "ses_"))
            continue;
        name = str_printf("%s.jsonl", text(st, S_ID));
        path = path_join(g->root, name);
        map_put(g->here, name, g);
        if (!is_as_it_was(path, sqlite3_column_int64(st, S_STAMP)))
            is_bad = take_session(g, st, path, err) != 0;
        free(path);
        free(name);
    }
    if (!is_bad && rc != SQLITE_DONE)
        is_bad = db_fail(g, err) != 0;
    sqlite3_finalize(st);
    return is_bad ? -1 : 0;
}

/* A session that opencode deleted. */
static void drop_others(const struct gathering *g)
{
    DIR *d = opendir(g->root);
    struct dirent *e;

    while (d != NULL && (e = readdir(d)) != NULL) {
        size_t n = strlen(e->d_name);
        if (n > 6 && strcmp(e->d_name + n - 6, ".jsonl") == 0 &&
            opencode_is_id(e->d_name, n - 6, "ses_") && map_get(g->here, e->d_name) == NULL)
            (void)unlinkat(dirfd(d), e->d_name, 0);
    }
    if (d != NULL)
        closedir(d);
}

static int lock(const char *root, struct ct_err *err)
{
    char *path = path_join(root, ".lock");
    int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

    free(path);
    if (fd >= 0 && flock(fd, LOCK_EX) == 0)
        return fd;
    err_sys(err, "can't lock %s", root);
    if (fd >= 0)
        close(fd);
    return -1;
}

int opencode_gather(const char *root, int64_t *ret_again_ms, struct ct_err *err)
{
    struct gathering g = {.root = root};
    char *source = opencode_database(), *copy;
    int fd, rc;

    *ret_again_ms = 0;
    if (access(source, F_OK) != 0) {
        free(source);
        return 0; /* what was gathered stays: nothing says that it was deleted */
    }
    rc = path_make_private(root, err);
    fd = rc == 0 ? lock(root, err) : -1;
    if (fd < 0) {
        free(source);
        return -1;
    }
    copy = path_join(root, ".copy");
    g.here = map_new();
    rc = opencode_copy(source, copy, &g.db, err);
    if (rc == 0)
        rc = take_all(&g, err);
    if (rc == 0)
        drop_others(&g);
    *ret_again_ms = g.again_ms;
    opencode_copy_end(g.db, copy);
    map_free(g.here);
    free(copy);
    free(source);
    close(fd);
    return rc;
}

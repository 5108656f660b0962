#include <sys/stat.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/file.h"
#include "common/data/jdoc.h"
#include "common/base/now.h"
#include "common/base/str.h"

#include "daemon/account/state.h"

struct state {
    struct db *db;
};

static const char *const schema[] = {
    "CREATE TABLE sessions ("
    " session_id TEXT PRIMARY KEY,"
    " root TEXT NOT NULL,"
    " project TEXT NOT NULL,"
    " meta TEXT,"
    " project_name TEXT NOT NULL,"
    " slug TEXT NOT NULL,"
    " modified_ms INTEGER NOT NULL,"
    " raw_bytes INTEGER NOT NULL,"
    " transcript_bytes INTEGER NOT NULL,"
    " transcript_digest TEXT NOT NULL,"
    " is_rewritten INTEGER NOT NULL,"
    " is_archived INTEGER NOT NULL,"
    " is_excluded INTEGER NOT NULL,"
    " revive INTEGER NOT NULL,"
    " version INTEGER NOT NULL DEFAULT 0,"
    " content_id TEXT NOT NULL DEFAULT '',"
    " sha256 TEXT NOT NULL DEFAULT '',"
    " size_bytes INTEGER NOT NULL DEFAULT 0,"
    " confirmed_ms INTEGER NOT NULL DEFAULT 0,"
    " is_loopback INTEGER NOT NULL DEFAULT 0);"
    "CREATE INDEX sessions_by_time ON sessions(modified_ms);"
    "CREATE INDEX sessions_by_project ON sessions(root, project, modified_ms);"
    "CREATE INDEX sessions_by_slug ON sessions(slug) WHERE slug <> '';"
    "CREATE TABLE files ("
    " root TEXT NOT NULL,"
    " path TEXT NOT NULL,"
    " session_id TEXT NOT NULL,"
    " size_bytes INTEGER NOT NULL,"
    " mtime_ns INTEGER NOT NULL,"
    " inode INTEGER NOT NULL,"
    " is_attachment INTEGER NOT NULL,"
    " PRIMARY KEY (root, path)) WITHOUT ROWID;"
    "CREATE INDEX files_by_session ON files(session_id);"
    "CREATE TABLE notes (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    "ALTER TABLE sessions ADD COLUMN pin INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE sessions ADD COLUMN elsewhere INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE sessions ADD COLUMN server_ms INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE sessions ADD COLUMN token_tag TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE sessions ADD COLUMN archived_ms INTEGER NOT NULL DEFAULT 0;"
    "CREATE INDEX sessions_elsewhere ON sessions(session_id) WHERE elsewhere > 0;"
    "CREATE INDEX sessions_archived ON sessions(archived_ms) WHERE archived_ms > 0",
    "ALTER TABLE sessions ADD COLUMN wire_id TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE sessions ADD COLUMN key_id TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE sessions ADD COLUMN generation INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE sessions ADD COLUMN rollback INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE sessions ADD COLUMN clear_version INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE sessions ADD COLUMN is_renewed INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE sessions ADD COLUMN elsewhere_wire TEXT NOT NULL DEFAULT '';"
    "UPDATE sessions SET clear_version = version;"
    "CREATE INDEX sessions_by_wire ON sessions(wire_id) WHERE wire_id <> '';"
    "CREATE INDEX sessions_in_clear ON sessions(session_id) WHERE clear_version > 0;"
    "CREATE INDEX sessions_rolled_back ON sessions(session_id) WHERE rollback > 0",
    "ALTER TABLE sessions ADD COLUMN deleted TEXT NOT NULL DEFAULT '';"
    "CREATE INDEX sessions_deleted ON sessions(session_id)"
    " WHERE is_excluded = 4",
    "CREATE TABLE manifests ("
    " session_id TEXT NOT NULL,"
    " is_stored INTEGER NOT NULL,"
    " content_id TEXT NOT NULL,"
    " version INTEGER NOT NULL,"
    " manifest BLOB NOT NULL,"
    " PRIMARY KEY (session_id, is_stored)) WITHOUT ROWID",
    "ALTER TABLE sessions ADD COLUMN is_apart INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE sessions ADD COLUMN elsewhere_device TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE sessions ADD COLUMN elsewhere_messages INTEGER NOT NULL DEFAULT -1;"
    "UPDATE sessions SET is_apart = 1"
    " WHERE elsewhere > 0 AND elsewhere < version AND elsewhere_wire = wire_id;"
    "CREATE INDEX sessions_apart ON sessions(session_id) WHERE is_apart = 1;"
    "CREATE TABLE contained ("
    " session_id TEXT NOT NULL,"
    " wire_id TEXT NOT NULL,"
    " version INTEGER NOT NULL,"
    " sha256 TEXT NOT NULL,"
    " PRIMARY KEY (session_id, wire_id, version, sha256)) WITHOUT ROWID;"
    "INSERT INTO contained SELECT session_id, wire_id, version, sha256 FROM sessions"
    " WHERE version > 0 AND sha256 <> ''",
    "CREATE TABLE writers ("
    " project TEXT NOT NULL,"
    " cwd TEXT NOT NULL,"
    " PRIMARY KEY (project, cwd)) WITHOUT ROWID",
    "ALTER TABLE contained ADD COLUMN is_untold INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE sessions ADD COLUMN is_within INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE sessions ADD COLUMN verified TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE sessions ADD COLUMN agent TEXT NOT NULL DEFAULT 'claude-code'",
    "CREATE TABLE names (session_id TEXT PRIMARY KEY, doc TEXT NOT NULL, told TEXT)",
};

#define COLUMNS \
    "session_id, root, project, meta, slug, modified_ms, raw_bytes, transcript_bytes," \
    " transcript_digest, is_rewritten, is_archived, is_excluded, revive, version, content_id," \
    " sha256, size_bytes, confirmed_ms, is_loopback, pin, elsewhere, server_ms, token_tag," \
    " wire_id, key_id, generation, rollback, clear_version, is_renewed, elsewhere_wire, deleted," \
    " is_apart, elsewhere_device, elsewhere_messages, is_within, agent"

/* A clean end leaves no log beside the database. */
static int was_clean(const char *path)
{
    char *wal = str_printf("%s-wal", path);
    struct stat st;
    int rc = stat(wal, &st) != 0 || st.st_size == 0;

    free(wal);
    return rc;
}

int state_open(const char *path, struct state **ret, struct ct_err *err)
{
    int is_clean = was_clean(path);
    struct db *db;

    if (db_open(path, DB_EXCLUSIVE, &db, err) != 0)
        return -1;
    if (db_migrate(db, schema, sizeof(schema) / sizeof(schema[0]), "state", err) != 0 ||
        (!is_clean && db_check(db, err) != 0)) {
        db_close(db);
        return -1;
    }
    *ret = str_calloc(1, sizeof(**ret));
    (*ret)->db = db;
    return 0;
}

static int move(const char *path, const char *aside, const char *suffix, struct ct_err *err)
{
    char *from = str_printf("%s%s", path, suffix), *to = str_printf("%s%s", aside, suffix);
    int rc = 0;

    if (rename(from, to) != 0 && errno != ENOENT)
        rc = err_sys(err, "can't set %s aside", from);
    free(from);
    free(to);
    return rc;
}

int state_set_aside(const char *path, const char *spool, char **ret_aside, struct ct_err *err)
{
    char *aside = str_printf("%s.damaged-%lld", path, (long long)now_wall_ms());
    char *spool_aside = str_printf("%s.spool", aside);

    /* The database goes last: a new one must find neither the old log nor the old spool, whose
     * files it would take for nobody's. */
    if (move(spool, spool_aside, "", err) != 0 || move(path, aside, "-wal", err) != 0 ||
        file_sync_parent(path, err) != 0 || move(path, aside, "", err) != 0 ||
        file_sync_parent(path, err) != 0) {
        free(spool_aside);
        free(aside);
        return -1;
    }
    free(spool_aside);
    *ret_aside = aside;
    return 0;
}

void state_close(struct state *s)
{
    if (s == NULL)
        return;
    db_close(s->db);
    free(s);
}

struct db *state_db(struct state *s)
{
    return s->db;
}

/* All but its metadata. */
static void bare_of_row(sqlite3_stmt *st, struct state_session *ss)
{
    memset(ss, 0, sizeof(*ss));
    snprintf(ss->session_id, sizeof(ss->session_id), "%s", db_text(st, 0));
    ss->root = str_dup(db_text(st, 1));
    ss->project = str_dup(db_text(st, 2));
    ss->slug = str_dup(db_text(st, 4));
    ss->modified_ms = sqlite3_column_int64(st, 5);
    ss->raw_bytes = sqlite3_column_int64(st, 6);
    ss->transcript_bytes = sqlite3_column_int64(st, 7);
    snprintf(ss->transcript_digest, sizeof(ss->transcript_digest), "%s", db_text(st, 8));
    ss->is_rewritten = sqlite3_column_int(st, 9);
    ss->is_archived = sqlite3_column_int(st, 10);
    ss->is_excluded = sqlite3_column_int(st, 11);
    ss->revive = sqlite3_column_int(st, 12);
    ss->version = sqlite3_column_int64(st, 13);
    snprintf(ss->content_id, sizeof(ss->content_id), "%s", db_text(st, 14));
    snprintf(ss->sha256, sizeof(ss->sha256), "%s", db_text(st, 15));
    ss->size_bytes = sqlite3_column_int64(st, 16);
    ss->confirmed_ms = sqlite3_column_int64(st, 17);
    ss->is_loopback = sqlite3_column_int(st, 18);
    ss->pin = sqlite3_column_int64(st, 19);
    ss->elsewhere = sqlite3_column_int64(st, 20);
    ss->server_ms = sqlite3_column_int64(st, 21);
    snprintf(ss->token_tag, sizeof(ss->token_tag), "%s", db_text(st, 22));
    snprintf(ss->wire_id, sizeof(ss->wire_id), "%s", db_text(st, 23));
    snprintf(ss->key_id, sizeof(ss->key_id), "%s", db_text(st, 24));
    ss->generation = sqlite3_column_int64(st, 25);
    ss->rollback = sqlite3_column_int64(st, 26);
    ss->clear_version = sqlite3_column_int64(st, 27);
    ss->is_renewed = sqlite3_column_int(st, 28);
    snprintf(ss->elsewhere_wire, sizeof(ss->elsewhere_wire), "%s", db_text(st, 29));
    ss->deleted = str_dup(db_text(st, 30));
    ss->is_apart = sqlite3_column_int(st, 31);
    ss->elsewhere_device = str_dup(db_text(st, 32));
    ss->elsewhere_messages = sqlite3_column_int64(st, 33);
    ss->is_within = sqlite3_column_int(st, 34);
    snprintf(ss->agent, sizeof(ss->agent), "%s", db_text(st, 35));
}

static void session_of_row(sqlite3_stmt *st, struct state_session *ss)
{
    const char *meta = db_text(st, 3);

    bare_of_row(st, ss);
    if (meta[0] != '\0')
        jdoc_parse(meta, strlen(meta), &ss->meta, NULL);
}

void state_session_clear(struct state_session *ss)
{
    free(ss->root);
    free(ss->project);
    free(ss->slug);
    free(ss->deleted);
    free(ss->elsewhere_device);
    json_object_put(ss->meta);
    memset(ss, 0, sizeof(*ss));
}

static int get(struct state *s, const char *session_id,
               void (*of_row)(sqlite3_stmt *st, struct state_session *ss),
               struct state_session *ret)
{
    sqlite3_stmt *st;
    int found = 0;

    memset(ret, 0, sizeof(*ret));
    if (db_query(s->db, NULL, &st, "SELECT " COLUMNS " FROM sessions WHERE session_id = ?", "s",
                 session_id) != 0)
        return 0;
    if (db_step(s->db, st, NULL) == 1) {
        of_row(st, ret);
        found = 1;
    }
    db_done(st);
    return found;
}

int state_get(struct state *s, const char *session_id, struct state_session *ret)
{
    return get(s, session_id, session_of_row, ret);
}

int state_get_bare(struct state *s, const char *session_id, struct state_session *ret)
{
    return get(s, session_id, bare_of_row, ret);
}

int state_agent(struct state *s, const char *session_id, char ret[AGENT_ID_SIZE])
{
    sqlite3_stmt *st;
    int found = 0;

    if (db_query(s->db, NULL, &st, "SELECT agent FROM sessions WHERE session_id = ?", "s",
                 session_id) != 0)
        return 0;
    if (db_step(s->db, st, NULL) == 1) {
        snprintf(ret, AGENT_ID_SIZE, "%s", db_text(st, 0));
        found = 1;
    }
    db_done(st);
    return found;
}

int state_put(struct state *s, const struct state_session *ss, struct ct_err *err)
{
    const char *name = jdoc_str(ss->meta, "projectName");

    return db_exec(
        s->db, err,
        "INSERT INTO sessions(session_id, root, project, meta, project_name, slug, modified_ms,"
        " raw_bytes, transcript_bytes, transcript_digest, is_rewritten, is_archived, is_excluded,"
        " revive, pin, agent) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,"
        " coalesce(nullif(?,''),'claude-code'))"
        " ON CONFLICT(session_id) DO UPDATE SET root = excluded.root, project = excluded.project,"
        " meta = excluded.meta, project_name = excluded.project_name, slug = excluded.slug,"
        " modified_ms = excluded.modified_ms, raw_bytes = excluded.raw_bytes,"
        " transcript_bytes = excluded.transcript_bytes,"
        " transcript_digest = excluded.transcript_digest, is_rewritten = excluded.is_rewritten,"
        " is_archived = excluded.is_archived, is_excluded = excluded.is_excluded,"
        " revive = excluded.revive, pin = excluded.pin, archived_ms = 0,"
        " agent = excluded.agent",
        "ssssssiiisiiiiis", ss->session_id, ss->root, ss->project,
        ss->meta != NULL ? jdoc_text(ss->meta) : NULL, name != NULL ? name : "",
        ss->slug != NULL ? ss->slug : "", ss->modified_ms, ss->raw_bytes, ss->transcript_bytes,
        ss->transcript_digest, (int64_t)ss->is_rewritten, (int64_t)ss->is_archived,
        (int64_t)ss->is_excluded, (int64_t)ss->revive, ss->pin, ss->agent);
}

static int one_id(struct state *s, sqlite3_stmt *st, char ret[UUID_SIZE])
{
    int found = 0;

    if (db_step(s->db, st, NULL) == 1) {
        snprintf(ret, UUID_SIZE, "%s", db_text(st, 0));
        found = 1;
    }
    db_done(st);
    return found;
}

#define IS_CONTAINED \
    "((elsewhere_wire = ?12 AND elsewhere IN (?1, ?15))" \
    " OR (?11 AND (elsewhere_wire <> ?12 OR elsewhere < ?1)))"

int state_confirm(struct state *s, const char *session_id, const struct state_confirmed *c,
                  struct ct_err *err)
{
    if (state_contain(s, session_id, c, err) != 0)
        return -1;
    return db_exec(
        s->db, err,
        "UPDATE sessions SET version = ?1, content_id = ?2, sha256 = ?3, size_bytes = ?4,"
        " is_loopback = ?5, confirmed_ms = ?6, server_ms = ?7, token_tag = ?8,"
        " revive = 0, is_renewed = 0, rollback = 0,"
        /* The numbers of what is in clear and of what is sealed say nothing of each other. */
        " pin = CASE WHEN pin = ?9 OR wire_id <> ?12 THEN 0 ELSE pin END,"
        " elsewhere = CASE WHEN " IS_CONTAINED " THEN 0 ELSE elsewhere END,"
        " is_apart = elsewhere > 0 AND NOT " IS_CONTAINED
        "  AND (is_apart OR (elsewhere < ?1 AND elsewhere_wire = ?12)),"
        " clear_version = CASE WHEN ?12 = '' THEN ?1 ELSE clear_version END,"
        " wire_id = ?12, key_id = ?13, generation = max(generation, ?14), is_within = ?16"
        " WHERE session_id = ?10",
        "issiiiisisissiii", c->version, c->content_id, c->sha256, c->size_bytes,
        (int64_t)c->is_loopback, c->wall_ms, c->server_ms, c->token_tag, c->pin, session_id,
        (int64_t)c->is_pulled, c->wire_id != NULL ? c->wire_id : "",
        c->key_id != NULL ? c->key_id : "", c->generation, c->goes_on_from, (int64_t)c->is_within);
}

int state_pin(struct state *s, const char *session_id, struct ct_err *err)
{
    return db_exec(s->db, err, "UPDATE sessions SET pin = version WHERE session_id = ?", "s",
                   session_id);
}

int state_set_archived(struct state *s, const char *session_id, int64_t wall_ms, struct ct_err *err)
{
    return db_exec(s->db, err,
                   "UPDATE sessions SET is_archived = 1, archived_ms = ? WHERE session_id = ?",
                   "is", wall_ms, session_id);
}

int state_next_archived(struct state *s, int64_t before_ms, char ret[UUID_SIZE])
{
    sqlite3_stmt *st;

    if (db_query(s->db, NULL, &st,
                 "SELECT session_id FROM sessions WHERE archived_ms > 0 AND archived_ms < ?"
                 " LIMIT 1",
                 "i", before_ms) != 0)
        return 0;
    return one_id(s, st, ret);
}

int state_archive_tidied(struct state *s, const char *session_id, struct ct_err *err)
{
    return db_exec(s->db, err, "UPDATE sessions SET archived_ms = 0 WHERE session_id = ?", "s",
                   session_id);
}

int state_set_excluded(struct state *s, const char *session_id, int why, int revive,
                       struct ct_err *err)
{
    return db_exec(s->db, err,
                   "INSERT INTO sessions(session_id, root, project, project_name, slug,"
                   " modified_ms, raw_bytes, transcript_bytes, transcript_digest, is_rewritten,"
                   " is_archived, is_excluded, revive) VALUES (?,'','','','',0,0,0,'',0,0,?,?)"
                   " ON CONFLICT(session_id) DO UPDATE SET is_excluded = excluded.is_excluded,"
                   " revive = excluded.revive",
                   "sii", session_id, (int64_t)why, (int64_t)revive);
}

int state_is_deleted(const struct state_session *ss)
{
    return ss->is_excluded == STATE_DELETED || ss->is_excluded == STATE_DELETED_CHANGED;
}

int state_set_deleted(struct state *s, const char *session_id, const char *why, struct ct_err *err)
{
    if (state_set_excluded(s, session_id, STATE_DELETED_CHANGED, 0, err) != 0)
        return -1;
    return db_exec(s->db, err, "UPDATE sessions SET deleted = ? WHERE session_id = ?", "ss", why,
                   session_id);
}

void state_each_confirmed(struct state *s,
                          void (*f)(void *arg, const char *session_id, const char *wire_id),
                          void *arg)
{
    sqlite3_stmt *st;

    if (db_query(s->db, NULL, &st,
                 "SELECT session_id, wire_id FROM sessions WHERE version > 0 AND is_excluded = 0",
                 "") != 0)
        return;
    while (db_step(s->db, st, NULL) == 1)
        f(arg, db_text(st, 0), db_text(st, 1));
    db_done(st);
}

void state_each_deleted(struct state *s,
                        void (*f)(void *arg, const char *session_id, const char *why), void *arg)
{
    sqlite3_stmt *st;

    if (db_query(s->db, NULL, &st, "SELECT session_id, deleted FROM sessions WHERE is_excluded = 4",
                 "") != 0)
        return;
    while (db_step(s->db, st, NULL) == 1)
        f(arg, db_text(st, 0), db_text(st, 1));
    db_done(st);
}

int state_is_excluded(struct state *s, const char *session_id)
{
    return db_int(s->db, 0, "SELECT is_excluded FROM sessions WHERE session_id = ?", "s",
                  session_id) != 0;
}

int state_has_excluded(struct state *s, enum state_excluded why)
{
    return db_int(s->db, 0, "SELECT count(*) FROM sessions WHERE is_excluded = ?", "i",
                  (int64_t)why) > 0;
}

int state_is_revived(struct state *s, const char *session_id)
{
    return db_int(s->db, 0, "SELECT revive FROM sessions WHERE session_id = ?", "s", session_id) !=
           0;
}

int state_forget(struct state *s, const char *session_id, struct ct_err *err)
{
    if (state_drop_files(s, session_id, err) != 0)
        return -1;
    return db_exec(s->db, err, "DELETE FROM sessions WHERE session_id = ? AND version = 0", "s",
                   session_id);
}

int state_put_file(struct state *s, const char *session_id, const struct state_file *f,
                   struct ct_err *err)
{
    return db_exec(s->db, err,
                   "INSERT OR REPLACE INTO files(root, path, session_id, size_bytes, mtime_ns,"
                   " inode, is_attachment) VALUES (?,?,?,?,?,?,?)",
                   "sssiiii", f->root, f->path, session_id, f->size_bytes, f->mtime_ns,
                   (int64_t)f->inode, (int64_t)f->is_attachment);
}

int state_drop_files(struct state *s, const char *session_id, struct ct_err *err)
{
    return db_exec(s->db, err, "DELETE FROM files WHERE session_id = ?", "s", session_id);
}

int state_outdate_files(struct state *s, const char *session_id, struct ct_err *err)
{
    return db_exec(s->db, err, "UPDATE files SET mtime_ns = -1 WHERE session_id = ?", "s",
                   session_id);
}

int state_file(struct state *s, const char *root, const char *path, int64_t *ret_size_bytes,
               int64_t *ret_mtime_ns, uint64_t *ret_inode)
{
    sqlite3_stmt *st;
    int found = 0;

    if (db_query(s->db, NULL, &st,
                 "SELECT size_bytes, mtime_ns, inode FROM files WHERE root = ? AND path = ?", "ss",
                 root, path) != 0)
        return 0;
    if (db_step(s->db, st, NULL) == 1) {
        *ret_size_bytes = sqlite3_column_int64(st, 0);
        *ret_mtime_ns = sqlite3_column_int64(st, 1);
        *ret_inode = (uint64_t)sqlite3_column_int64(st, 2);
        found = 1;
    }
    db_done(st);
    return found;
}

void state_each_file(struct state *s, const char *root,
                     void (*f)(void *arg, const char *session_id, const char *path), void *arg)
{
    sqlite3_stmt *st;

    if (db_query(s->db, NULL, &st, "SELECT session_id, path FROM files WHERE root = ?", "s",
                 root) != 0)
        return;
    while (db_step(s->db, st, NULL) == 1)
        f(arg, db_text(st, 0), db_text(st, 1));
    db_done(st);
}

void state_each_claimed(struct state *s, const char *root,
                        void (*f)(void *arg, const char *session_id, const char *path), void *arg)
{
    sqlite3_stmt *st;

    if (db_query(s->db, NULL, &st,
                 "SELECT f.session_id, f.path FROM files f JOIN sessions s USING (session_id)"
                 " WHERE f.root = ? AND s.is_excluded = 0 AND ((f.path >= 'plans/' AND"
                 " f.path < 'plans0') OR (f.path >= 'projects/' AND f.path < 'projects0' AND"
                 " instr(f.path, '/memory/') > 0))",
                 "s", root) != 0)
        return;
    while (db_step(s->db, st, NULL) == 1)
        f(arg, db_text(st, 0), db_text(st, 1));
    db_done(st);
}

void state_each_excluded_project(struct state *s, void (*f)(void *arg, const char *project),
                                 void *arg)
{
    sqlite3_stmt *st;

    if (db_query(s->db, NULL, &st, "SELECT DISTINCT project FROM sessions WHERE is_excluded <> 0",
                 "") != 0)
        return;
    while (db_step(s->db, st, NULL) == 1)
        f(arg, db_text(st, 0));
    db_done(st);
}

void state_each_old(struct state *s, const char *root, int64_t mtime_ns,
                    void (*f)(void *arg, const char *session_id, const char *path,
                              int64_t mtime_ns),
                    void *arg)
{
    sqlite3_stmt *st;

    if (db_query(s->db, NULL, &st,
                 "SELECT session_id, path, mtime_ns FROM files WHERE root = ?"
                 " AND mtime_ns BETWEEN 1 AND ? AND is_attachment = 0",
                 "si", root, mtime_ns) != 0)
        return;
    while (db_step(s->db, st, NULL) == 1)
        f(arg, db_text(st, 0), db_text(st, 1), sqlite3_column_int64(st, 2));
    db_done(st);
}

void state_each_attachment(struct state *s, const char *session_id,
                           void (*f)(void *arg, const char *path, int64_t size_bytes), void *arg)
{
    sqlite3_stmt *st;

    if (db_query(s->db, NULL, &st,
                 "SELECT path, size_bytes FROM files WHERE session_id = ? AND is_attachment = 1",
                 "s", session_id) != 0)
        return;
    while (db_step(s->db, st, NULL) == 1)
        f(arg, db_text(st, 0), sqlite3_column_int64(st, 1));
    db_done(st);
}

void state_each(struct state *s, const char *project, int64_t offset, int64_t limit,
                void (*f)(void *arg, const struct state_session *ss), void *arg)
{
    struct state_session ss;
    sqlite3_stmt *st;

    if (db_query(s->db, NULL, &st,
                 "SELECT " COLUMNS " FROM sessions"
                 " WHERE project <> '" STATE_PROFILE "'"
                 " AND (?1 IS NULL OR project = ?1 OR project_name = ?1)"
                 " ORDER BY modified_ms DESC, session_id LIMIT ?2 OFFSET ?3",
                 "sii", project, limit, offset) != 0)
        return;
    while (db_step(s->db, st, NULL) == 1) {
        session_of_row(st, &ss);
        f(arg, &ss);
        state_session_clear(&ss);
    }
    db_done(st);
}

void state_each_apart(struct state *s, void (*f)(void *arg, const struct state_session *ss),
                      void *arg)
{
    struct state_session ss;
    sqlite3_stmt *st;

    if (db_query(s->db, NULL, &st,
                 "SELECT " COLUMNS " FROM sessions WHERE is_apart = 1 AND is_excluded = 0",
                 "") != 0)
        return;
    while (db_step(s->db, st, NULL) == 1) {
        session_of_row(st, &ss);
        f(arg, &ss);
        state_session_clear(&ss);
    }
    db_done(st);
}

void state_each_excluded(struct state *s, void (*f)(void *arg, const struct state_session *ss),
                         void *arg)
{
    struct state_session ss;
    sqlite3_stmt *st;

    if (db_query(s->db, NULL, &st, "SELECT " COLUMNS " FROM sessions WHERE is_excluded <> 0", "") !=
        0)
        return;
    while (db_step(s->db, st, NULL) == 1) {
        session_of_row(st, &ss);
        f(arg, &ss);
        state_session_clear(&ss);
    }
    db_done(st);
}

int state_newest_of_memory(struct state *s, const char *root, const char *project,
                           char ret[UUID_SIZE])
{
    sqlite3_stmt *st;

    if (db_query(s->db, NULL, &st,
                 "SELECT session_id FROM sessions WHERE root = ? AND project = ?"
                 " AND is_archived = 0 ORDER BY modified_ms DESC LIMIT 1",
                 "ss", root, project) == 0 &&
        one_id(s, st, ret))
        return 1;
    if (db_query(s->db, NULL, &st,
                 "SELECT session_id FROM files WHERE root = ?1 AND path >= 'projects/' || ?2 ||"
                 " '/memory/' AND path < 'projects/' || ?2 || '/memory0' LIMIT 1",
                 "ss", root, project) == 0 &&
        one_id(s, st, ret))
        return 1;
    return db_query(
               s->db, NULL, &st,
               "SELECT session_id FROM sessions WHERE root = ?1 AND project >= ?2 || '-'"
               " AND project < ?2 || '.' AND is_archived = 0 ORDER BY modified_ms DESC LIMIT 1",
               "ss", root, project) == 0 &&
           one_id(s, st, ret);
}

void state_by_slug(struct state *s, const char *slug, void (*f)(void *arg, const char *session_id),
                   void *arg)
{
    sqlite3_stmt *st;

    if (db_query(s->db, NULL, &st, "SELECT session_id FROM sessions WHERE slug = ?", "s", slug) !=
        0)
        return;
    while (db_step(s->db, st, NULL) == 1)
        f(arg, db_text(st, 0));
    db_done(st);
}

int state_by_prefix(struct state *s, const char *prefix, char ret[UUID_SIZE])
{
    sqlite3_stmt *st;
    int n = 0;

    if (db_query(s->db, NULL, &st,
                 "SELECT session_id FROM sessions WHERE substr(session_id, 1, length(?1)) = ?1"
                 " LIMIT 2",
                 "s", prefix) != 0)
        return 0;
    while (db_step(s->db, st, NULL) == 1) {
        if (n++ == 0)
            snprintf(ret, UUID_SIZE, "%s", db_text(st, 0));
    }
    db_done(st);
    return n;
}

void state_each_prefixed(struct state *s, const char *prefix,
                         void (*f)(void *arg, const char *session_id), void *arg)
{
    sqlite3_stmt *st;

    if (db_query(
            s->db, NULL, &st,
            "SELECT session_id FROM sessions WHERE session_id >= ?1 AND session_id < ?1 || 'g'",
            "s", prefix) != 0)
        return;
    while (db_step(s->db, st, NULL) == 1)
        f(arg, db_text(st, 0));
    db_done(st);
}

void state_counts(struct state *s, struct state_counts *ret)
{
    sqlite3_stmt *st;

    memset(ret, 0, sizeof(*ret));
    if (db_query(s->db, NULL, &st,
                 "SELECT count(*), sum(version > 0 AND NOT is_excluded), sum(is_archived AND NOT "
                 "is_excluded), "
                 "sum(is_excluded IN (1, 2)),"
                 " sum(raw_bytes), max(confirmed_ms), sum(is_rewritten),"
                 " sum(NOT is_excluded AND elsewhere > 0 AND"
                 " NOT is_apart), sum(NOT is_excluded AND is_apart),"
                 " sum(version > 0 AND key_id <> '' AND NOT is_excluded),"
                 " (SELECT count(*) FROM sessions WHERE clear_version > 0 AND NOT is_excluded),"
                 " sum(rollback > 0),"
                 " sum(is_excluded IN (3, 4)), sum(is_excluded = 4)"
                 " FROM sessions WHERE project <> '" STATE_PROFILE "'",
                 "") != 0)
        return;
    if (db_step(s->db, st, NULL) == 1) {
        ret->known = sqlite3_column_int64(st, 0);
        ret->safe = sqlite3_column_int64(st, 1);
        ret->archived = sqlite3_column_int64(st, 2);
        ret->excluded = sqlite3_column_int64(st, 3);
        ret->bytes = sqlite3_column_int64(st, 4);
        ret->last_confirmed_ms = sqlite3_column_int64(st, 5);
        ret->rewritten = sqlite3_column_int64(st, 6);
        ret->behind = sqlite3_column_int64(st, 7);
        ret->diverged = sqlite3_column_int64(st, 8);
        ret->sealed = sqlite3_column_int64(st, 9);
        ret->in_clear = sqlite3_column_int64(st, 10);
        ret->rollbacks = sqlite3_column_int64(st, 11);
        ret->deleted = sqlite3_column_int64(st, 12);
        ret->deleted_changed = sqlite3_column_int64(st, 13);
    }
    db_done(st);
}

int state_note(struct state *s, const char *key, const char *value, struct ct_err *err)
{
    return db_exec(s->db, err, "INSERT OR REPLACE INTO notes(key, value) VALUES (?, ?)", "ss", key,
                   value);
}

char *state_noted(struct state *s, const char *key)
{
    sqlite3_stmt *st;
    char *value = NULL;

    if (db_query(s->db, NULL, &st, "SELECT value FROM notes WHERE key = ?", "s", key) != 0)
        return NULL;
    if (db_step(s->db, st, NULL) == 1)
        value = str_dup(db_text(st, 0));
    db_done(st);
    return value;
}

#include <stdlib.h>
#include <string.h>

#include "bundle/pack/leaks.h"
#include "common/data/jdoc.h"
#include "common/base/log.h"
#include "common/base/str.h"

#include "daemon/session/credscan.h"

#define MAX_FOUND 1000 /* places in one session that are worth remembering */
#define MAX_SHOWN 200
#define MAX_LOGGED 20 /* places of one bundle that get a line of their own */

static const char *const schema[] = {
    "CREATE TABLE scan_files ("
    " session_id TEXT NOT NULL,"
    " path TEXT NOT NULL,"
    " size_bytes INTEGER NOT NULL,"
    " mtime_ns INTEGER NOT NULL,"
    " inode INTEGER NOT NULL,"
    " bytes INTEGER NOT NULL,"
    " lines INTEGER NOT NULL,"
    " PRIMARY KEY (session_id, path)) WITHOUT ROWID;"
    "CREATE TABLE scan_found ("
    " session_id TEXT NOT NULL,"
    " path TEXT NOT NULL,"
    " line INTEGER NOT NULL,"
    " rule TEXT NOT NULL,"
    " PRIMARY KEY (session_id, path, line, rule)) WITHOUT ROWID",
};

struct place {
    char *rule;
    int64_t line;
};

/* One file that was looked at. */
struct looked {
    char *path;
    int is_from_start, is_done;
    struct leaks_mark mark;
    struct place *places;
    size_t n;
};

struct credscan_job {
    struct leak_rules *rules;
    struct map *known; /* path -> struct leaks_mark (owned) */
    struct looked *files;
    size_t n, found;
    char *slow; /* a rule that gave up, or NULL */
};

/* ---- rules --------------------------------------------------------------------------------------
 */

int credscan_configure(struct daemon *d, const struct config *config, struct ct_err *err)
{
    struct leak_rules *fresh = NULL;

    if (config->scan_secrets == CONFIG_SCAN_WARN &&
        leak_rules_load(config->scan_rules, &fresh, err) != 0)
        return -1;
    credscan_end(d);
    d->leak_rules = fresh;
    return 0;
}

void credscan_end(struct daemon *d)
{
    leak_rules_free(d->leak_rules);
    d->leak_rules = NULL;
}

int credscan_open(struct db *db, struct ct_err *err)
{
    return db_migrate(db, schema, sizeof(schema) / sizeof(schema[0]), "scan", err);
}

/* ---- on the worker ------------------------------------------------------------------------------
 */

static void load_known(struct daemon *d, const char *session_id, struct map *known)
{
    struct db *db = state_db(d->books->state);
    sqlite3_stmt *st = NULL;

    if (db_query(db, NULL, &st,
                 "SELECT path, size_bytes, mtime_ns, inode, bytes, lines FROM scan_files"
                 " WHERE session_id = ?",
                 "s", session_id) != 0)
        return; /* all is looked at again */
    while (db_step(db, st, NULL) == 1) {
        struct leaks_mark *m = str_calloc(1, sizeof(*m));
        m->size_bytes = sqlite3_column_int64(st, 1);
        m->mtime_ns = sqlite3_column_int64(st, 2);
        m->inode = (uint64_t)sqlite3_column_int64(st, 3);
        m->bytes = sqlite3_column_int64(st, 4);
        m->lines = sqlite3_column_int64(st, 5);
        map_put(known, db_text(st, 0), m);
    }
    db_done(st);
}

struct credscan_job *credscan_job_new(struct daemon *d, const char *session_id)
{
    struct credscan_job *j;

    if (d->leak_rules == NULL || d->books == NULL)
        return NULL;
    j = str_calloc(1, sizeof(*j));
    j->rules = leak_rules_keep(d->leak_rules);
    j->known = map_new();
    load_known(d, session_id, j->known);
    return j;
}

static void clear_files(struct credscan_job *j)
{
    for (size_t i = 0; i < j->n; i++) {
        for (size_t k = 0; k < j->files[i].n; k++)
            free(j->files[i].places[k].rule);
        free(j->files[i].places);
        free(j->files[i].path);
    }
    free(j->files);
    free(j->slow);
    j->files = NULL;
    j->slow = NULL;
    j->n = j->found = 0;
}

void credscan_job_free(struct credscan_job *j)
{
    if (j == NULL)
        return;
    clear_files(j);
    map_free_all(j->known);
    leak_rules_free(j->rules);
    free(j);
}

static int known(void *arg, const char *path, struct leaks_mark *ret)
{
    const struct credscan_job *j = arg;
    const struct leaks_mark *m = map_get(j->known, path);

    if (m == NULL)
        return 0;
    *ret = *m;
    return 1;
}

static void begin(void *arg, const char *path, int is_from_start)
{
    struct credscan_job *j = arg;

    j->files = str_realloc(j->files, j->n + 1, sizeof(*j->files));
    memset(&j->files[j->n], 0, sizeof(*j->files));
    j->files[j->n].path = str_dup(path);
    j->files[j->n++].is_from_start = is_from_start;
}

static void found(void *arg, const char *path, const char *rule, int64_t line)
{
    struct credscan_job *j = arg;
    struct looked *f = &j->files[j->n - 1];

    (void)path;
    if (j->found++ >= MAX_FOUND)
        return;
    f->places = str_realloc(f->places, f->n + 1, sizeof(*f->places));
    f->places[f->n++] = (struct place){str_dup(rule), line};
}

static void end(void *arg, const char *path, const struct leaks_mark *mark)
{
    struct credscan_job *j = arg;

    (void)path;
    j->files[j->n - 1].mark = *mark;
    j->files[j->n - 1].is_done = 1;
}

static void gave_up(void *arg, const char *path, const char *rule)
{
    struct credscan_job *j = arg;

    (void)path;
    free(j->slow);
    j->slow = str_dup(rule);
}

void credscan_run(struct credscan_job *j, const struct snapshot *s, int is_rewritten,
                  const _Atomic int *cancel)
{
    const struct leaks_opts o = {
        .rules = j != NULL ? j->rules : NULL,
        .is_rewritten = is_rewritten,
        .cancel = cancel,
        .known = known,
        .begin = begin,
        .found = found,
        .end = end,
        .gave_up = gave_up,
        .arg = j,
    };

    if (j == NULL)
        return;
    clear_files(j);
    leaks_scan(s, &o, NULL); /* a file that is not done is not recorded, and comes again */
}

/* ---- the books ----------------------------------------------------------------------------------
 */

struct recording {
    struct daemon *d;
    const char *session_id;
    const struct credscan_job *j;
    int logged, more;
};

static void tell(struct recording *r, const char *path, const struct place *p)
{
    char a[256], b[128];

    if (r->logged++ >= MAX_LOGGED) {
        r->more++;
        return;
    }
    log_warn("secret-found session=%s path=%s line=%lld rule=%s", r->session_id,
             log_quote(path, a, sizeof(a)), (long long)p->line, log_quote(p->rule, b, sizeof(b)));
}

static struct map *destination_before(struct recording *r, const char *path)
{
    struct db *db = state_db(r->d->books->state);
    struct map *m = map_new();
    sqlite3_stmt *st = NULL;

    if (db_query(db, NULL, &st,
                 "SELECT line || ' ' || rule FROM scan_found WHERE session_id = ? AND path = ?",
                 "ss", r->session_id, path) != 0)
        return m;
    while (db_step(db, st, NULL) == 1)
        map_put(m, db_text(st, 0), m);
    db_done(st);
    return m;
}

static int record_file(struct recording *r, const struct looked *f, struct ct_err *err)
{
    struct db *db = state_db(r->d->books->state);
    struct map *before = destination_before(r, f->path);
    int rc = 0;

    if (f->is_from_start)
        rc = db_exec(db, err, "DELETE FROM scan_found WHERE session_id = ? AND path = ?", "ss",
                     r->session_id, f->path);
    for (size_t i = 0; rc == 0 && i < f->n; i++) {
        char *key = str_printf("%lld %s", (long long)f->places[i].line, f->places[i].rule);
        if (map_get(before, key) == NULL)
            tell(r, f->path, &f->places[i]);
        free(key);
        rc = db_exec(db, err,
                     "INSERT OR IGNORE INTO scan_found(session_id, path, line, rule)"
                     " VALUES (?,?,?,?)",
                     "ssis", r->session_id, f->path, f->places[i].line, f->places[i].rule);
    }
    if (rc == 0)
        rc = db_exec(db, err,
                     "INSERT OR REPLACE INTO scan_files(session_id, path, size_bytes, mtime_ns,"
                     " inode, bytes, lines) VALUES (?,?,?,?,?,?,?)",
                     "ssiiiii", r->session_id, f->path, f->mark.size_bytes, f->mark.mtime_ns,
                     (int64_t)f->mark.inode, f->mark.bytes, f->mark.lines);
    map_free(before);
    return rc;
}

static int write_record(void *arg, struct ct_err *err)
{
    struct recording *r = arg;

    for (size_t i = 0; i < r->j->n; i++) {
        if (r->j->files[i].is_done && record_file(r, &r->j->files[i], err) != 0)
            return -1;
    }
    return 0;
}

void credscan_record(struct daemon *d, const char *session_id, const struct credscan_job *j)
{
    struct recording r = {.d = d, .session_id = session_id, .j = j};
    struct ct_err err = {0};
    char quoted[128];

    if (j == NULL || j->n == 0)
        return;
    if (db_transact(state_db(d->books->state), write_record, &r, &err) != 0)
        log_error("scan-not-recorded session=%s error=\"%s\"", session_id, err.msg);
    if (r.more > 0)
        log_warn("secret-found session=%s more=%d see=\"ctctl show %.8s\"", session_id, r.more,
                 session_id);
    if (j->slow != NULL)
        log_warn("scan-rule-gave-up session=%s rule=%s", session_id,
                 log_quote(j->slow, quoted, sizeof(quoted)));
}

void credscan_forget(struct daemon *d, const char *session_id)
{
    db_exec(state_db(d->books->state), NULL, "DELETE FROM scan_found WHERE session_id = ?", "s",
            session_id);
    db_exec(state_db(d->books->state), NULL, "DELETE FROM scan_files WHERE session_id = ?", "s",
            session_id);
}

/* ---- asked for ----------------------------------------------------------------------------------
 */

struct json_object *credscan_of(struct daemon *d, const char *session_id)
{
    struct json_object *list = json_object_new_array();
    sqlite3_stmt *st = NULL;
    struct db *db;

    if (d->books == NULL)
        return list;
    db = state_db(d->books->state);
    if (db_query(db, NULL, &st,
                 "SELECT path, line, rule FROM scan_found WHERE session_id = ?"
                 " ORDER BY path, line, rule LIMIT ?",
                 "si", session_id, (int64_t)MAX_SHOWN) != 0)
        return list;
    while (db_step(db, st, NULL) == 1) {
        struct json_object *o = json_object_new_object();
        const char *rule = db_text(st, 2);
        const char *about = d->leak_rules != NULL ? leak_rules_about(d->leak_rules, rule) : "";
        jdoc_set_str(o, "rule", rule);
        jdoc_set_str(o, "about", about[0] != '\0' ? about : NULL);
        jdoc_set_str(o, "path", db_text(st, 0));
        jdoc_set_int(o, "line", sqlite3_column_int64(st, 1));
        json_object_array_add(list, o);
    }
    db_done(st);
    return list;
}

int64_t credscan_counts(struct daemon *d, int64_t *ret_sessions)
{
    *ret_sessions = 0;
    if (d->books == NULL || d->leak_rules == NULL)
        return 0;
    *ret_sessions = db_int(state_db(d->books->state), 0,
                           "SELECT count(DISTINCT session_id) FROM scan_found", "");
    return db_int(state_db(d->books->state), 0, "SELECT count(*) FROM scan_found", "");
}

#include <stddef.h>

#include "server/sql/sql_impl.h"

void sql_close(struct sql *db)
{
    if (db != NULL)
        db->ops->close(db);
}

void sql_hold(struct sql *db)
{
    db->ops->hold(db);
}

void sql_release(struct sql *db)
{
    db->ops->release(db);
}

int sql_begin(struct sql *db, struct ct_err *err)
{
    return db->ops->begin(db, err);
}

int sql_commit(struct sql *db, struct ct_err *err)
{
    return db->ops->commit(db, err);
}

void sql_rollback(struct sql *db)
{
    db->ops->rollback(db);
}

int sql_exec(struct sql *db, struct ct_err *err, const char *sql, const char *types, ...)
{
    va_list ap;
    int rc;

    va_start(ap, types);
    rc = db->ops->exec(db, err, sql, types, ap);
    va_end(ap);
    return rc;
}

int64_t sql_changes(struct sql *db)
{
    return db->ops->changes(db);
}

int sql_query(struct sql *db, struct ct_err *err, struct sql_rows **ret, const char *sql,
              const char *types, ...)
{
    va_list ap;
    int rc;

    va_start(ap, types);
    rc = db->ops->query(db, err, ret, sql, types, ap);
    va_end(ap);
    return rc;
}

int sql_step(struct sql_rows *rows, struct ct_err *err)
{
    return rows->ops->step(rows, err);
}

const char *sql_text(struct sql_rows *rows, int column)
{
    return rows->ops->text(rows, column);
}

int64_t sql_int64(struct sql_rows *rows, int column)
{
    return rows->ops->int64(rows, column);
}

int sql_is_null(struct sql_rows *rows, int column)
{
    return rows->ops->is_null(rows, column);
}

void sql_done(struct sql_rows *rows)
{
    if (rows != NULL)
        rows->ops->done(rows);
}

int64_t sql_one(struct sql *db, struct ct_err *err, const char *sql, const char *types, ...)
{
    struct sql_rows *rows;
    int64_t n = 0;
    va_list ap;
    int rc;

    va_start(ap, types);
    rc = db->ops->query(db, err, &rows, sql, types, ap);
    va_end(ap);
    if (rc != 0)
        return -1;
    rc = sql_step(rows, err);
    if (rc == 1)
        n = sql_int64(rows, 0);
    sql_done(rows);
    return rc < 0 ? -1 : n;
}

/* A database that does not answer has no version; it must not pass for a new one. */
static int schema_version(struct sql *db, const char *what, int64_t *ret, struct ct_err *err)
{
    struct sql_rows *rows;
    int rc;

    if (sql_query(db, err, &rows,
                  "SELECT coalesce(max(version), 0) FROM schema_version WHERE room = ?", "s",
                  what) != 0)
        return -1;
    rc = sql_step(rows, err);
    if (rc == 1)
        *ret = sql_int64(rows, 0);
    sql_done(rows);
    return rc < 0 ? -1 : 0;
}

/* One more script, unless another process has run it in the meantime: 1, or 0 if all have run. */
static int migrate_one(struct sql *db, const char *const *steps, int n, const char *what,
                       struct ct_err *err)
{
    int64_t have = 0;
    int rc;

    if (sql_begin(db, err) != 0)
        return -1;
    rc = schema_version(db, what, &have, err);
    if (rc == 0 && have > n)
        rc = err_set(err, ERR_CONFIG,
                     "the database was written by a newer version of this program and is left as "
                     "it is; install that version again (the manual says how to go back without "
                     "it)");
    if (rc == 0 && have < n &&
        (db->ops->script(db, steps[have], err) != 0 ||
         sql_exec(db, err, "INSERT OR REPLACE INTO schema_version(room, version) VALUES (?, ?)",
                  "si", what, have + 1) != 0))
        rc = -1;
    if (rc != 0) {
        sql_rollback(db);
        return -1;
    }
    return sql_commit(db, err) != 0 ? -1 : have < n;
}

/* Only what is old is copied: neither what is new nor what this build does not know. */
static int save_first(struct sql *db, int n, const char *what, struct ct_err *err)
{
    int64_t have = 0;
    int rc;

    sql_hold(db);
    rc = schema_version(db, what, &have, err);
    sql_release(db);
    if (rc != 0 || have == 0 || have >= n)
        return rc;
    return db->ops->save(db, have, err);
}

int sql_migrate(struct sql *db, const char *const *steps, int n, const char *what,
                struct ct_err *err)
{
    int rc;

    if (sql_begin(db, err) != 0)
        return -1;
    if (sql_exec(db, err,
                 "CREATE TABLE IF NOT EXISTS schema_version"
                 "(room TEXT PRIMARY KEY, version INTEGER NOT NULL)",
                 "") != 0) {
        sql_rollback(db);
        return -1;
    }
    if (sql_commit(db, err) != 0)
        return -1;
    if (save_first(db, n, what, err) != 0)
        return -1;
    while ((rc = migrate_one(db, steps, n, what, err)) == 1)
        ;
    return rc;
}

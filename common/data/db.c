#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/str.h"

#include "common/data/db_impl.h"

#define BUSY_MS 10000 /* how long to wait for another process */
#define BUSY_STEP_MS 20

static void tell_damage(struct db *db)
{
    void (*f)(void *arg) = db->on_damage;

    db->on_damage = NULL;
    if (f != NULL)
        f(db->on_damage_arg);
}

static int fail(struct db *db, struct ct_err *err, const char *doing)
{
    int rc = sqlite3_extended_errcode(db->h);
    const char *why = sqlite3_errmsg(db->h);

    switch (rc & 0xFF) {
    case SQLITE_FULL:
        return err_set(err, ERR_NOSPACE, "no room for the database %s: %s", db->path, why);
    case SQLITE_IOERR:
        /* SQLite tells a full disk as an I/O error where the file has to grow for mmap or WAL. */
        if (sqlite3_system_errno(db->h) == ENOSPC || sqlite3_system_errno(db->h) == EDQUOT)
            return err_set(err, ERR_NOSPACE, "no room for the database %s: %s", db->path, why);
        return err_set(err, ERR_FAIL, "%s the database %s: %s", doing, db->path, why);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        err_set(err, ERR_CORRUPT, "the database %s is damaged: %s", db->path, why);
        tell_damage(db);
        return -1;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return err_set(err, ERR_CONFLICT, "the database %s is in use by another process", db->path);
    case SQLITE_CONSTRAINT:
        if (rc == SQLITE_CONSTRAINT_FOREIGNKEY)
            return err_set(err, ERR_GONE, "what a row of the database belongs to is gone");
        return err_set(err, ERR_CONFLICT, "%s the database %s: %s", doing, db->path, why);
    default:
        return err_set(err, ERR_FAIL, "%s the database %s: %s", doing, db->path, why);
    }
}

/* To make WAL of a new file SQLite raises a lock that another process may be raising too, and does
 * not wait for it: it says so at once, whatever the timeout. */
static int set_up(struct db *db, int flags, const char *sql)
{
    int tries = (flags & DB_EXCLUSIVE) != 0 ? 1 : BUSY_MS / BUSY_STEP_MS;
    int rc;

    while ((rc = sqlite3_exec(db->h, sql, NULL, NULL, NULL) & 0xFF) == SQLITE_BUSY && --tries > 0)
        usleep(BUSY_STEP_MS * 1000);
    return rc;
}

static int pragmas(struct db *db, int flags, struct ct_err *err)
{
    /* In this order: an exclusive lock before WAL keeps the index in memory instead of in -shm. */
    const char *sql = (flags & DB_EXCLUSIVE) != 0
                          ? "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL;"
                            "PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
                            "PRAGMA cache_size=-512;"
                          : "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                            "PRAGMA foreign_keys=ON;";

    if (set_up(db, flags, sql) != SQLITE_OK)
        return fail(db, err, "can't set up");
    /* A first read finds out whether this is a database at all. */
    if (sqlite3_exec(db->h, "SELECT count(*) FROM sqlite_master", NULL, NULL, NULL) != SQLITE_OK)
        return fail(db, err, "can't read");
    if ((flags & DB_EXCLUSIVE) != 0 &&
        sqlite3_exec(db->h, "BEGIN EXCLUSIVE; COMMIT", NULL, NULL, NULL) != SQLITE_OK)
        return fail(db, err, "can't lock");
    return 0;
}

int db_open(const char *path, int flags, struct db **ret, struct ct_err *err)
{
    struct db *db = str_calloc(1, sizeof(*db));
    struct stat st;
    int fd, rc;

    db->path = str_dup(path);
    /*
     * Made here so that its mode does not depend on the umask; -wal takes the same.  One that is
     * there is not opened: closing it again would drop the locks that this process holds on it by
     * another handle (POSIX), and the next process to close it would take away the log under us.
     */
    fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0 && (errno != EEXIST || lstat(path, &st) != 0)) {
        err_sys(err, "can't open the database %s", path);
        goto err0;
    }
    if (fd < 0 && !S_ISREG(st.st_mode)) {
        err_set(err, ERR_FAIL, "can't open the database %s: it is no file", path);
        goto err0;
    }
    if (fd >= 0)
        close(fd);
    rc = sqlite3_open_v2(path, &db->h, SQLITE_OPEN_READWRITE | SQLITE_OPEN_FULLMUTEX, NULL);
    if (rc != SQLITE_OK) {
        if (db->h == NULL)
            abort();
        fail(db, err, "can't open");
        goto err1;
    }
    sqlite3_extended_result_codes(db->h, 1);
    sqlite3_busy_timeout(db->h, (flags & DB_EXCLUSIVE) != 0 ? 0 : BUSY_MS);
    if (pragmas(db, flags, err) != 0)
        goto err1;
    *ret = db;
    return 0;

err1:
    sqlite3_close_v2(db->h);
err0:
    free(db->path);
    free(db);
    return -1;
}

void db_close(struct db *db)
{
    if (db == NULL)
        return;
    for (int i = 0; i < db->n_cached; i++) {
        sqlite3_finalize(db->cache[i].st);
        free(db->cache[i].sql);
    }
    sqlite3_close_v2(db->h);
    free(db->path);
    free(db);
}

/* The statement is kept with its text, for the same few texts come again and again. */
static int prepare(struct db *db, const char *sql, sqlite3_stmt **ret, struct ct_err *err)
{
    sqlite3_stmt *st;

    for (int i = 0; i < db->n_cached; i++) {
        if (strcmp(db->cache[i].sql, sql) == 0) {
            *ret = db->cache[i].st;
            return 0;
        }
    }
    if (sqlite3_prepare_v3(db->h, sql, -1, SQLITE_PREPARE_PERSISTENT, &st, NULL) != SQLITE_OK)
        return fail(db, err, "can't use");
    if (db->n_cached == MAX_STATEMENTS) {
        db->n_cached--;
        sqlite3_finalize(db->cache[db->n_cached].st);
        free(db->cache[db->n_cached].sql);
    }
    db->cache[db->n_cached].sql = str_dup(sql);
    db->cache[db->n_cached++].st = st;
    *ret = st;
    return 0;
}

static int bind_all(struct db *db, sqlite3_stmt *st, const char *types, va_list ap,
                    struct ct_err *err)
{
    int rc = SQLITE_OK;

    for (int i = 1; *types != '\0' && rc == SQLITE_OK; i++, types++) {
        if (*types == 's') {
            rc = sqlite3_bind_text(st, i, va_arg(ap, const char *), -1, SQLITE_TRANSIENT);
        } else if (*types == 'i') {
            rc = sqlite3_bind_int64(st, i, va_arg(ap, int64_t));
        } else if (*types == 'b') {
            const void *p = va_arg(ap, const void *);
            rc = sqlite3_bind_blob64(st, i, p, va_arg(ap, size_t), SQLITE_TRANSIENT);
        } else {
            return err_set(err, ERR_BUG, "unknown argument type '%c' for a query", *types);
        }
    }
    return rc == SQLITE_OK ? 0 : fail(db, err, "can't use");
}

int db_queryv(struct db *db, struct ct_err *err, sqlite3_stmt **ret, const char *sql,
              const char *types, va_list ap)
{
    sqlite3_stmt *st = NULL;

    if (prepare(db, sql, &st, err) != 0)
        return -1;
    if (bind_all(db, st, types, ap, err) != 0) {
        db_done(st);
        return -1;
    }
    *ret = st;
    return 0;
}

int db_query(struct db *db, struct ct_err *err, sqlite3_stmt **ret, const char *sql,
             const char *types, ...)
{
    va_list ap;
    int rc;

    va_start(ap, types);
    rc = db_queryv(db, err, ret, sql, types, ap);
    va_end(ap);
    return rc;
}

int db_step(struct db *db, sqlite3_stmt *st, struct ct_err *err)
{
    switch (sqlite3_step(st)) {
    case SQLITE_ROW:
        return 1;
    case SQLITE_DONE:
        return 0;
    default:
        return fail(db, err, "can't use");
    }
}

void db_done(sqlite3_stmt *st)
{
    if (st == NULL)
        return;
    sqlite3_reset(st);
    sqlite3_clear_bindings(st);
}

int db_execv(struct db *db, struct ct_err *err, const char *sql, const char *types, va_list ap)
{
    sqlite3_stmt *st;
    int rc;

    if (db_queryv(db, err, &st, sql, types, ap) != 0)
        return -1;
    do {
        rc = db_step(db, st, err);
    } while (rc == 1);
    db_done(st);
    return rc;
}

int db_exec(struct db *db, struct ct_err *err, const char *sql, const char *types, ...)
{
    va_list ap;
    int rc;

    va_start(ap, types);
    rc = db_execv(db, err, sql, types, ap);
    va_end(ap);
    return rc;
}

int db_script(struct db *db, const char *sql, struct ct_err *err)
{
    if (sqlite3_exec(db->h, sql, NULL, NULL, NULL) != SQLITE_OK)
        return fail(db, err, "can't use");
    return 0;
}

const char *db_text(sqlite3_stmt *st, int column)
{
    const char *s = (const char *)sqlite3_column_text(st, column);

    return s != NULL ? s : "";
}

int64_t db_int(struct db *db, int64_t otherwise, const char *sql, const char *types, ...)
{
    sqlite3_stmt *st;
    va_list ap;
    int rc;

    va_start(ap, types);
    rc = db_queryv(db, NULL, &st, sql, types, ap);
    va_end(ap);
    if (rc != 0)
        return otherwise;
    if (db_step(db, st, NULL) == 1 && sqlite3_column_type(st, 0) != SQLITE_NULL)
        otherwise = sqlite3_column_int64(st, 0);
    db_done(st);
    return otherwise;
}

int db_begin(struct db *db, struct ct_err *err)
{
    return db_exec(db, err, "BEGIN IMMEDIATE", "");
}

int db_commit(struct db *db, struct ct_err *err)
{
    if (db_exec(db, err, "COMMIT", "") != 0) {
        db_rollback(db);
        return -1;
    }
    return 0;
}

void db_rollback(struct db *db)
{
    if (!sqlite3_get_autocommit(db->h))
        db_exec(db, NULL, "ROLLBACK", "");
}

int db_transact(struct db *db, int (*f)(void *arg, struct ct_err *err), void *arg,
                struct ct_err *err)
{
    if (db_begin(db, err) != 0)
        return -1;
    if (f(arg, err) != 0) {
        db_rollback(db);
        return -1;
    }
    return db_commit(db, err);
}

int db_check(struct db *db, struct ct_err *err)
{
    sqlite3_stmt *st;
    int rc;

    if (db_query(db, err, &st, "PRAGMA quick_check(1)", "") != 0)
        return -1;
    rc = db_step(db, st, err);
    if (rc == 1 && strcmp(db_text(st, 0), "ok") != 0)
        rc = err_set(err, ERR_CORRUPT, "the database %s is damaged: %.200s", db->path,
                     db_text(st, 0));
    db_done(st);
    return rc < 0 ? -1 : 0;
}

void db_on_damage(struct db *db, void (*f)(void *arg), void *arg)
{
    db->on_damage = f;
    db->on_damage_arg = arg;
}

void db_shrink(struct db *db)
{
    sqlite3_db_release_memory(db->h);
}

int64_t db_changes(struct db *db)
{
    return sqlite3_changes64(db->h);
}

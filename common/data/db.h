#ifndef COMMON_DATA_DB_H
#define COMMON_DATA_DB_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <sqlite3.h>

#include "common/base/err.h"

/*
 * SQLite with our manners: WAL, synchronous=FULL, foreign keys, a schema version, statements that
 * are prepared once.  One handle belongs to one thread at a time.
 */
struct db;

#define DB_EXCLUSIVE 1 /* nobody else may have it open (and no shared-memory file is made) */

/**
 * db_open(path, flags, ret, err):
 * Open or make the database ${path} (mode 0600).  A damaged file is ERR_CORRUPT; one that another
 * process holds is ERR_CONFLICT; a full disk ERR_NOSPACE.
 */
int db_open(const char *path, int flags, struct db **ret, struct ct_err *err);

/**
 * db_close(db):
 * Close it; NULL is harmless.
 */
void db_close(struct db *db);

/**
 * db_migrate(db, steps, n, what, err):
 * Bring the tables of the room ${what} up to date: run those of the ${n} SQL scripts in ${steps}
 * that have not run yet, in one transaction.  Scripts are only ever added at the end.  A database
 * that is not new is copied before, see db_save().  One from a newer build is ERR_CONFIG with the
 * reason DB_NEWER, and nothing is changed.
 */
#define DB_NEWER "newer_database"
int db_migrate(struct db *db, const char *const *steps, int n, const char *what,
               struct ct_err *err);

/**
 * db_save(db, version, err):
 * Copy it to "<path>.v<version>.bak", on disk when this returns; of these copies the three with the
 * highest numbers stay.  On error (a full disk is ERR_NOSPACE) nothing is left behind.
 */
int db_save(struct db *db, int64_t version, struct ct_err *err);

/**
 * db_exec(db, err, sql, types, ...):
 * Run ${sql}, which yields no rows, with one argument for each letter of ${types}: 's' const char *
 * (may be NULL), 'i' int64_t, 'b' const void * and size_t.
 */
int db_exec(struct db *db, struct ct_err *err, const char *sql, const char *types, ...);

/**
 * db_query(db, err, ret, sql, types, ...):
 * Begin the query ${sql}, with arguments as in db_exec().  Read its rows with db_step() and end it
 * with db_done().  One query text can be under way once at a time.
 */
int db_query(struct db *db, struct ct_err *err, sqlite3_stmt **ret, const char *sql,
             const char *types, ...);

/**
 * db_execv(db, err, sql, types, ap), db_queryv(db, err, ret, sql, types, ap):
 * The same with the arguments in a va_list.
 */
int db_execv(struct db *db, struct ct_err *err, const char *sql, const char *types, va_list ap);
int db_queryv(struct db *db, struct ct_err *err, sqlite3_stmt **ret, const char *sql,
              const char *types, va_list ap);

/**
 * db_script(db, sql, err):
 * Run several statements, without arguments or rows.
 */
int db_script(struct db *db, const char *sql, struct ct_err *err);

/**
 * db_step(db, st, err):
 * Return 1 if there is a row, 0 if there is none left, -1 on error.
 */
int db_step(struct db *db, sqlite3_stmt *st, struct ct_err *err);

/**
 * db_done(st):
 * End a query; NULL is harmless.
 */
void db_done(sqlite3_stmt *st);

/**
 * db_text(st, column):
 * The text in ${column}, "" for NULL; borrowed until the next step.
 */
const char *db_text(sqlite3_stmt *st, int column);

/**
 * db_int(db, otherwise, sql, types, ...):
 * Return the one number that ${sql} yields, or ${otherwise} without a row or on error.
 */
int64_t db_int(struct db *db, int64_t otherwise, const char *sql, const char *types, ...);

/**
 * db_begin(db, err), db_commit(db, err), db_rollback(db):
 * A transaction that takes the write lock at once.  db_rollback() is harmless when none is open.
 */
int db_begin(struct db *db, struct ct_err *err);
int db_commit(struct db *db, struct ct_err *err);
void db_rollback(struct db *db);

/**
 * db_transact(db, f, arg, err):
 * Call ${f} inside a transaction and commit what it did; if it returns other than 0, or the commit
 * fails, all of it is taken back.  Return 0 or -1.
 */
int db_transact(struct db *db, int (*f)(void *arg, struct ct_err *err), void *arg,
                struct ct_err *err);

/**
 * db_check(db, err):
 * Go through the whole file and see whether it is sound (PRAGMA quick_check): some 100 MB a second.
 * ERR_CORRUPT if not.
 */
int db_check(struct db *db, struct ct_err *err);

/**
 * db_on_damage(db, f, arg):
 * Have ${f} called, once, when the file turns out to be damaged while it is in use; from within
 * whatever call met the damage, which fails with ERR_CORRUPT.
 */
void db_on_damage(struct db *db, void (*f)(void *arg), void *arg);

/**
 * db_shrink(db):
 * Give back the memory of its caches.
 */
void db_shrink(struct db *db);

/**
 * db_changes(db):
 * Rows changed by the last statement.
 */
int64_t db_changes(struct db *db);

#endif

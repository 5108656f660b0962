#ifndef SERVER_SQL_SQL_H
#define SERVER_SQL_SQL_H

#include <stdint.h>

#include "common/base/err.h"

/*
 * The database as the ledger sees it: SQLite's SQL, one handle for all threads.  Two drivers:
 * sql_sqlite.h, a file on this machine, and hrana.h, a libSQL server.
 *
 * Statements run on a connection that the calling thread holds: between sql_hold() and
 * sql_release() for reading, between sql_begin() and its end for a transaction.  Neither nests.
 */
struct sql;
struct sql_rows;

/**
 * sql_close(db):
 * Close it, held by nobody any more; NULL is harmless.
 */
void sql_close(struct sql *db);

/**
 * sql_migrate(db, steps, n, what, err):
 * Bring the tables of ${what} up to date: run those of the ${n} scripts in ${steps} that have not
 * run yet, each in one transaction.  Several processes may do so at once.  SQLite's file is copied
 * before, as db_save() does it; a database server's is not, and the log says so.  A database from a
 * newer build is ERR_CONFIG.
 */
int sql_migrate(struct sql *db, const char *const *steps, int n, const char *what,
                struct ct_err *err);

/**
 * sql_hold(db), sql_release(db):
 * Take a connection for reads, and give it back.  If none can be had, each statement says so.
 */
void sql_hold(struct sql *db);
void sql_release(struct sql *db);

/**
 * sql_begin(db, err), sql_commit(db, err), sql_rollback(db):
 * A transaction that takes the write lock at once, also against other processes: ERR_CONFLICT if
 * that can't be had for ten seconds.  Once a statement in it has failed nothing of it can be
 * committed any more: sql_commit() rolls back and returns that failure.
 */
int sql_begin(struct sql *db, struct ct_err *err);
int sql_commit(struct sql *db, struct ct_err *err);
void sql_rollback(struct sql *db);

/**
 * sql_exec(db, err, sql, types, ...):
 * Run ${sql}, which yields no rows, with one argument for each letter of ${types}: 's' const char *
 * (may be NULL), 'i' int64_t, 'b' const void * and size_t.  In a transaction its failure may show
 * no earlier than at the next query or at the commit.
 */
int sql_exec(struct sql *db, struct ct_err *err, const char *sql, const char *types, ...);

/**
 * sql_changes(db):
 * Rows changed by the sql_exec() just before; -1 if it failed.
 */
int64_t sql_changes(struct sql *db);

/**
 * sql_query(db, err, ret, sql, types, ...):
 * Begin the query ${sql}, with arguments as in sql_exec().  Read its rows with sql_step() and end
 * it with sql_done(), before the connection is given back.
 */
int sql_query(struct sql *db, struct ct_err *err, struct sql_rows **ret, const char *sql,
              const char *types, ...);

/**
 * sql_step(rows, err):
 * Return 1 if there is a row, 0 if there is none left, -1 on error.
 */
int sql_step(struct sql_rows *rows, struct ct_err *err);

/**
 * sql_text(rows, column), sql_int64(rows, column), sql_is_null(rows, column):
 * A value of the row: a text ("" for NULL; borrowed until the next step), a number (0 for NULL),
 * whether it is NULL.
 */
const char *sql_text(struct sql_rows *rows, int column);
int64_t sql_int64(struct sql_rows *rows, int column);
int sql_is_null(struct sql_rows *rows, int column);

/**
 * sql_done(rows):
 * End a query; NULL is harmless.
 */
void sql_done(struct sql_rows *rows);

/**
 * sql_one(db, err, sql, types, ...):
 * Return the one number that ${sql} yields, which is never negative; 0 without a row or for NULL.
 * -1 on error: a database that does not answer must never read as "none".
 */
int64_t sql_one(struct sql *db, struct ct_err *err, const char *sql, const char *types, ...);

#endif

#ifndef SERVER_SQL_SQL_SQLITE_H
#define SERVER_SQL_SQL_SQLITE_H

#include "server/sql/sql.h"

/**
 * sql_sqlite_open(path, ret, err):
 * Open or make the SQLite database ${path}: one connection writes, a few more read beside it.
 * Errors as of db_open().
 */
int sql_sqlite_open(const char *path, struct sql **ret, struct ct_err *err);

#endif

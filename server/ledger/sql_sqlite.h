#ifndef SERVER_LEDGER_SQL_SQLITE_H
#define SERVER_LEDGER_SQL_SQLITE_H

#include "server/ledger/sql.h"

/**
 * sql_sqlite_open(path, ret, err):
 * Open or make the SQLite database ${path}: one connection writes, a few more read beside it.
 * Errors as of db_open().
 */
int sql_sqlite_open(const char *path, struct sql **ret, struct ct_err *err);

#endif

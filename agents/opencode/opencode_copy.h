#ifndef AGENTS_OPENCODE_OPENCODE_COPY_H
#define AGENTS_OPENCODE_OPENCODE_COPY_H

#include <sqlite3.h>

#include "common/base/err.h"

/*
 * A private copy of opencode's database, for as long as it is read: SQLite makes files beside a
 * database even for who only reads it, and takes locks that its owner waits for.
 */

/**
 * opencode_database():
 * Return where the database is, there or not; the caller frees it.
 */
char *opencode_database(void);

/**
 * opencode_copy(source, dir, ret, err):
 * Copy it, and what of it is in its log yet, into the folder ${dir}, which is made anew, and open
 * the copy.  ERR_RETRY if it did not rest for a moment.
 */
int opencode_copy(const char *source, const char *dir, sqlite3 **ret, struct ct_err *err);

/**
 * opencode_copy_end(db, dir):
 * Close it, and remove it: it has tokens in it.
 */
void opencode_copy_end(sqlite3 *db, const char *dir);

#endif

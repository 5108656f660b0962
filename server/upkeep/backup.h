#ifndef SERVER_UPKEEP_BACKUP_H
#define SERVER_UPKEEP_BACKUP_H

#include "common/base/err.h"

/**
 * backup_write(db, to, err):
 * Write a copy of the SQLite database ${db} as it is at one moment to ${to}, mode 0600, while
 * others write to it.  What was at ${to} before is replaced only by a copy that was checked
 * through. ERR_GONE without a database, ERR_CORRUPT if it is damaged.
 */
int backup_write(const char *db, const char *to, struct ct_err *err);

#endif

#ifndef COMMON_DATA_DB_IMPL_H
#define COMMON_DATA_DB_IMPL_H

#include "common/data/db.h"

/* For common/db*.c only. */

#define MAX_STATEMENTS 192

struct prepared {
    char *sql;
    sqlite3_stmt *st;
};

struct db {
    sqlite3 *h;
    char *path;
    struct prepared cache[MAX_STATEMENTS];
    int n_cached;
    void (*on_damage)(void *arg);
    void *on_damage_arg;
    int is_known; /* its tables were looked at; then: */
    int is_saved; /* there is a copy, or it was new and there is nothing to copy */
};

#endif

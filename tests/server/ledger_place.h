#ifndef TESTS_SERVER_LEDGER_PLACE_H
#define TESTS_SERVER_LEDGER_PLACE_H

#include <stdlib.h>

#include "common/base/str.h"

#include "server/ledger/ledger.h"

/*
 * The ledger's tests hold with both drivers: on files as they are, and on the libSQL server that
 * $CT_LIBSQL_URL and $CT_LIBSQL_TOKEN name, whose one database stands for every path.
 */

static inline struct hrana_place ledger_place(void)
{
    return (struct hrana_place){
        .url = getenv("CT_LIBSQL_URL"), .token = getenv("CT_LIBSQL_TOKEN"), .allow_plain_http = 1};
}

static inline int ledger_place_is_remote(void)
{
    return getenv("CT_LIBSQL_URL") != NULL;
}

/**
 * ledger_place_open(path, ret, err):
 * As ledger_open().
 */
static inline int ledger_place_open(const char *path, struct ledger **ret, struct ct_err *err)
{
    struct hrana_place place = ledger_place();

    return ledger_place_is_remote() ? ledger_open_at(&place, ret, err)
                                    : ledger_open(path, ret, err);
}

/**
 * ledger_place_wipe(err):
 * Drop every table of the server's database; on files there is nothing to do.
 */
static inline int ledger_place_wipe(struct ct_err *err)
{
    struct hrana_place place = ledger_place();
    struct sql *db;
    struct sql_rows *rows;
    char *drop[32];
    int n = 0, rc;

    if (!ledger_place_is_remote())
        return 0;
    if (hrana_open(&place, &db, err) != 0)
        return -1;
    rc = sql_begin(db, err);
    if (rc == 0)
        rc = sql_query(db, err, &rows,
                       "SELECT name FROM sqlite_master WHERE type = 'table'"
                       " AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'libsql_%'"
                       " ORDER BY rowid DESC",
                       "");
    if (rc == 0) {
        while (n < 32 && sql_step(rows, err) == 1)
            drop[n++] = str_printf("DROP TABLE %s", sql_text(rows, 0));
        sql_done(rows);
        for (int i = 0; i < n; i++) {
            if (rc == 0)
                rc = sql_exec(db, err, drop[i], "");
            free(drop[i]);
        }
        rc = rc == 0 ? sql_commit(db, err) : rc;
    }
    sql_close(db);
    return rc;
}

#endif

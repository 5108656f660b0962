#ifndef SERVER_SQL_SQL_IMPL_H
#define SERVER_SQL_SQL_IMPL_H

#include <stdarg.h>

#include "server/sql/sql.h"

/* What a driver has to be able to do, as server/sql/sql.h says; nobody but drivers includes
 * this. */
struct sql_ops {
    void (*close)(struct sql *db);
    void (*hold)(struct sql *db);
    void (*release)(struct sql *db);
    int (*begin)(struct sql *db, struct ct_err *err);
    int (*commit)(struct sql *db, struct ct_err *err);
    void (*rollback)(struct sql *db);
    int (*exec)(struct sql *db, struct ct_err *err, const char *sql, const char *types, va_list ap);
    int (*script)(struct sql *db, const char *sql, struct ct_err *err);
    int (*save)(struct sql *db, int64_t version, struct ct_err *err);
    int64_t (*changes)(struct sql *db);
    int (*query)(struct sql *db, struct ct_err *err, struct sql_rows **ret, const char *sql,
                 const char *types, va_list ap);
};

struct sql_rows_ops {
    int (*step)(struct sql_rows *rows, struct ct_err *err);
    const char *(*text)(struct sql_rows *rows, int column);
    int64_t (*int64)(struct sql_rows *rows, int column);
    int (*is_null)(struct sql_rows *rows, int column);
    void (*done)(struct sql_rows *rows);
};

/* Of a foreign key that leads nowhere, which is ERR_AUTH: whoever asks was removed meanwhile. */
#define SQL_ORPHAN "The account, token or device that asks is not there any more."

/* The first member of every driver's handle, and of its rows. */
struct sql {
    const struct sql_ops *ops;
};

struct sql_rows {
    const struct sql_rows_ops *ops;
};

#endif

#ifndef SERVER_SQL_HRANA_ROWS_H
#define SERVER_SQL_HRANA_ROWS_H

#include <json-c/json.h>

#include "server/sql/sql.h"

/**
 * hrana_rows_new(result):
 * The rows of a Hrana statement's result, which is taken over.
 */
struct sql_rows *hrana_rows_new(struct json_object *result);

#endif

#ifndef COMMON_DATA_TOML_H
#define COMMON_DATA_TOML_H

#include <stddef.h>

#include <json-c/json.h>

#include "common/base/err.h"

/*
 * A strict reader of the part of TOML 1.0 that rule files use: comments, [table] and [[table]]
 * with dotted bare names, `key = value` with a bare key, strings of all four kinds, integers,
 * floats, booleans, and arrays of these.  Dates, inline tables, dotted and quoted keys are refused,
 * as is everything that TOML refuses.
 */
struct toml_entry {
    const char *table;         /* "rules.allowlist"; "" before the first */
    int is_element;            /* it was written [[table]] */
    const char *key;           /* NULL: the table begins here */
    struct json_object *value; /* string, int, double, boolean, or an array; borrowed */
};

/**
 * toml_parse(p, n, f, arg, ret_line, err):
 * Call ${f} for each table and each key in ${n} bytes, in their order, until it returns other than
 * 0 (with ${err} set).  Return 0, or -1: ERR_CONFIG, and the line in ${ret_line}, which is set
 * then only.
 */
int toml_parse(const char *p, size_t n,
               int (*f)(void *arg, const struct toml_entry *e, struct ct_err *err), void *arg,
               int *ret_line, struct ct_err *err);

#endif

#include <stdlib.h>
#include <string.h>

#include "common/data/jdoc.h"
#include "common/base/str.h"

#include "server/sql/hrana_rows.h"
#include "server/sql/sql_impl.h"

struct rows {
    struct sql_rows base;
    struct json_object *result;
    struct json_object *all; /* borrowed from it, as the row is */
    struct json_object *row;
    size_t next;
};

static int step(struct sql_rows *rows, struct ct_err *err)
{
    struct rows *r = (struct rows *)rows;

    (void)err;
    if (r->all == NULL || r->next == json_object_array_length(r->all)) {
        r->row = NULL;
        return 0;
    }
    r->row = json_object_array_get_idx(r->all, r->next++);
    return 1;
}

static struct json_object *value_of(struct sql_rows *rows, int column)
{
    struct rows *r = (struct rows *)rows;

    if (r->row == NULL || !json_object_is_type(r->row, json_type_array) ||
        (size_t)column >= json_object_array_length(r->row))
        return NULL;
    return json_object_array_get_idx(r->row, (size_t)column);
}

/* Texts are JSON strings, and so are integers, which JSON can't hold. */
static const char *text(struct sql_rows *rows, int column)
{
    const char *s = jdoc_str(value_of(rows, column), "value");

    return s != NULL ? s : "";
}

static int64_t int64(struct sql_rows *rows, int column)
{
    struct json_object *o = value_of(rows, column), *value;
    const char *s = jdoc_str(o, "value");

    if (s != NULL)
        return strtoll(s, NULL, 10);
    return json_object_object_get_ex(o, "value", &value) ? json_object_get_int64(value) : 0;
}

static int is_null(struct sql_rows *rows, int column)
{
    const char *type = jdoc_str(value_of(rows, column), "type");

    return type == NULL || strcmp(type, "null") == 0;
}

static void done(struct sql_rows *rows)
{
    json_object_put(((struct rows *)rows)->result);
    free(rows);
}

static const struct sql_rows_ops ops = {
    .step = step, .text = text, .int64 = int64, .is_null = is_null, .done = done};

struct sql_rows *hrana_rows_new(struct json_object *result)
{
    struct rows *r = str_calloc(1, sizeof(*r));

    r->base.ops = &ops;
    r->result = result;
    r->all = jdoc_array(result, "rows");
    return &r->base;
}

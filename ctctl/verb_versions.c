#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/client.h"
#include "common/buf.h"
#include "common/jdoc.h"
#include "common/str.h"
#include "ctctl/headline.h"
#include "ctctl/sessions.h"
#include "ctctl/table.h"

#include "ctctl/verb.h"

static void render(const struct text_style *st, const struct json_object *o, struct buf *b)
{
    static const struct table_column columns[] = {
        {"VERSION", 1, 0, 0}, {"SAVED", 0, 0, 2},    {"", 0, 0, 0},
        {"SIZE", 1, 0, 1},    {"CHECKSUM", 0, 1, 0},
    };
    struct json_object *list = jdoc_array(o, "versions");
    int64_t current = headline_number(o, "currentVersion", -1);
    struct table *t = table_new(st, columns, 5);

    for (size_t i = 0; i < json_object_array_length(list); i++) {
        const struct json_object *v = json_object_array_get_idx(list, i);
        int64_t n = headline_number(v, "version", 0), size = headline_number(v, "sizeBytes", 0);
        char number[24], clock[64], ago[64], bytes[24];
        const char *cells[5];
        snprintf(number, sizeof(number), "%" PRId64, n);
        cells[0] = number;
        cells[1] = text_clock(jdoc_str(v, "createdAt"), "%Y-%m-%d %H:%M", clock, sizeof(clock));
        cells[2] = text_ago_of(st, jdoc_str(v, "createdAt"), ago, sizeof(ago));
        cells[3] = str_human_bytes(size > 0 ? (unsigned long long)size : 0, bytes, sizeof(bytes));
        cells[4] = jdoc_str(v, "checksum");
        table_row(t, cells);
        if (n == current)
            table_colour(t, 0, TEXT_GREEN);
    }
    table_print(t, b);
    table_free(t);
}

static int show(struct ctx *c, const char *id)
{
    struct json_object *o;
    struct buf b = {0};
    struct ct_err e;
    char *full, *path;
    int rc;

    if (sessions_resolve(c, id, &full, &e) != 0)
        return ctx_fail(c, &e);
    path = api_session_path(full, "/versions");
    rc = ctx_cloud(c, "GET", path, NULL, &o, &e);
    free(path);
    free(full);
    if (rc != 0)
        return ctx_fail(c, &e);
    if (c->json)
        ctx_json(c, o);
    else if (jdoc_array(o, "versions") != NULL)
        render(&c->out, o, &b);
    ctx_print(c, &b);
    buf_free(&b);
    json_object_put(o);
    return CTX_OK;
}

static int run(struct ctx *c, int argc, char **argv)
{
    struct strlist words = {0};
    int rc = opts_parse(c, NULL, 0, argc, argv, &words);

    if (rc == -1 && words.n != 1)
        rc = ctx_usage(c, "versions wants the ID of one session");
    if (rc == -1)
        rc = show(c, words.v[0]);
    strlist_free(&words);
    return rc;
}

const struct verb verb_versions = {
    "versions",
    "ID",
    "the versions of one session in the cloud",
    "Newest first. The server keeps as many as the plan allows and drops the oldest.\n",
    run,
};

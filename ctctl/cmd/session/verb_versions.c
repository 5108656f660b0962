#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/client.h"
#include "common/base/buf.h"
#include "common/data/jdoc.h"
#include "common/base/str.h"
#include "ctctl/ui/headline.h"
#include "ctctl/cloud/heads.h"
#include "ctctl/cloud/item.h"
#include "ctctl/cloud/sessions.h"
#include "ctctl/ui/table.h"
#include "ctctl/cloud/resolve.h"

#include "ctctl/ctx/verb.h"

static int is_sealed(struct json_object *list)
{
    return json_object_array_length(list) > 0 && item_is_sealed(json_object_array_get_idx(list, 0));
}

/* The state, which grows from upload to upload on whatever device, and the key. */
static const char *seal_text(const struct json_object *v, char *buf, size_t n)
{
    const struct json_object *opened = jdoc_obj(v, "opened");

    if (item_is_locked(v))
        return item_title(v, buf, n);
    if (opened == NULL)
        return "";
    snprintf(buf, n, "state %" PRId64 ", key %.8s", jdoc_int(opened, "generation", 0),
             jdoc_str(opened, "keyId"));
    return buf;
}

static void render(const struct text_style *st, const struct json_object *o, struct buf *b)
{
    static const struct table_column columns[] = {
        {"VERSION", 1, 0, 0},   {"", 0, 0, 0},         {"SAVED", 0, 0, 3},     {"", 0, 0, 0},
        {"MACHINE", 0, 16, 0},  {"MESSAGES", 1, 0, 0}, {"BUILDS ON", 0, 0, 2}, {"SIZE", 1, 0, 1},
        {"CHECKSUM", 0, 16, 4}, {"SEALED", 0, 16, 0},
    };
    struct json_object *list = jdoc_array(o, "versions");
    int64_t current = headline_number(o, "currentVersion", -1);
    struct table *t = table_new(st, columns, is_sealed(list) ? 10 : 9);

    for (size_t i = 0; i < json_object_array_length(list); i++) {
        const struct json_object *v = json_object_array_get_idx(list, i);
        int64_t n = headline_number(v, "version", 0), size = headline_number(v, "sizeBytes", 0);
        char number[24], messages[24], clock[64], ago[64], bytes[24], seal[64];
        const char *cells[10];
        struct buf bases = {0};
        snprintf(number, sizeof(number), "%" PRId64, n);
        cells[0] = number;
        cells[1] = n == current                ? "current"
                   : jdoc_bool(v, "isHead", 0) ? "head"
                   : jdoc_bool(v, "pinned", 0) ? "fuller"
                                               : "";
        cells[2] = text_clock(jdoc_str(v, "createdAt"), "%Y-%m-%d %H:%M", clock, sizeof(clock));
        cells[3] = text_ago_of(st, jdoc_str(v, "createdAt"), ago, sizeof(ago));
        cells[4] = heads_machine(v);
        snprintf(messages, sizeof(messages), "%" PRId64, heads_messages(v));
        cells[5] = heads_messages(v) >= 0 ? messages : "";
        cells[6] = heads_bases(v, &bases);
        cells[7] = str_human_bytes(size > 0 ? (unsigned long long)size : 0, bytes, sizeof(bytes));
        cells[8] = jdoc_str(v, "checksum");
        cells[9] = seal_text(v, seal, sizeof(seal));
        table_row(t, cells);
        buf_free(&bases);
        if (n == current)
            table_colour(t, 0, TEXT_GREEN);
    }
    table_print(t, b);
    table_free(t);
}

/* The newest one's age counts, whichever the server says that is. */
static void open_all(struct ctx *c, struct json_object *o, const char *wire_id)
{
    struct json_object *list = jdoc_array(o, "versions");
    size_t n = list != NULL ? json_object_array_length(list) : 0;

    for (size_t i = 0; i < n; i++)
        item_open(c, json_object_array_get_idx(list, i), wire_id,
                  i == 0 ? ITEM_NEWEST : ITEM_OLDER);
}

static void say_rest(struct ctx *c, struct json_object *list)
{
    struct json_object *first = json_object_new_array();

    /* They all have the same reason. */
    if (json_object_array_length(list) > 0)
        json_object_array_add(first, json_object_get(json_object_array_get_idx(list, 0)));
    sessions_say_sealed(c, first, 0);
    json_object_put(first);
}

static int show(struct ctx *c, const char *word, int is_plain)
{
    struct json_object *o = NULL, *list;
    struct heads heads;
    struct buf b = {0};
    struct ct_err e;
    struct resolved w;
    char *path;
    int rc;

    if (resolve_session(c, word, is_plain, &w, &e) != 0)
        return ctx_fail(c, &e);
    path = api_session_path(w.wire_id, "/versions");
    rc = ctx_cloud(c, "GET", path, NULL, &o, &e);
    free(path);
    if (rc != 0) {
        resolve_gone(c, &e);
        resolve_clear(&w);
        return ctx_fail(c, &e);
    }
    open_all(c, o, w.wire_id);
    list = jdoc_array(o, "versions");
    if (list != NULL)
        say_rest(c, list);
    heads_compare(c, w.wire_id, o, &heads);
    if (heads.n > 1)
        json_object_object_add(o, "compared", heads_json(&heads));
    if (c->json)
        ctx_json(c, o);
    else if (list != NULL)
        render(&c->out, o, &b);
    ctx_print(c, &b);
    heads_say(c, &heads, HEADS_CURRENT_LACKS, 1);
    heads_clear(&heads);
    buf_free(&b);
    json_object_put(o);
    resolve_clear(&w);
    return CTX_OK;
}

static int run(struct ctx *c, int argc, char **argv)
{
    struct strlist words = {0};
    int is_plain = 0;
    const struct opt opts[] = {{"plain", OPT_FLAG, &is_plain}};
    int rc = opts_parse(c, opts, 1, argc, argv, &words);

    if (rc == -1 && words.n != 1)
        rc = ctx_usage(c, "versions wants the ID of one session");
    if (rc == -1)
        rc = show(c, words.v[0], is_plain);
    strlist_free(&words);
    return rc;
}

const struct verb verb_versions = {
    "versions",
    "ID [--plain]",
    "the versions of one session in the cloud",
    "Newest first, with the machine that each is from, its messages and the versions\n"
    "that it builds on. The current one is what pull takes; a head is one that no\n"
    "other contains: another machine went on without the current one. What it has\n"
    "that the current one lacks is said below; to have it: ctctl pull ID --version N,\n"
    "or, where the session is, ctctl pull ID --merge, which makes one of both.\n"
    "A fuller one is kept because what came after it held less. The server keeps\n"
    "these, and of the others as many as the plan allows.\n"
    "\n"
    "  --plain  those that are there in clear, on a device that seals\n",
    run,
    "ctctl versions 29221bf7          # what there is of it, the newest first\n"
    "ctctl pull 29221bf7 --version 3  # then: bring one of them here\n",
};

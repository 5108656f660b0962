#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/client.h"
#include "bundle/install/adopted.h"
#include "common/data/jdoc.h"
#include "common/base/path.h"
#include "common/base/str.h"
#include "common/base/strlist.h"
#include "ctctl/ui/headline.h"
#include "ctctl/cloud/item.h"
#include "ctctl/cloud/sessions.h"
#include "ctctl/ui/table.h"

#include "ctctl/ctx/verb.h"

#define ANSWER_MS 30000
#define PAGE 100
#define MAX_VERSIONS 100000 /* a peer that pages for ever ends here */

/* A server that is not ours has no trash. */
static void explain(struct ct_err *err)
{
    if (err->code == ERR_GONE && (err->reason[0] == '\0' || strcmp(err->reason, "not_found") == 0))
        err_set(err, ERR_GONE, "it is not in the trash, or this server has none");
}

/* All of the trash, in one answer of the shape that the API has. */
static int fetch(struct ctx *c, struct json_object **ret, struct ct_err *err)
{
    struct json_object *all = json_object_new_array(), *page, *list;
    int64_t total;
    size_t n;
    char *path;
    int rc;

    do {
        path = str_printf("/trash?limit=%d&offset=%zu", PAGE, json_object_array_length(all));
        rc = ctx_cloud(c, "GET", path, NULL, &page, err);
        free(path);
        if (rc != 0) {
            json_object_put(all);
            explain(err);
            return -1;
        }
        list = jdoc_array(page, "versions");
        n = list != NULL ? json_object_array_length(list) : 0;
        total = headline_number(page, "total", 0);
        for (size_t i = 0; i < n; i++) {
            struct json_object *item = json_object_array_get_idx(list, i);
            const char *id = jdoc_str(item, "sessionId");
            item_open(c, item, id != NULL ? id : "", ITEM_OLDER);
            json_object_array_add(all, json_object_get(item));
        }
        json_object_put(page);
    } while (n > 0 && (int64_t)json_object_array_length(all) < total &&
             json_object_array_length(all) < MAX_VERSIONS);
    *ret = json_object_new_object();
    jdoc_set_int(*ret, "total", (int64_t)json_object_array_length(all));
    json_object_object_add(*ret, "versions", all);
    return 0;
}

static int has_sealed(struct json_object *list)
{
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        if (item_is_sealed(json_object_array_get_idx(list, i)))
            return 1;
    }
    return 0;
}

/* Why is it in the trash?  A server that does not say so has only what was deleted there. */
static const char *why_of(const struct json_object *o)
{
    static const char *const known[] = {"rotated", "amended", "passing", "unproven"};
    const char *s = jdoc_str(o, "why");

    for (size_t i = 0; s != NULL && i < sizeof(known) / sizeof(known[0]); i++) {
        if (strcmp(s, known[i]) == 0)
            return known[i];
    }
    return "deleted";
}

static void table(const struct text_style *st, struct json_object *list, struct buf *b)
{
    static const struct table_column columns[] = {
        {"ID", 0, 0, 0},  {"VERSION", 1, 0, 0}, {"PROJECT", 0, 16, 3},      {"SIZE", 1, 0, 2},
        {"WHY", 0, 0, 0}, {"SINCE", 0, 0, 1},   {"GONE FOR EVER", 0, 0, 0}, {"SEALED", 0, 0, 0},
    };
    struct table *t = table_new(st, columns, has_sealed(list) ? 8 : 7);

    for (size_t i = 0; i < json_object_array_length(list); i++) {
        const struct json_object *o = json_object_array_get_idx(list, i);
        const char *cwd = item_str(o, "sourceCwd"), *cells[8];
        int64_t size = headline_number(o, "sizeBytes", 0);
        char id[9], version[24], bytes[24], deleted[64], gone[64];
        snprintf(version, sizeof(version), "%" PRId64, headline_number(o, "version", 0));
        cells[0] = text_short_id(item_id(o), id);
        cells[1] = version;
        cells[2] = cwd != NULL ? path_base(cwd) : "";
        cells[3] = str_human_bytes(size > 0 ? (unsigned long long)size : 0, bytes, sizeof(bytes));
        cells[4] = why_of(o);
        cells[5] = text_ago_of(st, jdoc_str(o, "deletedAt"), deleted, sizeof(deleted));
        cells[6] = text_ago_of(st, jdoc_str(o, "goneAt"), gone, sizeof(gone));
        cells[7] = item_is_locked(o) ? "no key" : item_is_sealed(o) ? "yes" : "no";
        table_row(t, cells);
    }
    table_print(t, b);
    table_free(t);
}

static int list(struct ctx *c)
{
    struct json_object *o;
    struct buf b = {0};
    struct ct_err e;

    if (fetch(c, &o, &e) != 0)
        return ctx_fail(c, &e);
    if (c->json)
        ctx_json(c, o);
    else if (headline_number(o, "total", 0) == 0)
        ctx_say(c, "the trash is empty");
    else
        table(&c->out, jdoc_array(o, "versions"), &b);
    ctx_print(c, &b);
    buf_free(&b);
    json_object_put(o);
    return CTX_OK;
}

/* What lies in the trash under one id: in clear, sealed, or both. */
struct found {
    char *id; /* the real one */
    struct strlist wire_ids;
};

static int fits(const struct json_object *item, const char *word)
{
    size_t n = strlen(word);

    return item_id(item) != NULL &&
           (strncmp(item_id(item), word, n) == 0 || strncmp(item_wire_id(item), word, n) == 0);
}

static int resolve(struct ctx *c, const char *word, struct found *ret, struct ct_err *err)
{
    struct json_object *o, *all;
    int many = 0, rc = 0;

    memset(ret, 0, sizeof(*ret));
    if (fetch(c, &o, err) != 0)
        return -1;
    all = jdoc_array(o, "versions");
    for (size_t i = 0; i < json_object_array_length(all); i++) {
        const struct json_object *item = json_object_array_get_idx(all, i);
        if (!fits(item, word))
            continue;
        many = many || (ret->id != NULL && strcmp(ret->id, item_id(item)) != 0);
        if (ret->id == NULL)
            ret->id = str_dup(item_id(item));
        strlist_add_once(&ret->wire_ids, item_wire_id(item));
    }
    if (many)
        rc = err_set(err, ERR_CONFLICT, "several sessions begin with \"%s\"; give more of the ID",
                     word);
    else if (ret->id == NULL)
        rc = err_set(err, ERR_GONE,
                     "no session in the trash begins with \"%s\"; see: ctctl undelete", word);
    json_object_put(o);
    return rc;
}

/* It may be saved again from here too. */
static void take_mark_away(struct ctx *c, const char *id)
{
    struct json_object *params = json_object_new_object(), *o;

    if (ctx_account_dir(c) != NULL)
        (void)adopted_take_deleted(ctx_account_dir(c), id);
    jdoc_set_str(params, "id", id);
    if (ctx_call(c, "include", params, ANSWER_MS, &o, NULL) == 0)
        json_object_put(o);
    json_object_put(params);
}

static int restore(struct ctx *c, const char *wire_id, int64_t version, struct json_object **ret,
                   struct ct_err *err)
{
    struct json_object *body = NULL;
    char *path = api_session_path(wire_id, "/undelete");
    int rc;

    if (version > 0) {
        body = json_object_new_object();
        jdoc_set_int(body, "version", version);
    }
    rc = ctx_cloud(c, "POST", path, body, ret, err);
    free(path);
    json_object_put(body);
    if (rc != 0)
        explain(err);
    return rc;
}

static void say(struct ctx *c, const struct found *f, int64_t n, struct json_object *answer)
{
    char *count = text_count(n, "version", "versions");
    struct buf b = {0};

    if (c->json)
        ctx_json(c, answer);
    else
        buf_printf(&b, "Brought back %s of session %s.\n", count, f->id);
    ctx_print(c, &b);
    buf_free(&b);
    free(count);
}

/* The trash has versions of it, but not what was asked for. */
static void is_there_otherwise(const struct found *f, int64_t version, struct ct_err *err)
{
    if (err->code != ERR_GONE || f->id == NULL)
        return;
    if (version > 0)
        err_set(err, ERR_GONE,
                "version %" PRId64 " of it is not in the trash; what is: ctctl undelete", version);
    else
        err_set(err, ERR_GONE,
                "nobody deleted it. Versions that were rotated out or replaced come back one by "
                "one: ctctl undelete %.8s --version N; which there are: ctctl undelete",
                f->id);
}

static int undelete(struct ctx *c, const char *word, int64_t version)
{
    struct json_object *answer = NULL, *o;
    struct found f;
    struct ct_err e;
    int64_t n = 0;
    int rc = resolve(c, word, &f, &e);

    /* A version of that number may be there of one life only. */
    for (size_t i = 0; rc == 0 && i < f.wire_ids.n; i++) {
        rc = restore(c, f.wire_ids.v[i], version, &o, &e);
        if (rc != 0 && e.code == ERR_GONE && (answer != NULL || i + 1 < f.wire_ids.n)) {
            rc = 0;
            continue;
        }
        if (rc != 0)
            break;
        n += headline_number(o, "restored", 0);
        json_object_put(answer);
        answer = o;
    }
    if (rc != 0) {
        is_there_otherwise(&f, version, &e);
        rc = ctx_fail(c, &e);
    } else {
        jdoc_set_int(answer, "restored", n);
        take_mark_away(c, f.id);
        say(c, &f, n, answer);
    }
    json_object_put(answer);
    strlist_free(&f.wire_ids);
    free(f.id);
    return rc;
}

static int run(struct ctx *c, int argc, char **argv)
{
    struct strlist words = {0};
    int64_t version = 0;
    const struct opt opts[] = {{"version", OPT_NUMBER, &version}};
    int rc = opts_parse(c, opts, 1, argc, argv, &words);

    if (rc == -1 && (words.n > 1 || (words.n == 0 && version > 0)))
        rc = ctx_usage(c, "undelete takes the ID of one session; without one it lists the trash");
    if (rc == -1)
        rc = words.n == 0 ? list(c) : undelete(c, words.v[0], version);
    strlist_free(&words);
    return rc;
}

const struct verb verb_undelete = {
    "undelete",
    "[ID [--version N]]",
    "bring back from the trash what was deleted",
    "Without an ID: what is in the trash, and for how long. With one: brings back what the\n"
    "last deletion of that session took. A codeteleport-server keeps what was deleted for\n"
    "30 days; other servers may have no trash.\n"
    "\n"
    "  --version N  only this version\n",
    run,
    "ctctl undelete           # what is in the trash\n"
    "ctctl undelete 29221bf7  # bring it back\n",
};

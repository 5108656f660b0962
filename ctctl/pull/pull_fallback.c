#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/client.h"
#include "common/data/jdoc.h"
#include "ctctl/cloud/item.h"

#include "ctctl/pull/pull_fallback.h"

#define MAX_TRIES 30 /* more than a server keeps by itself */

/* It failed for what the version is, before anybody thought of a place for it.  What a retired key
 * sealed may be one's own: that is for a person to say. */
static int is_unreadable(const struct pull_result *r, const struct ct_err *err)
{
    if (r->is_sealed && strcmp(err->reason, PULL_PLAIN) == 0)
        return 0;
    return (err->code == ERR_CORRUPT || err->code == ERR_REFUSED || err->code == ERR_GONE) &&
           r->installed.cwd == NULL && strcmp(err->reason, ITEM_ROLLBACK) != 0 &&
           strcmp(err->reason, "no_target") != 0;
}

static void note_unread(const struct json_object *row, int64_t version, const struct ct_err *err,
                        struct pull_result *ret)
{
    const struct json_object *device = jdoc_obj(row, "device");
    struct json_object *o = json_object_new_object();

    jdoc_set_int(o, "version", version);
    jdoc_set_str(o, "device", device != NULL ? jdoc_str(device, "name") : NULL);
    jdoc_set_str(o, "createdAt", jdoc_str(row, "createdAt"));
    jdoc_set_str(o, "error", err->msg);
    if (ret->unread == NULL)
        ret->unread = json_object_new_array();
    json_object_array_add(ret->unread, o);
}

/* May it be read here, as far as its description tells? */
static int may_be_read(struct ctx *c, struct json_object *row, const char *wire_id,
                       const struct pull_opts *opts)
{
    item_open(c, row, wire_id, ITEM_OLDER);
    if (item_is_locked(row) && !item_is_bare(row))
        return 0;
    return opts->is_plain || !ctx_is_sealing(c) || (item_is_sealed(row) && !item_is_retired(row));
}

static int try(struct ctx *c, const char *wire_id, const struct pull_opts *opts, int64_t version,
               struct pull_result *ret, struct ct_err *err)
{
    struct pull_opts own = *opts;
    struct json_object *unread = ret->unread;
    int rc;

    own.version = version;
    ret->unread = NULL;
    pull_result_clear(ret);
    rc = pull_session(c, wire_id, &own, ret, err);
    ret->unread = unread;
    return rc;
}

/* Those that stand side by side, or all others: 0, -1, or 1 if none of them opens. */
static int each(struct ctx *c, const char *wire_id, const struct pull_opts *opts,
                struct json_object *rows, int is_heads, int64_t failed, int *tries,
                struct pull_result *ret, struct ct_err *err)
{
    for (size_t i = 0; i < json_object_array_length(rows) && *tries < MAX_TRIES; i++) {
        struct json_object *row = json_object_array_get_idx(rows, i);
        int64_t version = jdoc_int(row, "version", 0);
        int is_head = jdoc_bool(row, "isHead", 0) || jdoc_bool(row, "pinned", 0);
        struct ct_err e;

        if (version <= 0 || version == failed || is_head != is_heads ||
            !may_be_read(c, row, wire_id, opts))
            continue;
        (*tries)++;
        if (try(c, wire_id, opts, version, ret, &e) == 0)
            return 0;
        if (!is_unreadable(ret, &e)) {
            *err = e;
            return -1;
        }
        note_unread(row, version, &e, ret);
    }
    return 1;
}

static void add_hint(struct ct_err *err)
{
    size_t n = strlen(err->msg);

    snprintf(
        err->msg + n, sizeof(err->msg) - n,
        "; nor does any other version that is there open here. What went into the trash: ctctl "
        "undelete");
}

int pull_fall_back(struct ctx *c, const char *wire_id, const struct pull_opts *opts,
                   struct pull_result *ret, struct ct_err *err)
{
    char *path = api_session_path(wire_id, "/versions");
    struct json_object *o = NULL, *rows;
    struct ct_err why = *err;
    int64_t failed = ret->version;
    int tries = 0, rc = 1;

    if (!is_unreadable(ret, err) || ctx_cloud(c, "GET", path, NULL, &o, NULL) != 0) {
        free(path);
        return -1;
    }
    free(path);
    rows = jdoc_array(o, "versions");
    if (failed <= 0)
        failed = jdoc_int(o, "currentVersion", 0);
    for (size_t i = 0; rows != NULL && i < json_object_array_length(rows); i++) {
        struct json_object *row = json_object_array_get_idx(rows, i);
        if (jdoc_int(row, "version", 0) == failed)
            note_unread(row, failed, &why, ret);
    }
    for (int is_heads = 1; rows != NULL && rc == 1 && is_heads >= 0; is_heads--)
        rc = each(c, wire_id, opts, rows, is_heads, failed, &tries, ret, err);
    if (rc == 1) {
        *err = why;
        if (tries > 0)
            add_hint(err);
    }
    json_object_put(o);
    return rc == 0 ? 0 : -1;
}

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "api/client.h"
#include "common/base/hash.h"
#include "common/base/str.h"
#include "common/data/jdoc.h"
#include "ctctl/cloud/item.h"
#include "ctctl/cloud/sessions.h"
#include "ctctl/ui/term.h"

#include "ctctl/key/key_retire.h"

struct looking {
    struct ctx *c;
    struct strlist *digests;
    struct json_object *shown; /* items of sessions that are sealed and open here */
    int64_t versions;
};

/* One version: its bundle and its description, if it opens with what is here. */
static void add_version(struct looking *l, const char *wire_id, struct json_object *row)
{
    const char *sum = jdoc_str(row, "checksum");
    char digest[HASH_SHA256_HEX];

    item_open(l->c, row, wire_id, ITEM_OLDER);
    if (!item_is_sealed(row) || item_is_locked(row) || item_is_retired(row) || sum == NULL ||
        !api_checksum_is_valid(sum))
        return;
    strlist_add(l->digests, strchr(sum, ':') + 1);
    sealed_digest(jdoc_obj(row, "metadata"), digest);
    strlist_add(l->digests, digest);
    l->versions++;
}

static int add_session(struct looking *l, struct json_object *item, struct ct_err *err)
{
    const char *wire_id = item_wire_id(item);
    char *path = api_session_path(wire_id, "/versions");
    struct json_object *o, *rows;
    int rc = ctx_cloud(l->c, "GET", path, NULL, &o, err);

    free(path);
    if (rc != 0)
        return err->code == ERR_GONE ? 0 : -1;
    rows = jdoc_array(o, "versions");
    for (size_t i = 0; rows != NULL && i < json_object_array_length(rows); i++)
        add_version(l, wire_id, json_object_array_get_idx(rows, i));
    json_object_put(o);
    json_object_array_add(l->shown, json_object_get(item));
    return 0;
}

static int gather(struct looking *l, struct ct_err *err)
{
    const struct sessions_filter every = {0};
    struct json_object *answer, *list;
    int rc = sessions_cloud(l->c, &every, &answer, err);

    if (rc != 0)
        return -1;
    list = jdoc_array(answer, "sessions");
    for (size_t i = 0; rc == 0 && i < json_object_array_length(list); i++) {
        struct json_object *item = json_object_array_get_idx(list, i);
        if (item_is_sealed(item) && !item_is_locked(item) && !item_is_retired(item) &&
            item_wire_id(item) != NULL)
            rc = add_session(l, item, err);
    }
    json_object_put(answer);
    return rc;
}

static int agree(const struct looking *l)
{
    char *sessions = text_count((int64_t)json_object_array_length(l->shown), "session", "sessions");
    char *versions = text_count(l->versions, "version", "versions");
    char *question;
    struct buf b = {0};
    int yes;

    sessions_cloud_table(&l->c->err, l->shown, &b);
    fputs(b.data != NULL ? b.data : "", stderr);
    buf_free(&b);
    question = str_printf(
        "That is what the old keys have sealed in this account: %s, %s. It goes on counting as "
        "yours; "
        "whatever they seal from now on does not. If something of it is not yours, answer no, and "
        "delete it first (ctctl delete ID). Is all of it yours?",
        sessions, versions);
    yes = term_confirm(question);
    free(question);
    free(versions);
    free(sessions);
    return yes;
}

int key_retire_look(struct ctx *c, int is_agreed, struct strlist *digests)
{
    struct looking l = {c, digests, json_object_new_array(), 0};
    struct ct_err e;
    int rc = CTX_OK;

    if (gather(&l, &e) != 0) {
        err_prefix(&e, "what the old keys have sealed so far can't be seen, so no key was made");
        rc = ctx_fail(c, &e);
    } else if (!is_agreed && !term_is_interactive()) {
        rc =
            ctx_usage(c, "somebody has to look at what the old keys have sealed; a script that has "
                         "says --no-confirm");
    } else if (!is_agreed && !agree(&l)) {
        ctx_say(c, "no key was made");
        rc = CTX_FAILED;
    }
    json_object_put(l.shown);
    return rc;
}

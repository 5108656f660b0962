#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/client.h"
#include "common/data/jdoc.h"
#include "common/base/str.h"
#include "common/base/uuid.h"
#include "ctctl/cloud/item.h"
#include "ctctl/cloud/sessions.h"

#include "ctctl/cloud/resolve.h"

/* ---- one that is named in full -----------------------------------------------------------------
 */

/* An item of what the server says of its newest version; NULL and 0 if it has none. */
static int probe(struct ctx *c, const char *wire_id, struct json_object **ret, struct ct_err *err)
{
    char *path = api_session_path(wire_id, "/download");
    struct json_object *o, *item;
    struct ct_err e;
    int rc = ctx_cloud(c, "GET", path, NULL, &o, &e);

    free(path);
    *ret = NULL;
    if (rc != 0 && e.code == ERR_GONE)
        return 0;
    if (rc != 0) {
        if (err != NULL)
            *err = e;
        return -1;
    }
    item = jdoc_obj(o, "session");
    item = item != NULL ? json_object_get(item) : json_object_new_object();
    jdoc_set_str(item, "id", wire_id);
    jdoc_set_int(item, "currentVersion", jdoc_int(o, "version", 0));
    if (jdoc_has(o, "sizeBytes"))
        jdoc_set_int(item, "sizeBytes", jdoc_int(o, "sizeBytes", 0));
    item_open(c, item, wire_id, ITEM_NEWEST);
    json_object_put(o);
    *ret = item;
    return 0;
}

/* Take ${item}, which becomes ours. */
static void take(struct resolved *w, struct json_object *item)
{
    json_object_put(w->item);
    free(w->wire_id);
    w->item = item;
    w->wire_id = str_dup(item_wire_id(item));
}

/* Is ${item} of the kind that is meant? */
static int is_meant(struct ctx *c, const struct json_object *item, int is_plain)
{
    int is_vouched = item_is_sealed(item) && !item_is_retired(item);

    return is_plain ? !is_vouched : is_vouched || !ctx_is_sealing(c);
}

/* Return an item of the newest version of that session that is of the kind that is meant and opens
 * here, for the caller; NULL if there is none. */
static struct json_object *readable(struct ctx *c, const char *wire_id)
{
    char *path = api_session_path(wire_id, "/versions");
    struct json_object *o = NULL, *rows, *ret = NULL;

    if (ctx_cloud(c, "GET", path, NULL, &o, NULL) != 0)
        o = NULL;
    rows = jdoc_array(o, "versions");
    for (size_t i = 0; rows != NULL && ret == NULL && i < json_object_array_length(rows); i++) {
        struct json_object *row = json_object_array_get_idx(rows, i);
        jdoc_set_str(row, "id", wire_id);
        jdoc_set_int(row, "currentVersion", jdoc_int(row, "version", 0));
        item_open(c, row, wire_id, ITEM_OLDER);
        if (!item_is_locked(row) && is_meant(c, row, 0))
            ret = json_object_get(row);
    }
    json_object_put(o);
    free(path);
    return ret;
}

static int try(struct ctx *c, struct resolved *w, const char *wire_id, struct ct_err *err)
{
    struct json_object *item, *other;

    if (probe(c, wire_id, &item, err) != 0)
        return -1;
    /* Somebody without the key put something in clear above it. */
    if (item != NULL && !item_is_sealed(item) && ctx_is_sealing(c) &&
        (other = readable(c, wire_id)) != NULL) {
        json_object_put(item);
        item = other;
    }
    if (item != NULL && is_meant(c, item, 0))
        take(w, item);
    else
        json_object_put(item);
    return 0;
}

/* What is sealed goes by an opaque id, which may be given itself.  The server is never asked for a
 * real one, whose name it would learn by that. */
static int by_whole_id(struct ctx *c, const struct keyring *ring, const char *id,
                       struct resolved *w, struct ct_err *err)
{
    char opaque[UUID_SIZE];

    if (keyring_opaque_id(ring, id, opaque) == 0 && try(c, w, opaque, err) != 0)
        return -1;
    if (w->item == NULL && id[14] == '8' && try(c, w, id, err) != 0)
        return -1;
    /* Whatever is wrong with what is sealed: its id was made from this one. */
    if (w->item != NULL && strcmp(w->wire_id, id) != 0)
        w->id = str_dup(id);
    return 0;
}

/* ---- one that is found in the list -------------------------------------------------------------
 */

static int fits(const struct json_object *item, const char *word)
{
    const char *id = item_id(item), *wire = item_wire_id(item);
    size_t n = strlen(word);

    return (id != NULL && strncmp(id, word, n) == 0) ||
           (wire != NULL && strncmp(wire, word, n) == 0);
}

/* The one session of the list that ${word} means, or NULL. */
static struct json_object *choose(struct ctx *c, struct json_object *list, const char *word,
                                  int is_plain, int *ret_many)
{
    struct json_object *found = NULL;

    *ret_many = 0;
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        struct json_object *item = json_object_array_get_idx(list, i);
        const char *id = item_id(item);
        if (id == NULL || !fits(item, word) || !is_meant(c, item, is_plain))
            continue;
        if (strcmp(id, word) == 0 || strcmp(item_wire_id(item), word) == 0) {
            *ret_many = 0;
            return item;
        }
        *ret_many = *ret_many || (found != NULL && strcmp(item_id(found), id) != 0);
        found = item;
    }
    return found;
}

/* There is one, but of the other kind. */
static int other_kind(const struct json_object *item, int is_plain, struct ct_err *err)
{
    const char *id = item_id(item);

    if (is_plain)
        return err_set(err, ERR_GONE, "session %.8s is not in the cloud in clear, only sealed", id);
    if (item_is_retired(item))
        err_set(err, ERR_REFUSED,
                "session %.8s is sealed with a key that somebody else may have, and was not there "
                "when that was retired. --plain means it all the same, as a stranger's",
                id);
    else
        err_set(err, ERR_REFUSED,
                "session %.8s is in the cloud in clear only, so whoever runs the server can have "
                "written or changed it. --plain means it all the same, as a stranger's; ctctl seal "
                "%.8s brings it there sealed",
                id, id);
    snprintf(err->reason, sizeof(err->reason), "%s", RESOLVE_IN_CLEAR);
    return -1;
}

static int by_list(struct ctx *c, const char *word, int is_plain, struct resolved *w,
                   struct ct_err *err)
{
    const struct sessions_filter every = {0};
    struct json_object *answer, *list, *found, *other;
    int many, rc = 0;

    if (sessions_cloud(c, &every, &answer, err) != 0)
        return -1;
    list = jdoc_array(answer, "sessions");
    found = choose(c, list, word, is_plain, &many);
    if (many) {
        rc = err_set(err, ERR_CONFLICT, "several sessions begin with \"%s\"; give more of the ID",
                     word);
    } else if (found != NULL) {
        take(w, json_object_get(found));
    } else if ((other = choose(c, list, word, !is_plain, &many)) != NULL) {
        rc = other_kind(other, is_plain, err);
    } else {
        err_set(err, ERR_GONE,
                "no session in the cloud begins with \"%s\"; see: ctctl list --cloud; what was "
                "deleted: ctctl undelete",
                word);
        rc = resolve_gone(c, err);
    }
    json_object_put(answer);
    return rc;
}

int resolve_session(struct ctx *c, const char *word, int is_plain, struct resolved *ret,
                    struct ct_err *err)
{
    const struct keyring *ring;
    struct resolved w = {0};
    int rc = 0;

    if (word[0] == '\0')
        return err_set(err, ERR_GONE, "an empty ID means no session; see: ctctl list --cloud");
    if (uuid_is_valid(word) && !is_plain) {
        ring = ctx_ring(c, NULL);
        if (keyring_n(ring) > 0)
            rc = by_whole_id(c, ring, word, &w, err);
    }
    if (rc == 0 && w.wire_id == NULL)
        rc = by_list(c, word, is_plain, &w, err);
    if (rc != 0) {
        resolve_clear(&w);
        return -1;
    }
    if (w.id == NULL)
        w.id = str_dup(item_id(w.item));
    *ret = w;
    return 0;
}

void resolve_clear(struct resolved *w)
{
    json_object_put(w->item);
    free(w->id);
    free(w->wire_id);
    memset(w, 0, sizeof(*w));
}

int resolve_gone(struct ctx *c, struct ct_err *err)
{
    const struct sessions_filter every = {0};
    struct json_object *answer, *list;
    struct ct_err lock;
    int64_t n = 0;
    size_t at = strlen(err->msg);

    if (err->code != ERR_GONE || sessions_cloud(c, &every, &answer, NULL) != 0)
        return -1;
    list = jdoc_array(answer, "sessions");
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        const struct json_object *item = json_object_array_get_idx(list, i);
        if (item_is_locked(item) && n++ == 0)
            item_lock(item, &lock);
    }
    json_object_put(answer);
    if (n == 0)
        return -1;
    while (at > 0 && err->msg[at - 1] == '.')
        err->msg[--at] = '\0';
    snprintf(err->msg + at, sizeof(err->msg) - at,
             "; it may be one of %" PRId64 " that can't be looked into here: %s", n, lock.msg);
    snprintf(err->reason, sizeof(err->reason), "%s", lock.reason);
    return -1;
}

/* Is there something above it that a device without the key can have put there? */
static int is_hidden(struct ctx *c, const struct json_object *item)
{
    const char *wire_id = item_wire_id(item);
    struct json_object *heads = jdoc_array(item, "heads");
    struct ct_err why;

    if (!ctx_is_sealing(c) || wire_id == NULL || !uuid_is_valid(wire_id) || wire_id[14] != '8')
        return 0;
    if (!item_is_locked(item))
        return !item_is_sealed(item);
    item_lock(item, &why);
    return strcmp(why.reason, KEY_MISSING) != 0 ||
           (heads != NULL && json_object_array_length(heads) > 0);
}

struct json_object *resolve_vouched(struct ctx *c, struct json_object *list)
{
    struct json_object *ret = json_object_new_array();

    for (size_t i = 0; i < json_object_array_length(list); i++) {
        struct json_object *item = json_object_array_get_idx(list, i), *other = NULL;
        if (is_hidden(c, item))
            other = readable(c, item_wire_id(item));
        if (other != NULL)
            json_object_array_add(ret, other);
        else if (is_meant(c, item, 0))
            json_object_array_add(ret, json_object_get(item));
    }
    return ret;
}

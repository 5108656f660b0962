#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/client.h"
#include "common/data/jdoc.h"
#include "common/base/now.h"
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

/* Take ${item} as one of its lives; it becomes ours. */
static void take(struct resolved *w, struct json_object *item)
{
    if (item_is_sealed(item)) {
        json_object_put(w->sealed);
        free(w->sealed_id);
        w->sealed = item;
        w->sealed_id = str_dup(item_wire_id(item));
    } else {
        json_object_put(w->plain);
        free(w->plain_id);
        w->plain = item;
        w->plain_id = str_dup(item_wire_id(item));
    }
}

static int try(struct ctx *c, struct resolved *w, const char *wire_id, struct ct_err *err)
{
    struct json_object *item;

    if (probe(c, wire_id, &item, err) != 0)
        return -1;
    if (item != NULL)
        take(w, item);
    return 0;
}

/* Is it there in clear, too?  The list tells; asked by its real id, the server would learn the name
 * of a session that it may know sealed only. */
static int find_clear(struct ctx *c, const char *id, struct resolved *w, struct ct_err *err)
{
    const struct sessions_filter every = {0};
    struct json_object *answer, *list;

    if (sessions_cloud(c, &every, &answer, err) != 0)
        return -1;
    list = jdoc_array(answer, "sessions");
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        struct json_object *item = json_object_array_get_idx(list, i);
        const char *wire = item_wire_id(item);
        if (wire != NULL && strcmp(wire, id) == 0)
            take(w, json_object_get(item));
    }
    json_object_put(answer);
    return 0;
}

/* Both lives of a session whose real id is ${id}. */
static int try_both(struct ctx *c, const struct keyring *ring, const char *id, struct resolved *w,
                    struct ct_err *err)
{
    char opaque[UUID_SIZE];

    if (keyring_opaque_id(ring, id, opaque) == 0 && w->sealed == NULL &&
        try(c, w, opaque, err) != 0)
        return -1;
    return id[14] == '8' ? try(c, w, id, err) : find_clear(c, id, w, err);
}

/* ${id} may be an opaque one; then the real one is inside. */
static int by_whole_id(struct ctx *c, const struct keyring *ring, const char *id,
                       struct resolved *w, struct ct_err *err)
{
    if (try_both(c, ring, id, w, err) != 0)
        return -1;
    if (w->sealed == NULL && w->plain == NULL)
        return 0;
    /* Whatever is wrong with what is sealed: its id was made from this one. */
    if (w->sealed == NULL || strcmp(w->sealed_id, id) != 0) {
        w->id = str_dup(id);
        return 0;
    }
    if (item_is_locked(w->sealed))
        return 0;
    w->id = str_dup(item_id(w->sealed));
    return try_both(c, ring, w->id, w, err);
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
static const char *choose(struct json_object *list, const char *word, int *ret_many)
{
    const char *found = NULL;

    *ret_many = 0;
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        const struct json_object *item = json_object_array_get_idx(list, i);
        const char *id = item_id(item);
        if (id == NULL || !fits(item, word))
            continue;
        if (strcmp(id, word) == 0 || strcmp(item_wire_id(item), word) == 0) {
            *ret_many = 0;
            return id;
        }
        *ret_many = *ret_many || (found != NULL && strcmp(found, id) != 0);
        found = id;
    }
    return found;
}

static int by_list(struct ctx *c, const char *word, struct resolved *w, struct ct_err *err)
{
    const struct sessions_filter every = {0};
    struct json_object *answer, *list;
    const char *found;
    int many, rc = 0;

    if (sessions_cloud(c, &every, &answer, err) != 0)
        return -1;
    list = jdoc_array(answer, "sessions");
    found = choose(list, word, &many);
    if (many) {
        rc = err_set(err, ERR_CONFLICT, "several sessions begin with \"%s\"; give more of the ID",
                     word);
        found = NULL;
    } else if (found == NULL) {
        err_set(err, ERR_GONE,
                "no session in the cloud begins with \"%s\"; see: ctctl list --cloud", word);
        rc = resolve_gone(c, err);
    }
    for (size_t i = 0; found != NULL && i < json_object_array_length(list); i++) {
        struct json_object *item = json_object_array_get_idx(list, i);
        if (item_id(item) != NULL && strcmp(item_id(item), found) == 0)
            take(w, json_object_get(item));
    }
    json_object_put(answer);
    return rc;
}

/* ---- */

/* Without keys, what is named in full is believed: the server will say if it is not there. */
static int believe(struct ctx *c, const char *word, struct resolved *w, struct ct_err *err)
{
    /* An opaque one shows whose key is missing. */
    if (word[14] == '8' && try(c, w, word, err) != 0)
        return -1;
    if (w->sealed == NULL && w->plain_id == NULL)
        w->plain_id = str_dup(word);
    return 0;
}

int resolve_session(struct ctx *c, const char *word, struct resolved *ret, struct ct_err *err)
{
    const struct keyring *ring = NULL;
    struct resolved w = {0};
    int rc = 0;

    if (uuid_is_valid(word)) {
        ring = ctx_ring(c, NULL);
        rc = keyring_n(ring) == 0 ? believe(c, word, &w, err) : by_whole_id(c, ring, word, &w, err);
    }
    if (rc == 0 && w.sealed_id == NULL && w.plain_id == NULL)
        rc = by_list(c, word, &w, err);
    if (rc != 0) {
        resolve_clear(&w);
        return -1;
    }
    if (w.id == NULL)
        w.id = str_dup(w.sealed != NULL  ? item_id(w.sealed)
                       : w.plain != NULL ? item_id(w.plain)
                                         : w.plain_id);
    *ret = w;
    return 0;
}

int resolve_look(struct ctx *c, struct resolved *w, struct ct_err *err)
{
    if (w->sealed != NULL || w->plain != NULL)
        return 0;
    if (try(c, w, w->id, err) != 0)
        return -1;
    if (w->sealed != NULL || w->plain != NULL)
        return 0;
    err_set(err, ERR_GONE, "there is no session %s", w->id);
    return resolve_gone(c, err);
}

void resolve_clear(struct resolved *w)
{
    json_object_put(w->sealed);
    json_object_put(w->plain);
    free(w->id);
    free(w->sealed_id);
    free(w->plain_id);
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

/* ---- the two lives -----------------------------------------------------------------------------
 */

static int64_t ended_ms(const struct json_object *item)
{
    const char *s = jdoc_str(item_metadata(item), "sessionEndedAt");
    int64_t ms;

    return s != NULL && now_parse_rfc3339(s, &ms) == 0 ? ms : -1;
}

static int64_t records(const struct json_object *item)
{
    const struct json_object *m = item_metadata(item);

    return jdoc_int(m, "messageCount", 0) + jdoc_int(m, "toolCallCount", 0);
}

int resolve_is_newer(const struct json_object *a, const struct json_object *b)
{
    int64_t x = ended_ms(a), y = ended_ms(b);

    if (x < 0 || y < 0)
        return 0;
    return x != y ? x > y : records(a) > records(b);
}

const char *resolve_life(const struct resolved *w, enum resolve_life life, struct ct_err *err)
{
    if (life == WHICH_PLAIN && w->plain_id == NULL) {
        err_set(err, ERR_GONE, "session %.8s is not in the cloud in clear, only sealed", w->id);
        return NULL;
    }
    if (w->sealed_id == NULL || life == WHICH_PLAIN)
        return w->plain_id;
    if (w->plain_id == NULL || life == WHICH_FIRST)
        return w->sealed_id;
    return resolve_is_newer(w->plain, w->sealed) ? w->plain_id : w->sealed_id;
}

const char *resolve_version(struct ctx *c, const struct resolved *w, int64_t version, int is_plain,
                            struct ct_err *err)
{
    int is_strict, is_newer;

    if (is_plain || version > 0)
        return resolve_life(w, is_plain ? WHICH_PLAIN : WHICH_FIRST, err);
    if (ctx_config(c, err) != 0)
        return NULL;
    is_strict = c->config->encryption == CONFIG_ENCRYPTION_REQUIRE;
    is_newer = w->sealed != NULL && w->plain != NULL && resolve_is_newer(w->plain, w->sealed);
    if (is_newer && is_strict)
        ctx_say(c,
                "session %.8s is in the cloud in clear too, and newer there; encryption = "
                "\"require\" leaves that alone (--plain names it)",
                w->id);
    else if (is_newer)
        ctx_say(c, "session %.8s is in the cloud both sealed and in clear; in clear it is newer",
                w->id);
    return resolve_life(w, is_strict ? WHICH_FIRST : WHICH_ANY, err);
}

/* The other life of the session that ${item} is a life of, or NULL. */
static const struct json_object *twin(struct json_object *list, const struct json_object *item)
{
    const char *id = item_id(item);
    int is_sealed = item_is_sealed(item);

    for (size_t i = 0; id != NULL && i < json_object_array_length(list); i++) {
        const struct json_object *o = json_object_array_get_idx(list, i);
        if (item_is_sealed(o) != is_sealed && item_id(o) != NULL && strcmp(item_id(o), id) == 0)
            return o;
    }
    return NULL;
}

struct json_object *resolve_best(struct ctx *c, struct json_object *list)
{
    struct json_object *ret = json_object_new_array();
    int is_strict = ctx_config(c, NULL) == 0 && c->config->encryption == CONFIG_ENCRYPTION_REQUIRE;
    size_t n = json_object_array_length(list), sealed = 0;

    for (size_t i = 0; i < n; i++)
        sealed += (size_t)item_is_sealed(json_object_array_get_idx(list, i));
    for (size_t i = 0; i < n; i++) {
        struct json_object *item = json_object_array_get_idx(list, i);
        const struct json_object *other = sealed > 0 && sealed < n ? twin(list, item) : NULL;
        int is_better =
            other == NULL || (item_is_sealed(item) ? is_strict || !resolve_is_newer(other, item)
                                                   : !is_strict && resolve_is_newer(item, other));
        if (is_better)
            json_object_array_add(ret, json_object_get(item));
    }
    return ret;
}

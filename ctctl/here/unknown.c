#include <string.h>

#include "agents/agent.h"
#include "agents/inventory.h"
#include "common/data/jdoc.h"

#include "ctctl/here/unknown.h"

#define ANSWER_MS 30000
#define MOST_ASKED 1000

static void add(struct json_object *list, const char *root, const struct inventory *inv)
{
    for (size_t i = 0; i < inv->n; i++) {
        const struct inventory_folder *f = &inv->folders[i];
        struct json_object *o = json_object_new_object();
        jdoc_set_str(o, "root", root);
        jdoc_set_str(o, "folder", f->path);
        jdoc_set_int(o, "files", f->files);
        jdoc_set_bool(o, "more", f->is_cut);
        jdoc_set_str(o, "example", f->example);
        json_object_array_add(list, o);
    }
}

/* Is it archived, or excluded?  Then nothing of it is missing. */
static int is_on_record(struct ctx *c, const char *id)
{
    struct json_object *params = json_object_new_object(), *o;
    const char *state;
    int yes = 0;

    jdoc_set_str(params, "id", id);
    if (ctx_call(c, "show", params, ANSWER_MS, &o, NULL) == 0) {
        state = jdoc_str(o, "state");
        yes = jdoc_int(o, "version", 0) > 0 || (state != NULL && strcmp(state, "excluded") == 0);
        json_object_put(o);
    }
    json_object_put(params);
    return yes;
}

static void add_orphans(struct ctx *c, struct json_object *list, const char *root,
                        const struct inventory *inv)
{
    for (size_t i = 0; i < inv->n_orphans; i++) {
        const struct inventory_orphan *orphan = &inv->orphans[i];
        struct json_object *o;
        if (i < MOST_ASKED && is_on_record(c, orphan->session_id))
            continue;
        o = json_object_new_object();
        jdoc_set_str(o, "root", root);
        jdoc_set_str(o, "folder", orphan->path);
        jdoc_set_int(o, "files", orphan->files);
        jdoc_set_bool(o, "more", 0);
        jdoc_set_str(o, "example", orphan->path);
        jdoc_set_str(o, "withoutTranscript", orphan->session_id);
        json_object_array_add(list, o);
    }
}

struct json_object *unknown_look(struct ctx *c, const struct strlist *roots,
                                 int64_t *ret_profile_files)
{
    struct json_object *list = json_object_new_array();

    if (ret_profile_files != NULL)
        *ret_profile_files = 0;
    for (size_t i = 0; i < roots->n; i++) {
        struct inventory inv;
        if (inventory_take(ctx_agent_of(c, roots->v[i]), roots->v[i], &inv, NULL) == 0) {
            add(list, roots->v[i], &inv);
            add_orphans(c, list, roots->v[i], &inv);
            if (ret_profile_files != NULL)
                *ret_profile_files += inv.profile_files;
            inventory_clear(&inv);
        }
    }
    return list;
}

struct json_object *unknown_look_watched(struct ctx *c, const struct json_object *status,
                                         int64_t *ret_profile_files)
{
    struct json_object *watched = jdoc_array(jdoc_obj(status, "watch"), "roots"), *list;
    size_t n = watched != NULL ? json_object_array_length(watched) : 0;
    struct strlist roots = {0};

    for (size_t i = 0; i < n; i++) {
        struct json_object *r = json_object_array_get_idx(watched, i);
        /* A root is a path, or tells its path. */
        const char *s = json_object_get_type(r) == json_type_string ? json_object_get_string(r)
                                                                    : jdoc_str(r, "path");
        if (s != NULL)
            strlist_add(&roots, s);
    }
    list = unknown_look(c, &roots, ret_profile_files);
    strlist_free(&roots);
    return list;
}

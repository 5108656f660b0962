#include "agents/agent.h"
#include "agents/inventory.h"
#include "common/data/jdoc.h"

#include "ctctl/here/unknown.h"

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

struct json_object *unknown_look(const struct strlist *roots, int64_t *ret_profile_files)
{
    struct json_object *list = json_object_new_array();

    if (ret_profile_files != NULL)
        *ret_profile_files = 0;
    for (size_t i = 0; i < roots->n; i++) {
        struct inventory inv;
        if (inventory_take(agent_default(), roots->v[i], &inv, NULL) == 0) {
            add(list, roots->v[i], &inv);
            if (ret_profile_files != NULL)
                *ret_profile_files += inv.profile_files;
            inventory_clear(&inv);
        }
    }
    return list;
}

struct json_object *unknown_look_watched(const struct json_object *status,
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
    list = unknown_look(&roots, ret_profile_files);
    strlist_free(&roots);
    return list;
}

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/data/jdoc.h"
#include "ctctl/cloud/item.h"
#include "ctctl/cloud/resolve.h"
#include "ctctl/cloud/sessions.h"

#include "ctctl/pull/pull_profile.h"

static const char *device_of(const struct json_object *item)
{
    const char *name = item_str(item, "sourceMachine");

    return name != NULL ? name : "another device";
}

static void tell(struct ctx *c, const struct json_object *item, const struct pull_result *r,
                 struct json_object *results)
{
    const struct install_result *in = &r->installed;
    struct json_object *o = json_object_new_object();
    struct buf b = {0};

    jdoc_set_str(o, "profileOf", device_of(item));
    jdoc_set_int(o, "filesAdded", in->files_added);
    jdoc_set_int(o, "filesMerged", in->files_replaced);
    jdoc_set_int(o, "filesKept", in->files_kept);
    jdoc_set_int(o, "prompts", in->prompts);
    if (!c->json) {
        char *name = text_line(&c->out, device_of(item));
        buf_printf(&b,
                   "profile of %s: %" PRId64 " added, %" PRId64 " merged, %" PRId64
                   " kept as they are here, %" PRId64 " prompt%s\n",
                   name, in->files_added, in->files_replaced, in->files_kept, in->prompts,
                   in->prompts == 1 ? "" : "s");
        ctx_print(c, &b);
        free(name);
        buf_free(&b);
    }
    for (size_t i = 0; i + 1 < in->left_out.n && !c->json; i += 2)
        ctx_say(c, "left out: %s: %s", in->left_out.v[i], in->left_out.v[i + 1]);
    json_object_array_add(results, o);
}

static int pull_one(struct ctx *c, const struct json_object *item, const struct pull_opts *opts,
                    struct json_object *results, struct ct_err *err)
{
    struct pull_opts own = *opts;
    struct pull_result r = {0};
    int rc;

    own.map = NULL;
    own.progress = NULL;
    own.target_dir = NULL;
    own.is_home_to_home = 1;
    rc = item_is_locked(item) ? item_lock(item, err)
                              : pull_session(c, item_wire_id(item), &own, &r, err);
    if (rc == 0)
        tell(c, item, &r, results);
    pull_result_clear(&r);
    return rc;
}

int pull_profiles(struct ctx *c, const char *device, const struct pull_opts *opts,
                  struct json_object *ret, int64_t *ret_n, struct ct_err *err)
{
    const struct sessions_filter f = {.machine = device, .which = SESSIONS_PROFILES};
    struct json_object *answer, *list;
    int rc = 0;

    if (sessions_cloud(c, &f, &answer, err) != 0)
        return -1;
    list = resolve_vouched(c, jdoc_array(answer, "sessions"));
    *ret_n = (int64_t)json_object_array_length(list);
    for (size_t i = 0; rc == 0 && i < json_object_array_length(list); i++)
        rc = pull_one(c, json_object_array_get_idx(list, i), opts, ret, err);
    json_object_put(list);
    json_object_put(answer);
    return rc;
}

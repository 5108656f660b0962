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

static void add_names(struct json_object *o, const char *key, const struct strlist *names)
{
    struct json_object *list = json_object_new_array();

    for (size_t i = 0; i < names->n; i++)
        json_object_array_add(list, jdoc_new_str(names->v[i]));
    json_object_object_add(o, key, list);
}

static void tell_json(const struct json_object *item, const struct install_result *in,
                      struct json_object *results)
{
    struct json_object *o = json_object_new_object();

    jdoc_set_str(o, "profileOf", device_of(item));
    jdoc_set_int(o, "filesAdded", in->files_added);
    jdoc_set_int(o, "filesMerged", in->files_replaced);
    jdoc_set_int(o, "prompts", in->prompts);
    add_names(o, "kept", &in->kept);
    add_names(o, "leftOut", &in->left_out);
    json_object_array_add(results, o);
}

static void tell(struct ctx *c, const struct json_object *item, const struct install_result *in)
{
    char *name = text_line(&c->out, device_of(item));
    struct buf b = {0};

    buf_printf(&b,
               "profile of %s: %" PRId64 " added, %" PRId64 " merged, %" PRId64
               " kept as they are here, %" PRId64 " prompt%s\n",
               name, in->files_added, in->files_replaced, in->files_kept, in->prompts,
               in->prompts == 1 ? "" : "s");
    ctx_print(c, &b);
    fflush(stdout);
    buf_free(&b);
    free(name);
    for (size_t i = 0; i < in->kept.n; i++)
        ctx_say(c, "another one is here and stays: %s", in->kept.v[i]);
    for (size_t i = 0; i + 1 < in->left_out.n; i += 2)
        ctx_say(c, "left out: %s: %s", in->left_out.v[i], in->left_out.v[i + 1]);
}

/* What a version that was fuller, or went on beside it, has and this machine has not. */
static void tell_other(struct ctx *c, const struct json_object *item, const struct head *h,
                       const struct pull_opts *opts)
{
    struct pull_opts own = *opts;
    struct pull_result r = {0};
    struct ct_err e;
    int64_t n;

    own.version = h->version;
    own.is_rehearsal = 1;
    if (pull_session(c, item_wire_id(item), &own, &r, &e) != 0) {
        ctx_say(c, "version %" PRId64 " of it can't be looked into: %s", h->version, e.msg);
        n = 0;
    } else {
        n = r.installed.files_added + r.installed.files_replaced;
    }
    if (n > 0)
        ctx_say(c,
                "version %" PRId64 " of it has %" PRId64
                " file%s, or lines of memory, that are not here: ctctl pull --profile %s --version "
                "%" PRId64,
                h->version, n, n == 1 ? "" : "s", device_of(item), h->version);
    pull_result_clear(&r);
}

static int pull_one(struct ctx *c, const struct json_object *item, const struct pull_opts *opts,
                    struct json_object *results, struct ct_err *err)
{
    struct pull_opts own = *opts;
    struct pull_result r = {0};
    struct heads heads = {0};
    int rc;

    own.map = NULL;
    own.progress = NULL;
    own.target_dir = NULL;
    own.is_home_to_home = 1;
    own.is_profile = 1;
    rc = item_is_locked(item) ? item_lock(item, err)
                              : pull_session(c, item_wire_id(item), &own, &r, err);
    if (rc == 0 && c->json)
        tell_json(item, &r.installed, results);
    else if (rc == 0)
        tell(c, item, &r.installed);
    if (rc == 0 && opts->version == 0 && !opts->is_rehearsal)
        heads_ask(c, item_wire_id(item), &heads);
    for (size_t i = 0; i < heads.n; i++) {
        if (!heads.v[i].is_current)
            tell_other(c, item, &heads.v[i], &own);
    }
    heads_clear(&heads);
    pull_result_clear(&r);
    return rc;
}

int pull_profiles(struct ctx *c, const char *device, const struct pull_opts *opts,
                  struct json_object *ret, int64_t *ret_n, struct ct_err *err)
{
    const struct sessions_filter f = {.machine = device, .which = SESSIONS_PROFILES};
    struct json_object *answer, *list;
    struct ct_err e;
    size_t n;
    int rc = 0;

    if (sessions_cloud(c, &f, &answer, err) != 0)
        return -1;
    list = resolve_vouched(c, jdoc_array(answer, "sessions"));
    n = json_object_array_length(list);
    *ret_n = (int64_t)n;
    if (n > 1 && opts->version > 0) {
        rc = err_set(err, ERR_REFUSED,
                     "%zu profiles are meant, and --version is of one: name its device", n);
        n = 0;
    }
    for (size_t i = 0; i < n; i++) {
        const struct json_object *item = json_object_array_get_idx(list, i);
        if (pull_one(c, item, opts, ret, &e) == 0)
            continue;
        rc = err_set(err, e.code, "the profile of %s: %.200s", device_of(item), e.msg);
        if (i + 1 < n)
            ctx_say(c, "%s", err->msg); /* the last one's the caller says */
    }
    json_object_put(list);
    json_object_put(answer);
    return rc;
}

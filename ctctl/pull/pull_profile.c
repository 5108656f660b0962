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

static void tell_json(const struct json_object *item, const struct pull_result *r,
                      struct json_object *results)
{
    const struct install_result *in = &r->installed;
    struct json_object *o = json_object_new_object();

    jdoc_set_str(o, "profileOf", device_of(item));
    jdoc_set_str(o, "profileId", item_id(item));
    jdoc_set_int(o, "version", r->version);
    jdoc_set_str(o, "origin", trust_name(r->trust));
    jdoc_set_int(o, "filesAdded", in->files_added);
    jdoc_set_int(o, "filesMerged", in->files_replaced);
    jdoc_set_int(o, "prompts", in->prompts);
    add_names(o, "added", &in->added);
    add_names(o, "merged", &in->merged);
    add_names(o, "kept", &in->kept);
    add_names(o, "leftOut", &in->left_out);
    json_object_array_add(results, o);
}

static void add_lines(struct ctx *c, struct buf *b, const char *what, const struct strlist *names)
{
    for (size_t i = 0; i < names->n; i++) {
        char *name = text_line(&c->out, names->v[i]);
        buf_printf(b, "  %s: %s\n", what, name);
        free(name);
    }
}

static void tell_left_out(struct ctx *c, const struct json_object *item,
                          const struct strlist *left_out)
{
    int in_clear = 0;

    for (size_t i = 0; i + 1 < left_out->n; i += 2) {
        ctx_say(c, "left out: %s: %s", left_out->v[i], left_out->v[i + 1]);
        in_clear += strcmp(left_out->v[i + 1], INSTALL_IN_CLEAR) == 0;
    }
    if (in_clear > 0)
        ctx_say(c, "if %s your doing: ctctl pull --profile %s",
                in_clear == 1 ? "that is" : "those are", device_of(item));
}

/* What changes in memory that is here is named, and so is all that anybody can have written. */
static void tell(struct ctx *c, const struct json_object *item, const struct pull_result *r)
{
    const struct install_result *in = &r->installed;
    char *name = text_line(&c->out, device_of(item));
    struct buf b = {0};

    buf_printf(&b,
               "profile of %s: %" PRId64 " added, %" PRId64 " merged, %" PRId64
               " kept as they are here, %" PRId64 " prompt%s\n",
               name, in->files_added, in->files_replaced, in->files_kept, in->prompts,
               in->prompts == 1 ? "" : "s");
    if (r->trust != TRUST_OWN)
        add_lines(c, &b, "added", &in->added);
    add_lines(c, &b, "merged", &in->merged);
    ctx_print(c, &b);
    fflush(stdout);
    buf_free(&b);
    free(name);
    for (size_t i = 0; i < in->kept.n; i++)
        ctx_say(c, "another one is here and stays: %s", in->kept.v[i]);
    tell_left_out(c, item, &in->left_out);
}

static void say(struct ctx *c, const struct json_object *item, const struct pull_result *r,
                struct json_object *results)
{
    if (c->json)
        tell_json(item, r, results);
    else
        tell(c, item, r);
}

/* What a version that was fuller has and this machine has not. */
static void tell_fuller(struct ctx *c, const struct json_object *item, const struct head *h,
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

/* What stands beside the current version comes too, for neither took anything away; what a later
 * one built on and lacks may have been removed, so it is named. */
static int pull_others(struct ctx *c, const struct json_object *item, const struct pull_opts *opts,
                       struct json_object *results, struct ct_err *err)
{
    struct pull_opts own = *opts;
    struct pull_result r = {0};
    struct heads heads;
    int rc = 0;

    heads_ask(c, item_wire_id(item), &heads);
    for (size_t i = 0; rc == 0 && i < heads.n; i++) {
        if (heads.v[i].is_pinned)
            tell_fuller(c, item, &heads.v[i], &own);
        if (heads.v[i].is_pinned || heads.v[i].is_current)
            continue;
        own.version = heads.v[i].version;
        rc = pull_session(c, item_wire_id(item), &own, &r, err);
        if (rc == 0)
            say(c, item, &r, results);
        pull_result_clear(&r);
    }
    heads_clear(&heads);
    return rc;
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
    own.is_profile = 1;
    rc = item_is_locked(item) ? item_lock(item, err)
                              : pull_session(c, item_wire_id(item), &own, &r, err);
    if (rc == 0)
        say(c, item, &r, results);
    pull_result_clear(&r);
    if (rc == 0 && opts->version == 0)
        rc = pull_others(c, item, &own, results, err);
    return rc;
}

static void tell_failed(struct ctx *c, const struct json_object *item, const struct ct_err *err,
                        struct json_object *results)
{
    const char *device = device_of(item), *id = item_id(item);
    struct json_object *o;

    if (c->json) {
        o = json_object_new_object();
        jdoc_set_str(o, "profileOf", device);
        jdoc_set_str(o, "profileId", id);
        jdoc_set_str(o, "error", err->msg);
        json_object_array_add(results, o);
    }
    if (err->code == ERR_CORRUPT)
        ctx_say(c,
                "the profile of %s (%.8s): %s. Other versions of it: ctctl versions %.8s; to be "
                "rid of it: ctctl delete %.8s",
                device, id, err->msg, id, id);
    else
        ctx_say(c, "the profile of %s (%.8s): %s", device, id, err->msg);
}

int pull_profiles(struct ctx *c, const char *device, const struct pull_opts *opts,
                  struct json_object *ret, struct pull_profiles_rest *rest, struct ct_err *err)
{
    const struct sessions_filter f = {.machine = device, .which = SESSIONS_PROFILES};
    struct json_object *answer, *list;
    struct ct_err e;
    size_t n;
    int rc = 0;

    memset(rest, 0, sizeof(*rest));
    if (sessions_cloud(c, &f, &answer, err) != 0)
        return -1;
    list = resolve_vouched(c, jdoc_array(answer, "sessions"));
    n = json_object_array_length(list);
    rest->n = (int64_t)n;
    rest->plain = (int64_t)(json_object_array_length(jdoc_array(answer, "sessions")) - n);
    if (n > 1 && opts->version > 0) {
        rc = err_set(err, ERR_REFUSED,
                     "%zu profiles are meant, and --version is of one: name its device", n);
        n = 0;
    }
    for (size_t i = 0; i < n; i++) {
        const struct json_object *item = json_object_array_get_idx(list, i);
        if (pull_one(c, item, opts, ret, &e) == 0)
            continue;
        tell_failed(c, item, &e, ret);
        rest->failed++;
        rest->later += e.code == ERR_RETRY;
    }
    if (rest->plain > 0)
        ctx_say(c,
                "%" PRId64 " profile%s in clear left alone, as this device seals: ctctl list "
                "--clear",
                rest->plain, rest->plain == 1 ? "" : "s");
    json_object_put(list);
    json_object_put(answer);
    return rc;
}

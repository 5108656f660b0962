#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "api/client.h"
#include "bundle/install/adopted.h"
#include "bundle/open/generations.h"
#include "common/data/jdoc.h"
#include "common/base/now.h"
#include "common/base/str.h"
#include "ctctl/ui/headline.h"
#include "ctctl/cloud/item.h"
#include "ctctl/ui/term.h"

#include "ctctl/cloud/deletion.h"

#define ANSWER_MS 30000
#define SHOWN 20 /* sessions in the question */

const char *deletion_trash(struct ctx *c)
{
    if (c->cred != NULL && strcmp(c->cred->api_url, CRED_DEFAULT_URL) == 0)
        return "This can't be undone.";
    return "A codeteleport-server keeps it in its trash for 30 days.";
}

/* First the mark and then the deletion: the other way round it would be uploaded in between. */
static int mark(struct ctx *c, const char *id, struct ct_err *err)
{
    struct json_object *params = json_object_new_object(), *o;
    int rc;

    jdoc_set_str(params, "id", id);
    jdoc_set_bool(params, "deleted", 1);
    rc = ctx_call(c, "exclude", params, ANSWER_MS, &o, err);
    json_object_put(params);
    if (rc == 0) {
        json_object_put(o);
        return 0;
    }
    if (ctx_is_no_daemon(err) && ctx_account_dir(c) != NULL &&
        adopted_note_deleted(ctx_account_dir(c), id, NULL) == 0)
        return 0; /* it finds that when it starts */
    if (ctx_is_no_daemon(err)) {
        ctx_say(c,
                "the daemon is not running, so it can't be told to leave session %.8s alone; if "
                "it is on this machine, it may be uploaded again later",
                id);
        return 0;
    }
    return err->code == ERR_GONE ? 0 : -1; /* not on this machine */
}

/* The daemon goes by that, but does not need it. */
static void tell_cleared(struct ctx *c, const char *id)
{
    struct json_object *params = json_object_new_object(), *ids = json_object_new_array(), *o;

    json_object_array_add(ids, jdoc_new_str(id));
    json_object_object_add(params, "ids", ids);
    if (ctx_call(c, "cleared", params, ANSWER_MS, &o, NULL) == 0)
        json_object_put(o);
    json_object_put(params);
}

/* What was the newest may be saved anew, and is not safe until then. */
static void tell_changed(struct ctx *c)
{
    struct json_object *params = json_object_new_object(), *o;

    jdoc_set_bool(params, "now", 1);
    if (ctx_call(c, "refresh", params, ANSWER_MS, &o, NULL) == 0)
        json_object_put(o);
    json_object_put(params);
}

static int remove_wire(struct ctx *c, const char *wire_id, int64_t version,
                       struct json_object **ret, struct ct_err *err)
{
    char *rest = version > 0 ? str_printf("/versions/%" PRId64, version) : str_dup("");
    char *path = api_session_path(wire_id, rest);
    int rc = ctx_cloud(c, "DELETE", path, NULL, ret, err);

    free(path);
    free(rest);
    return rc;
}

static int remove_version(struct ctx *c, const struct resolved *w, int64_t version,
                          struct json_object **ret, struct ct_err *err)
{
    const char *dir;

    if (remove_wire(c, w->wire_id, version, ret, err) != 0)
        return -1;
    dir = item_is_sealed(w->item) ? ctx_account_dir(c) : NULL;
    if (dir != NULL)
        generations_forget(dir, w->id); /* what is the newest now was wanted */
    tell_changed(c);
    return 0;
}

/* Nothing is left then: the session is deleted. */
static int is_only(const struct resolved *w, int64_t version)
{
    return headline_number(w->item, "versionCount", 0) == 1 &&
           jdoc_int(w->item, "currentVersion", 0) == version;
}

/* What is there in clear under the same id goes with it. */
static int remove_clear_too(struct ctx *c, const struct resolved *w, struct ct_err *err)
{
    struct json_object *o = NULL;
    struct resolved clear;
    struct ct_err e;
    int rc = 0;

    if (!item_is_sealed(w->item))
        return 0;
    if (resolve_session(c, w->id, 1, &clear, &e) == 0) {
        rc = remove_wire(c, clear.wire_id, 0, &o, err);
        json_object_put(o);
        resolve_clear(&clear);
    }
    return rc;
}

int deletion_one(struct ctx *c, const struct resolved *w, int64_t version, int is_plain,
                 struct json_object **ret, struct ct_err *err)
{
    int is_all = !is_plain || !ctx_is_sealing(c);

    if (version > 0 && !is_only(w, version))
        return remove_version(c, w, version, ret, err);
    if (is_all && (mark(c, w->id, err) != 0 || remove_clear_too(c, w, err) != 0))
        return -1;
    if (remove_wire(c, w->wire_id, 0, ret, err) != 0)
        return -1;
    if (!is_all)
        tell_cleared(c, w->id);
    return 0;
}

/* ---- several ----------------------------------------------------------------------------------
 */

/* The items of ${all} that are old enough, oldest first as they are asked about. */
static struct json_object *old_ones(const struct ctx *c, struct json_object *all, int64_t older_s)
{
    struct json_object *list = json_object_new_array();
    int64_t at;

    for (size_t i = json_object_array_length(all); i-- > 0;) {
        struct json_object *o = json_object_array_get_idx(all, i);
        const char *created = jdoc_str(o, "createdAt");
        /* What has no time is not called old. */
        if (older_s > 0 && (created == NULL || now_parse_rfc3339(created, &at) != 0 ||
                            c->out.now_ms - at < older_s * 1000))
            continue;
        json_object_array_add(list, json_object_get(o));
    }
    return list;
}

static void show(struct ctx *c, struct json_object *list)
{
    struct json_object *some = json_object_new_array();
    size_t n = json_object_array_length(list);
    struct buf b = {0};

    for (size_t i = 0; i < n && i < SHOWN; i++)
        json_object_array_add(some, json_object_get(json_object_array_get_idx(list, i)));
    sessions_cloud_table(&c->err, some, &b);
    if (n > SHOWN)
        buf_printf(&b, "... and %zu more\n", n - SHOWN);
    fputs(b.data, stderr);
    buf_free(&b);
    json_object_put(some);
}

static int agree(struct ctx *c, struct json_object *list)
{
    int64_t versions = 0, n = (int64_t)json_object_array_length(list);
    char *count, *parts, *question;
    int yes;

    if (!term_is_interactive())
        return ctx_usage(c, "nobody can be asked here; add --yes to delete without a question");
    show(c, list);
    for (int64_t i = 0; i < n; i++)
        versions += headline_number(json_object_array_get_idx(list, (size_t)i), "versionCount", 1);
    count = text_count(n, "session", "sessions");
    parts = text_count(versions, "version", "versions");
    question =
        str_printf("Delete %s, %s, from the cloud? What is on this machine stays, and is not "
                   "uploaded again. %s",
                   count, parts, deletion_trash(c));
    yes = term_confirm(question);
    free(question);
    free(parts);
    free(count);
    if (yes)
        return CTX_OK;
    ctx_say(c, "nothing was deleted");
    return CTX_FAILED;
}

/* All of them, also when one fails; but not on after a refusal that all would meet. */
static int remove_all(struct ctx *c, struct json_object *list, struct json_object *result)
{
    struct json_object *done = json_object_new_array(), *failed = json_object_new_array(), *o, *f;
    size_t n = json_object_array_length(list);
    struct ct_err e = {0};
    int rc = CTX_OK;

    for (size_t i = 0; i < n && rc != CTX_NO_AUTH; i++) {
        const struct json_object *item = json_object_array_get_idx(list, i);
        const char *id = item_id(item), *wire_id = item_wire_id(item);
        if (id == NULL)
            continue;
        if (mark(c, id, &e) == 0 && remove_wire(c, wire_id, 0, &o, &e) == 0) {
            json_object_array_add(done, jdoc_new_str(id));
            json_object_put(o);
            continue;
        }
        ctx_say(c, "%.8s: %s", id, e.msg);
        rc = ctx_status(&e);
        f = json_object_new_object();
        jdoc_set_str(f, "sessionId", id);
        jdoc_set_str(f, "message", e.msg);
        json_object_array_add(failed, f);
    }
    json_object_object_add(result, "deleted", done);
    json_object_object_add(result, "failed", failed);
    return rc;
}

int deletion_many(struct ctx *c, const struct sessions_filter *f, int64_t older_s, int is_agreed)
{
    struct json_object *answer, *list, *result = json_object_new_object();
    struct sessions_filter mine = *f;
    int64_t unjudged = 0;
    struct buf b = {0};
    struct ct_err e;
    char *count;
    int rc;

    mine.unjudged = &unjudged;
    mine.which = SESSIONS_ONLY;
    if (sessions_cloud(c, &mine, &answer, &e) != 0) {
        json_object_put(result);
        return ctx_fail(c, &e);
    }
    if (unjudged > 0)
        sessions_say_sealed(c, jdoc_array(answer, "sessions"), unjudged);
    list = old_ones(c, jdoc_array(answer, "sessions"), older_s);
    if (json_object_array_length(list) == 0)
        ctx_say(c, "there is nothing of that kind in the cloud");
    rc = is_agreed || json_object_array_length(list) == 0 ? CTX_OK : agree(c, list);
    if (rc == CTX_OK) {
        rc = remove_all(c, list, result);
        count = text_count((int64_t)json_object_array_length(jdoc_array(result, "deleted")),
                           "session", "sessions");
        if (c->json)
            ctx_json(c, result);
        else if (json_object_array_length(list) > 0)
            buf_printf(&b, "Deleted %s from the cloud. %s\n", count, deletion_trash(c));
        ctx_print(c, &b);
        free(count);
    }
    buf_free(&b);
    json_object_put(list);
    json_object_put(answer);
    json_object_put(result);
    return rc;
}

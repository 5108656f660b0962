#include <inttypes.h>
#include <stdlib.h>

#include "api/client.h"
#include "common/buf.h"
#include "common/jdoc.h"
#include "common/str.h"
#include "ctctl/headline.h"
#include "ctctl/sessions.h"
#include "ctctl/term.h"

#include "ctctl/verb.h"

#define ANSWER_MS 30000

struct deletion {
    const char *word; /* as it was given */
    int64_t version;  /* 0: all of them */
    int is_agreed;    /* --yes */
    char *id;
};

/* Say what would go, from what the server knows of it, and ask. */
static int agree(struct ctx *c, const struct deletion *d, const struct json_object *versions)
{
    struct json_object *list = jdoc_array(versions, "versions");
    size_t n = list != NULL ? json_object_array_length(list) : 0;
    char *question, *count;
    int yes;

    if (d->is_agreed)
        return CTX_OK;
    if (!term_is_interactive())
        return ctx_usage(c, "nobody can be asked here; add --yes to delete without a question");
    if (d->version > 0) {
        question = str_printf("Delete version %" PRId64 " of session %s from the cloud?",
                              d->version, d->id);
    } else {
        count = text_count((int64_t)n, "version", "versions");
        question = str_printf("Delete session %s with %s from the cloud? It stays on this machine "
                              "and is not uploaded again.",
                              d->id, count);
        free(count);
    }
    yes = term_confirm(question);
    free(question);
    if (yes)
        return CTX_OK;
    ctx_say(c, "nothing was deleted");
    return CTX_FAILED;
}

/* First the mark and then the deletion: the other way round it would be uploaded in between. */
static int exclude(struct ctx *c, const struct deletion *d, struct ct_err *err)
{
    struct json_object *params = json_object_new_object(), *o;
    int rc;

    jdoc_set_str(params, "id", d->id);
    rc = ctx_call(c, "exclude", params, ANSWER_MS, &o, err);
    json_object_put(params);
    if (rc == 0) {
        json_object_put(o);
        return 0;
    }
    if (ctx_is_no_daemon(err)) {
        ctx_say(c, "the daemon is not running, so it can't be told to leave this session alone; if "
                   "it is on this machine, it may be uploaded again later");
        return 0;
    }
    return err->code == ERR_GONE ? 0 : -1; /* not on this machine */
}

static int remove_it(struct ctx *c, const struct deletion *d)
{
    struct json_object *o;
    struct buf b = {0};
    struct ct_err e;
    char *rest, *path;
    int rc;

    if (d->version == 0 && exclude(c, d, &e) != 0)
        return ctx_fail(c, &e);
    rest = d->version > 0 ? str_printf("/versions/%" PRId64, d->version) : str_dup("");
    path = api_session_path(d->id, rest);
    rc = ctx_cloud(c, "DELETE", path, NULL, &o, &e);
    free(path);
    free(rest);
    if (rc != 0)
        return ctx_fail(c, &e);
    if (c->json)
        ctx_json(c, o);
    else if (d->version > 0)
        buf_printf(&b, "Deleted version %" PRId64 " of session %s.\n", d->version, d->id);
    else
        buf_printf(&b,
                   "Deleted session %s from the cloud; it is excluded here. To save it again: "
                   "ctctl sync %.8s\n",
                   d->id, d->id);
    ctx_print(c, &b);
    buf_free(&b);
    json_object_put(o);
    return CTX_OK;
}

static int delete_session(struct ctx *c, struct deletion *d)
{
    struct json_object *versions;
    struct ct_err e;
    char *path;
    int rc;

    if (sessions_resolve(c, d->word, &d->id, &e) != 0)
        return ctx_fail(c, &e);
    path = api_session_path(d->id, "/versions");
    rc = ctx_cloud(c, "GET", path, NULL, &versions, &e);
    free(path);
    if (rc != 0) {
        rc = ctx_fail(c, &e);
    } else {
        rc = agree(c, d, versions);
        json_object_put(versions);
        if (rc == CTX_OK)
            rc = remove_it(c, d);
    }
    free(d->id);
    return rc;
}

static int run(struct ctx *c, int argc, char **argv)
{
    struct deletion d = {0};
    struct strlist words = {0};
    const struct opt opts[] = {
        {"version", OPT_NUMBER, &d.version},
        {"yes", OPT_FLAG, &d.is_agreed},
    };
    int rc = opts_parse(c, opts, 2, argc, argv, &words);

    if (rc == -1 && words.n != 1)
        rc = ctx_usage(c, "delete wants the ID of one session");
    if (rc == -1) {
        d.word = words.v[0];
        rc = delete_session(c, &d);
    }
    strlist_free(&words);
    return rc;
}

const struct verb verb_delete = {
    "delete",
    "ID [--version N] [--yes]",
    "remove a session, or one version of it, from the cloud",
    "  --version N  only this version\n"
    "  --yes        do not ask\n"
    "\n"
    "Nothing is deleted on this machine. The session is marked as excluded, so that it is\n"
    "not uploaded again; ctctl sync ID takes the mark away and saves it anew.\n"
    "codeteleport-server keeps what was deleted for 30 days.\n",
    run,
};

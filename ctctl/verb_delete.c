#include <inttypes.h>
#include <stdlib.h>

#include "api/client.h"
#include "common/buf.h"
#include "common/jdoc.h"
#include "common/str.h"
#include "ctctl/deletion.h"
#include "ctctl/headline.h"
#include "ctctl/term.h"

#include "ctctl/verb.h"

struct deletion {
    const char *word; /* as it was given */
    int64_t version;  /* 0: all of them */
    int is_agreed;    /* --yes */
    char *id;
};

static int64_t bytes_of(struct json_object *list, int64_t version)
{
    size_t n = list != NULL ? json_object_array_length(list) : 0;
    int64_t sum = 0;

    for (size_t i = 0; i < n; i++) {
        const struct json_object *v = json_object_array_get_idx(list, i);
        if (version == 0 || headline_number(v, "version", 0) == version)
            sum += headline_number(v, "sizeBytes", 0);
    }
    return sum > 0 ? sum : 0;
}

/* Say what would go, from what the server knows of it, and ask. */
static int agree(struct ctx *c, const struct deletion *d, const struct json_object *versions)
{
    struct json_object *list = jdoc_array(versions, "versions");
    size_t n = list != NULL ? json_object_array_length(list) : 0;
    char *question, *count, size[32];
    int yes;

    if (d->is_agreed)
        return CTX_OK;
    if (!term_is_interactive())
        return ctx_usage(c, "nobody can be asked here; add --yes to delete without a question");
    str_human_bytes((unsigned long long)bytes_of(list, d->version), size, sizeof(size));
    if (d->version > 0) {
        question = str_printf("Delete version %" PRId64 " (%s) of session %s from the cloud? %s",
                              d->version, size, d->id, deletion_trash(c));
    } else {
        count = text_count((int64_t)n, "version", "versions");
        question = str_printf("Delete session %s with %s (%s) from the cloud? It stays on this "
                              "machine and is not uploaded again. %s",
                              d->id, count, size, deletion_trash(c));
        free(count);
    }
    yes = term_confirm(question);
    free(question);
    if (yes)
        return CTX_OK;
    ctx_say(c, "nothing was deleted");
    return CTX_FAILED;
}

static int remove_it(struct ctx *c, const struct deletion *d)
{
    struct json_object *o;
    struct buf b = {0};
    struct ct_err e;

    if (deletion_one(c, d->id, d->version, &o, &e) != 0)
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
    struct sessions_filter f = {0};
    struct strlist words = {0};
    const char *older = NULL;
    int64_t older_s = 0;
    const struct opt opts[] = {
        {"version", OPT_NUMBER, &d.version},
        {"project", OPT_STRING, &f.project},
        {"older-than", OPT_STRING, &older},
        {"yes", OPT_FLAG, &d.is_agreed},
    };
    int rc = opts_parse(c, opts, sizeof(opts) / sizeof(opts[0]), argc, argv, &words);
    int is_bulk = f.project != NULL || older != NULL;

    if (rc == -1 && is_bulk && (words.n > 0 || d.version > 0))
        rc = ctx_usage(c, "--project and --older-than choose the sessions themselves; leave out ID "
                          "and --version");
    else if (rc == -1 && !is_bulk && words.n != 1)
        rc = ctx_usage(c, "delete wants the ID of one session, or --project, or --older-than");
    else if (rc == -1 && older != NULL && opts_duration(older, &older_s) != 0)
        rc = ctx_usage(c, "\"%s\" is no age; write it as 12h, 90d or 8w", older);
    if (rc == -1 && is_bulk) {
        rc = deletion_many(c, &f, older_s, d.is_agreed);
    } else if (rc == -1) {
        d.word = words.v[0];
        rc = delete_session(c, &d);
    }
    strlist_free(&words);
    return rc;
}

const struct verb verb_delete = {
    "delete",
    "ID [--version N] [--yes] | [--project P] [--older-than D] [--yes]",
    "remove a session, or one version of it, from the cloud",
    "  --version N     only this version\n"
    "  --project P     all sessions of the project with this name, or in or below this folder\n"
    "  --older-than D  all sessions last saved longer ago than this, such as 90d or 8w\n"
    "  --yes           do not ask\n"
    "\n"
    "--project and --older-than together mean what is both. What goes is shown before the\n"
    "question.\n"
    "\n"
    "Nothing is deleted on this machine. The session is marked as excluded, so that it is\n"
    "not uploaded again; ctctl sync ID takes the mark away and saves it anew.\n"
    "codeteleport-server keeps what was deleted for 30 days.\n",
    run,
};

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "api/client.h"
#include "common/base/buf.h"
#include "common/data/jdoc.h"
#include "common/base/str.h"
#include "ctctl/cloud/deletion.h"
#include "ctctl/ui/headline.h"
#include "ctctl/cloud/item.h"
#include "ctctl/ui/term.h"

#include "ctctl/ctx/verb.h"

#define MAX_AGE_S (100 * 366LL * 86400)

struct deletion {
    const char *word; /* as it was given */
    int64_t version;  /* 0: all of them */
    int is_agreed;    /* --yes */
    int is_plain;     /* only what is in clear */
    struct resolved w;
};

/* What would go. */
struct deletion_size {
    int64_t versions, bytes;
};

static void add_size(const struct json_object *o, int64_t version, struct deletion_size *ret)
{
    struct json_object *list = jdoc_array(o, "versions");
    size_t n = list != NULL ? json_object_array_length(list) : 0;

    for (size_t i = 0; i < n; i++) {
        const struct json_object *v = json_object_array_get_idx(list, i);
        int64_t size = headline_number(v, "sizeBytes", 0);
        if (version > 0 && headline_number(v, "version", 0) != version)
            continue;
        ret->versions++;
        ret->bytes += size > 0 ? size : 0;
    }
}

/* Ask the server, who also says so if it is not there. */
static int look(struct ctx *c, const struct deletion *d, struct deletion_size *ret,
                struct ct_err *err)
{
    char *path = api_session_path(d->w.wire_id, "/versions");
    struct json_object *o;
    int rc = ctx_cloud(c, "GET", path, NULL, &o, err);

    free(path);
    memset(ret, 0, sizeof(*ret));
    if (rc != 0)
        return resolve_gone(c, err);
    add_size(o, d->version, ret);
    json_object_put(o);
    return 0;
}

/* Whether anybody can look into it. */
static const char *kind(const struct deletion *d)
{
    if (item_is_locked(d->w.item))
        return ", sealed with a key that is not on this device,";
    return d->is_plain ? " in clear" : "";
}

/* Say what would go, from what the server knows of it, and ask. */
static int agree(struct ctx *c, const struct deletion *d, const struct deletion_size *goes)
{
    char *question, *count, size[32];
    int yes;

    if (d->is_agreed)
        return CTX_OK;
    if (!term_is_interactive())
        return ctx_usage(c, "nobody can be asked here; add --yes to delete without a question");
    str_human_bytes((unsigned long long)goes->bytes, size, sizeof(size));
    count = text_count(goes->versions, "version", "versions");
    if (d->version > 0)
        question = str_printf("Delete version %" PRId64 " (%s) of session %s%s from the cloud? %s",
                              d->version, size, d->w.id, kind(d), deletion_trash(c));
    else if (d->is_plain && ctx_is_sealing(c))
        question = str_printf("Delete what is in the cloud in clear of session %s, %s (%s)? What "
                              "is sealed stays. %s",
                              d->w.id, count, size, deletion_trash(c));
    else
        question = str_printf("Delete session %s%s with %s (%s) from the cloud? It stays on this "
                              "machine and is not uploaded again. %s",
                              d->w.id, kind(d), count, size, deletion_trash(c));
    yes = term_confirm(question);
    free(count);
    free(question);
    if (yes)
        return CTX_OK;
    ctx_say(c, "nothing was deleted");
    return CTX_FAILED;
}

static int remove_it(struct ctx *c, const struct deletion *d)
{
    const char *id = d->w.id;
    struct json_object *o;
    struct buf b = {0};
    struct ct_err e;

    if (deletion_one(c, &d->w, d->version, d->is_plain, &o, &e) != 0)
        return ctx_fail(c, &e);
    if (c->json)
        ctx_json(c, o);
    else if (d->version > 0)
        buf_printf(&b, "Deleted version %" PRId64 " of session %s.\n", d->version, id);
    else if (d->is_plain && ctx_is_sealing(c))
        buf_printf(&b, "Deleted what was in clear of session %s; what is sealed stays.\n", id);
    else
        buf_printf(&b,
                   "Deleted session %s from the cloud; it is excluded here. To save it again: "
                   "ctctl sync %.8s\n",
                   id, id);
    if (!c->json && headline_number(o, "sharesEnded", 0) > 0)
        buf_printf(&b, "%" PRId64 " share%s of it ended too.\n",
                   headline_number(o, "sharesEnded", 0),
                   headline_number(o, "sharesEnded", 0) == 1 ? "" : "s");
    ctx_print(c, &b);
    buf_free(&b);
    json_object_put(o);
    return CTX_OK;
}

static int delete_session(struct ctx *c, struct deletion *d)
{
    struct deletion_size goes;
    struct ct_err e;
    int rc;

    if (resolve_session(c, d->word, d->is_plain, &d->w, &e) != 0)
        return ctx_fail(c, &e);
    if (look(c, d, &goes, &e) != 0) {
        rc = ctx_fail(c, &e);
    } else {
        rc = agree(c, d, &goes);
        if (rc == CTX_OK)
            rc = remove_it(c, d);
    }
    resolve_clear(&d->w);
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
        {"version", OPT_NUMBER, &d.version}, {"project", OPT_STRING, &f.project},
        {"older-than", OPT_STRING, &older},  {"yes", OPT_FLAG, &d.is_agreed},
        {"plain", OPT_FLAG, &d.is_plain},
    };
    int rc = opts_parse(c, opts, sizeof(opts) / sizeof(opts[0]), argc, argv, &words);
    int is_bulk = f.project != NULL || older != NULL;

    if (rc == -1 && is_bulk && (words.n > 0 || d.version > 0 || d.is_plain))
        rc = ctx_usage(c, "--project and --older-than choose the sessions themselves; leave out "
                          "ID, --version and --plain");
    else if (rc == -1 && !is_bulk && words.n != 1)
        rc = ctx_usage(c, "delete wants the ID of one session, or --project, or --older-than");
    else if (rc == -1 && older != NULL)
        rc = opts_duration(c, "--older-than", older, OPTS_NO_MINUTES, MAX_AGE_S, &older_s);
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
    "ID [--version N] [--plain] [--yes] |\n"
    "                    [--project P] [--older-than D] [--yes]",
    "remove a session, or one version of it, from the cloud",
    "  --version N     only this version\n"
    "  --plain         only what is there in clear, on a device that seals\n"
    "  --project P     all sessions of the project with this name, or in or below this folder\n"
    "  --older-than D  all sessions last saved longer ago than this: 12h, 90d, 8w, 6mo or 1y\n"
    "  --yes           do not ask\n"
    "\n"
    "--project and --older-than together mean what is both. What goes is shown before the\n"
    "question.\n"
    "\n"
    "Nothing is deleted on this machine. The session is marked as excluded, so that it is\n"
    "not uploaded again; ctctl sync ID takes the mark away and saves it anew.\n"
    "codeteleport-server keeps what was deleted for 30 days. What was shared of it ends at\n"
    "once.\n",
    run,
    "ctctl delete 29221bf7                           # one session\n"
    "ctctl delete --project web.app --older-than 6mo  # many; it asks first\n",
};

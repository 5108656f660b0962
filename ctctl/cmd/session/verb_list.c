#include "common/base/buf.h"
#include "common/data/jdoc.h"
#include "ctctl/cloud/choice.h"
#include "ctctl/cloud/item.h"
#include "ctctl/cloud/sessions.h"
#include "ctctl/read/spent.h"
#include "ctctl/ui/pager.h"

#include "ctctl/ctx/verb.h"

static const char *none(const struct sessions_filter *f, const struct choice *ch, int is_cloud)
{
    if (!choice_is_all(ch))
        return "no session is of that kind";
    if (f->tag != NULL)
        return "no session has that tag; to give it one: ctctl tag ID +TAG";
    if (f->agent != NULL)
        return is_cloud ? "no session in the cloud is of that agent"
                        : "no session on this machine is of that agent";
    if (f->project != NULL || f->machine != NULL)
        return is_cloud ? "no session in the cloud is of that project or machine"
                        : "no session on this machine is of that project or machine";
    return is_cloud ? "no sessions in the cloud" : "no sessions here";
}

static int list_local(struct ctx *c, const struct sessions_filter *f, const struct choice *ch,
                      int is_cost)
{
    struct json_object *list, *all;
    struct buf b = {0};
    struct ct_err e;

    if (sessions_local(c, f, &all, &e) != 0)
        return ctx_fail(c, &e);
    list = choice_make(ch, all, c->out.now_ms);
    json_object_put(all);
    if (c->json) {
        ctx_json(c, list);
    } else if (json_object_array_length(list) == 0) {
        ctx_say(c, "%s", none(f, ch, 0));
    } else {
        if (is_cost)
            spent_list_table(&c->out, list, &b);
        else
            sessions_local_table(&c->out, list, &b);
        pager_print(&c->out, &b);
        buf_free(&b);
    }
    json_object_put(list);
    return CTX_OK;
}

/* Only those in clear. */
static void keep_clear(struct json_object *answer)
{
    struct json_object *list = jdoc_array(answer, "sessions"), *some = json_object_new_array();

    for (size_t i = 0; i < json_object_array_length(list); i++) {
        struct json_object *item = json_object_array_get_idx(list, i);
        if (!item_is_sealed(item))
            json_object_array_add(some, json_object_get(item));
    }
    jdoc_set_int(answer, "total", (int64_t)json_object_array_length(some));
    json_object_object_add(answer, "sessions", some);
}

/* What there is to do about what is in clear. */
static void say_clear(struct ctx *c, struct json_object *list)
{
    if (json_object_array_length(list) == 0)
        ctx_say(c, "nothing in the cloud is in clear");
    else if (ctx_is_sealing(c))
        ctx_say(c, "whoever runs the server can read and change these, so nothing here takes them "
                   "for yours. To seal them: ctctl seal ID, or --all; to take one as a stranger's: "
                   "ctctl pull ID --plain; to delete one: ctctl delete ID --plain");
}

static int list_cloud(struct ctx *c, struct sessions_filter *f, const struct choice *ch,
                      int is_clear, int is_cost)
{
    struct json_object *answer, *list;
    int64_t unjudged = 0;
    struct buf b = {0};
    struct ct_err e;

    f->unjudged = &unjudged;
    if (sessions_cloud(c, f, &answer, &e) != 0)
        return ctx_fail(c, &e);
    if (is_clear)
        keep_clear(answer);
    list = jdoc_array(answer, "sessions");
    sessions_mark_here(c, list);
    if (!choice_is_all(ch)) {
        list = choice_make(ch, list, c->out.now_ms);
        json_object_object_add(answer, "sessions", list);
        jdoc_set_int(answer, "total", (int64_t)json_object_array_length(list));
    }
    if (!is_clear)
        sessions_say_sealed(c, list, unjudged);
    if (c->json) {
        ctx_json(c, answer);
    } else if (is_clear && json_object_array_length(list) == 0) {
        /* said below */
    } else if (json_object_array_length(list) == 0) {
        ctx_say(c, "%s", none(f, ch, 1));
    } else {
        if (is_cost)
            spent_list_table(&c->out, list, &b);
        else
            sessions_cloud_table(&c->out, list, &b);
        pager_print(&c->out, &b);
        buf_free(&b);
    }
    if (is_clear)
        say_clear(c, list);
    json_object_put(answer);
    return CTX_OK;
}

static int run(struct ctx *c, int argc, char **argv)
{
    struct sessions_filter f = {.is_shown = 1, .which = SESSIONS_ONLY};
    struct choice ch = {0};
    struct strlist words = {0};
    int is_local = 0, is_cloud = 0, is_clear = 0, is_archived = 0, is_cost = 0;
    const struct opt opts[] = {
        {"local", OPT_FLAG, &is_local},      {"cloud", OPT_FLAG, &is_cloud},
        {"project", OPT_STRING, &f.project}, {"machine", OPT_STRING, &f.machine},
        {"limit", OPT_NUMBER, &ch.limit},    {"clear", OPT_FLAG, &is_clear},
        {"since", OPT_STRING, &ch.since},    {"state", OPT_STRING, &ch.state},
        {"sort", OPT_STRING, &ch.sort},      {"archived", OPT_FLAG, &is_archived},
        {"cost", OPT_FLAG, &is_cost},        {"tag", OPT_STRING, &f.tag},
        {"agent", OPT_STRING, &f.agent},
    };
    int rc = opts_parse(c, opts, sizeof(opts) / sizeof(opts[0]), argc, argv, &words);
    size_t n = words.n;

    strlist_free(&words);
    if (rc != -1)
        return rc;
    if (n > 0)
        return ctx_usage(c, "list takes options only; one session is shown by: ctctl show ID");
    if (is_archived && ch.state != NULL)
        return ctx_usage(c, "--archived is a state, and so is --state");
    if (is_archived)
        ch.state = "archived";
    if (is_local && (is_cloud || is_clear))
        return ctx_usage(c, "--local and --cloud exclude each other");
    if (ch.state != NULL && (is_cloud || is_clear))
        return ctx_usage(c, "--state is of the sessions on this machine");
    rc = choice_check(c, &ch);
    if (rc != -1)
        return rc;
    /* Who chooses here needs more than what is shown in the end. */
    f.limit = choice_is_all(&ch) ? ch.limit : 0;
    if (is_clear) /* all that can be read there */
        f.which = SESSIONS_AND_PROFILES;
    return is_cloud || is_clear ? list_cloud(c, &f, &ch, is_clear, is_cost)
                                : list_local(c, &f, &ch, is_cost);
}

const struct verb verb_list = {
    "list",
    "[--local|--cloud|--clear] [--project P] [--machine M] [--agent A]\n"
    "                  [--since TIME] [--tag TAG] [--state STATE|--archived] [--cost]\n"
    "                  [--sort time|size|messages|title|cost] [--limit N]",
    "sessions and how safe each is",
    "  --local      sessions on this machine (this is the default)\n"
    "  --cloud      sessions in the cloud, of all your machines; HERE: is it on this one too?\n"
    "  --clear      sessions in the cloud that are not sealed\n"
    "  --project P  only those of the project with this name, or in or below this folder\n"
    "  --agent A    only those of this agent, such as claude-code, copilot, pi, qwen\n"
    "  --machine M  only those of the machine with this name\n"
    "  --tag TAG    only those that were given this tag\n"
    "  --since TIME   only what has changed (in the cloud: was saved) in that time: 12h, 7d\n"
    "  --state STATE  only those in this state: waiting, \"too large\", ...\n"
    "  --archived     only those that are gone from here and safe in the cloud\n"
    "  --cost         what each used: tokens, and the cost where the agent wrote it down\n"
    "  --sort ORDER   the newest, the largest, those of most messages, the alphabet, or the\n"
    "                 dearest first\n"
    "  --limit N    the first N only, which are the newest without --sort\n"
    "\n"
    "What is longer than the terminal goes through $PAGER, or less.\n"
    "\n"
    "What is sealed in the cloud is shown as it is inside, where its key is on this device.\n"
    "What is there in clear, from before there was a key or from a client without one, is\n"
    "nobody's word on a device that seals: --clear says what to do about it.\n"
    "\n"
    "States: safe; waiting and uploading (on their way); behind (safe; another machine has a\n"
    "newer version); diverged (went on here and elsewhere, both are kept); deleted (by\n"
    "another machine); failed, limit and too large (see ctctl status); excluded; archived\n"
    "(safe in the cloud, gone from here); contained (a longer copy has all of it); this\n"
    "machine only (server or store are this very machine).\n",
    run,
    "ctctl list --project .               # sessions of this folder\n"
    "ctctl list --cloud --machine laptop  # what another machine has saved\n"
    "ctctl list --since 7d --sort size    # the largest of this week\n"
    "ctctl list --json | jq length        # for scripts\n",
};

#include <inttypes.h>

#include "common/base/buf.h"
#include "common/data/jdoc.h"
#include "ctctl/cloud/choice.h"
#include "ctctl/cloud/sessions.h"
#include "ctctl/read/spent.h"
#include "ctctl/ui/pager.h"

#include "ctctl/ctx/verb.h"

static void print(struct ctx *c, struct json_object *sum)
{
    int64_t uncounted = jdoc_int(sum, "uncounted", 0);
    struct buf b = {0};

    if (c->json) {
        ctx_json(c, sum);
    } else if (json_object_array_length(jdoc_array(sum, "rows")) > 0) {
        spent_sum_table(&c->out, sum, &b);
        pager_print(&c->out, &b);
        buf_free(&b);
    } else {
        ctx_say(c, "no session says what it used");
    }
    if (uncounted > 0)
        ctx_say(c,
                "%" PRId64 " session%s not counted: saved by an older version, or by an agent that "
                "writes down no tokens; one is counted when it is saved anew",
                uncounted, uncounted == 1 ? " is" : "s are");
}

/* The sessions that are asked for, of this machine or of the cloud; the caller owns ${ret}. */
static int look(struct ctx *c, int is_cloud, const struct sessions_filter *f,
                struct json_object **ret, struct ct_err *err)
{
    struct json_object *answer;

    if (!is_cloud)
        return sessions_local(c, f, ret, err);
    if (sessions_cloud(c, f, &answer, err) != 0)
        return -1;
    *ret = json_object_get(jdoc_array(answer, "sessions"));
    json_object_put(answer);
    return 0;
}

static int run(struct ctx *c, int argc, char **argv)
{
    struct sessions_filter f = {.which = SESSIONS_ONLY};
    struct choice ch = {0};
    struct strlist words = {0};
    enum spent_by by = SPENT_BY_PROJECT;
    const char *word = NULL;
    int is_cloud = 0;
    const struct opt opts[] = {
        {"by", OPT_STRING, &word},           {"since", OPT_STRING, &ch.since},
        {"project", OPT_STRING, &f.project}, {"machine", OPT_STRING, &f.machine},
        {"cloud", OPT_FLAG, &is_cloud},
    };
    struct json_object *all, *list, *sum;
    struct ct_err e;
    int rc = opts_parse(c, opts, sizeof(opts) / sizeof(opts[0]), argc, argv, &words);
    size_t n = words.n;

    strlist_free(&words);
    if (rc != -1)
        return rc;
    if (n > 0)
        return ctx_usage(c, "stats takes options only; one session is shown by: ctctl show ID");
    if (word != NULL && spent_by(word, &by) != 0)
        return ctx_usage(c, "--by is project, agent, machine or model, not \"%s\"", word);
    rc = choice_check(c, &ch);
    if (rc != -1)
        return rc;
    /* This machine knows its own only. */
    is_cloud = is_cloud || by == SPENT_BY_MACHINE || f.machine != NULL;
    if (look(c, is_cloud, &f, &all, &e) != 0)
        return ctx_fail(c, &e);
    list = choice_make(&ch, all, c->out.now_ms);
    sum = spent_sum(list, by);
    print(c, sum);
    json_object_put(sum);
    json_object_put(list);
    json_object_put(all);
    return CTX_OK;
}

const struct verb verb_stats = {
    "stats",
    "[--by project|agent|machine|model] [--since TIME] [--project P]\n"
    "                   [--machine M] [--cloud]",
    "tokens, and what they cost",
    "Sums of what sessions used, as their agents wrote it down: each message is counted once,\n"
    "those of subagents too. Cost is what the agent itself says, where it says it; nothing is\n"
    "calculated from prices.\n"
    "\n"
    "  --by KIND    sums by project (this is the default), agent, machine or model\n"
    "  --since TIME only sessions that changed in that time (12h, 7d, 1y), with all they used\n"
    "  --project P  only those of the project with this name, or in or below this folder\n"
    "  --machine M  only those of the machine with this name\n"
    "  --cloud      what the cloud has of all your machines, not only the sessions of this one;\n"
    "               so it is with --machine and --by machine\n"
    "\n"
    "One session: ctctl show ID; each for itself: ctctl list --cost.\n",
    run,
    "ctctl stats --since 7d                # this week's sessions, by project\n"
    "ctctl stats --cloud --by machine      # all there is, by machine\n"
    "ctctl stats --by model --json         # for scripts\n",
};

#include "common/data/jdoc.h"
#include "common/base/str.h"

#include "ctctl/ctx/verb.h"

#define ANSWER_MS 30000
#define MAX_PAUSE_S (366LL * 86400)

static int pause_now(struct ctx *c, int64_t seconds)
{
    struct json_object *params = json_object_new_object(), *o;
    struct buf b = {0};
    struct ct_err e;
    char t[64];
    int rc;

    if (seconds > 0)
        jdoc_set_int(params, "seconds", seconds);
    rc = ctx_call(c, "pause", params, ANSWER_MS, &o, &e);
    json_object_put(params);
    if (rc != 0)
        return ctx_fail(c, &e);
    if (c->json)
        ctx_json(c, o);
    else if (seconds > 0)
        buf_printf(&b, "Paused for %s. To go on earlier: ctctl resume\n",
                   str_human_duration(seconds, t, sizeof(t)));
    else
        buf_addstr(&b, "Paused. To go on: ctctl resume\n");
    ctx_print(c, &b);
    buf_free(&b);
    json_object_put(o);
    return CTX_OK;
}

static int run(struct ctx *c, int argc, char **argv)
{
    struct strlist words = {0};
    int64_t seconds = 0;
    int rc = opts_parse(c, NULL, 0, argc, argv, &words);

    if (rc == -1 && words.n > 1)
        rc = ctx_usage(c, "pause takes one duration at most, such as 90m or 1h30m");
    else if (rc == -1 && words.n == 1)
        rc = opts_duration(c, c->verb, words.v[0], OPTS_MINUTES, MAX_PAUSE_S, &seconds);
    if (rc == -1)
        rc = pause_now(c, seconds);
    strlist_free(&words);
    return rc;
}

const struct verb verb_pause = {
    "pause",
    "[DURATION]",
    "stop uploading for a while",
    "DURATION is a number with s, m (minutes), h, d, w, mo (months) or y behind it, such as\n"
    "90m, 2h, 1d or 1h30m; at most a year. Without it the pause lasts until: ctctl resume\n"
    "\n"
    "Changes are still noticed, and saved when the pause is over. ctctl sync saves in spite\n"
    "of a pause.\n",
    run,
    "ctctl pause 2h  # on a slow network\n"
    "ctctl pause     # until: ctctl resume\n",
};

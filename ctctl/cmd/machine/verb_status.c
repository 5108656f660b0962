#include <stdlib.h>

#include "common/base/buf.h"
#include "ctctl/ui/status.h"
#include "ctctl/here/watched.h"

#include "ctctl/ctx/verb.h"

#define ANSWER_MS 30000

/* What is true of this shell alone does not belong on the daemon's page. */
static void warn_of_this_shell(struct ctx *c, const struct json_object *status)
{
    char *missing = watched_missing(status), cure[512];

    if (missing != NULL && getenv("CLAUDE_CONFIG_DIR") != NULL)
        ctx_say(c,
                "Claude Code uses %s in this shell (CLAUDE_CONFIG_DIR), and the daemon does not "
                "watch it: sessions made here are not saved. What to do: %s",
                missing, watched_cure(missing, cure, sizeof(cure)));
    free(missing);
}

static int run(struct ctx *c, int argc, char **argv)
{
    struct strlist words = {0};
    struct json_object *o;
    struct buf b = {0};
    struct ct_err e;
    size_t n;
    int rc = opts_parse(c, NULL, 0, argc, argv, &words);

    n = words.n;
    strlist_free(&words);
    if (rc != -1)
        return rc;
    if (n > 0)
        return ctx_usage(c, "status takes no further words");
    if (ctx_call(c, "status", NULL, ANSWER_MS, &o, &e) != 0)
        return ctx_fail(c, &e);
    if (c->json) {
        ctx_json(c, o);
    } else {
        status_render(&c->out, o, &b);
        ctx_print(c, &b);
        buf_free(&b);
        warn_of_this_shell(c, o);
    }
    json_object_put(o);
    return CTX_OK;
}

const struct verb verb_status = {
    "status",
    "",
    "is my work safe? (also without a verb)",
    "The first line says whether all sessions are safe in the cloud, how many are on\n"
    "their way, or what keeps them from being safe; then come account, server, what is\n"
    "watched, and each problem with its cause and what to do about it.\n"
    "\n"
    "A server on this very machine is never called safe: a lost disk loses it all.\n"
    "\n"
    "Exit status: 0 if the daemon answered, whatever the answer; 69 if it is not running.\n",
    run,
};

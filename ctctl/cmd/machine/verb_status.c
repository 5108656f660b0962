#include <stdlib.h>

#include "common/base/buf.h"
#include "common/data/jdoc.h"
#include "ctctl/ui/status.h"
#include "ctctl/here/unknown.h"
#include "ctctl/here/glance.h"
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
    int64_t profile_files;
    size_t n;
    int is_check = 0, is_line = 0;
    const struct opt opts[] = {{"check", OPT_FLAG, &is_check}, {"line", OPT_FLAG, &is_line}};
    int rc = opts_parse(c, opts, 2, argc, argv, &words);

    n = words.n;
    strlist_free(&words);
    if (rc != -1)
        return rc;
    if (n > 0)
        return ctx_usage(c, "status takes no further words");
    if (is_check + is_line + (c->json != 0) > 1)
        return ctx_usage(c, "--check, --line and --json exclude each other");
    if (is_check || is_line)
        return glance(c, is_check);
    ctx_refresh(c);
    if (ctx_call(c, "status", NULL, ANSWER_MS, &o, &e) != 0)
        return ctx_fail(c, &e);
    json_object_object_add(o, "notSaved", unknown_look_watched(c, o, &profile_files));
    jdoc_set_int(o, "profileFiles", profile_files);
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
    "[--check | --line]",
    "is my work safe? (also without a verb)",
    "The first line says whether all sessions are safe in the cloud, how many are on\n"
    "their way, or what keeps them from being safe; then come account, server, what is\n"
    "watched, and each problem with its cause and what to do about it.\n"
    "\n"
    "A server on this very machine is never called safe: a lost disk loses it all.\n"
    "\n"
    "  --check  print nothing: exit status 0 if all is safe, 75 if it is on its way, 1 if not,\n"
    "           or if a session went on in two places\n"
    "  --line   one short line, for a prompt or a status line: ct: safe, ct: 2 waiting,\n"
    "           ct: safe, 1 diverged, ct: NOT SAFE, ct: this machine only,\n"
    "           ct: nothing to save\n"
    "\n"
    "Exit status without --check: 0 if the daemon answered, whatever the answer. 69 if it is\n"
    "not running.\n",
    run,
    "ctctl                                # is my work safe?\n"
    "ctctl status --check && poweroff     # switch off if all of it is\n"
    "PS1='$(ctctl status --line) '\"$PS1\"  # in the prompt of a shell\n",
};

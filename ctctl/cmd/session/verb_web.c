#include "ctctl/web/site.h"

#include "ctctl/ctx/verb.h"

#define DAY_S 86400

static int run(struct ctx *c, int argc, char **argv)
{
    struct site_opts o = {0};
    struct strlist words = {0};
    const char *idle = "1h";
    int64_t idle_s = 0;
    int is_without = 0;
    const struct opt opts[] = {{"no-browser", OPT_FLAG, &is_without}, {"idle", OPT_STRING, &idle}};
    struct ct_err e;
    int rc = opts_parse(c, opts, 2, argc, argv, &words);

    if (rc == -1 && words.n > 0)
        rc = ctx_usage(c, "web takes no further words");
    if (rc == -1)
        rc = opts_duration(c, "--idle", idle, OPTS_MINUTES, DAY_S, &idle_s);
    if (rc == -1) {
        o.idle_s = (int)idle_s;
        o.has_browser = !is_without && !c->json;
        rc = site_run(c, &o, &e) == 0 ? CTX_OK : ctx_fail(c, &e);
    }
    strlist_free(&words);
    return rc;
}

const struct verb verb_web = {
    "web",
    "[--no-browser] [--idle TIME]",
    "look at your sessions in a browser",
    "Shows the sessions of this machine and of the cloud in your browser: read them, search\n"
    "in them, see their versions, sync and pull. What is sealed is opened here. It listens on\n"
    "127.0.0.1 for that browser only: a file that only you can read leads there, once. Used\n"
    "a second time, it ends all. Ends with Ctrl-C, or an hour after it was last used.\n"
    "A page that is out of sight asks for nothing.\n"
    "\n"
    "  --no-browser  start none; say which file to open (with --json, as JSON)\n"
    "  --idle TIME   end when nobody has used it for so long: 30s, 15m, 8h\n",
    run,
    "ctctl web               # what do I have, and what was said?\n"
    "ctctl web --no-browser  # on a machine without a display, through ssh -L\n",
};

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/data/jdoc.h"
#include "ctctl/here/plugin.h"
#include "ctctl/here/system.h"

#include "ctctl/ctx/verb.h"

/* Run Claude Code with these words; its own words are for the person, and belong on stderr where
 * stdout is one JSON document. */
static int claude(struct ctx *c, const char *a, const char *b, const char *word, struct ct_err *err)
{
    char *const argv[] = {
        (char[]){"claude"},   (char[]){"plugin"},      (char *)(uintptr_t)a,
        (char *)(uintptr_t)b, (char *)(uintptr_t)word, NULL,
    };
    int status = system_run(argv, c->json);

    if (status == 127)
        return err_set(err, ERR_GONE,
                       "there is no program called claude in PATH; install Claude "
                       "Code first, then run this again");
    if (status != 0)
        return err_set(err, ERR_FAIL, "claude plugin %s failed, as it says above", a);
    return 0;
}

static int install(struct ctx *c, struct ct_err *err)
{
    char *dir;
    int rc;

    if (!system_has_program("ctctl"))
        return err_set(err, ERR_CONFIG,
                       "Claude Code looks in PATH for ctctl, and it is not there; put it "
                       "there (make install, or a link in ~/.local/bin), then run this again");
    if (plugin_write(&dir, err) != 0)
        return -1;
    rc = claude(c, "marketplace", "add", dir, err);
    if (rc == 0)
        rc = claude(c, "install", "codeteleport@codeteleport", NULL, err);
    free(dir);
    return rc;
}

/* What is not there any more, or was removed in Claude Code itself, is no reason to stop. */
static int uninstall(struct ctx *c, struct ct_err *err)
{
    int rc = claude(c, "uninstall", "codeteleport@codeteleport", NULL, err);

    if (rc == 0 || err->code != ERR_GONE)
        rc = claude(c, "marketplace", "remove", "codeteleport", err);
    return plugin_remove(err) != 0 || rc != 0 ? -1 : 0;
}

static void done(struct ctx *c, const char *what)
{
    struct json_object *o;

    if (c->json) {
        o = json_object_new_object();
        jdoc_set_str(o, "plugin", what);
        ctx_json(c, o);
        json_object_put(o);
    } else if (strcmp(what, "installed") == 0) {
        ctx_say(c, "the plugin is there from the next session on. For a word in the status line "
                   "too, add this to ~/.claude/settings.json:");
        puts("  \"statusLine\": {\"type\": \"command\", \"command\": \"ctctl status --line\"}");
    } else {
        ctx_say(c, "the plugin is gone");
    }
}

static int run(struct ctx *c, int argc, char **argv)
{
    struct strlist words = {0};
    struct ct_err e;
    int rc = opts_parse(c, NULL, 0, argc, argv, &words);
    const char *what = words.n == 1 ? words.v[0] : "";

    if (rc == -1 && strcmp(what, "hook") == 0) {
        plugin_hook(c, STDIN_FILENO);
        rc = CTX_OK;
    } else if (rc == -1 && strcmp(what, "install") == 0) {
        rc = install(c, &e) == 0 ? CTX_OK : ctx_fail(c, &e);
    } else if (rc == -1 && strcmp(what, "uninstall") == 0) {
        rc = uninstall(c, &e) == 0 ? CTX_OK : ctx_fail(c, &e);
    } else if (rc == -1) {
        rc = ctx_usage(c, "plugin wants install or uninstall");
    }
    if (rc == CTX_OK && strcmp(what, "hook") != 0)
        done(c, strcmp(what, "install") == 0 ? "installed" : "removed");
    strlist_free(&words);
    return rc;
}

const struct verb verb_plugin = {
    "plugin",
    "install | uninstall",
    "be at hand inside Claude Code",
    "Installs a plugin into Claude Code, or removes it again. With it the daemon learns when\n"
    "a turn ends, which it else guesses from quiet; a session that is taken up here and went\n"
    "on elsewhere is named; and Claude can find and read the project's other sessions (see:\n"
    "ctctl mcp).\n"
    "Claude Code's own settings are changed by Claude Code; nothing slows a turn down.\n",
    run,
    "ctctl plugin install  # from the next session of Claude Code on\n",
};

#include <stdlib.h>
#include <string.h>

#include "agents/roots.h"
#include "common/base/buf.h"
#include "common/data/jdoc.h"
#include "ctctl/complete.h"
#include "ctctl/program.h"
#include "ctctl/verbs.h"

#include "ctctl/cli.h"

static const char intro[] =
    "usage: ctctl [--socket PATH] [--json] [VERB ...]\n"
    "\n"
    "Ask and steer codeteleportd, the daemon that keeps your Claude Code sessions safe.\n"
    "Without a verb: the status, which answers \"is my work safe?\".\n"
    "\n";

static const char outro[] =
    "\n"
    "Options, before or after the verb:\n"
    "  --json         one JSON document on stdout, for scripts\n"
    "  --socket PATH  the daemon's socket (else $CTCTL_SOCKET, else as configured)\n"
    "  --help         this, or after a verb all about that verb\n"
    "  --version, -V  print the version\n"
    "\n"
    "A session's ID may be shortened as long as it is clear which one is meant.\n"
    "\n"
    "First steps:\n"
    "  ctctl login                 log in; --register makes an account\n"
    "  ctctl                       see how far the first sync is\n"
    "  ctctl sync --wait           save all there is, now, and wait for it\n"
    "  ctctl list                  your sessions and how safe each is\n"
    "\n"
    "Exit status: 0 done; 1 failed; 64 wrong usage; 69 the daemon is not running;\n"
    "75 try again later; 77 not logged in or refused; 78 configuration.\n";

static void add_examples(struct buf *b, const char *lines)
{
    buf_printf(b, "\nExample%s:\n", strchr(lines, '\n')[1] == '\0' ? "" : "s");
    for (const char *end; (end = strchr(lines, '\n')) != NULL; lines = end + 1)
        buf_printf(b, "  %.*s\n", (int)(end - lines), lines);
}

char *cli_help(const struct verb *v)
{
    struct buf b = {0};

    if (v != NULL) {
        buf_printf(&b, "usage: ctctl %s%s%s\n\n%s", v->name, v->args[0] != '\0' ? " " : "", v->args,
                   v->help);
        add_examples(&b, v->examples);
        return buf_steal(&b);
    }
    buf_addstr(&b, intro);
    for (size_t i = 0; (v = verbs_at(i)) != NULL; i++)
        buf_printf(&b, "  %-9s %s\n", v->name, v->summary);
    buf_addstr(&b, outro);
    return buf_steal(&b);
}

static int print_help(const struct verb *v)
{
    char *text = cli_help(v);

    fputs(text, stdout);
    free(text);
    return CTX_OK;
}

static int unknown_verb(struct ctx *c, const char *word)
{
    const char *near = verbs_resembles(word);

    if (near != NULL)
        return ctx_usage(c, "there is no verb \"%s\"; did you mean \"%s\"?", word, near);
    return ctx_usage(c, "there is no verb \"%s\"", word);
}

static int run_verb(struct ctx *c, const struct verb *v, int argc, char **argv)
{
    int rc = program_verb(c, v, argc, argv);

    return rc == OPTS_HELP ? print_help(v) : rc;
}

/* After a verb, --version is that of a session. */
static int asks_version(int argc, char **argv)
{
    for (int i = 0; i < argc && argv[i][0] == '-'; i++) {
        if (strcmp(argv[i], "--version") == 0 || strcmp(argv[i], "-V") == 0)
            return 1;
        if (strcmp(argv[i], "--socket") == 0)
            i++;
    }
    return 0;
}

static int print_version(struct ctx *c)
{
    struct json_object *o;

    if (!c->json) {
        puts("ctctl " PACKAGE_VERSION);
        return CTX_OK;
    }
    o = json_object_new_object();
    jdoc_set_str(o, "version", PACKAGE_VERSION);
    ctx_json(c, o);
    json_object_put(o);
    return CTX_OK;
}

static int dispatch(struct ctx *c, int argc, char **argv)
{
    const struct verb *v;
    int n = 0, rc;

    c->find_roots = roots_find;
    if (asks_version(argc, argv))
        return print_version(c);
    rc = opts_leading(c, argc, argv, &n);
    if (rc == OPTS_HELP)
        return print_help(NULL);
    if (rc != -1)
        return rc;
    if (n == argc)
        return run_verb(c, &verb_status, 0, NULL);
    if (strcmp(argv[n], "__complete") == 0)
        return complete_run(c, argc - n - 1, argv + n + 1);
    v = verbs_find(argv[n]);
    if (v != NULL)
        return run_verb(c, v, argc - n - 1, argv + n + 1);
    if (strcmp(argv[n], "help") != 0)
        return unknown_verb(c, argv[n]);
    if (n + 1 == argc)
        return print_help(NULL);
    v = verbs_find(argv[n + 1]);
    return v != NULL ? print_help(v) : unknown_verb(c, argv[n + 1]);
}

int cli_main(int argc, char **argv)
{
    return program_run(argc, argv, dispatch);
}

#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/data/jdoc.h"
#include "common/base/str.h"
#include "ctctl/complete.h"
#include "ctctl/program.h"

#include "ctctl/cli.h"

/* In the order in which help shows them. */
static const struct verb *const verbs[] = {
    &verb_status,   &verb_list,    &verb_show,     &verb_search,  &verb_cat,    &verb_diff,
    &verb_versions, &verb_pull,    &verb_verify,   &verb_scan,    &verb_export, &verb_import,
    &verb_sync,     &verb_seal,    &verb_watch,    &verb_pause,   &verb_resume, &verb_exclude,
    &verb_include,  &verb_delete,  &verb_undelete, &verb_backups, &verb_login,  &verb_logout,
    &verb_key,      &verb_devices, &verb_tokens,   &verb_account, &verb_doctor, &verb_mcp,
    &verb_plugin,
};

#define N_VERBS (sizeof(verbs) / sizeof(verbs[0]))

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

const struct verb *cli_find(const char *name)
{
    for (size_t i = 0; i < N_VERBS; i++) {
        if (strcmp(verbs[i]->name, name) == 0)
            return verbs[i];
    }
    return NULL;
}

const struct verb *cli_verb(size_t i)
{
    return i < N_VERBS ? verbs[i] : NULL;
}

/* What people type who know another program. */
static const struct {
    const char *word, *verb;
} meanings[] = {
    {"push", "sync"},
    {"save", "sync"},
    {"backup", "sync"},
    {"upload", "sync"},
    {"restore", "pull"},
    {"download", "pull"},
    {"get", "pull"},
    {"fetch", "pull"},
    {"checkout", "pull"},
    {"clone", "pull"},
    {"ls", "list"},
    {"sessions", "list"},
    {"log", "show"},
    {"info", "show"},
    {"view", "cat"},
    {"read", "cat"},
    {"print", "cat"},
    {"less", "cat"},
    {"history", "versions"},
    {"snapshots", "versions"},
    {"rm", "delete"},
    {"remove", "delete"},
    {"del", "delete"},
    {"forget", "delete"},
    {"check", "verify"},
    {"signin", "login"},
    {"auth", "login"},
    {"register", "login"},
    {"signup", "login"},
    {"signout", "logout"},
    {"stop", "pause"},
    {"start", "resume"},
    {"continue", "resume"},
    {"ignore", "exclude"},
    {"unignore", "include"},
    {"keys", "key"},
    {"machines", "devices"},
    {"hosts", "devices"},
    {"token", "tokens"},
    {"password", "account"},
    {"passwd", "account"},
    {"whoami", "account"},
    {"unregister", "account"},
    {"diagnose", "doctor"},
    {"st", "status"},
    {"state", "status"},
    {"follow", "watch"},
    {"tail", "watch"},
    {"restore-deleted", "undelete"},
    {"trash", "undelete"},
    {"undo", "undelete"},
    {"grep", "search"},
    {"find", "search"},
    {"compare", "diff"},
    {"secrets", "scan"},
};

const char *cli_resembles(const char *word)
{
    const char *names[N_VERBS];

    for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
        if (strcmp(meanings[i].word, word) == 0)
            return meanings[i].verb;
    }
    for (size_t i = 0; i < N_VERBS; i++)
        names[i] = verbs[i]->name;
    return str_resembles(word, names, N_VERBS);
}

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
    for (size_t i = 0; i < N_VERBS; i++)
        buf_printf(&b, "  %-9s %s\n", verbs[i]->name, verbs[i]->summary);
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
    const char *near = cli_resembles(word);

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
    v = cli_find(argv[n]);
    if (v != NULL)
        return run_verb(c, v, argc - n - 1, argv + n + 1);
    if (strcmp(argv[n], "help") != 0)
        return unknown_verb(c, argv[n]);
    if (n + 1 == argc)
        return print_help(NULL);
    v = cli_find(argv[n + 1]);
    return v != NULL ? print_help(v) : unknown_verb(c, argv[n + 1]);
}

int cli_main(int argc, char **argv)
{
    return program_run(argc, argv, dispatch);
}

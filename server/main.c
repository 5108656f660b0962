#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "common/base/log.h"
#include "common/base/log_journal.h"
#include "common/sys/secret.h"

#include "server/serve/serve.h"
#include "server/settings/settings.h"
#include "server/admin/verbs.h"

#define EXIT_USAGE 64
#define EXIT_CONFIG 78

static const char usage[] =
    "usage: codeteleport-server [-c FILE] [--data DIR] [--listen HOST:PORT]\n"
    "                           [--objects HOST:PORT] [VERB ...]\n"
    "\n"
    "The API, accounts and object store of CodeTeleport, for people who host their own.\n"
    "Without a verb it runs in the foreground; without any configuration the API is at\n"
    "https://127.0.0.1:8787/v1 and the object store at https://127.0.0.1:8788.\n"
    "\n"
    "  -c, --config FILE      settings (codeteleport-server.conf(5)); default: server.conf in the "
    "folder of\n"
    "                         ~/.config/codeteleport, if it is there\n"
    "      --data DIR         folder for everything that is kept\n"
    "      --listen HOST:PORT   the API; port 0 takes a free one\n"
    "      --objects HOST:PORT  the object store\n"
    "      --ready-file FILE  once both answer, write their addresses there, a name=value a\n"
    "                         line: api, objects, ca; removed at the end\n"
    "      --version          print the version\n"
    "      --help             print this\n"
    "\n"
    "Verbs, beside a running server or without one:\n"
    "  user add EMAIL       make an account; the password is asked for, or read from stdin\n"
    "  user list            all accounts, with what they hold;\n"
    "                       --removed: whom user delete keeps away\n"
    "  user show EMAIL      what it holds, its devices and tokens\n"
    "  user passwd EMAIL [--tokens]\n"
    "                       set a new password, which ends all log-ins (and API tokens)\n"
    "  user disable EMAIL   let nobody in by it\n"
    "  user enable EMAIL    let them in again\n"
    "  user revoke EMAIL [ID]\n"
    "                       end all log-ins and tokens, or those of one token or device\n"
    "  user delete EMAIL [--now]\n"
    "                       remove an account; its objects go 30 days later, or now\n"
    "  user allow EMAIL     let whom that removed register or sign in again\n"
    "  invite [--days N]    a code for one registration, where the settings ask for one\n"
    "  undelete EMAIL [SESSION [--version N]]\n"
    "                       take out of the trash; without a session, list what is there\n"
    "  audit [--json] [--since DATE | Nd]\n"
    "                       what was done to accounts, by whom, from where\n"
    "  check [--full]       compare database and object store both ways\n"
    "  gc [--orphans] [--dry-run]\n"
    "                       remove what nobody needs any more, now; and objects that no version "
    "knows\n"
    "  adopt [--dry-run | ID=EMAIL ...]\n"
    "                       after the loss of a database: make versions of the objects there are\n"
    "  backup FILE          write a copy of the database to FILE\n"
    "  key rotate           sign log-ins with a new key, which ends all of them\n";

enum { OPT_DATA = 256, OPT_LISTEN, OPT_OBJECTS, OPT_READY, OPT_VERSION, OPT_HELP };

static const struct option options[] = {
    {"config", required_argument, NULL, 'c'},
    {"data", required_argument, NULL, OPT_DATA},
    {"listen", required_argument, NULL, OPT_LISTEN},
    {"objects", required_argument, NULL, OPT_OBJECTS},
    {"ready-file", required_argument, NULL, OPT_READY},
    {"version", no_argument, NULL, OPT_VERSION},
    {"help", no_argument, NULL, OPT_HELP},
    {NULL, 0, NULL, 0},
};

/* Return -1 to go on, or the exit status. */
static int read_arguments(int argc, char **argv, struct settings_args *a)
{
    int o;

    while ((o = getopt_long(argc, argv, "+c:", options, NULL)) != -1) {
        switch (o) {
        case 'c':
            a->file = optarg;
            break;
        case OPT_DATA:
            a->data = optarg;
            break;
        case OPT_LISTEN:
            a->listen = optarg;
            break;
        case OPT_OBJECTS:
            a->objects = optarg;
            break;
        case OPT_READY:
            a->ready_file = optarg;
            break;
        case OPT_VERSION:
            puts("codeteleport-server " PACKAGE_VERSION);
            return 0;
        case OPT_HELP:
            fputs(usage, stdout);
            return 0;
        default:
            fputs("Try codeteleport-server --help.\n", stderr);
            return EXIT_USAGE;
        }
    }
    return -1;
}

static int fail(const struct ct_err *err)
{
    fprintf(stderr, "codeteleport-server: %s\n", err->msg);
    return err->code == ERR_CONFIG ? EXIT_CONFIG : EXIT_FAILURE;
}

static int serve(struct settings_args *a, struct ct_err *err)
{
    char *api = serve_adopted("api"), *objects = serve_adopted("objects");
    struct settings *s;
    int rc;

    if (api != NULL)
        a->listen = api;
    if (objects != NULL)
        a->objects = objects;
    rc = settings_load(a, &s, err);
    if (rc == 0) {
        log_set_level((enum log_level)s->log);
        rc = serve_run(a, s, err);
        settings_free(s);
    }
    free(api);
    free(objects);
    return rc;
}

static int run_verb(const struct settings_args *a, int argc, char **argv, struct ct_err *err)
{
    struct settings *s;
    int rc;

    if (settings_load(a, &s, err) != 0)
        return -1;
    log_set_level((enum log_level)s->log);
    rc = verbs_run(s, argc, argv, err);
    settings_free(s);
    return rc;
}

int main(int argc, char **argv)
{
    struct settings_args a = {0};
    struct ct_err err;
    int rc;

    secret_init();
    if ((rc = read_arguments(argc, argv, &a)) >= 0)
        return rc;
    umask(077);
    log_init("codeteleport-server", LOG_LEVEL_INFO);
    log_journal_begin();
    if (optind < argc)
        rc = run_verb(&a, argc - optind, argv + optind, &err);
    else
        rc = serve(&a, &err);
    return rc < 0 ? fail(&err) : rc;
}

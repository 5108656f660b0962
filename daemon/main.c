#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "agents/roots.h"
#include "bundle/leak/leak.h"
#include "common/config/config.h"
#include "common/config/cred.h"
#include "common/base/log.h"
#include "common/base/log_journal.h"
#include "common/sys/secret.h"
#include "daemon/daemon.h"
#include "daemon/account/login_view.h"
#include "daemon/system/launchd.h"
#include "daemon/system/supervise.h"

#define EX_USAGE_ 64
#define EX_CONFIG_ 78

static const char usage[] = "usage: codeteleportd [-c FILE] [--once] [-t] [-v]\n"
                            "       codeteleportd [-c FILE] --agent\n"
                            "       codeteleportd --version | --help\n";

static const char help[] =
    "\n"
    "Keeps your Claude Code sessions safe: watches ~/.claude without ever writing there, and "
    "uploads\n"
    "each session that changed to your CodeTeleport account. Runs in the foreground; as a "
    "service:\n"
    "\n"
    "  systemctl --user enable --now codeteleportd      (Linux)\n"
    "  brew services start codeteleportd                (macOS; without Homebrew: --agent)\n"
    "\n"
    "  -c FILE     configuration; default ~/.config/codeteleport/codeteleportd.conf, may be "
    "absent\n"
    "  --once      look at everything, sync what differs, and exit:\n"
    "              0 all is safe, 75 something could not be synced now, 77 not logged in\n"
    "  -t          check the configuration and exit: 0 fine, 78 not (file and line are printed)\n"
    "  --agent     print an agent for macOS's launchd, for this user; for the file\n"
    "              ~/Library/LaunchAgents/" LAUNCHD_LABEL ".plist\n"
    "  -v          log in detail\n"
    "  --version   print the version\n"
    "\n"
    "Log in with: ctctl login          See how things are with: ctctl status\n"
    "Signals: TERM stops after the uploads under way (twice: at once), HUP reads the "
    "configuration\n"
    "again, USR1 logs the state.\n";

enum { OPT_ONCE = 256, OPT_AGENT, OPT_VERSION, OPT_HELP };

static const struct option options[] = {
    {"config", required_argument, NULL, 'c'}, {"once", no_argument, NULL, OPT_ONCE},
    {"agent", no_argument, NULL, OPT_AGENT},  {"test", no_argument, NULL, 't'},
    {"verbose", no_argument, NULL, 'v'},      {"version", no_argument, NULL, OPT_VERSION},
    {"help", no_argument, NULL, OPT_HELP},    {NULL, 0, NULL, 0},
};

/* What only configuration and credentials together can say. */
static int check_server(const struct config *config, struct ct_err *err)
{
    char *path = cred_path();
    struct cred *cred = NULL;
    int rc = 0;

    if (cred_load(path, &cred, NULL) == 0)
        rc = login_check_port(config, cred, err);
    cred_free(cred);
    free(path);
    return rc;
}

int main(int argc, char **argv)
{
    const char *file = NULL;
    int is_once = 0, is_test = 0, is_agent = 0, is_verbose = 0, c;
    struct leak_rules *rules = NULL;
    struct config *config;
    struct ct_err err;

    while ((c = getopt_long(argc, argv, "c:tvh", options, NULL)) != -1) {
        switch (c) {
        case 'c':
            file = optarg;
            break;
        case 't':
            is_test = 1;
            break;
        case 'v':
            is_verbose = 1;
            break;
        case OPT_ONCE:
            is_once = 1;
            break;
        case OPT_AGENT:
            is_agent = 1;
            break;
        case OPT_VERSION:
            puts("codeteleportd " PACKAGE_VERSION);
            return 0;
        case 'h':
        case OPT_HELP:
            fputs(usage, stdout);
            fputs(help, stdout);
            return 0;
        default:
            fputs(usage, stderr);
            return EX_USAGE_;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "codeteleportd: unexpected argument '%s'\n%s", argv[optind], usage);
        return EX_USAGE_;
    }
    if (!is_once && !is_test && !is_agent && (c = supervise(DAEMON_RESTART)) >= 0)
        return c;
    secret_init();
    if (config_load(file, &config, &err) != 0 || roots_find(config, &err) != 0) {
        fprintf(stderr, "codeteleportd: %s\n", err.msg);
        return EX_CONFIG_;
    }
    if (is_agent) {
        c = launchd_agent(argv[0], file, config, stdout, &err);
        config_free(config);
        if (c != 0)
            fprintf(stderr, "codeteleportd: %s\n", err.msg);
        return c == 0 ? 0 : 1;
    }
    if (is_test) {
        if (config->scan_secrets != CONFIG_SCAN_OFF &&
            leak_rules_load(config->scan_rules, &rules, &err) != 0) {
            fprintf(stderr, "codeteleportd: %s\n", err.msg);
            config_free(config);
            return EX_CONFIG_;
        }
        leak_rules_free(rules);
        c = check_server(config, &err);
        config_free(config);
        if (c != 0) {
            fprintf(stderr, "codeteleportd: %s\n", err.msg);
            return EX_CONFIG_;
        }
        puts("the configuration is fine");
        return 0;
    }
    log_init("codeteleportd", is_verbose ? LOG_LEVEL_DEBUG : (enum log_level)config->log);
    log_journal_begin();
    return daemon_run(config, file, is_once, is_verbose);
}

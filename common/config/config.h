#ifndef COMMON_CONFIG_CONFIG_H
#define COMMON_CONFIG_CONFIG_H

#include "common/config/conf.h"
#include "common/base/err.h"
#include "common/base/strlist.h"

/*
 * codeteleportd.conf, which daemon and client share.  Every key has a default.
 */
enum config_metadata { CONFIG_METADATA_BASIC, CONFIG_METADATA_FULL };

/* ON: sealed where there is a key, in clear where there is none. */
enum config_encryption { CONFIG_ENCRYPTION_OFF, CONFIG_ENCRYPTION_ON, CONFIG_ENCRYPTION_REQUIRE };

/* Credentials in what leaves: say nothing, or where they are. */
enum config_scan { CONFIG_SCAN_OFF, CONFIG_SCAN_WARN };

/* ON: as far as the kernel can; REQUIRE: no start without it. */
enum config_workers { CONFIG_WORKERS_AUTO, CONFIG_WORKERS_ONE, CONFIG_WORKERS_TWO };
enum config_sandbox { CONFIG_SANDBOX_OFF, CONFIG_SANDBOX_ON, CONFIG_SANDBOX_REQUIRE };

struct config {
    struct strlist roots;  /* data folders to watch; default $CLAUDE_CONFIG_DIR or ~/.claude */
    struct strlist agents; /* whose sessions are saved, "auto": all that are here; none: nobody has
                              said, and it is Claude Code alone */
    struct strlist root_agents; /* of each of roots: filled in by roots_find() (agents/roots.h) */
    struct strlist exclude;     /* folders whose sessions stay here; the longest path decides */
    struct strlist include;
    char *state_dir;
    char *shared_dir; /* of all machines that share this home; state_dir where that is configured */
    char *socket;
    char *ca_file; /* a private CA in PEM, or NULL; CODETELEPORT_CA_FILE where the file is silent */
    char *proxy;   /* URL, "": none; NULL: as the environment says.  May hold a password */
    char *device_name;    /* NULL: as the credentials say, else the host's name */
    int allow_plain_http; /* http:// to a loopback address */
    long long quiet_ms;   /* debounce: quiet time, longest wait, shortest distance */
    long long wait_ms;
    long long distance_ms;
    long long turn_quiet_ms;   /* quiet time once a turn has ended */
    long long rescan_ms;       /* slow periodic rescan; 0: never */
    long long concurrency;     /* uploads at once */
    long long max_upload_rate; /* bytes a second, 0: no limit */
    long long notify_after_ms; /* of NOT SAFE, a word on the desktop; 0: never */
    int pause_on_metered;      /* large uploads wait while the connection is metered */
    long long spool_bytes;     /* limit of the spool */
    long long cache_bytes;     /* limit of the block cache */
    long long kept_bytes;      /* limit of fuller versions that a server would rotate out */
    int profile;               /* save what belongs to no session; -1: nobody has said */
    int amend;                 /* replace a version of the same hour instead of adding one */
    int pace;                  /* fewer uploads where a server keeps few versions */
    int metadata;              /* enum config_metadata */
    int encryption;            /* enum config_encryption */
    char *key_command;         /* prints the keys, for a shell; NULL: the keyring's file counts */
    int scan_secrets;          /* enum config_scan */
    char *scan_rules;          /* a file of rules; NULL: our own */
    int workers;               /* enum config_workers */
    int sandbox;               /* enum config_sandbox */
    struct conf_numbers allowed_ports; /* TCP ports that may be connected to; none: all */
    int polling;                       /* watch by polling even where inotify works */
    int log;                           /* enum log_level */
};

/**
 * config_file(path):
 * Return the place of the configuration: ${path} if it is given, else what CODETELEPORT_CONFIG_FILE
 * says, else the default place.  The caller frees it.
 */
char *config_file(const char *path);

/**
 * config_load(path, ret, err):
 * Read config_file(${path}) and fill in the defaults.  At the default place, and only there, a
 * missing file is all defaults.  ERR_CONFIG names file and line.  The caller frees with
 * config_free().
 */
int config_load(const char *path, struct config **ret, struct ct_err *err);

/**
 * config_allows_port(c, port):
 * Return whether allowed_ports names ${port}, or nothing.
 */
int config_allows_port(const struct config *c, long long port);

/**
 * config_say_profile(c, yes, err):
 * Remember for all machines that share this home whether to save what belongs to no session; it
 * counts where the configuration does not say so, from the next config_load() on.
 */
int config_say_profile(const struct config *c, int yes, struct ct_err *err);

/**
 * config_say_agents(c, agents, err):
 * Remember the same way what ${agents} (words with spaces between) is to be, where the
 * configuration does not say so.
 */
int config_say_agents(const struct config *c, const char *agents, struct ct_err *err);

/**
 * config_check_roots(c, err):
 * ERR_CONFIG if one of its roots is at odds with another one or with state_dir.
 */
int config_check_roots(const struct config *c, struct ct_err *err);

/**
 * config_free(c):
 * Free it; NULL is harmless.
 */
void config_free(struct config *c);

#endif

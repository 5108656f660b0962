#ifndef CTCTL_CTX_VERB_H
#define CTCTL_CTX_VERB_H

#include "ctctl/ctx/ctx.h"
#include "ctctl/ctx/opts.h"

/* One thing that ctctl can do. */
struct verb {
    const char *name;
    const char *args;    /* for the line of usage, or "" */
    const char *summary; /* one line, begins with a small letter */
    const char *help;    /* lines of text, each with a newline */
    /* Do it with the words that follow the verb.  Return the exit status. */
    int (*run)(struct ctx *c, int argc, char **argv);
    const char *examples; /* command lines, each with a newline and what it is for behind a # */
};

/* Each lives in the file of its name. */
extern const struct verb verb_account;
extern const struct verb verb_backups;
extern const struct verb verb_cat;
extern const struct verb verb_delete;
extern const struct verb verb_devices;
extern const struct verb verb_diff;
extern const struct verb verb_doctor;
extern const struct verb verb_exclude;
extern const struct verb verb_include;
extern const struct verb verb_export;
extern const struct verb verb_import;
extern const struct verb verb_key;
extern const struct verb verb_list;
extern const struct verb verb_login;
extern const struct verb verb_logout;
extern const struct verb verb_mcp;
extern const struct verb verb_pause;
extern const struct verb verb_plugin;
extern const struct verb verb_pull;
extern const struct verb verb_rename;
extern const struct verb verb_resume;
extern const struct verb verb_scan;
extern const struct verb verb_seal;
extern const struct verb verb_search;
extern const struct verb verb_share;
extern const struct verb verb_shares;
extern const struct verb verb_show;
extern const struct verb verb_stats;
extern const struct verb verb_status;
extern const struct verb verb_sync;
extern const struct verb verb_tag;
extern const struct verb verb_tokens;
extern const struct verb verb_verify;
extern const struct verb verb_undelete;
extern const struct verb verb_unshare;
extern const struct verb verb_versions;
extern const struct verb verb_watch;
extern const struct verb verb_web;

#endif

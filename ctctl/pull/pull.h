#ifndef CTCTL_PULL_PULL_H
#define CTCTL_PULL_PULL_H

#include <stdint.h>

#include <json-c/json.h>

#include "bundle/install/install.h"
#include "common/base/strlist.h"
#include "ctctl/cloud/heads.h"
#include "ctctl/ctx/ctx.h"

/*
 * Bringing sessions home.  Nothing here prints or asks; the front ends are verb_pull.c,
 * verb_import.c and the MCP server.  No daemon is needed; one that runs finds what was installed,
 * and a record that it is safe already (bundle/install/adopted.h).
 */
struct pull_opts {
    int64_t version;           /* 0: the newest */
    const char *target_dir;    /* where the session is to live; NULL: see ctctl/here/target.h */
    const struct strlist *map; /* OLD=NEW, ...; or NULL */
    int is_home_to_home;       /* the project's folder need not be there */
    int is_forced, is_copy, is_merge, is_rehearsal;
    int with_memory, with_file_history; /* of a stranger's */
    const char *with_files;             /* the new folder for working files, or NULL */
    const char *ours_agent;             /* the id of the agent of that session */
    const char *ours_of; /* this device made the bundle itself, of that session as it was here */
    int is_profile;      /* what belongs to no session */
    int is_shy;          /* ... of which nobody asked for this one (bundle/install/install.h) */
    int keep_mode;       /* of one's own */
    int is_plain;        /* it is known to be in clear, although this device seals */
    int64_t mtime_ns;    /* time of what is installed, 0: now */

    /* How far it is; ${what} is one word.  May be NULL. */
    void (*progress)(void *arg, const char *what, int64_t done, int64_t total);
    void *progress_arg;

    /* Ask a person for the project's folder; NULL: nobody is there. */
    char *(*ask)(void *arg, const char *source_cwd);
    void *ask_arg;
};

struct pull_result {
    struct install_result installed;
    int64_t version;            /* 0: it came from a file */
    int64_t size_bytes;         /* of the bundle */
    int64_t received;           /* of that, over the network just now */
    int is_absent;              /* the project's folder is not there */
    int is_sealed;              /* it came sealed */
    enum trust trust;           /* who vouches for it */
    struct json_object *unread; /* versions that did not open; see pull_fallback.h */
    struct heads heads;         /* what stands side by side; see pull_heads.h */
    struct strlist working;     /* working files that were taken out, below with_files */
    struct strlist lacking;     /* what it used there and is not here; see pull_lacking.h */
};

/**
 * pull_vouched_here(c, agent, session_id):
 * Return who vouches for what is here of the session: nobody more than whoever runs the server
 * where nothing is sealed.
 */
enum trust pull_vouched_here(struct ctx *c, const struct agent *agent, const char *session_id);

/**
 * pull_vouched(c, d):
 * Return who vouches for what the cloud has.  Where there is a key, only that.
 */
struct download;
enum trust pull_vouched(struct ctx *c, const struct download *d);

/**
 * pull_session(c, wire_id, opts, ret, err):
 * Download, check and install the session that the server calls ${wire_id}.  Errors as of
 * download_look(), download_fetch(), target_choose() and install_run(); ERR_REFUSED with PULL_PLAIN
 * if it is in clear and this device seals, unless that was said, or the configuration requires
 * what is sealed.  ${ret} is ended with
 * pull_result_clear(), on failure too.
 */
#define PULL_PLAIN "not_sealed"
int pull_session(struct ctx *c, const char *wire_id, const struct pull_opts *opts,
                 struct pull_result *ret, struct ct_err *err);

/**
 * pull_file(c, path, opts, ret, err):
 * The same from the bundle in the file ${path}, sealed or not.
 */
int pull_file(struct ctx *c, const char *path, const struct pull_opts *opts,
              struct pull_result *ret, struct ct_err *err);

void pull_result_clear(struct pull_result *r);

/**
 * pull_command(r):
 * Return the shell command that goes on with the session; the caller frees it.
 */
char *pull_command(const struct pull_result *r);

/**
 * pull_json(r, is_rehearsal):
 * Return the result as JSON; the caller owns it.
 */
struct json_object *pull_json(const struct pull_result *r, int is_rehearsal);

#endif

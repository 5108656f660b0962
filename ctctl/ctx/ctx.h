#ifndef CTCTL_CTX_CTX_H
#define CTCTL_CTX_CTX_H

#include <stdint.h>
#include <stdio.h>

#include <json-c/json.h>

#include "common/base/buf.h"
#include "common/config/config.h"
#include "common/config/cred.h"
#include "common/base/err.h"
#include "common/config/keyring.h"
#include "ctctl/ui/text.h"
#include "ipc/ctl_impl.h"
#include "net/http.h"

/* Exit statuses, after sysexits.h; they are promises. */
enum ctx_exit {
    CTX_OK = 0,
    CTX_FAILED = 1,
    CTX_USAGE = 64,
    CTX_NO_DAEMON = 69,
    CTX_LATER = 75,
    CTX_NO_AUTH = 77,
    CTX_CONFIG = 78,
};

/* What a verb works with: the common options, and what is opened when it is first needed. */
struct ctx {
    const char *verb;      /* its name, for messages */
    int json;              /* one JSON document on stdout */
    int has_printed;       /* that document is out */
    const char *socket;    /* --socket, or NULL */
    struct text_style out; /* of stdout */
    struct text_style err; /* of stderr */
    struct config *config;
    int (*find_roots)(struct config *c, struct ct_err *err); /* roots_find(), or NULL: the program
                                                                does without */
    struct cred *cred;
    struct ctl *client;
    int is_hurried;        /* nobody waits for a key_command */
    struct keyring *ring;  /* see ctx_ring() */
    struct ct_err no_ring; /* why there is none, once that is known */
    int has_seen_sealed;   /* the server has listed something sealed */
    char *account_dir;     /* see ctx_account_dir() */
    int has_no_account_dir;
};

/**
 * ctx_init(c), ctx_clear(c):
 * Begin and end.  ctx_clear() closes and frees what was opened.
 */
void ctx_init(struct ctx *c);
void ctx_clear(struct ctx *c);

/**
 * ctx_config(c, err):
 * Read the configuration unless it was read already.
 */
int ctx_config(struct ctx *c, struct ct_err *err);

/**
 * ctx_root(c, agent, err):
 * Return the data folder of ${agent} that pulls go to: the one that its variables in this shell
 * name, else the first of the configuration.  The caller frees it.  NULL on error.
 */
struct agent;
char *ctx_root(struct ctx *c, const struct agent *agent, struct ct_err *err);

/**
 * ctx_agent_of(c, root):
 * Return whose data folder ${root} is.
 */
const struct agent *ctx_agent_of(struct ctx *c, const char *root);

/**
 * ctx_start_command():
 * Return what to type to start the daemon: CODETELEPORT_START_COMMAND if that is set, else what
 * this system's service manager has for it.
 */
const char *ctx_start_command(void);

/**
 * ctx_daemon(c, ret, err):
 * Open a new connection to the daemon, which the caller closes.  ERR_GONE with the reason
 * "no_daemon" and the command that starts it if none is running.
 */
int ctx_daemon(struct ctx *c, struct ctl **ret, struct ct_err *err);

/**
 * ctx_refresh(c):
 * Have the daemon look what changed at the server, unless it did a moment ago, so that what it says
 * next is true.  Takes a second at most, and is no matter if it can't.
 */
void ctx_refresh(struct ctx *c);

/**
 * ctx_call(c, method, params, timeout_ms, ret, err):
 * Call the daemon.  ${params} may be NULL and stays the caller's; the caller owns ${ret}, an object
 * (ERR_CORRUPT if the answer is none).
 */
int ctx_call(struct ctx *c, const char *method, struct json_object *params, int64_t timeout_ms,
             struct json_object **ret, struct ct_err *err);

/**
 * ctx_is_no_daemon(err):
 * Return whether ${err} says that no daemon is running, or that it went away.
 */
int ctx_is_no_daemon(const struct ct_err *err);

/**
 * ctx_policy(c, ret, err):
 * Fill in the HTTP policy of the configuration; it borrows from ${c}.
 */
int ctx_policy(struct ctx *c, struct http_policy *ret, struct ct_err *err);

/**
 * ctx_cloud(c, method, path, body, ret, err):
 * Call the API with the stored credentials, blocking.
 */
int ctx_cloud(struct ctx *c, const char *method, const char *path, struct json_object *body,
              struct json_object **ret, struct ct_err *err);

/**
 * ctx_ring(c, err):
 * Return the keys of this device, which are read when they are first asked for: borrowed, and empty
 * if there are none.  NULL if they can't be read: ERR_CONFIG, with the cure, the same whenever it
 * is asked again.
 */
const struct keyring *ctx_ring(struct ctx *c, struct ct_err *err);

/**
 * ctx_is_sealing(c):
 * Return whether this device seals: it has a key (or one that can't be read), has to have one, or
 * has seen that the account has one.  What is in the cloud in clear is a stranger's then.
 */
int ctx_is_sealing(struct ctx *c);

/**
 * ctx_key_is_by_command(c):
 * Return whether the keys come from the configuration's key_command; ctx_config() was called.
 */
int ctx_key_is_by_command(const struct ctx *c);

/**
 * ctx_forget_ring(c):
 * Have the keys read anew the next time, for they may be others by then; those that a key_command
 * printed stay.
 */
void ctx_forget_ring(struct ctx *c);

/**
 * ctx_account_dir(c):
 * Return the state folder of the account whose token this is, as the daemon or a log-in wrote it
 * down, else as the server says; borrowed.  NULL if nobody knows.
 */
const char *ctx_account_dir(struct ctx *c);

/**
 * ctx_say(c, fmt, ...):
 * A message to stderr, on a line of its own.
 */
void ctx_say(const struct ctx *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/**
 * ctx_usage(c, fmt, ...):
 * Say what is wrong with the command line (with --json, on stdout too) and where help is.  Return
 * CTX_USAGE.
 */
int ctx_usage(struct ctx *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/**
 * ctx_status(err):
 * Return the exit status that ${err} stands for.
 */
int ctx_status(const struct ct_err *err);

/**
 * ctx_fail(c, err):
 * Say what failed (with --json, on stdout too).  Return the exit status that it stands for.
 */
int ctx_fail(struct ctx *c, const struct ct_err *err);

/**
 * ctx_json(c, o):
 * Print ${o} as the one document on stdout; it stays the caller's.
 */
void ctx_json(struct ctx *c, struct json_object *o);

/**
 * ctx_print(c, b):
 * Print ${b} on stdout and empty it.
 */
void ctx_print(struct ctx *c, struct buf *b);

#endif

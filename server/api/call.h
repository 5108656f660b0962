#ifndef SERVER_API_CALL_H
#define SERVER_API_CALL_H

#include "api/api.h"
#include "common/base/uuid.h"

#include "server/api/app.h"

/* What a handler of the API gets, and the words it answers with. */

struct page;

#define CALL_MAX_PARAMS 2
#define CALL_PARAM_SIZE 256

struct call {
    struct app *app;
    const struct app_config *config;
    struct web_req *web;
    const struct app_route *route;
    char params[CALL_MAX_PARAMS][CALL_PARAM_SIZE]; /* what stood for ":name", decoded, in order */
    struct ledger_who who;                         /* who asks, for routes that need it */
    char asker[UUID_SIZE];     /* by which token or log-in: what is stolen counts for itself */
    int has_known_device;      /* a log-in from a device of the account */
    char hashes_as[UUID_SIZE]; /* who it is for whoever counts what hashes passwords */
    int64_t generation;        /* of the log-ins of the user; a new one ends all */
    int64_t login_s;           /* when the log-in began that asks; 0: a token does */
    char session_id[API_SESSION_ID_MAX + 1]; /* what it is about, once that is known */
    struct buf raw;                          /* the body as it comes */
    struct json_object *body;                /* the same, read; NULL: there was none */
    struct json_object *answer;
    int64_t now_ms;
    int64_t began_ms;        /* by the monotonic clock */
    const char *trace_email; /* of an account that its own act removes, for the trace of that */
    struct call *next;       /* of those that count as under way, see app.c */
    int is_counted;
    int is_dashboard;        /* a page of ours asks, see call_page_check() */
    const struct page *page; /* the answer is this file, if the status is 200 */
};

/**
 * call_error(c, status, code, message):
 * Answer with an error; return ${status}.
 */
int call_error(struct call *c, int status, const char *code, const char *message);

/**
 * call_fail(c, err):
 * Answer with what ${err} says; what is our own fault is logged and kept from the client.
 */
int call_fail(struct call *c, const struct ct_err *err);

/**
 * call_ok(c):
 * Answer {"ok":true}; return 200.
 */
int call_ok(struct call *c);

/**
 * call_too_many(c, wait_s):
 * Answer 429 with Retry-After.
 */
int call_too_many(struct call *c, int wait_s);

/**
 * call_count(c, limit, name):
 * Count one more of what ${name} did.  Return 0, or the status of the answer if that is too often.
 */
int call_count(struct call *c, struct attempts *limit, const char *name);

/**
 * call_query(c, name, ret):
 * The decoded value of ${name} in the query: 1 with ${ret}, which the caller frees, 0 if it is not
 * there, -1 if it is not decent (a broken escape, a NUL, not UTF-8).
 */
int call_query(struct call *c, const char *name, char **ret);

/**
 * call_query_int(c, name, min, max, ret):
 * The same for a whole number; ${ret} stays if it is not there.  -1 too if it is out of range.
 */
int call_query_int(struct call *c, const char *name, int64_t min, int64_t max, int64_t *ret);

/**
 * call_page(c, ret_limit, ret_offset):
 * The page of a list that the query asks for, of at most 100 items.  Return 0, or the status of the
 * answer that refuses.
 */
int call_page(struct call *c, int64_t *ret_limit, int64_t *ret_offset);

/**
 * call_features():
 * What this server can do beyond the wire API's first version, as a list of words; the caller's.
 */
struct json_object *call_features(void);

/**
 * call_session_id(c):
 * An id in the path that can't be one is as good as somebody else's: not there.  Return 0, or the
 * status of that answer.
 */
int call_session_id(struct call *c);

/**
 * call_authenticate(c):
 * Fill c->who as the route asks.  Return 0, or the status of the answer that refuses.
 */
int call_authenticate(struct call *c);

/**
 * call_login_key(c, purpose, key):
 * The key that signs log-ins; for a ${purpose}, not NULL, one of its own.  0, or the status of the
 * answer that says why not.
 */
int call_login_key(struct call *c, const char *purpose, unsigned char *key);

/**
 * call_confirm_holder(c):
 * Is it the account's holder?  They say the password once more in the body, or, without one, have
 * logged in within ten minutes.  0, or the status of the answer.
 */
int call_confirm_holder(struct call *c);

/**
 * call_cookie(c, name, i):
 * Return the value of the ${i}th cookie of this name, from 0, which the caller wipes and frees, or
 * NULL.
 */
char *call_cookie(struct call *c, const char *name, int i);

/**
 * call_login_token(c, user_id, generation, email, ret_status):
 * Return a token for somebody who just logged in, good at /v1/ or in the dashboard's cookie, a
 * secret that the caller frees; or NULL, with the status of the answer that says why not.
 */
char *call_login_token(struct call *c, const char *user_id, int64_t generation, const char *email,
                       int *ret_status);

/**
 * call_client(c, address):
 * Write the address of who asks into ${address}: the peer's, or what a trusted proxy says of it.
 */
void call_client(struct call *c, char address[WEB_ADDRESS_SIZE]);

/**
 * call_peer(c, buf, size):
 * The same as attempts are counted by: an IPv6 address is cut to its /64.
 */
const char *call_peer(struct call *c, char *buf, size_t size);

/**
 * call_audit(c, event, fmt, ...):
 * Write down, for good, that who asks did ${event}, which changes nothing: in the audit table, and
 * in the log.
 *
 * call_act(c, err), call_acted(c, rc, err, event, fmt, ...):
 * Around what does ${event}, which returned ${rc}: ledger_act(), with that in the audit table, and
 * in the log if all of it is done.  Nobody acts without a trace.
 */
void call_audit(struct call *c, const char *event, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
int call_act(struct call *c, struct ct_err *err);
int call_acted(struct call *c, int rc, struct ct_err *err, const char *event, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

/**
 * call_where(c):
 * Return " at=dashboard" for traces of what a page asked, else "".
 */
const char *call_where(const struct call *c);

/**
 * call_log_failure(c, email, is_known, reason):
 * A log-in failed: say so in the log, with the address of the attempt for programs that watch it.
 */
void call_log_failure(struct call *c, const char *email, int is_known, const char *reason);

/**
 * call_note_access(c):
 * Have the access log say who asked, and about what.
 */
void call_note_access(struct call *c);

/**
 * call_bcrypt_begin(c), call_bcrypt_end(c):
 * Around everything that hashes a password: few at a time, so that log-ins can't take the machine.
 * Return 0, or the status of the answer that refuses.
 */
int call_bcrypt_begin(struct call *c);
void call_bcrypt_end(struct call *c);

/**
 * call_hash_password(c, password, ret):
 * Hash it so.  Return 0, and the caller frees ${ret}; or the status of the answer.
 */
int call_hash_password(struct call *c, const char *password, char **ret);

/*
 * The pages at /app/ and what they ask, below /app/api/: the same handlers as at /v1/, as far as
 * the table of routes lets them.  A log-in there is two halves.  One is a cookie, which scripts
 * can't read and other sites can't send; the other the page keeps, and sends it as a header, which
 * pages of other origins can't.  Both are of keys of their own: neither counts at /v1/, and what
 * counts there does not here.
 */

/**
 * call_page_has(target):
 * Is that, a path and query as they came, something that pages ask?
 */
int call_page_has(const char *target);

/**
 * call_page_check(c):
 * Was this request sent by a page of ours?  0, or the status of the answer that refuses.
 */
int call_page_check(struct call *c);

/**
 * call_page_login(c):
 * Return the log-in of the cookie that fits the page's half, which the caller wipes and frees; or
 * NULL.
 */
char *call_page_login(struct call *c);

/**
 * call_page_enter(c, token):
 * Have the answer set the cookie for ${token}; return the page's half, which the caller wipes and
 * frees, or NULL if there is no key to make it with.
 */
char *call_page_enter(struct call *c, const char *token);

/**
 * call_page_leave(c):
 * Have the answer take the cookie away.
 *
 * call_page_url(c, name, value, state):
 * Return the address of the dashboard with NAME=VALUE.STATE behind the #, where no server sees it;
 * the caller wipes and frees it.
 */
void call_page_leave(struct call *c);
char *call_page_url(struct call *c, const char *name, const char *value, const char *state);

/* The handlers, by subject. */
int handle_account_show(struct call *c);
int handle_account_password(struct call *c);
int handle_account_logout(struct call *c);
int handle_account_delete(struct call *c);
int handle_auth_register(struct call *c);
int handle_auth_login(struct call *c);
int handle_dashboard_home(struct call *c);
int handle_dashboard_page(struct call *c);
int handle_dashboard_about(struct call *c);
int handle_dashboard_leave(struct call *c);
int handle_provider_begin(struct call *c);
int handle_provider_callback(struct call *c);
int handle_auth_me(struct call *c);
int handle_token_create(struct call *c);
int handle_token_list(struct call *c);
int handle_token_revoke(struct call *c);
int handle_device_list(struct call *c);
int handle_device_delete(struct call *c);
int handle_misc_usage(struct call *c);
int handle_misc_health(struct call *c);
int handle_session_list(struct call *c);
int handle_session_upload(struct call *c);
int handle_session_confirm(struct call *c);
int handle_session_download(struct call *c);
int handle_session_versions(struct call *c);
int handle_session_delete(struct call *c);
int handle_session_delete_version(struct call *c);
int handle_share_create(struct call *c);
int handle_share_confirm(struct call *c);
int handle_share_list(struct call *c);
int handle_share_end(struct call *c);
int handle_trash_list(struct call *c);
int handle_trash_undelete(struct call *c);

#endif

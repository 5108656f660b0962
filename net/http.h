#ifndef NET_HTTP_H
#define NET_HTTP_H

#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/strlist.h"

/*
 * The one place that speaks HTTP as a client: TLS 1.2 or newer with full verification, https only
 * (http to a loopback address where the configuration allows it), no redirects, bounded answers.
 */

struct event_base;
struct http_engine;
struct http_call;

/* err->reason of an exchange that ended before its request was sent: no such name, no connection,
 * no TLS. */
#define HTTP_UNREACHABLE "unreachable"
#define HTTP_UNTRUSTED \
    "untrusted" /* it answers, with a certificate that nothing here vouches for */

struct http_policy {
    const char *ca_file;       /* PEM file of a private CA, or NULL for the system's alone */
    const char *proxy;         /* URL of a proxy, "": none; NULL: as the environment says */
    int allow_plain_http;      /* http:// to a loopback address */
    long long max_upload_rate; /* of all files together, bytes a second, 0: no limit */
};

struct http_req {
    const char *method;
    const char *url;               /* may be a secret; never logged */
    const char *from;              /* the URL of the API that handed out ${url}, or NULL */
    const struct strlist *headers; /* "Name: value", may be NULL */
    const void *body;              /* in memory, body_len bytes; or */
    int body_fd;           /* a file, read from its start (pread), body_len bytes; -1: none */
    int64_t body_len;      /* -1: no body at all */
    size_t max_answer;     /* most bytes of an answer kept in memory; more is an error */
    int answer_fd;         /* where a 2xx body goes instead, or -1 */
    int64_t answer_offset; /* bytes of it that are there already (sent as Range), or 0 */
    int64_t answer_limit;  /* most bytes of it there may be in the end, 0: no limit */
    long timeout_ms;       /* for the whole exchange, 0: none but the stall limit: */
    int stall_s;           /* less than 1,024 bytes a second for so long ends it; 0: 60 */
    void (*progress)(void *arg, int64_t sent, int64_t received); /* may be NULL */
    void *progress_arg;
    /* Each header of the answer, its value without blanks around it; may be NULL. */
    void (*header)(void *arg, const char *name, const char *value);
    void *header_arg;
};

#define HTTP_REQ_INIT \
    { \
        .body_fd = -1, .body_len = -1, .answer_fd = -1, .max_answer = 1 << 20 \
    }

struct http_res {
    int status;
    struct buf body; /* of an answer that went to answer_fd: empty */
    char content_type[64];
    int retry_after_s;      /* 0..300 */
    int64_t date_ms;        /* the server's clock from its Date header, 0 if it sent none */
    int64_t received;       /* body bytes */
    int64_t content_length; /* as announced, of a HEAD too; -1: not */
    int is_own_machine;     /* the connection went to an address of this machine, not by a proxy */
};

/**
 * http_engine_new(base, policy, ret, err):
 * Make an engine on ${base}.  ${policy} is copied.  Free it before the base.
 */
int http_engine_new(struct event_base *base, const struct http_policy *policy,
                    struct http_engine **ret, struct ct_err *err);

/**
 * http_engine_set_policy(e, policy):
 * Go by ${policy} (copied) from now on: the upload rate counts for all calls, the rest for those
 * that begin later.
 */
void http_engine_set_policy(struct http_engine *e, const struct http_policy *policy);

/**
 * http_engine_rest(e):
 * Unless calls are under way, close the connections that wait to be used again.
 */
void http_engine_rest(struct http_engine *e);

/**
 * http_engine_free(e):
 * Cancel all calls, without their callbacks, and free the engine.
 */
void http_engine_free(struct http_engine *e);

/**
 * http_start(e, req, done, arg, ret, err):
 * Begin an exchange.  What ${req} points to is copied, but for body, body_fd and answer_fd, which
 * must live until ${done}.  ${done} is called from the loop, never from within http_start(), with
 * ${res} on any complete answer, whatever its status, or with ${res} NULL and ${err}; both are
 * borrowed.  A URL that the policy forbids is refused here with ERR_CONFIG.
 */
int http_start(struct http_engine *e, const struct http_req *req,
               void (*done)(void *arg, const struct http_res *res, const struct ct_err *err),
               void *arg, struct http_call **ret, struct ct_err *err);

/**
 * http_cancel(c):
 * End a call without its callback.
 */
void http_cancel(struct http_call *c);

/**
 * http_perform(policy, req, res, err):
 * The same, blocking, for programs without a loop.  http_res_free(res) afterwards.
 */
int http_perform(const struct http_policy *policy, const struct http_req *req, struct http_res *res,
                 struct ct_err *err);
void http_res_free(struct http_res *res);

/**
 * http_pool_new(policy, ret, err), http_pool_perform(p, req, res, err), http_pool_free(p):
 * http_perform() for many threads at once, on connections that are kept for the next request.
 * ${policy} is copied.  Freeing NULL is harmless.
 */
struct http_pool;
int http_pool_new(const struct http_policy *policy, struct http_pool **ret, struct ct_err *err);
int http_pool_perform(struct http_pool *p, const struct http_req *req, struct http_res *res,
                      struct ct_err *err);
void http_pool_free(struct http_pool *p);

/**
 * http_system_ca(ret_file, ret_dir):
 * Where libcurl looks for CA certificates by itself; NULL: it was built without.  Borrowed, for the
 * life of the process.
 */
void http_system_ca(const char **ret_file, const char **ret_dir);

/**
 * http_url_allowed(url, policy, err):
 * Return 0 if ${url} is https, or http to a loopback address with the policy's leave; else
 * ERR_CONFIG with a sentence that says what to do.
 */
int http_url_allowed(const char *url, const struct http_policy *policy, struct ct_err *err);

/**
 * http_url_may_follow(url, from, err):
 * Return 0 if what is behind ${from} may hand out ${url}: who is reached by https can't send
 * anybody to http, also where the policy would let that pass.  Else ERR_REFUSED.
 */
int http_url_may_follow(const char *url, const char *from, struct ct_err *err);

/**
 * http_url_is_loopback(url):
 * Return whether the host of ${url} is localhost, in 127.0.0.0/8, or ::1.
 */
int http_url_is_loopback(const char *url);

/**
 * http_url_origin(url):
 * Return "scheme://host:port" of ${url} in lower case with the port always there, or NULL if it is
 * no URL.  The caller frees it.
 */
char *http_url_origin(const char *url);

#endif

#ifndef API_CLIENT_H
#define API_CLIENT_H

#include <json-c/json.h>

#include "common/base/err.h"
#include "net/http.h"

/*
 * Calls of the wire API as a client.  api_request_new() and api_answer() are the two halves of any
 * call, for the engine or for http_perform(); api_call() is all of it, blocking.
 */
struct api_request {
    struct http_req http; /* borrows from the members below */
    struct strlist headers;
    char *url;
    char *body;
};

/**
 * api_request_new(api_url, token, method, path, body, ret):
 * Make the request ${method} ${api_url}${path}.  ${path} begins with a slash and is escaped
 * already.
 * ${token} may be NULL (register, log-in); ${body} may be NULL and stays the caller's.  The caller
 * frees with api_request_free(), after the exchange.
 */
void api_request_new(const char *api_url, const char *token, const char *method, const char *path,
                     struct json_object *body, struct api_request **ret);

/**
 * api_start(e, r, done, arg, ret, err):
 * http_start() for it; ${r} forgets the token then, and can't be started again.
 */
int api_start(struct http_engine *e, struct api_request *r,
              void (*done)(void *arg, const struct http_res *res, const struct ct_err *err),
              void *arg, struct http_call **ret, struct ct_err *err);

/**
 * api_request_free(r):
 * Wipe and free it; NULL is harmless.
 */
void api_request_free(struct api_request *r);

/**
 * api_answer(res, ret, err):
 * Read an answer: the JSON of a 2xx one, which the caller owns, or the error that another one
 * stands for.  err->msg is the server's own sentence, err->reason its code: ERR_AUTH for 401;
 * ERR_GONE for 404; ERR_CONFLICT for 409; ERR_RETRY for 408, 429 and 5xx; ERR_REFUSED for the rest
 * of 4xx; ERR_RETRY for what is not an answer of this API (a proxy's or portal's HTML page, say).
 */
int api_answer(const struct http_res *res, struct json_object **ret, struct ct_err *err);

/**
 * api_call(policy, api_url, token, method, path, body, ret, err):
 * The whole call, blocking, within a minute.
 */
int api_call(const struct http_policy *policy, const char *api_url, const char *token,
             const char *method, const char *path, struct json_object *body,
             struct json_object **ret, struct ct_err *err);

/**
 * api_session_path(session_id, rest):
 * Return "/sessions/<escaped id><rest>"; the caller frees it.
 */
char *api_session_path(const char *session_id, const char *rest);

#endif

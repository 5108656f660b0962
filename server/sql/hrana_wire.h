#ifndef SERVER_SQL_HRANA_WIRE_H
#define SERVER_SQL_HRANA_WIRE_H

#include <stdarg.h>

#include <json-c/json.h>

#include "common/base/err.h"
#include "net/http.h"

/* How Hrana says things; hrana.c says what. */
struct hrana_wire;

/**
 * hrana_wire_new(url, token, policy, ret, err), hrana_wire_free(w):
 * A server's address, which is copied; ${url} as in hrana.h.
 */
int hrana_wire_new(const char *url, const char *token, const struct http_policy *policy,
                   struct hrana_wire **ret, struct ct_err *err);
void hrana_wire_free(struct hrana_wire *w);

/* What holds the requests of one stream together; zeroed: a stream that is not begun. */
struct hrana_stream {
    char *baton;
    char *base_url; /* where its requests have to go, or NULL */
};

/**
 * hrana_stream_clear(s):
 * Forget it.
 */
void hrana_stream_clear(struct hrana_stream *s);

/**
 * hrana_wire_send(w, s, requests, ret, err):
 * Send the array ${requests}, which is taken over, on ${s}.  ${ret} is the array of as many
 * responses, each the "response" of its request; the caller owns it.  If one of them is an error,
 * that is ${err}.  ERR_RETRY if the server can't be reached or has given the stream up; ${s} is
 * cleared then.
 */
int hrana_wire_send(struct hrana_wire *w, struct hrana_stream *s, struct json_object *requests,
                    struct json_object **ret, struct ct_err *err);

/**
 * hrana_wire_request(type), hrana_wire_stmt(sql, types, ap, want_rows):
 * Make a request of that type; a statement with arguments as in sql_exec().
 */
struct json_object *hrana_wire_request(const char *type);
struct json_object *hrana_wire_stmt(const char *sql, const char *types, va_list ap, int want_rows);

/**
 * hrana_wire_plain(sql):
 * A statement without arguments or rows.
 */
struct json_object *hrana_wire_plain(const char *sql);

/**
 * hrana_wire_error(error, err):
 * Say what a Hrana error object means; return -1.
 */
int hrana_wire_error(const struct json_object *error, struct ct_err *err);

#endif

#ifndef IPC_IPC_H
#define IPC_IPC_H

#include <stdint.h>

#include <json-c/json.h>

#include "common/base/err.h"

/*
 * JSON-RPC 2.0, one message a line, over a UNIX socket.  The server side lives on an event loop;
 * the client side blocks with a limit.
 */

#define IPC_PROTOCOL 1
#define IPC_MAX_REQUEST (1u << 20) /* bytes of one line */
#define IPC_MAX_CLIENTS 64

/* JSON-RPC's own error numbers, and ours. */
enum ipc_code {
    IPC_PARSE_ERROR = -32700,
    IPC_INVALID_REQUEST = -32600,
    IPC_NO_METHOD = -32601,
    IPC_INVALID_PARAMS = -32602,
    IPC_INTERNAL = -32603,
    IPC_FAILED = -32000, /* see error.data.code, an err_name() word */
};

struct event_base;
struct ipc_server;
struct ipc_client;
struct ipc_request; /* one that waits for its answer */

/**
 * ipc_server_new(base, path, on_request, arg, ret, err):
 * Listen on ${path} (folder made 0700, socket 0600; a stale socket is replaced, a live one is
 * ERR_CONFLICT).  Peers of another user are turned away.  ${on_request} is called for each request
 * (and for each notification, whose answer goes nowhere); it owns ${rq} and ends it with
 * ipc_reply() or ipc_fail(), then or later; ${method} and ${params} (object, array or NULL) are
 * borrowed for the call.  If the peer goes away meanwhile, ipc_request_on_gone() tells; the answer
 * is dropped then.
 *
 * The folder of ${path} keeps its mode if it is there already; ERR_CONFIG if others can write in
 * it.
 */
int ipc_server_new(struct event_base *base, const char *path,
                   void (*on_request)(void *arg, struct ipc_request *rq, const char *method,
                                      struct json_object *params),
                   void *arg, struct ipc_server **ret, struct ct_err *err);

/**
 * ipc_server_new_fd(base, fd, ...):
 * The same on a listening socket from socket activation.
 */
int ipc_server_new_fd(struct event_base *base, int fd,
                      void (*on_request)(void *arg, struct ipc_request *rq, const char *method,
                                         struct json_object *params),
                      void *arg, struct ipc_server **ret, struct ct_err *err);

/**
 * ipc_server_free(s):
 * Close all connections, answer nothing more, remove the socket if ipc_server_new() made it.
 * Requests still open are ended by their owner afterwards, as ever; no on_gone is called for them.
 * Allowed from within a callback.  NULL is harmless.
 */
void ipc_server_free(struct ipc_server *s);

/**
 * ipc_reply(rq, result), ipc_fail(rq, err), ipc_fail_code(rq, code, message):
 * End a request.  ${result} becomes the connection's (never NULL).
 */
void ipc_reply(struct ipc_request *rq, struct json_object *result);
void ipc_fail(struct ipc_request *rq, const struct ct_err *err);
void ipc_fail_code(struct ipc_request *rq, enum ipc_code code, const char *message);

/**
 * ipc_request_on_gone(rq, f, arg):
 * Have ${f} called once if the peer goes away before the answer; ${rq} stays ${on_request}'s, which
 * ends it as ever, in ${f} or later.
 */
void ipc_request_on_gone(struct ipc_request *rq, void (*f)(void *arg), void *arg);

/**
 * ipc_subscribe(rq):
 * Make the request's connection a subscriber of ipc_publish() (before it is answered).
 */
void ipc_subscribe(struct ipc_request *rq);

/**
 * ipc_publish(s, event):
 * Send the notification {"jsonrpc":"2.0","method":"event","params":event} to all subscribers; one
 * that does not read is dropped.  ${event} stays the caller's.  Calls nothing back.
 */
void ipc_publish(struct ipc_server *s, struct json_object *event);

/**
 * ipc_subscribers(s):
 * Return how many there are, so that nobody builds events for nobody.
 */
int ipc_subscribers(const struct ipc_server *s);

/**
 * ipc_client_open(path, ret, err):
 * Connect.  ERR_GONE if nothing listens there; ERR_CONFIG if who listens is neither this user nor
 * root.  Closing NULL is harmless.
 */
int ipc_client_open(const char *path, struct ipc_client **ret, struct ct_err *err);
void ipc_client_close(struct ipc_client *c);

/**
 * ipc_client_fd(c):
 * Return the descriptor, for a loop that waits for events; it stays the client's.
 */
int ipc_client_fd(const struct ipc_client *c);

/**
 * ipc_client_call(c, method, params, timeout_ms, ret, err):
 * Call and wait at most ${timeout_ms} (0: for ever).  ${params} (may be NULL) stays the caller's;
 * the caller owns ${ret} (NULL: the answer was null).  The daemon's errors come back with their
 * code.  ERR_GONE with the reason "connection_lost" when the daemon went away, ERR_RETRY when the
 * time ran out (a later answer is dropped then).  Events that arrive meanwhile are kept for
 * ipc_client_event().
 */
int ipc_client_call(struct ipc_client *c, const char *method, struct json_object *params,
                    int64_t timeout_ms, struct json_object **ret, struct ct_err *err);

/**
 * ipc_client_event(c, timeout_ms, ret, err):
 * Wait for the next event after a "subscribe" call.  ERR_GONE when the daemon went away, ERR_RETRY
 * when the time ran out.
 */
int ipc_client_event(struct ipc_client *c, int64_t timeout_ms, struct json_object **ret,
                     struct ct_err *err);

#endif

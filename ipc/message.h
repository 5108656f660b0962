#ifndef IPC_MESSAGE_H
#define IPC_MESSAGE_H

#include <stddef.h>

#include <json-c/json.h>

#include "common/base/err.h"

/* The messages of JSON-RPC 2.0, for both ends.  https://www.jsonrpc.org/specification */

/* A request as it came in; all of it is borrowed from the document. */
struct ipc_message {
    const char *method;
    struct json_object *params; /* object, array or NULL */
    struct json_object *id;     /* string, number, or NULL for null and for none */
    int has_id;                 /* without one it is a notification: no answer */
};

/**
 * ipc_message_request(o, ret, why):
 * Read the request in ${o} (which may be NULL, for null).  Return 0; or -1 with a sentence in
 * ${why}, and in ${ret} the id to answer with as far as there is a sound one.
 */
int ipc_message_request(struct json_object *o, struct ipc_message *ret, const char **why);

/**
 * ipc_message_call(id, method, params), ipc_message_result(id, result),
 * ipc_message_error(id, code, message, data), ipc_message_event(event):
 * Return a message.  The caller owns it, and keeps what it gave.  ${id}, ${params} and ${data} may
 * be NULL; ${id} is null then and the others are left out.
 */
struct json_object *ipc_message_call(int64_t id, const char *method, struct json_object *params);
struct json_object *ipc_message_result(struct json_object *id, struct json_object *result);
struct json_object *ipc_message_error(struct json_object *id, int code, const char *message,
                                      struct json_object *data);
struct json_object *ipc_message_event(struct json_object *event);

/**
 * ipc_message_error_data(err):
 * Return the "data" that carries the codes of ${err} across; the caller owns it.
 */
struct json_object *ipc_message_error_data(const struct ct_err *err);

/**
 * ipc_message_error_read(error, err):
 * Fill ${err} from the "error" member of an answer.
 */
void ipc_message_error_read(const struct json_object *error, struct ct_err *err);

#endif

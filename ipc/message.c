#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common/data/jdoc.h"

#include "ipc/ipc.h"

#include "ipc/message.h"

#define MAX_METHOD 64
#define MAX_ID 128 /* an id is kept as long as its request is open */

static int id_is_sound(struct json_object *id)
{
    switch (json_object_get_type(id)) {
    case json_type_null:
    case json_type_int:
    case json_type_double:
        return 1;
    case json_type_string:
        return json_object_get_string_len(id) <= MAX_ID;
    default:
        return 0;
    }
}

int ipc_message_request(struct json_object *o, struct ipc_message *ret, const char **why)
{
    struct json_object *id = NULL, *params = NULL;
    const char *version;
    enum json_type t;

    memset(ret, 0, sizeof(*ret));
    if (json_object_get_type(o) == json_type_array) {
        *why = "batches are not taken here; send one request a line";
        return -1;
    }
    if (json_object_get_type(o) != json_type_object) {
        *why = "a request is a JSON object";
        return -1;
    }
    ret->has_id = json_object_object_get_ex(o, "id", &id);
    if (!id_is_sound(id)) {
        *why = "an id is a number or a short string";
        return -1;
    }
    ret->id = id;
    version = jdoc_str(o, "jsonrpc");
    if (version == NULL || strcmp(version, "2.0") != 0) {
        *why = "the member \"jsonrpc\" must say \"2.0\"";
        return -1;
    }
    ret->method = jdoc_str(o, "method");
    if (ret->method == NULL || ret->method[0] == '\0' || strlen(ret->method) > MAX_METHOD) {
        *why = "the member \"method\" must be a short string";
        return -1;
    }
    if (json_object_object_get_ex(o, "params", &params)) {
        t = json_object_get_type(params);
        if (t != json_type_object && t != json_type_array) {
            *why = "the member \"params\" must be an object or an array";
            return -1;
        }
    }
    ret->params = params;
    return 0;
}

static struct json_object *envelope(void)
{
    struct json_object *o = json_object_new_object();

    jdoc_set_str(o, "jsonrpc", "2.0");
    return o;
}

struct json_object *ipc_message_call(int64_t id, const char *method, struct json_object *params)
{
    struct json_object *o = envelope();

    jdoc_set_int(o, "id", id);
    jdoc_set_str(o, "method", method);
    if (params != NULL)
        json_object_object_add(o, "params", json_object_get(params));
    return o;
}

struct json_object *ipc_message_result(struct json_object *id, struct json_object *result)
{
    struct json_object *o = envelope();

    json_object_object_add(o, "id", json_object_get(id));
    json_object_object_add(o, "result", json_object_get(result));
    return o;
}

struct json_object *ipc_message_error(struct json_object *id, int code, const char *message,
                                      struct json_object *data)
{
    struct json_object *o = envelope();
    struct json_object *e = json_object_new_object();

    jdoc_set_int(e, "code", code);
    jdoc_set_str(e, "message", message);
    if (data != NULL)
        json_object_object_add(e, "data", json_object_get(data));
    json_object_object_add(o, "id", json_object_get(id));
    json_object_object_add(o, "error", e);
    return o;
}

struct json_object *ipc_message_event(struct json_object *event)
{
    struct json_object *o = envelope();

    jdoc_set_str(o, "method", "event");
    json_object_object_add(o, "params", json_object_get(event));
    return o;
}

struct json_object *ipc_message_error_data(const struct ct_err *err)
{
    struct json_object *o = json_object_new_object();

    jdoc_set_str(o, "code", err_name(err->code));
    jdoc_set_str(o, "reason", err->reason);
    if (err->http_status != 0)
        jdoc_set_int(o, "httpStatus", err->http_status);
    if (err->retry_after_s != 0)
        jdoc_set_int(o, "retryAfterSeconds", err->retry_after_s);
    return o;
}

static enum err_code code_of_name(const char *name)
{
    for (int c = ERR_FAIL; c <= ERR_BUG; c++) {
        if (strcmp(name, err_name((enum err_code)c)) == 0)
            return (enum err_code)c;
    }
    return ERR_FAIL;
}

static int small_int(const struct json_object *o, const char *key)
{
    int64_t v = jdoc_int(o, key, 0);

    return v > 0 && v <= INT_MAX ? (int)v : 0;
}

void ipc_message_error_read(const struct json_object *error, struct ct_err *err)
{
    const struct json_object *data = jdoc_obj(error, "data");
    const char *name = jdoc_str(data, "code");
    const char *reason = jdoc_str(data, "reason");
    const char *message = jdoc_str(error, "message");
    enum err_code code;

    if (name != NULL)
        code = code_of_name(name);
    else
        code = jdoc_int(error, "code", 0) == IPC_NO_METHOD ? ERR_REFUSED : ERR_FAIL;
    err_set(err, code, "%s", message != NULL ? message : "the daemon gave no reason");
    err->http_status = small_int(data, "httpStatus");
    err->retry_after_s = small_int(data, "retryAfterSeconds");
    if (reason != NULL)
        snprintf(err->reason, sizeof(err->reason), "%s", reason);
}

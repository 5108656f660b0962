#include <stdlib.h>
#include <string.h>

#include "common/base/path.h"
#include "common/base/str.h"
#include "common/config/config.h"
#include "common/data/jdoc.h"

#include "ipc/ipc.h"

#include "ipc/ctl_impl.h"

struct ctl {
    struct ipc_client *client; /* NULL: never connected */
    struct ct_err err;
};

static enum ctl_result result(const struct ctl *c)
{
    switch (c->err.code) {
    case ERR_GONE:
        return c->client == NULL || strcmp(c->err.reason, "connection_lost") == 0 ? CTL_NO_DAEMON
                                                                                  : CTL_NOT_FOUND;
    case ERR_RETRY:
        return CTL_LATER;
    default:
        return CTL_FAILED;
    }
}

char *ctl_socket(const char *given)
{
    const char *v = given != NULL ? given : getenv("CTCTL_SOCKET");

    return v != NULL && v[0] != '\0' ? path_expand(v) : NULL;
}

enum ctl_result ctl_open(const char *socket, struct ctl **ret)
{
    struct ctl *c = *ret = str_calloc(1, sizeof(*c));
    char *path = ctl_socket(socket);
    struct config *config;

    if (path == NULL) {
        if (config_load(NULL, &config, &c->err) != 0)
            return result(c);
        path = str_dup(config->socket);
        config_free(config);
    }
    (void)ipc_client_open(path, &c->client, &c->err);
    free(path);
    return c->client != NULL ? CTL_OK : result(c);
}

void ctl_close(struct ctl *c)
{
    if (c == NULL)
        return;
    ipc_client_close(c->client);
    free(c);
}

const char *ctl_error(const struct ctl *c)
{
    return c->err.msg;
}

const struct ct_err *ctl_last(const struct ctl *c)
{
    return &c->err;
}

static int is_open(struct ctl *c)
{
    if (c->client == NULL)
        err_set(&c->err, ERR_GONE, "there is no connection to a daemon");
    return c->client != NULL;
}

enum ctl_result ctl_call(struct ctl *c, const char *method, struct json_object *params,
                         int64_t timeout_ms, struct json_object **ret)
{
    struct json_object *o = NULL;

    if (!is_open(c) || ipc_client_call(c->client, method, params, timeout_ms, &o, &c->err) != 0)
        return result(c);
    if (json_object_get_type(o) != json_type_object) {
        json_object_put(o);
        err_set(&c->err, ERR_CORRUPT, "the daemon's answer to %s is not an object", method);
        return CTL_FAILED;
    }
    *ret = o;
    return CTL_OK;
}

/* The same, with ${params}, which it takes over. */
static enum ctl_result ask(struct ctl *c, const char *method, struct json_object *params,
                           int64_t timeout_ms, struct json_object **ret)
{
    enum ctl_result rc = ctl_call(c, method, params, timeout_ms, ret);

    json_object_put(params);
    return rc;
}

enum ctl_result ctl_status(struct ctl *c, int64_t timeout_ms, struct json_object **ret)
{
    return ctl_call(c, "status", NULL, timeout_ms, ret);
}

enum ctl_result ctl_list(struct ctl *c, int64_t limit, const char *cursor, int64_t timeout_ms,
                         struct json_object **ret)
{
    struct json_object *params = json_object_new_object();

    if (limit > 0)
        jdoc_set_int(params, "limit", limit);
    if (cursor != NULL)
        jdoc_set_str(params, "cursor", cursor);
    return ask(c, "list", params, timeout_ms, ret);
}

enum ctl_result ctl_show(struct ctl *c, const char *id, int64_t timeout_ms,
                         struct json_object **ret)
{
    struct json_object *params = json_object_new_object();

    jdoc_set_str(params, "id", id);
    return ask(c, "show", params, timeout_ms, ret);
}

enum ctl_result ctl_sync(struct ctl *c, const char *const *ids, size_t n, int is_waiting,
                         int64_t timeout_ms, struct json_object **ret)
{
    struct json_object *params = json_object_new_object(), *list = json_object_new_array();

    for (size_t i = 0; i < n; i++)
        json_object_array_add(list, json_object_new_string(ids[i]));
    json_object_object_add(params, "ids", list);
    jdoc_set_bool(params, "wait", is_waiting);
    return ask(c, "sync", params, timeout_ms, ret);
}

enum ctl_result ctl_subscribe(struct ctl *c, int64_t timeout_ms)
{
    struct json_object *o;
    enum ctl_result rc = ctl_call(c, "subscribe", NULL, timeout_ms, &o);

    if (rc == CTL_OK)
        json_object_put(o);
    return rc;
}

enum ctl_result ctl_event(struct ctl *c, int64_t timeout_ms, struct json_object **ret)
{
    if (!is_open(c) || ipc_client_event(c->client, timeout_ms, ret, &c->err) != 0)
        return result(c);
    return CTL_OK;
}

int ctl_fd(const struct ctl *c)
{
    return c->client != NULL ? ipc_client_fd(c->client) : -1;
}

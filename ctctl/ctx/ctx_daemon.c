#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/path.h"
#include "common/base/str.h"

#include "ctctl/ctx/ctx.h"
#include "ctctl/ctx/manager.h"

#define REFRESH_MS 3000

/* What it takes to ask the daemon, and nothing that needs a library of the rest (ctctl/front.c). */

int ctx_config(struct ctx *c, struct ct_err *err)
{
    if (c->config != NULL)
        return 0;
    if (config_load(NULL, &c->config, err) != 0)
        return -1;
    return c->find_roots != NULL ? c->find_roots(c->config, err) : 0;
}

/* --socket, else the environment, else the configuration. */
static int socket_path(struct ctx *c, char **ret, struct ct_err *err)
{
    if ((*ret = ctl_socket(c->socket)) != NULL)
        return 0;
    if (ctx_config(c, err) != 0)
        return -1;
    *ret = str_dup(c->config->socket);
    return 0;
}

const char *ctx_start_command(void)
{
    const char *v = getenv("CODETELEPORT_START_COMMAND");

    if (v != NULL && v[0] != '\0')
        return v;
    return manager_start(manager_here());
}

static int no_daemon(struct ct_err *err, const char *path)
{
    err_set(err, ERR_GONE,
            "the daemon is not running, so nothing is being saved (nobody listens on %s). "
            "Start it with: %s",
            path, ctx_start_command());
    snprintf(err->reason, sizeof(err->reason), "no_daemon");
    return -1;
}

int ctx_daemon(struct ctx *c, struct ctl **ret, struct ct_err *err)
{
    struct ct_err e;
    char *path;
    int rc;

    if (socket_path(c, &path, err) != 0)
        return -1;
    rc = ctl_open(path, ret);
    if (rc != CTL_OK) {
        e = *ctl_last(*ret);
        ctl_close(*ret);
        *ret = NULL;
        if (rc == CTL_NO_DAEMON)
            no_daemon(&e, path);
        if (err != NULL)
            *err = e;
    }
    free(path);
    return rc == CTL_OK ? 0 : -1;
}

int ctx_is_no_daemon(const struct ct_err *err)
{
    return err->code == ERR_GONE &&
           (strcmp(err->reason, "no_daemon") == 0 || strcmp(err->reason, "connection_lost") == 0);
}

int ctx_call(struct ctx *c, const char *method, struct json_object *params, int64_t timeout_ms,
             struct json_object **ret, struct ct_err *err)
{
    if (c->client == NULL && ctx_daemon(c, &c->client, err) != 0)
        return -1;
    if (ctl_call(c->client, method, params, timeout_ms, ret) == CTL_OK)
        return 0;
    if (err != NULL)
        *err = *ctl_last(c->client);
    return -1;
}

void ctx_refresh(struct ctx *c)
{
    struct json_object *o;
    struct ct_err err;

    if (ctx_call(c, "refresh", NULL, REFRESH_MS, &o, &err) == 0) {
        json_object_put(o);
    } else if (err.code == ERR_RETRY && c->client != NULL) {
        ctl_close(c->client); /* its answer may come when something else is asked */
        c->client = NULL;
    }
}

int ctx_status(const struct ct_err *err)
{
    if (ctx_is_no_daemon(err))
        return CTX_NO_DAEMON;
    switch (err->code) {
    case ERR_NONE:
        return CTX_OK;
    case ERR_AUTH:
        return CTX_NO_AUTH;
    case ERR_REFUSED:
        return err->http_status == 403 ? CTX_NO_AUTH : CTX_FAILED;
    case ERR_RETRY:
    case ERR_EXPIRED:
        return CTX_LATER;
    case ERR_CONFIG:
        return CTX_CONFIG;
    default:
        return CTX_FAILED;
    }
}

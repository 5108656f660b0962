#include <stdlib.h>
#include <string.h>

#include "api/client.h"

#include "ctctl/ctx/ctx.h"

int ctx_policy(struct ctx *c, struct http_policy *ret, struct ct_err *err)
{
    if (ctx_config(c, err) != 0)
        return -1;
    memset(ret, 0, sizeof(*ret));
    ret->ca_file = c->config->ca_file;
    ret->proxy = c->config->proxy;
    ret->allow_plain_http = c->config->allow_plain_http;
    return 0;
}

static int load_cred(struct ctx *c, struct ct_err *err)
{
    char *file;
    int rc;

    if (c->cred != NULL)
        return 0;
    file = cred_path();
    rc = cred_load(file, &c->cred, err);
    free(file);
    return rc;
}

int ctx_cloud(struct ctx *c, const char *method, const char *path, struct json_object *body,
              struct json_object **ret, struct ct_err *err)
{
    struct http_policy policy;

    if (ctx_policy(c, &policy, err) != 0 || load_cred(c, err) != 0)
        return -1;
    return api_call(&policy, c->cred->api_url, c->cred->token, method, path, body, ret, err);
}

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/client.h"
#include "common/data/jdoc.h"
#include "common/base/path.h"
#include "common/base/str.h"
#include "ctctl/ui/jout.h"
#include "ctctl/ui/term.h"

#include "ctctl/ctx/ctx.h"

void ctx_init(struct ctx *c)
{
    memset(c, 0, sizeof(*c));
    term_style(STDOUT_FILENO, &c->out);
    term_style(STDERR_FILENO, &c->err);
}

void ctx_clear(struct ctx *c)
{
    ipc_client_close(c->client);
    keyring_free(c->ring);
    free(c->account_dir);
    cred_free(c->cred);
    config_free(c->config);
    memset(c, 0, sizeof(*c));
}

int ctx_config(struct ctx *c, struct ct_err *err)
{
    if (c->config != NULL)
        return 0;
    return config_load(NULL, &c->config, err);
}

/* --socket, else the environment, else the configuration. */
static int socket_path(struct ctx *c, char **ret, struct ct_err *err)
{
    const char *v = c->socket != NULL ? c->socket : getenv("CTCTL_SOCKET");

    if (v != NULL && v[0] != '\0') {
        *ret = path_expand(v);
        return 0;
    }
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
    if (access("/run/systemd/system", F_OK) == 0)
        return "systemctl --user enable --now codeteleportd";
    return "codeteleportd";
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

int ctx_daemon(struct ctx *c, struct ipc_client **ret, struct ct_err *err)
{
    struct ct_err e;
    char *path;
    int rc;

    if (socket_path(c, &path, err) != 0)
        return -1;
    rc = ipc_client_open(path, ret, &e);
    if (rc != 0 && e.code == ERR_GONE)
        no_daemon(&e, path);
    if (rc != 0 && err != NULL)
        *err = e;
    free(path);
    return rc;
}

int ctx_is_no_daemon(const struct ct_err *err)
{
    return err->code == ERR_GONE &&
           (strcmp(err->reason, "no_daemon") == 0 || strcmp(err->reason, "connection_lost") == 0);
}

int ctx_call(struct ctx *c, const char *method, struct json_object *params, int64_t timeout_ms,
             struct json_object **ret, struct ct_err *err)
{
    struct json_object *o = NULL;

    if (c->client == NULL && ctx_daemon(c, &c->client, err) != 0)
        return -1;
    if (ipc_client_call(c->client, method, params, timeout_ms, &o, err) != 0)
        return -1;
    if (json_object_get_type(o) != json_type_object) {
        json_object_put(o);
        return err_set(err, ERR_CORRUPT, "the daemon's answer to %s is not an object", method);
    }
    *ret = o;
    return 0;
}

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

static void say_va(const struct ctx *c, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));

static void say_va(const struct ctx *c, const char *fmt, va_list ap)
{
    struct buf b = {0};
    char *raw = NULL, *clean;

    if (vasprintf(&raw, fmt, ap) < 0)
        abort();
    clean = text_clean(&c->err, raw);
    text_wrap(&b, &c->err, TEXT_PLAIN, "ctctl: ", "  ", clean);
    fputs(b.data, stderr);
    buf_free(&b);
    free(clean);
    free(raw);
}

void ctx_say(const struct ctx *c, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    say_va(c, fmt, ap);
    va_end(ap);
}

/* With --json there is a document on stdout whatever happens. */
static void json_failure(struct ctx *c, const char *code, const char *reason, const char *text)
{
    struct json_object *o, *e;

    if (!c->json || c->has_printed)
        return;
    o = json_object_new_object();
    e = json_object_new_object();
    jdoc_set_str(e, "code", code);
    jdoc_set_str(e, "reason", reason);
    jdoc_set_str(e, "message", text);
    json_object_object_add(o, "error", e);
    ctx_json(c, o);
    json_object_put(o);
}

int ctx_usage(struct ctx *c, const char *fmt, ...)
{
    struct ct_err e;
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(e.msg, sizeof(e.msg), fmt, ap);
    va_end(ap);
    ctx_say(c, "%s", e.msg);
    if (c->verb != NULL)
        ctx_say(c, "see: ctctl %s --help", c->verb);
    else
        ctx_say(c, "see: ctctl --help");
    json_failure(c, "usage", "", e.msg);
    return CTX_USAGE;
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

int ctx_fail(struct ctx *c, const struct ct_err *err)
{
    ctx_say(c, "%s", err->msg);
    if (err->code == ERR_AUTH && strstr(err->msg, "ctctl login") == NULL &&
        (c->verb == NULL || strcmp(c->verb, "login") != 0))
        ctx_say(c, "log in again with: ctctl login");
    json_failure(c, ctx_is_no_daemon(err) ? "no_daemon" : err_name(err->code), err->reason,
                 err->msg);
    return ctx_status(err);
}

void ctx_json(struct ctx *c, struct json_object *o)
{
    struct buf b = {0};

    jout_add(&b, o, c->out.is_terminal);
    buf_addc(&b, '\n');
    ctx_print(c, &b);
    buf_free(&b);
    c->has_printed = 1;
}

void ctx_print(struct ctx *c, struct buf *b)
{
    (void)c;
    if (b->len > 0)
        fwrite(b->data, 1, b->len, stdout);
    buf_reset(b);
}

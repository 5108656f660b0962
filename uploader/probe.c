#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "api/client.h"
#include "common/base/now.h"
#include "common/base/str.h"
#include "common/base/strlist.h"
#include "common/sys/secret.h"
#include "api/store_error.h"

#include "uploader/probe.h"

struct probe {
    struct http_engine *engine;
    struct probe_what what;
    char *api_url;
    char *token;
    char *path;
    void (*done)(void *arg, const struct ct_err *err);
    void *arg;
    struct api_request *request;
    struct http_call *call;
    struct strlist headers;
    int64_t url_boot_ms;
};

static void probe_free(struct probe *p)
{
    api_request_free(p->request);
    strlist_free(&p->headers);
    secret_free(p->token);
    free(p->api_url);
    free(p->path);
    free(p);
}

static void finish(struct probe *p, const struct ct_err *err)
{
    p->done(p->arg, err);
    probe_free(p);
}

static void missing(struct probe *p, const char *how)
{
    struct ct_err err;

    err_set(&err, ERR_GONE, "the server says that version %lld is there, but %s",
            (long long)p->what.version, how);
    finish(p, &err);
}

static int is_expected(const struct probe *p, const struct buf *body)
{
    struct seal_header h;

    return body->len >= SEAL_HEADER_BYTES &&
           seal_parse_header(body->data, SEAL_HEADER_BYTES, &h, NULL) == 0 &&
           h.kind == SEAL_BUNDLE && h.generation == p->what.generation &&
           memcmp(h.object_id, p->what.object_id, SEAL_OBJECT_ID_BYTES) == 0;
}

static void on_header(void *arg, const struct http_res *res, const struct ct_err *net_err)
{
    struct probe *p = arg;
    struct ct_err err;

    p->call = NULL;
    if (res == NULL) {
        finish(p, net_err);
    } else if (res->status < 200 || res->status > 299) {
        store_error(res, now_boot_ms() - p->url_boot_ms, &err);
        if (res->status == 404)
            missing(p, "its object store has nothing of it");
        else
            finish(p, &err);
    } else if (!is_expected(p, &res->body)) {
        missing(p, "what lies in its object store is something else");
    } else {
        finish(p, NULL);
    }
}

static void get_header(struct probe *p, const char *url)
{
    struct http_req req = HTTP_REQ_INIT;
    struct ct_err err;
    char *range = str_printf("Range: bytes=0-%d", SEAL_HEADER_BYTES - 1);

    strlist_add(&p->headers, range);
    free(range);
    req.method = "GET";
    req.url = url;
    req.from = p->api_url;
    req.headers = &p->headers;
    p->url_boot_ms = now_boot_ms();
    /* A store that knows no ranges sends all of it. */
    req.max_answer = 64 << 20;
    if (http_start(p->engine, &req, on_header, p, &p->call, &err) != 0) {
        p->call = NULL;
        finish(p, &err);
    }
}

static void on_address(void *arg, const struct http_res *res, const struct ct_err *net_err)
{
    struct probe *p = arg;
    struct json_object *answer = NULL;
    struct api_download_res where = {0};
    struct ct_err err;

    p->call = NULL;
    if (res == NULL) {
        finish(p, net_err);
        return;
    }
    if (api_answer(res, &answer, &err) != 0) {
        if (err.code == ERR_GONE)
            missing(p, "does not hand it out");
        else
            finish(p, &err);
        return;
    }
    if (api_download_res_parse(answer, &where, &err) != 0) {
        err.code = ERR_RETRY;
        finish(p, &err);
    } else if (where.version != p->what.version) {
        missing(p, "hands out another one under that number");
    } else {
        get_header(p, where.download_url);
    }
    api_download_res_clear(&where);
    json_object_put(answer);
}

int probe_start(struct http_engine *engine, const struct probe_what *what,
                void (*done)(void *arg, const struct ct_err *err), void *arg, struct probe **ret,
                struct ct_err *err)
{
    struct probe *p = str_calloc(1, sizeof(*p));
    char *rest = str_printf("/download?version=%lld", (long long)what->version);
    int rc;

    p->engine = engine;
    p->what = *what;
    p->api_url = str_dup(what->api_url);
    p->token = secret_dup(what->token);
    p->path = api_session_path(what->session_id, rest);
    p->done = done;
    p->arg = arg;
    free(rest);
    api_request_new(p->api_url, p->token, "GET", p->path, NULL, &p->request);
    rc = api_start(engine, p->request, on_address, p, &p->call, err);
    if (rc != 0) {
        probe_free(p);
        return -1;
    }
    *ret = p;
    return 0;
}

void probe_cancel(struct probe *p)
{
    if (p == NULL)
        return;
    if (p->call != NULL)
        http_cancel(p->call);
    probe_free(p);
}

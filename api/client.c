#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/data/jdoc.h"
#include "common/sys/secret.h"
#include "common/base/percent.h"
#include "common/base/str.h"

#include "api/client.h"

void api_request_new(const char *api_url, const char *token, const char *method, const char *path,
                     struct json_object *body, struct api_request **ret)
{
    struct api_request *r = str_calloc(1, sizeof(*r));
    char *line;
    size_t size;

    r->url = str_printf("%s%s", api_url, path);
    strlist_add(&r->headers, "Content-Type: application/json");
    strlist_add(&r->headers, "Accept: application/json");
    strlist_add(&r->headers, "X-Client-Version: " PACKAGE_VERSION);
    if (token != NULL) {
        size = sizeof("Authorization: Bearer ") + strlen(token);
        line = secret_alloc(size);
        snprintf(line, size, "Authorization: Bearer %s", token);
        strlist_add(&r->headers, line);
        secret_free(line);
    }
    r->http = (struct http_req)HTTP_REQ_INIT;
    r->http.method = method;
    r->http.url = r->url;
    r->http.headers = &r->headers;
    r->http.max_answer = 16 << 20;
    r->http.timeout_ms = 60000;
    if (body != NULL) {
        r->body = str_dup(jdoc_text(body));
        r->http.body = r->body;
        r->http.body_len = (int64_t)strlen(r->body);
    }
    *ret = r;
}

static void forget_headers(struct api_request *r)
{
    for (size_t i = 0; i < r->headers.n; i++)
        str_wipe(r->headers.v[i], strlen(r->headers.v[i]));
    strlist_free(&r->headers);
}

int api_start(struct http_engine *e, struct api_request *r,
              void (*done)(void *arg, const struct http_res *res, const struct ct_err *err),
              void *arg, struct http_call **ret, struct ct_err *err)
{
    int rc = http_start(e, &r->http, done, arg, ret, err);

    forget_headers(r); /* what is under way has copies, which go with it */
    return rc;
}

void api_request_free(struct api_request *r)
{
    if (r == NULL)
        return;
    forget_headers(r);
    if (r->body != NULL)
        str_wipe(r->body, strlen(r->body));
    free(r->body);
    free(r->url);
    free(r);
}

static enum err_code code_of_status(int status)
{
    switch (status) {
    case 401:
        return ERR_AUTH;
    case 404:
        return ERR_GONE;
    case 409:
        return ERR_CONFLICT;
    case 408:
    case 429:
        return ERR_RETRY;
    default:
        return status >= 400 && status < 500 ? ERR_REFUSED : ERR_RETRY;
    }
}

#define SENTENCE 240 /* characters; others put their own before and behind it */

/* The sentence goes to terminals and logs: it is text from outside.  What is too long ends with a
 * whole word. */
static void take_sentence(struct ct_err *err, const char *said, int status)
{
    char *clean;
    size_t n;

    if (said == NULL || said[0] == '\0') {
        snprintf(err->msg, sizeof(err->msg), "the server answered with status %d", status);
        return;
    }
    clean = str_printable(said);
    n = str_utf8_cut(clean, strlen(clean), SENTENCE);
    while (clean[n] != '\0' && n > 0 && clean[n] != ' ')
        n--;
    snprintf(err->msg, sizeof(err->msg), "%.*s%s", (int)n, clean, clean[n] != '\0' ? " ..." : "");
    free(clean);
}

static int not_this_api(const struct http_res *res, struct ct_err *err)
{
    int is_html = strncmp(res->content_type, "text/html", 9) == 0;
    char type[80];

    str_escape(res->content_type, strlen(res->content_type), type, sizeof(type));
    err_set(err, ERR_RETRY,
            "what answers there is not a CodeTeleport server (status %d, %s%s); check the address, "
            "or a proxy or portal in between",
            res->status, type[0] != '\0' ? type : "no content type", is_html ? ": a web page" : "");
    if (err != NULL) {
        err->http_status = res->status;
        err->retry_after_s = res->retry_after_s; /* a proxy in front may ask for patience too */
    }
    return -1;
}

int api_answer(const struct http_res *res, struct json_object **ret, struct ct_err *err)
{
    struct json_object *o = NULL;
    struct ct_err scratch = {0};
    const char *reason;

    if (err == NULL)
        err = &scratch;
    if (jdoc_parse(res->body.data, res->body.len, &o, NULL) != 0 ||
        json_object_get_type(o) != json_type_object) {
        json_object_put(o);
        return not_this_api(res, err);
    }
    if (res->status >= 200 && res->status < 300) {
        *ret = o;
        return 0;
    }
    err_set(err, code_of_status(res->status), "-");
    take_sentence(err, jdoc_str(o, "message"), res->status);
    reason = jdoc_str(o, "error");
    if (reason != NULL)
        str_escape(reason, strlen(reason), err->reason, sizeof(err->reason));
    err->http_status = res->status;
    err->retry_after_s = res->retry_after_s;
    json_object_put(o);
    return -1;
}

int api_call(const struct http_policy *policy, const char *api_url, const char *token,
             const char *method, const char *path, struct json_object *body,
             struct json_object **ret, struct ct_err *err)
{
    struct api_request *r;
    struct http_res res = {0};
    int rc;

    api_request_new(api_url, token, method, path, body, &r);
    rc = http_perform(policy, &r->http, &res, err);
    if (rc == 0)
        rc = api_answer(&res, ret, err);
    http_res_free(&res);
    api_request_free(r);
    return rc;
}

char *api_session_path(const char *session_id, const char *rest)
{
    char *id = percent_encode(session_id);
    char *path = str_printf("/sessions/%s%s", id, rest);

    free(id);
    return path;
}

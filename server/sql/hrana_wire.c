#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/hash.h"
#include "common/data/jdoc.h"
#include "common/sys/secret.h"
#include "common/base/str.h"

#include "server/sql/hrana_wire.h"
#include "server/sql/sql_impl.h"

#define TIMEOUT_MS 30000
#define MAX_ANSWER (64 << 20)

struct hrana_wire {
    struct http_pool *pool;
    char *url; /* "https://host[:port]" */
    char *authorization;
};

static char *bearer(const char *token)
{
    size_t size = sizeof("Authorization: Bearer ") + strlen(token);
    char *line = secret_alloc(size);

    snprintf(line, size, "Authorization: Bearer %s", token);
    return line;
}

int hrana_wire_new(const char *url, const char *token, const struct http_policy *policy,
                   struct hrana_wire **ret, struct ct_err *err)
{
    int is_libsql = strncmp(url, "libsql://", 9) == 0;
    char *base = is_libsql ? str_printf("https://%s", url + 9) : str_dup(url);
    struct hrana_wire *w;
    struct http_pool *pool;
    size_t n = strlen(base);

    while (n > 0 && base[n - 1] == '/')
        base[--n] = '\0';
    if (http_url_allowed(base, policy, err) != 0)
        goto err0;
    if (strpbrk(base, "?#@ ") != NULL || (token != NULL && strpbrk(token, "\r\n ") != NULL)) {
        err_set(err, ERR_CONFIG, "the database has to be libsql://HOST[:PORT], its token one word");
        goto err0;
    }
    if (http_pool_new(policy, &pool, err) != 0)
        goto err0;
    w = str_calloc(1, sizeof(*w));
    w->pool = pool;
    w->url = base;
    w->authorization = token != NULL ? bearer(token) : NULL;
    *ret = w;
    return 0;

err0:
    free(base);
    return -1;
}

void hrana_wire_free(struct hrana_wire *w)
{
    if (w == NULL)
        return;
    http_pool_free(w->pool);
    secret_free(w->authorization);
    free(w->url);
    free(w);
}

void hrana_stream_clear(struct hrana_stream *s)
{
    free(s->baton);
    free(s->base_url);
    s->baton = s->base_url = NULL;
}

static int starts(const char *s, const char *with)
{
    return strncmp(s, with, strlen(with)) == 0;
}

int hrana_wire_error(const struct json_object *error, struct ct_err *err)
{
    const char *code = jdoc_str(error, "code"), *text = jdoc_str(error, "message");
    enum err_code policy = ERR_FAIL;
    char shown[300];

    if (code == NULL)
        code = "";
    if (text == NULL)
        text = "";
    str_escape(text, strlen(text), shown, sizeof(shown));
    if (starts(code, "SQLITE_CONSTRAINT") && strstr(text, "FOREIGN KEY") != NULL)
        return err_set(err, ERR_AUTH, SQL_ORPHAN);
    if (starts(code, "SQLITE_BUSY") || starts(code, "SQLITE_LOCKED") ||
        starts(code, "SQLITE_CONSTRAINT"))
        policy = ERR_CONFLICT;
    else if (starts(code, "SQLITE_FULL"))
        policy = ERR_NOSPACE;
    else if (starts(code, "SQLITE_CORRUPT") || starts(code, "SQLITE_NOTADB"))
        policy = ERR_CORRUPT;
    else if (starts(code, "STREAM_") || starts(code, "TRANSACTION_") ||
             strstr(code, "TIMEOUT") != NULL)
        policy = ERR_RETRY;
    err_set(err, policy, "the database server says: %s", shown);
    if (err != NULL)
        str_escape(code, strlen(code), err->reason, sizeof(err->reason));
    return -1;
}

/* An answer that is no pipeline's. */
static int refused(const struct http_res *res, struct ct_err *err)
{
    struct json_object *o = NULL;
    const char *text = NULL;
    char shown[200] = "";
    enum err_code policy = ERR_RETRY;

    if (res->body.len > 0 && jdoc_parse(res->body.data, res->body.len, &o, NULL) == 0)
        text = jdoc_str(o, "message") != NULL ? jdoc_str(o, "message") : jdoc_str(o, "error");
    if (text != NULL)
        str_escape(text, strlen(text), shown, sizeof(shown));
    json_object_put(o);
    if (res->status == 401 || res->status == 403)
        return err_set(err, ERR_CONFIG,
                       "the database server refuses the token (%d %s); look at database_token",
                       res->status, shown);
    if (res->status == 404)
        policy = ERR_CONFIG;
    return err_set(err, policy, "the database server answered %d %s", res->status, shown);
}

/* A stream's next request has to carry the new baton, and go where the server wants it. */
static void take_baton(struct hrana_stream *s, const struct json_object *answer)
{
    const char *baton = jdoc_str(answer, "baton"), *base = jdoc_str(answer, "base_url");
    char *old_base = s->base_url;

    s->base_url = NULL;
    free(s->baton);
    s->baton = baton != NULL ? str_dup(baton) : NULL;
    if (baton != NULL && base != NULL)
        s->base_url = str_dup(base);
    else if (baton != NULL && old_base != NULL)
        s->base_url = str_dup(old_base);
    free(old_base);
}

static int take_results(const struct json_object *answer, size_t n, struct json_object **ret,
                        struct ct_err *err)
{
    struct json_object *results = jdoc_array(answer, "results"), *responses;

    if (results == NULL || json_object_array_length(results) != n)
        return err_set(err, ERR_CORRUPT, "the database server's answer is no pipeline's");
    responses = json_object_new_array();
    for (size_t i = 0; i < n; i++) {
        struct json_object *one = json_object_array_get_idx(results, i);
        struct json_object *response = jdoc_obj(one, "response");
        if (response == NULL) {
            hrana_wire_error(jdoc_obj(one, "error"), err);
            json_object_put(responses);
            return -1;
        }
        json_object_array_add(responses, json_object_get(response));
    }
    *ret = responses;
    return 0;
}

static int post(struct hrana_wire *w, const char *base_url, struct json_object *body,
                struct http_res *res, struct ct_err *err)
{
    struct http_req req = HTTP_REQ_INIT;
    struct strlist headers = {0};
    char *url = str_printf("%s/v2/pipeline", base_url != NULL ? base_url : w->url);
    const char *text = jdoc_text(body);
    int rc;

    strlist_add(&headers, "Content-Type: application/json");
    if (w->authorization != NULL)
        strlist_add(&headers, w->authorization);
    req.method = "POST";
    req.url = url;
    req.headers = &headers;
    req.body = text;
    req.body_len = (int64_t)strlen(text);
    req.max_answer = MAX_ANSWER;
    req.timeout_ms = TIMEOUT_MS;
    rc = http_pool_perform(w->pool, &req, res, err);
    strlist_free(&headers);
    free(url);
    return rc;
}

int hrana_wire_send(struct hrana_wire *w, struct hrana_stream *s, struct json_object *requests,
                    struct json_object **ret, struct ct_err *err)
{
    struct json_object *body = json_object_new_object(), *answer = NULL;
    size_t n = json_object_array_length(requests);
    struct http_res res = {0};
    int rc;

    jdoc_set_str(body, "baton", s->baton);
    json_object_object_add(body, "requests", requests);
    rc = post(w, s->base_url, body, &res, err);
    if (rc == 0 && res.status != 200)
        rc = refused(&res, err);
    if (rc == 0 && jdoc_parse(res.body.data, res.body.len, &answer, err) != 0)
        rc = err_prefix(err, "the database server's answer");
    /* Whatever became of the stream: its old baton is spent. */
    if (rc != 0)
        hrana_stream_clear(s);
    else
        take_baton(s, answer);
    if (rc == 0)
        rc = take_results(answer, n, ret, err);
    json_object_put(answer);
    json_object_put(body);
    http_res_free(&res);
    return rc;
}

struct json_object *hrana_wire_request(const char *type)
{
    struct json_object *o = json_object_new_object();

    jdoc_set_str(o, "type", type);
    return o;
}

static struct json_object *blob(const void *p, size_t n)
{
    struct json_object *o = hrana_wire_request("blob");
    char *text = hash_base64(p, n);

    text[strcspn(text, "=")] = '\0';
    jdoc_set_str(o, "base64", text);
    free(text);
    return o;
}

static struct json_object *integer(int64_t v)
{
    struct json_object *o = hrana_wire_request("integer");
    char text[24];

    snprintf(text, sizeof(text), "%lld", (long long)v);
    jdoc_set_str(o, "value", text);
    return o;
}

static struct json_object *text_or_null(const char *s)
{
    struct json_object *o = hrana_wire_request(s != NULL ? "text" : "null");

    if (s != NULL)
        jdoc_set_str(o, "value", s);
    return o;
}

struct json_object *hrana_wire_stmt(const char *sql, const char *types, va_list ap, int want_rows)
{
    struct json_object *o = json_object_new_object(), *args = json_object_new_array();

    for (; *types != '\0'; types++) {
        if (*types == 's') {
            json_object_array_add(args, text_or_null(va_arg(ap, const char *)));
        } else if (*types == 'i') {
            json_object_array_add(args, integer(va_arg(ap, int64_t)));
        } else {
            const void *p = va_arg(ap, const void *);
            json_object_array_add(args, blob(p, va_arg(ap, size_t)));
        }
    }
    jdoc_set_str(o, "sql", sql);
    json_object_object_add(o, "args", args);
    jdoc_set_bool(o, "want_rows", want_rows);
    return o;
}

struct json_object *hrana_wire_plain(const char *sql)
{
    struct json_object *o = json_object_new_object();

    jdoc_set_str(o, "sql", sql);
    jdoc_set_bool(o, "want_rows", 0);
    return o;
}

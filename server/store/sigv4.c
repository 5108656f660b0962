#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/hash.h"
#include "common/base/percent.h"
#include "common/base/str.h"

#include "server/store/sigv4_impl.h"

/* SHA-256 of nothing: the requests that we make ourselves have no body. */
#define NO_BODY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

#define OWN_HEADERS 3 /* host, and two of x-amz-* */

/* A request in its canonical form. */
struct form {
    struct sigv4_header headers[SIGV4_MAX_HEADERS + OWN_HEADERS];
    int n;
    struct buf names, lines; /* "a;b" and "a:value\nb:value\n" */
    struct sigv4_params params;
    char when[17];
    char *scope; /* "KEY/20261123/auto/s3/aws4_request" */
};

static void add_header(struct form *f, const char *name, const char *value)
{
    f->headers[f->n].name = name;
    f->headers[f->n++].value = value;
}

static void begin(struct form *f, const struct sigv4_cred *cred, const struct sigv4_request *req)
{
    for (int i = 0; i < req->n_headers; i++)
        add_header(f, req->headers[i].name, req->headers[i].value);
    add_header(f, "host", strstr(req->base_url, "://") + 3);
    for (int i = 0; i < req->n_query; i++)
        sigv4_params_add(&f->params, req->query[i].name, req->query[i].value);
    sigv4_time(req->now_ms, f->when);
    f->scope = str_printf("%s/%.8s/%s/s3/aws4_request", cred->key_id, f->when, cred->region);
}

static int compare_headers(const void *a, const void *b)
{
    const struct sigv4_header *x = a, *y = b;

    return strcmp(x->name, y->name);
}

static void sort_headers(struct form *f)
{
    qsort(f->headers, (size_t)f->n, sizeof(f->headers[0]), compare_headers);
    for (int i = 0; i < f->n; i++) {
        buf_printf(&f->names, "%s%s", i > 0 ? ";" : "", f->headers[i].name);
        buf_printf(&f->lines, "%s:", f->headers[i].name);
        sigv4_add_trimmed(&f->lines, f->headers[i].value);
        buf_addc(&f->lines, '\n');
    }
}

/* The URL, which ends in "?..." if there are parameters. */
static void add_url(struct buf *b, const struct form *f, const struct sigv4_request *req)
{
    buf_addstr(b, req->base_url);
    percent_add(b, req->path, strlen(req->path), "/");
    if (f->params.n == 0)
        return;
    buf_addc(b, '?');
    sigv4_add_query(b, &f->params);
}

static void end(struct form *f)
{
    sigv4_params_free(&f->params);
    free(f->scope);
    buf_free(&f->names);
    buf_free(&f->lines);
}

char *sigv4_presign(const struct sigv4_cred *cred, const struct sigv4_request *req)
{
    struct form f = {0};
    struct buf url = {0};
    char sig[HASH_SHA256_HEX], expires[24];

    begin(&f, cred, req);
    sort_headers(&f);
    snprintf(expires, sizeof(expires), "%ld", req->expires_s);
    sigv4_params_add(&f.params, "X-Amz-Algorithm", SIGV4_ALGORITHM);
    sigv4_params_add(&f.params, "X-Amz-Credential", f.scope);
    sigv4_params_add(&f.params, "X-Amz-Date", f.when);
    sigv4_params_add(&f.params, "X-Amz-Expires", expires);
    sigv4_params_add(&f.params, "X-Amz-SignedHeaders", f.names.data);
    sigv4_signature(cred, req->method, req->path, &f.params, f.lines.data, f.names.data,
                    SIGV4_UNSIGNED, f.when, sig);
    add_url(&url, &f, req);
    buf_printf(&url, "&" SIGV4_SIGNATURE "=%s", sig);
    end(&f);
    return buf_steal(&url);
}

static void add_line(struct strlist *l, char *line)
{
    strlist_add(l, line);
    free(line);
}

char *sigv4_authorize(const struct sigv4_cred *cred, const struct sigv4_request *req,
                      struct strlist *ret_headers)
{
    struct form f = {0};
    struct buf url = {0};
    char sig[HASH_SHA256_HEX];

    begin(&f, cred, req);
    add_header(&f, "x-amz-content-sha256", NO_BODY);
    add_header(&f, "x-amz-date", f.when);
    sort_headers(&f);
    sigv4_signature(cred, req->method, req->path, &f.params, f.lines.data, f.names.data, NO_BODY,
                    f.when, sig);
    add_url(&url, &f, req);
    for (int i = 0; i < req->n_headers; i++)
        add_line(ret_headers, str_printf("%s: %s", req->headers[i].name, req->headers[i].value));
    add_line(ret_headers, str_dup("x-amz-content-sha256: " NO_BODY));
    add_line(ret_headers, str_printf("x-amz-date: %s", f.when));
    add_line(ret_headers, str_printf("Authorization: " SIGV4_ALGORITHM
                                     " Credential=%s, SignedHeaders=%s, Signature=%s",
                                     f.scope, f.names.data, sig));
    end(&f);
    return buf_steal(&url);
}

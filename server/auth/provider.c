#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/str.h"
#include "common/data/jdoc.h"

#include "server/auth/provider.h"

#define ROUTES "/v1/auth/"
#define MAX_ANSWER (256 * 1024)
#define CALL_TIMEOUT_MS 10000

static const struct provider *const providers[] = {&provider_github, &provider_oidc};

const struct provider *provider_of(const char *route)
{
    size_t n;

    if (strncmp(route, ROUTES, strlen(ROUTES)) != 0)
        return NULL;
    route += strlen(ROUTES);
    n = strcspn(route, "/");
    for (size_t i = 0; i < sizeof(providers) / sizeof(providers[0]); i++) {
        if (strlen(providers[i]->name) == n && strncmp(providers[i]->name, route, n) == 0)
            return providers[i];
    }
    return NULL;
}

void provider_person_clear(struct provider_person *p)
{
    strlist_free(&p->emails);
    memset(p, 0, sizeof(*p));
}

void provider_wipe(char *s)
{
    if (s != NULL)
        str_wipe(s, strlen(s));
    free(s);
}

void provider_field(struct buf *b, const char *name, const char *value)
{
    char *escaped = http_url_escape(value);

    buf_printf(b, "%s%s=%s", b->len > 0 ? "&" : "", name, escaped);
    provider_wipe(escaped);
}

int provider_is_token(const char *s)
{
    size_t n = strlen(s);

    return n > 0 && n < 8192 &&
           strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/=") == n;
}

int provider_call(const struct settings *s, const char *word, struct http_req *req,
                  struct json_object **ret, struct ct_err *err)
{
    const struct http_policy policy = {.ca_file = s->ca_file, .allow_plain_http = 1};
    struct http_res res = {0};
    int rc;

    req->max_answer = MAX_ANSWER;
    req->timeout_ms = CALL_TIMEOUT_MS;
    if (http_perform(&policy, req, &res, err) != 0)
        return -1;
    if (res.status == 404)
        rc = err_set(err, ERR_GONE, "%s does not know that", word);
    else if (res.status == 400 || res.status == 401)
        rc = err_set(err, ERR_AUTH, "%s answered with status %d", word, res.status);
    else if (res.status != 200)
        rc = err_set(err, ERR_FAIL, "%s answered with status %d", word, res.status);
    else if (jdoc_parse(res.body.data, res.body.len, ret, err) != 0)
        rc = err_prefix(err, "the answer of %s", word);
    else
        rc = 0;
    if (res.body.data != NULL)
        str_wipe(res.body.data, res.body.len); /* some hold a token */
    http_res_free(&res);
    return rc;
}

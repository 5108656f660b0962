#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/map.h"
#include "common/base/now.h"
#include "common/base/percent.h"
#include "common/base/str.h"
#include "common/data/jdoc.h"

#include "server/auth/provider.h"

#define ROUTES "/v1/auth/"
#define MAX_ANSWER (256 * 1024)
#define CALL_TIMEOUT_MS 10000
#define REMEMBER_MS (5 * 60 * 1000)
#define MAX_REMEMBERED 8

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
    char *escaped = percent_encode(value);

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

/* ---- what is remembered ------------------------------------------------------------------------
 */

/* As text: a json_object is of one thread. */
struct document {
    char *text;
    int64_t until_ms;
};

struct provider_memory {
    pthread_mutex_t mutex;
    struct map *documents; /* by their URLs */
};

struct provider_memory *provider_memory_new(void)
{
    struct provider_memory *m = str_calloc(1, sizeof(*m));

    pthread_mutex_init(&m->mutex, NULL);
    m->documents = map_new();
    return m;
}

static int forget(void *arg, const char *url, void *value)
{
    struct document *d = value;

    map_remove(arg, url);
    free(d->text);
    free(d);
    return 0;
}

void provider_memory_free(struct provider_memory *m)
{
    if (m == NULL)
        return;
    map_each(m->documents, forget, m->documents);
    map_free(m->documents);
    pthread_mutex_destroy(&m->mutex);
    free(m);
}

struct json_object *provider_recall(struct provider_memory *m, const char *url)
{
    struct json_object *ret = NULL;
    const struct document *d;

    pthread_mutex_lock(&m->mutex);
    d = map_get(m->documents, url);
    if (d != NULL && now_mono_ms() < d->until_ms &&
        jdoc_parse(d->text, strlen(d->text), &ret, NULL) != 0)
        ret = NULL;
    pthread_mutex_unlock(&m->mutex);
    return ret;
}

void provider_remember(struct provider_memory *m, const char *url, struct json_object *document)
{
    struct document *d = str_calloc(1, sizeof(*d)), *old;

    d->text = str_dup(jdoc_text(document));
    d->until_ms = now_mono_ms() + REMEMBER_MS;
    pthread_mutex_lock(&m->mutex);
    /* Others are of settings that were reloaded, or of an issuer that goes on changing them. */
    if (map_size(m->documents) >= MAX_REMEMBERED)
        map_each(m->documents, forget, m->documents);
    old = map_get(m->documents, url);
    if (old != NULL)
        forget(m->documents, url, old);
    map_put(m->documents, url, d);
    pthread_mutex_unlock(&m->mutex);
}

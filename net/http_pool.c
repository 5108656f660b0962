#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/sys/secret.h"
#include "common/base/str.h"

#include "net/http_call.h"

#define MAX_IDLE 16

/* An easy handle keeps its connections; whoever comes last left the warmest. */
struct http_pool {
    struct http_policy policy;
    pthread_mutex_t mutex;
    CURL *idle[MAX_IDLE];
    int n_idle;
};

int http_pool_new(const struct http_policy *policy, struct http_pool **ret, struct ct_err *err)
{
    struct http_pool *p;

    if (http_library(err) != 0)
        return -1;
    p = str_calloc(1, sizeof(*p));
    p->policy = *policy;
    p->policy.ca_file = policy->ca_file != NULL ? str_dup(policy->ca_file) : NULL;
    p->policy.proxy = secret_dup(policy->proxy);
    pthread_mutex_init(&p->mutex, NULL);
    *ret = p;
    return 0;
}

static CURL *take(struct http_pool *p)
{
    CURL *easy = NULL;

    pthread_mutex_lock(&p->mutex);
    if (p->n_idle > 0)
        easy = p->idle[--p->n_idle];
    pthread_mutex_unlock(&p->mutex);
    return easy;
}

static void give_back(struct http_pool *p, CURL *easy)
{
    if (easy == NULL)
        return;
    curl_easy_reset(easy);
    pthread_mutex_lock(&p->mutex);
    if (p->n_idle < MAX_IDLE) {
        p->idle[p->n_idle++] = easy;
        easy = NULL;
    }
    pthread_mutex_unlock(&p->mutex);
    if (easy != NULL)
        curl_easy_cleanup(easy);
}

int http_pool_perform(struct http_pool *p, const struct http_req *req, struct http_res *res,
                      struct ct_err *err)
{
    struct http_exchange x;
    CURL *easy = take(p);
    int rc;

    if (http_exchange_init(&x, easy, &p->policy, req, err) != 0) {
        give_back(p, easy);
        return -1;
    }
    rc = http_exchange_end(&x, curl_easy_perform(x.easy), err);
    if (rc == 0) {
        *res = x.res;
        memset(&x.res, 0, sizeof(x.res));
    }
    give_back(p, x.easy);
    x.easy = NULL;
    http_exchange_clear(&x);
    return rc;
}

void http_pool_free(struct http_pool *p)
{
    if (p == NULL)
        return;
    while (p->n_idle > 0)
        curl_easy_cleanup(p->idle[--p->n_idle]);
    pthread_mutex_destroy(&p->mutex);
    free((char *)(uintptr_t)p->policy.ca_file);
    secret_free((char *)(uintptr_t)p->policy.proxy);
    free(p);
}

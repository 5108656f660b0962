#include <stdlib.h>

#include "common/base/now.h"
#include "common/base/str.h"

#include "server/web/web_impl.h"

#define STACK_BYTES (512 * 1024)

/* Jobs that block are done here, while the connection that they are for is suspended. */

static struct web_req *take(struct web_pool *p)
{
    struct web_req *r;

    while (p->first == NULL && !p->is_stopping && p->n_alive <= p->keep)
        pthread_cond_wait(&p->is_there, &p->mutex);
    r = p->first;
    if (r == NULL)
        return NULL;
    p->first = r->next_job;
    p->moved_ms = now_mono_ms();
    if (p->first == NULL)
        p->last = NULL;
    return r;
}

static void *work(void *arg)
{
    struct web_pool *p = arg;
    struct web_req *r;

    pthread_mutex_lock(&p->mutex);
    while ((r = take(p)) != NULL) {
        pthread_mutex_unlock(&p->mutex);
        p->run(r);
        pthread_mutex_lock(&p->mutex);
    }
    p->n_alive--;
    pthread_mutex_unlock(&p->mutex);
    return NULL;
}

int web_pool_start(struct web_pool *p, int n, void (*run)(struct web_req *r))
{
    pthread_attr_t attr;
    int rc = 0;

    p->run = run;
    p->n_alive = p->keep = n;
    pthread_mutex_init(&p->mutex, NULL);
    pthread_cond_init(&p->is_there, NULL);
    p->threads = str_calloc((size_t)n, sizeof(*p->threads));
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, STACK_BYTES);
    while (rc == 0 && p->n < n) {
        rc = pthread_create(&p->threads[p->n], &attr, work, p);
        p->n += rc == 0;
    }
    pthread_attr_destroy(&attr);
    if (rc != 0)
        web_pool_stop(p);
    return rc;
}

void web_pool_shrink(struct web_pool *p, int n)
{
    pthread_mutex_lock(&p->mutex);
    p->keep = n;
    pthread_cond_broadcast(&p->is_there);
    pthread_mutex_unlock(&p->mutex);
}

int web_pool_add(struct web_pool *p, struct web_req *r)
{
    int rc = 0;

    pthread_mutex_lock(&p->mutex);
    if (p->is_stopping) {
        rc = -1;
    } else {
        /* Before it is in the queue: whoever does the job resumes it. */
        MHD_suspend_connection(r->con);
        r->next_job = NULL;
        if (p->last != NULL)
            p->last->next_job = r;
        else
            p->first = r;
        if (p->first == r)
            p->moved_ms = now_mono_ms();
        p->last = r;
        pthread_cond_signal(&p->is_there);
    }
    pthread_mutex_unlock(&p->mutex);
    return rc;
}

int64_t web_pool_waits_ms(struct web_pool *p)
{
    int64_t ms;

    pthread_mutex_lock(&p->mutex);
    ms = p->first != NULL ? now_mono_ms() - p->moved_ms : 0;
    pthread_mutex_unlock(&p->mutex);
    return ms;
}

void web_pool_stop(struct web_pool *p)
{
    pthread_mutex_lock(&p->mutex);
    p->is_stopping = 1;
    pthread_cond_broadcast(&p->is_there);
    pthread_mutex_unlock(&p->mutex);
    for (int i = 0; i < p->n; i++)
        pthread_join(p->threads[i], NULL);
    free(p->threads);
    pthread_cond_destroy(&p->is_there);
    pthread_mutex_destroy(&p->mutex);
}

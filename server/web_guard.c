#include <sys/socket.h>

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <time.h>

#include "common/now.h"
#include "common/str.h"

#include "server/web_impl.h"

#define GRACE_MS (60 * 1000)
#define BYTES_PER_MS 1 /* a body slower than this, averaged, is no honest one */
#define LOOK_EVERY_S 2

/*
 * The library's timeout counts silence only: who sends a byte a minute stays for ever.  shutdown()
 * from here makes the connection's own thread see its end and clean up; the lock that
 * web_guard_remove() takes keeps the descriptor ours until then.
 */
static void *watch(void *arg)
{
    struct web_guard *g = arg;

    pthread_mutex_lock(&g->mutex);
    while (!g->stopping) {
        struct timespec until;
        int64_t now = now_mono_ms();

        for (struct web_conn *c = g->first; c != NULL; c = c->next) {
            if (now > c->deadline_ms) {
                shutdown(c->fd, SHUT_RDWR);
                c->deadline_ms = INT64_MAX;
            }
        }
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += LOOK_EVERY_S;
        pthread_cond_timedwait(&g->wake, &g->mutex, &until);
    }
    pthread_mutex_unlock(&g->mutex);
    return NULL;
}

int web_guard_start(struct web_guard *g, unsigned int idle_s)
{
    pthread_condattr_t attr;

    g->idle_s = idle_s;
    pthread_mutex_init(&g->mutex, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&g->wake, &attr);
    pthread_condattr_destroy(&attr);
    errno = pthread_create(&g->thread, NULL, watch, g);
    return errno == 0 ? 0 : -1;
}

void web_guard_stop(struct web_guard *g)
{
    pthread_mutex_lock(&g->mutex);
    g->stopping = 1;
    pthread_cond_signal(&g->wake);
    pthread_mutex_unlock(&g->mutex);
    pthread_join(g->thread, NULL);
    pthread_cond_destroy(&g->wake);
    pthread_mutex_destroy(&g->mutex);
}

static void set_deadline(struct web_guard *g, struct web_conn *c, int64_t deadline_ms)
{
    if (c == NULL)
        return;
    pthread_mutex_lock(&g->mutex);
    c->deadline_ms = deadline_ms;
    pthread_mutex_unlock(&g->mutex);
}

/* A silent connection ends by the library's timeout; a head that drips in gets a little more. */
static int64_t idle_deadline(const struct web_guard *g)
{
    return now_mono_ms() + ((int64_t)g->idle_s + 15) * 1000;
}

struct web_conn *web_guard_add(struct web_guard *g, int fd)
{
    struct web_conn *c = str_calloc(1, sizeof(*c));

    c->fd = fd;
    c->deadline_ms = idle_deadline(g);
    pthread_mutex_lock(&g->mutex);
    c->next = g->first;
    if (g->first != NULL)
        g->first->prev = c;
    g->first = c;
    pthread_mutex_unlock(&g->mutex);
    return c;
}

void web_guard_remove(struct web_guard *g, struct web_conn *c)
{
    if (c == NULL)
        return;
    pthread_mutex_lock(&g->mutex);
    if (c->prev != NULL)
        c->prev->next = c->next;
    else
        g->first = c->next;
    if (c->next != NULL)
        c->next->prev = c->prev;
    pthread_mutex_unlock(&g->mutex);
    free(c);
}

void web_guard_idle(struct web_guard *g, struct web_conn *c)
{
    set_deadline(g, c, idle_deadline(g));
}

void web_guard_transfer(struct web_guard *g, struct web_conn *c, int64_t started_ms, int64_t bytes)
{
    set_deadline(g, c, started_ms + GRACE_MS + bytes / BYTES_PER_MS);
}

void web_guard_free_run(struct web_guard *g, struct web_conn *c)
{
    set_deadline(g, c, INT64_MAX);
}

#include <sys/socket.h>

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/fd.h"
#include "common/base/now.h"
#include "common/base/str.h"

#include "server/web/web_impl.h"

#define GRACE_MS (60 * 1000)
#define BYTES_PER_MS 1 /* a body slower than this, averaged, is no honest one */
#define LOOK_EVERY_MS 2000

/*
 * The library's timeout counts silence only: who sends a byte a minute stays for ever.  shutdown()
 * from here makes the connection's own thread see its end and clean up; the lock that
 * web_guard_remove() takes keeps the descriptor ours until then.
 */
static void *watch(void *arg)
{
    struct web_guard *g = arg;
    struct pollfd stop = {.fd = g->wake[0], .events = POLLIN};

    do {
        int64_t now = now_mono_ms();

        pthread_mutex_lock(&g->mutex);
        for (struct web_conn *c = g->first; c != NULL; c = c->next) {
            if (now > c->deadline_ms) {
                shutdown(c->fd, SHUT_RDWR);
                c->deadline_ms = INT64_MAX;
            }
        }
        pthread_mutex_unlock(&g->mutex);
    } while (poll(&stop, 1, LOOK_EVERY_MS) <= 0);
    return NULL;
}

int web_guard_start(struct web_guard *g, unsigned int idle_s)
{
    g->idle_s = idle_s;
    if (fd_pipe(g->wake) != 0)
        return -1;
    pthread_mutex_init(&g->mutex, NULL);
    errno = pthread_create(&g->thread, NULL, watch, g);
    if (errno == 0)
        return 0;
    pthread_mutex_destroy(&g->mutex);
    close(g->wake[0]);
    close(g->wake[1]);
    return -1;
}

void web_guard_stop(struct web_guard *g)
{
    close(g->wake[1]);
    pthread_join(g->thread, NULL);
    close(g->wake[0]);
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

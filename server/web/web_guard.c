#include <sys/socket.h>

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/fd.h"
#include "common/base/log.h"
#include "common/base/map.h"
#include "common/base/now.h"
#include "common/base/str.h"

#include "server/web/web_impl.h"

#define GRACE_MS (60 * 1000)
#define BYTES_PER_MS 1 /* a body slower than this, averaged, is no honest one */
#define LOOK_EVERY_MS 1000
#define LOG_EVERY_MS (60 * 1000)
#define MAX_LEAVING 64            /* connections that were ended for others and have not gone yet */
#define FIRST_WORD_MS 250         /* a newcomer has so long to say who it is, however many come */
#define KEEP_ALIVE_MS (10 * 1000) /* for the next request, and for the first one */

/* Under the lock. */
static void log_refused(struct web_guard *g, int64_t now_ms)
{
    if (g->refused == 0 || now_ms - g->logged_ms < LOG_EVERY_MS)
        return;
    log_warn("connections-refused listener=%s n=%ld last=%s open=%d", g->name, g->refused,
             g->refused_network, g->n);
    g->refused = 0;
    g->logged_ms = now_ms;
}

/*
 * The library's timeout counts silence only: who sends a byte a minute stays for ever.  shutdown()
 * from here makes the library see its end and clean up; the lock that web_guard_remove() takes
 * keeps the descriptor ours until then.
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
        log_refused(g, now);
        pthread_mutex_unlock(&g->mutex);
    } while (poll(&stop, 1, LOOK_EVERY_MS) <= 0);
    return NULL;
}

int web_guard_start(struct web_guard *g, const struct web_config *config)
{
    g->name = config->name;
    g->stats = config->stats;
    g->max = config->max_connections;
    g->max_per_address = config->max_per_address;
    g->proxies = config->proxies;
    g->logged_ms = now_mono_ms() - LOG_EVERY_MS;
    if (fd_pipe(g->wake) != 0)
        return -1;
    g->networks = map_new();
    pthread_mutex_init(&g->mutex, NULL);
    errno = pthread_create(&g->thread, NULL, watch, g);
    if (errno == 0)
        return 0;
    pthread_mutex_destroy(&g->mutex);
    map_free(g->networks);
    close(g->wake[0]);
    close(g->wake[1]);
    return -1;
}

/* All connections have ended. */
void web_guard_stop(struct web_guard *g)
{
    close(g->wake[1]);
    pthread_join(g->thread, NULL);
    close(g->wake[0]);
    pthread_mutex_destroy(&g->mutex);
    map_free(g->networks);
}

/* A proxy is many clients, and so is a UNIX socket, whose peers have no address. */
static int is_limited(const struct web_guard *g, const struct sockaddr *sa, const char *address)
{
    return g->max_per_address > 0 && sa != NULL && sa->sa_family != AF_UNIX &&
           (g->proxies == NULL || !web_ranges_have(g->proxies, address));
}

/* Under the lock, of two that may go: does ${c}, which is the older one, go rather than ${other}?
 */
static int goes_first(const struct web_conn *c, const struct web_conn *other)
{
    if (c->is_known != other->is_known)
        return !c->is_known;
    if (c->of_neighbourhood != other->of_neighbourhood &&
        *c->of_neighbourhood != *other->of_neighbourhood)
        return *c->of_neighbourhood > *other->of_neighbourhood;
    return *c->of_network >= *other->of_network;
}

/*
 * Under the lock, where all are taken: end one for ${newcomer}.  Else whoever has a few addresses,
 * or a network of networks, could keep everybody out with connections that ask nothing.
 */
static int make_room(struct web_guard *g, const struct web_conn *newcomer)
{
    const int *home = map_get(g->networks, newcomer->neighbourhood);
    const int *own = map_get(g->networks, newcomer->network);
    int n_home = home != NULL ? *home : 0, n_own = own != NULL ? *own : 0;
    struct web_conn *victim = NULL;

    if (g->n >= g->max + MAX_LEAVING)
        return 0;
    /* The oldest is the last. */
    for (struct web_conn *c = g->first; c != NULL; c = c->next) {
        if (!c->is_spare || !c->is_limited || c->is_leaving)
            continue;
        if (*c->of_neighbourhood <= n_home + 1 &&
            (c->of_neighbourhood != home || *c->of_network <= n_own + 1) &&
            (c->is_known || newcomer->began_ms - c->began_ms < FIRST_WORD_MS))
            continue;
        if (victim == NULL || goes_first(c, victim))
            victim = c;
    }
    if (victim == NULL)
        return 0;
    shutdown(victim->fd, SHUT_RDWR);
    victim->is_leaving = 1;
    g->n_leaving++;
    return 1;
}

/* What there is to know of one that comes from ${sa}. */
static void describe(const struct web_guard *g, const struct sockaddr *sa, struct web_conn *c)
{
    char address[WEB_ADDRESS_SIZE];

    web_address_of(sa, address);
    web_network(address, c->network, sizeof(c->network));
    web_neighbourhood(address, c->neighbourhood, sizeof(c->neighbourhood));
    c->is_limited = is_limited(g, sa, address);
    c->began_ms = now_mono_ms();
}

int web_guard_admits(struct web_guard *g, const struct sockaddr *sa)
{
    struct web_conn newcomer = {0};
    const int *n;
    int is_welcome;

    describe(g, sa, &newcomer);
    pthread_mutex_lock(&g->mutex);
    n = map_get(g->networks, newcomer.network);
    is_welcome = (n == NULL || !newcomer.is_limited || *n < g->max_per_address) &&
                 (g->n - g->n_leaving < g->max || make_room(g, &newcomer));
    if (!is_welcome) {
        g->refused++;
        if (g->stats != NULL)
            atomic_fetch_add(&g->stats->refused, 1);
        memcpy(g->refused_network, newcomer.network, sizeof(newcomer.network));
    }
    pthread_mutex_unlock(&g->mutex);
    return is_welcome;
}

/* Under the lock: how many there are of this now; NULL: none. */
static const int *count_of(struct web_guard *g, const char *network, int by)
{
    int *n = map_get(g->networks, network);

    if (n == NULL) {
        n = str_calloc(1, sizeof(*n));
        map_put(g->networks, network, n);
    }
    *n += by;
    if (*n > 0)
        return n;
    free(map_remove(g->networks, network));
    return NULL;
}

/* Under the lock: one more, or (-1) one less. */
static void count(struct web_guard *g, struct web_conn *c, int by)
{
    c->of_network = count_of(g, c->network, by);
    c->of_neighbourhood = count_of(g, c->neighbourhood, by);
    g->n += by;
    if (g->stats != NULL)
        atomic_fetch_add(&g->stats->connections, by);
}

int web_guard_count(struct web_guard *g)
{
    int n;

    pthread_mutex_lock(&g->mutex);
    n = g->n;
    pthread_mutex_unlock(&g->mutex);
    return n;
}

static void set_deadline(struct web_guard *g, struct web_conn *c, int64_t deadline_ms)
{
    if (c == NULL)
        return;
    pthread_mutex_lock(&g->mutex);
    c->deadline_ms = deadline_ms;
    pthread_mutex_unlock(&g->mutex);
}

struct web_conn *web_guard_add(struct web_guard *g, int fd, const struct sockaddr *sa)
{
    struct web_conn *c = str_calloc(1, sizeof(*c));

    describe(g, sa, c);
    c->fd = fd;
    c->deadline_ms = c->began_ms + KEEP_ALIVE_MS;
    c->is_spare = 1;
    pthread_mutex_lock(&g->mutex);
    count(g, c, 1);
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
    count(g, c, -1);
    g->n_leaving -= c->is_leaving;
    if (c->prev != NULL)
        c->prev->next = c->next;
    else
        g->first = c->next;
    if (c->next != NULL)
        c->next->prev = c->prev;
    pthread_mutex_unlock(&g->mutex);
    free(c);
}

void web_guard_idle(struct web_guard *g, struct web_conn *c, int is_known)
{
    if (c == NULL)
        return;
    pthread_mutex_lock(&g->mutex);
    c->deadline_ms = now_mono_ms() + KEEP_ALIVE_MS;
    c->is_spare = 1;
    c->is_known = is_known;
    pthread_mutex_unlock(&g->mutex);
}

void web_guard_keep(struct web_guard *g, struct web_conn *c, int is_known)
{
    if (c == NULL)
        return;
    pthread_mutex_lock(&g->mutex);
    c->is_spare = 0;
    c->is_known |= is_known;
    pthread_mutex_unlock(&g->mutex);
}

void web_guard_transfer(struct web_guard *g, struct web_conn *c, int64_t started_ms, int64_t bytes)
{
    set_deadline(g, c, started_ms + GRACE_MS + bytes / BYTES_PER_MS);
}

void web_guard_free_run(struct web_guard *g, struct web_conn *c)
{
    set_deadline(g, c, INT64_MAX);
}

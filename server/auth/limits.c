#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/str.h"
#include "common/base/uuid.h"

#include "server/auth/jwt.h"
#include "server/auth/limits.h"
#include "server/auth/signin.h"

#define ACCOUNT_ATTEMPTS 10
#define ADDRESS_ATTEMPTS 100
#define NEIGHBOURHOOD_ATTEMPTS 400
#define ATTEMPTS_WINDOW_MS (15 * 60 * 1000)
#define SIGNINS 60
#define REGISTRATIONS 100
#define REGISTRATIONS_WINDOW_MS (60 * 60 * 1000)
#define MINTS_AT_ALL 1000
#define MINTS 100
#define MINTS_OF_ONE 30
#define UNDELETES 1000
#define SHARES 100
#define OPENINGS 300
#define HOUR_MS (60 * 60 * 1000)
#define OUTSIDE 8 /* each keeps a thread for as long as another site likes */
#define TOKENS_ATTEMPTS 30
#define BCRYPT_OF_ONE 2
#define BCRYPT_WAITING 24 /* each keeps a thread that others need */
#define STRANGERS (BCRYPT_WAITING / 2)
#define NAME_SIZE 40

/* Of one who runs or waits. */
struct place {
    char name[NAME_SIZE]; /* "": nobody counts */
    int is_taken, is_ours, is_waiting;
    int is_ended; /* it makes room for another */
};

struct limits_gate {
    pthread_mutex_t mutex;
    pthread_cond_t is_free;
    int running, most;
    int waiting, strangers; /* of whom those come last, and have half of the places */
    int outside;
    struct place places[2 * BCRYPT_WAITING];
};

/* As many hashes at once as there are processors: more would only take longer each. */
static int processors(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);

    return n < 2 ? 2 : n > BCRYPT_WAITING ? BCRYPT_WAITING : (int)n;
}

struct limits *limits_new(void)
{
    struct limits *l = str_calloc(1, sizeof(*l));

    l->by_account = attempts_new(ACCOUNT_ATTEMPTS, ATTEMPTS_WINDOW_MS);
    l->by_address = attempts_new(ADDRESS_ATTEMPTS, ATTEMPTS_WINDOW_MS);
    l->by_neighbourhood = attempts_new(NEIGHBOURHOOD_ATTEMPTS, ATTEMPTS_WINDOW_MS);
    l->registrations = attempts_new(REGISTRATIONS, REGISTRATIONS_WINDOW_MS);
    l->signins = attempts_new(SIGNINS, ATTEMPTS_WINDOW_MS);
    l->returns = attempts_new(1, SIGNIN_LIFETIME_S * 1000);
    l->holders = attempts_new(ACCOUNT_ATTEMPTS, ATTEMPTS_WINDOW_MS);
    l->tokens = attempts_new(TOKENS_ATTEMPTS, ATTEMPTS_WINDOW_MS);
    l->mints_at_all = attempts_new(MINTS_AT_ALL, HOUR_MS);
    l->mints = attempts_new(MINTS, HOUR_MS);
    l->mints_of_one = attempts_new(MINTS_OF_ONE, HOUR_MS);
    l->undeletes = attempts_new(UNDELETES, HOUR_MS);
    l->shares = attempts_new(SHARES, HOUR_MS);
    l->openings = attempts_new(OPENINGS, ATTEMPTS_WINDOW_MS);
    l->ended = attempts_new(1, JWT_PAGE_LIFETIME_S * 1000LL);
    l->gate = str_calloc(1, sizeof(*l->gate));
    l->gate->most = processors();
    pthread_mutex_init(&l->gate->mutex, NULL);
    pthread_cond_init(&l->gate->is_free, NULL);
    return l;
}

void limits_free(struct limits *l)
{
    if (l == NULL)
        return;
    pthread_cond_destroy(&l->gate->is_free);
    pthread_mutex_destroy(&l->gate->mutex);
    free(l->gate);
    attempts_free(l->by_account);
    attempts_free(l->by_address);
    attempts_free(l->by_neighbourhood);
    attempts_free(l->registrations);
    attempts_free(l->signins);
    attempts_free(l->returns);
    attempts_free(l->holders);
    attempts_free(l->tokens);
    attempts_free(l->mints_at_all);
    attempts_free(l->mints);
    attempts_free(l->mints_of_one);
    attempts_free(l->undeletes);
    attempts_free(l->shares);
    attempts_free(l->openings);
    attempts_free(l->ended);
    free(l);
}

/* How many there are of this name; of strangers, those that wait. */
static int count(const struct limits_gate *g, const char *name, int is_ours)
{
    int n = 0;

    for (size_t i = 0; i < sizeof(g->places) / sizeof(g->places[0]); i++) {
        const struct place *p = &g->places[i];
        n += p->is_taken && p->is_ours == is_ours && (is_ours || p->is_waiting) && !p->is_ended &&
             strcmp(p->name, name) == 0;
    }
    return n;
}

/* All places of strangers are taken: one of the neighbourhood that has most of them goes, if that
 * has more than the newcomer's. */
static int make_room(struct limits_gate *g, const char *name)
{
    int most = count(g, name, 0) + 1, n;
    struct place *victim = NULL;

    for (size_t i = 0; i < sizeof(g->places) / sizeof(g->places[0]); i++) {
        struct place *p = &g->places[i];
        if (!p->is_taken || p->is_ours || !p->is_waiting || p->is_ended)
            continue;
        n = count(g, p->name, 0);
        if (n > most) {
            most = n;
            victim = p;
        }
    }
    if (victim == NULL)
        return 0;
    victim->is_ended = 1;
    pthread_cond_broadcast(&g->is_free);
    return 1;
}

static struct place *take_place(struct limits_gate *g, const char *name, int is_ours)
{
    struct place *p = g->places;

    /* There are as many as run and wait at most. */
    while (p->is_taken)
        p++;
    snprintf(p->name, NAME_SIZE, "%s", name);
    p->is_taken = p->is_waiting = 1;
    p->is_ours = is_ours;
    p->is_ended = 0;
    return p;
}

/* Until it is its turn: 0, or -1 if it made room for another. */
static int wait_turn(struct limits_gate *g, struct place *p)
{
    int is_stranger = !p->is_ours;

    g->waiting++;
    g->strangers += is_stranger;
    while (!p->is_ended && (g->running >= g->most || (is_stranger && g->waiting > g->strangers)))
        pthread_cond_wait(&g->is_free, &g->mutex);
    g->waiting--;
    g->strangers -= is_stranger;
    p->is_waiting = 0;
    if (p->is_ended)
        p->is_taken = 0;
    else
        g->running++;
    pthread_cond_broadcast(&g->is_free);
    return p->is_ended ? -1 : 0;
}

int limits_enter(struct limits *l, const char *name, int is_ours)
{
    struct limits_gate *g = l->gate;
    int rc;

    pthread_mutex_lock(&g->mutex);
    if (is_ours && name[0] != '\0' && count(g, name, 1) >= BCRYPT_OF_ONE)
        rc = 1;
    else if (g->waiting >= BCRYPT_WAITING ||
             (!is_ours && g->strangers >= STRANGERS && !make_room(g, name)))
        rc = -1;
    else
        rc = wait_turn(g, take_place(g, name, is_ours));
    pthread_mutex_unlock(&g->mutex);
    return rc;
}

void limits_leave(struct limits *l, const char *name)
{
    struct limits_gate *g = l->gate;
    struct place *p = g->places;

    pthread_mutex_lock(&g->mutex);
    while (!p->is_taken || p->is_waiting || strcmp(p->name, name) != 0)
        p++;
    p->is_taken = 0;
    g->running--;
    pthread_cond_broadcast(&g->is_free);
    pthread_mutex_unlock(&g->mutex);
}

int limits_go_out(struct limits *l)
{
    int rc;

    pthread_mutex_lock(&l->gate->mutex);
    rc = l->gate->outside < OUTSIDE ? 0 : -1;
    l->gate->outside += rc == 0;
    pthread_mutex_unlock(&l->gate->mutex);
    return rc;
}

void limits_come_back(struct limits *l)
{
    pthread_mutex_lock(&l->gate->mutex);
    l->gate->outside--;
    pthread_mutex_unlock(&l->gate->mutex);
}

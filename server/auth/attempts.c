#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/hash.h"
#include "common/base/str.h"

#include "server/auth/attempts.h"

#define SLOTS 4096 /* in sets of WAYS, so that a look-up costs the same however full it is */
#define WAYS 8

struct slot {
    unsigned char key[16]; /* of the name's digest: the table holds no e-mail addresses */
    int64_t since_ms;
    int64_t last_ms;
    int count; /* 0: free */
};

struct attempts {
    pthread_mutex_t mutex;
    unsigned char seed[16];
    int max;
    int64_t window_ms;
    struct slot slots[SLOTS];
};

struct attempts *attempts_new(int max, int64_t window_ms)
{
    struct attempts *a = str_calloc(1, sizeof(*a));

    pthread_mutex_init(&a->mutex, NULL);
    hash_random(a->seed, sizeof(a->seed));
    a->max = max;
    a->window_ms = window_ms;
    return a;
}

void attempts_free(struct attempts *a)
{
    if (a == NULL)
        return;
    pthread_mutex_destroy(&a->mutex);
    free(a);
}

/* The keyed digest keeps anybody from choosing names that share a set. */
static struct slot *find(struct attempts *a, const char *name, int64_t now_ms, int make)
{
    unsigned char d[HASH_SHA256_BYTES];
    struct slot *set, *oldest;

    hash_hmac_sha256(a->seed, sizeof(a->seed), name, strlen(name), d);
    set = &a->slots[(size_t)((d[30] << 8 | d[31]) % (SLOTS / WAYS)) * WAYS];
    oldest = set;
    for (int i = 0; i < WAYS; i++) {
        struct slot *s = &set[i];
        if (s->count > 0 && now_ms - s->since_ms >= a->window_ms)
            s->count = 0;
        if (s->count > 0 && memcmp(s->key, d, sizeof(s->key)) == 0)
            return s;
        if (oldest->count > 0 && (s->count == 0 || s->last_ms < oldest->last_ms))
            oldest = s;
    }
    if (!make)
        return NULL;
    memset(oldest, 0, sizeof(*oldest));
    memcpy(oldest->key, d, sizeof(oldest->key));
    oldest->since_ms = now_ms;
    return oldest;
}

int attempts_wait_s(struct attempts *a, const char *name, int64_t now_ms)
{
    struct slot *s;
    int wait = 0;

    pthread_mutex_lock(&a->mutex);
    s = find(a, name, now_ms, 0);
    if (s != NULL && s->count >= a->max)
        wait = (int)((s->since_ms + a->window_ms - now_ms + 999) / 1000);
    pthread_mutex_unlock(&a->mutex);
    return wait;
}

void attempts_count(struct attempts *a, const char *name, int64_t now_ms)
{
    struct slot *s;

    pthread_mutex_lock(&a->mutex);
    s = find(a, name, now_ms, 1);
    s->count++;
    s->last_ms = now_ms;
    pthread_mutex_unlock(&a->mutex);
}

void attempts_take_back(struct attempts *a, const char *name)
{
    struct slot *s;

    pthread_mutex_lock(&a->mutex);
    s = find(a, name, 0, 0);
    if (s != NULL && s->count > 0)
        s->count--;
    pthread_mutex_unlock(&a->mutex);
}

void attempts_forget(struct attempts *a, const char *name)
{
    struct slot *s;

    pthread_mutex_lock(&a->mutex);
    s = find(a, name, 0, 0);
    if (s != NULL)
        s->count = 0;
    pthread_mutex_unlock(&a->mutex);
}

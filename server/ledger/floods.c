#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/str.h"

#include "server/ledger/floods.h"

#define HOUR_MS (3600LL * 1000)
#define MAX_FLOODS 4096 /* of more accounts in an hour, every act is a row */

struct flood {
    int64_t hour_ms; /* when the hour began that counts */
    int rows;        /* in it */
    struct floods_sum sum;
};

struct floods {
    pthread_mutex_t mutex;
    struct flood *v;
    size_t n, cap;
};

struct floods *floods_new(void)
{
    struct floods *f = str_calloc(1, sizeof(*f));

    pthread_mutex_init(&f->mutex, NULL);
    return f;
}

void floods_free(struct floods *f)
{
    if (f == NULL)
        return;
    pthread_mutex_destroy(&f->mutex);
    free(f->v);
    free(f);
}

static struct flood *find(const struct floods *f, const char *event, const char *user_id)
{
    for (size_t i = 0; i < f->n; i++) {
        if (strcmp(f->v[i].sum.user_id, user_id) == 0 && strcmp(f->v[i].sum.event, event) == 0)
            return &f->v[i];
    }
    return NULL;
}

/* What has nothing to say and whose hour is over. */
static void forget_old(struct floods *f, int64_t now_ms)
{
    size_t n = 0;

    for (size_t i = 0; i < f->n; i++) {
        if (f->v[i].sum.n > 0 || now_ms - f->v[i].hour_ms < HOUR_MS)
            f->v[n++] = f->v[i];
    }
    f->n = n;
}

static struct flood *add(struct floods *f, const struct ledger_event *e)
{
    struct flood *it;

    if (f->n == f->cap)
        forget_old(f, e->at_ms);
    if (f->n == MAX_FLOODS)
        return NULL;
    if (f->n == f->cap) {
        f->cap = f->cap * 2 + 32 < MAX_FLOODS ? f->cap * 2 + 32 : MAX_FLOODS;
        f->v = str_realloc(f->v, f->cap, sizeof(*f->v));
    }
    it = &f->v[f->n++];
    memset(it, 0, sizeof(*it));
    it->hour_ms = e->at_ms;
    snprintf(it->sum.event, sizeof(it->sum.event), "%s", e->event);
    snprintf(it->sum.user_id, sizeof(it->sum.user_id), "%s", e->user_id);
    return it;
}

static const char *text(const char *s)
{
    return s != NULL ? s : "";
}

static void count(struct floods_sum *s, const struct ledger_event *e)
{
    if (s->n++ == 0)
        s->since_ms = e->at_ms;
    s->at_ms = e->at_ms;
    snprintf(s->token_id, sizeof(s->token_id), "%s", text(e->token_id));
    snprintf(s->client, sizeof(s->client), "%s", text(e->client));
    snprintf(s->detail, sizeof(s->detail), "%s", text(e->detail));
}

int floods_take(struct floods *f, const struct ledger_event *e)
{
    struct flood *it;
    int is_row = 1;

    if (e->user_id == NULL)
        return 1;
    pthread_mutex_lock(&f->mutex);
    it = find(f, e->event, e->user_id);
    if (it == NULL)
        it = add(f, e);
    if (it != NULL) {
        if (e->at_ms - it->hour_ms >= HOUR_MS) {
            it->hour_ms = e->at_ms;
            it->rows = 0;
        }
        is_row = it->rows < FLOODS_ROWS;
        it->rows += is_row;
        if (!is_row)
            count(&it->sum, e);
    }
    pthread_mutex_unlock(&f->mutex);
    return is_row;
}

void floods_keep(struct floods *f, const struct ledger_event *e)
{
    struct flood *it;

    pthread_mutex_lock(&f->mutex);
    it = e->user_id != NULL ? find(f, e->event, e->user_id) : NULL;
    if (it != NULL)
        count(&it->sum, e);
    pthread_mutex_unlock(&f->mutex);
}

size_t floods_next(struct floods *f, size_t i, struct floods_sum *ret)
{
    pthread_mutex_lock(&f->mutex);
    while (i < f->n && f->v[i].sum.n == 0)
        i++;
    if (i < f->n)
        *ret = f->v[i].sum;
    else
        i = SIZE_MAX;
    pthread_mutex_unlock(&f->mutex);
    return i + 1;
}

void floods_written(struct floods *f, const struct floods_sum *sum)
{
    struct flood *it;

    pthread_mutex_lock(&f->mutex);
    it = find(f, sum->event, sum->user_id);
    if (it != NULL) {
        it->sum.n -= sum->n;
        it->sum.since_ms = sum->at_ms;
    }
    pthread_mutex_unlock(&f->mutex);
}

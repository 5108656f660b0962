#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/map.h"
#include "common/str.h"

#include "watcher/debounce.h"

#define NOT_WAITING SIZE_MAX
#define NEVER (-1)
#define UPLOAD_FACTOR 10 /* the distance is at least so many times what the last upload took */
#define KEEP_IDLE 64     /* sessions that do not wait are looked through when more than that came */

struct entry {
    size_t pos;       /* in the heap, or NOT_WAITING */
    int64_t due_ms;   /* while it waits */
    int64_t first_ms; /* first and last change since it waits */
    int64_t last_ms;
    int64_t turn_ms;     /* when its turn ended, or NEVER */
    int64_t uploaded_ms; /* end of its last upload, or NEVER */
    int64_t took_ms;     /* and what that took */
    char key[];
};

struct debounce {
    struct debounce_opts opts;
    struct map *entries;
    struct entry **heap; /* those that wait, the first one due on top */
    size_t n;
    size_t cap;
    size_t purge_at; /* entries, to forget those that matter no more */
};

/* The earliest moment that the distance to the last upload allows. */
static int64_t distance_end(const struct debounce *d, const struct entry *e)
{
    int64_t distance_ms = d->opts.distance_ms;

    if (e->uploaded_ms == NEVER)
        return INT64_MIN;
    if (e->took_ms > distance_ms / UPLOAD_FACTOR)
        distance_ms = UPLOAD_FACTOR * e->took_ms;
    return e->uploaded_ms + distance_ms;
}

static int64_t due(const struct debounce *d, const struct entry *e)
{
    int64_t at = e->last_ms + d->opts.quiet_ms, turn, limit;

    if (e->turn_ms != NEVER) {
        turn = (e->turn_ms > e->last_ms ? e->turn_ms : e->last_ms) + d->opts.turn_quiet_ms;
        if (turn < at)
            at = turn;
    }
    if ((limit = e->first_ms + d->opts.wait_ms) < at)
        at = limit;
    if ((limit = distance_end(d, e)) > at)
        at = limit;
    return at;
}

static int is_before(const struct entry *a, const struct entry *b)
{
    return a->due_ms != b->due_ms ? a->due_ms < b->due_ms : a->first_ms < b->first_ms;
}

static void heap_set(struct debounce *d, size_t pos, struct entry *e)
{
    d->heap[pos] = e;
    e->pos = pos;
}

/* Put ${e} where it belongs, from ${pos} on, where there is a hole. */
static void heap_sift(struct debounce *d, size_t pos, struct entry *e)
{
    size_t next;

    for (; pos > 0 && is_before(e, d->heap[next = (pos - 1) / 2]); pos = next)
        heap_set(d, pos, d->heap[next]);
    for (; (next = 2 * pos + 1) < d->n; pos = next) {
        if (next + 1 < d->n && is_before(d->heap[next + 1], d->heap[next]))
            next++;
        if (!is_before(d->heap[next], e))
            break;
        heap_set(d, pos, d->heap[next]);
    }
    heap_set(d, pos, e);
}

static void heap_add(struct debounce *d, struct entry *e)
{
    if (d->n == d->cap) {
        d->cap = d->cap == 0 ? 16 : 2 * d->cap;
        d->heap = str_realloc(d->heap, d->cap, sizeof(*d->heap));
    }
    d->n++;
    heap_sift(d, d->n - 1, e);
}

static void heap_take(struct debounce *d, struct entry *e)
{
    struct entry *last = d->heap[--d->n];

    if (last != e)
        heap_sift(d, e->pos, last);
    e->pos = NOT_WAITING;
}

struct purge {
    struct debounce *d;
    int64_t now_ms;
};

static int purge_one(void *arg, const char *key, void *value)
{
    const struct purge *p = arg;
    const struct debounce *d = p->d;
    struct entry *e = value;

    if (e->pos != NOT_WAITING || distance_end(d, e) > p->now_ms)
        return 0;
    if (e->turn_ms != NEVER && e->turn_ms + d->opts.turn_quiet_ms >= p->now_ms)
        return 0;
    map_remove(d->entries, key);
    free(e);
    return 0;
}

/* A session that neither waits nor keeps a distance is like one never seen; looking for those each
 * time the table has doubled keeps it in proportion to what counts, at constant cost for each call.
 */
static void purge(struct debounce *d, int64_t now_ms)
{
    struct purge p = {d, now_ms};

    if (map_size(d->entries) < d->purge_at)
        return;
    map_each(d->entries, purge_one, &p);
    d->purge_at = 2 * map_size(d->entries) + KEEP_IDLE;
}

static struct entry *get(struct debounce *d, const char *key, int64_t now_ms)
{
    struct entry *e = map_get(d->entries, key);
    size_t len = strlen(key) + 1;

    if (e != NULL)
        return e;
    purge(d, now_ms);
    e = str_calloc(1, sizeof(*e) + len);
    memcpy(e->key, key, len);
    e->pos = NOT_WAITING;
    e->turn_ms = e->uploaded_ms = NEVER;
    map_put(d->entries, key, e);
    return e;
}

/* Something about ${e} changed that its place in the heap depends on. */
static void judge(struct debounce *d, struct entry *e)
{
    if (e->pos == NOT_WAITING)
        return;
    e->due_ms = due(d, e);
    heap_sift(d, e->pos, e);
}

struct debounce *debounce_new(const struct debounce_opts *opts)
{
    struct debounce *d = str_calloc(1, sizeof(*d));

    d->opts = *opts;
    d->entries = map_new();
    d->purge_at = KEEP_IDLE;
    return d;
}

static int free_one(void *arg, const char *key, void *value)
{
    (void)arg;
    (void)key;
    free(value);
    return 0;
}

void debounce_free(struct debounce *d)
{
    if (d == NULL)
        return;
    map_each(d->entries, free_one, NULL);
    map_free(d->entries);
    free(d->heap);
    free(d);
}

void debounce_set(struct debounce *d, const struct debounce_opts *opts)
{
    size_t n = d->n;

    d->opts = *opts;
    d->n = 0;
    for (size_t i = 0; i < n; i++) {
        d->heap[i]->due_ms = due(d, d->heap[i]);
        d->n++;
        heap_sift(d, i, d->heap[i]);
    }
}

void debounce_touch(struct debounce *d, const char *key, int64_t now_ms)
{
    struct entry *e = get(d, key, now_ms);

    /* The work goes on: another turn has begun. */
    if (e->turn_ms != NEVER && now_ms > e->turn_ms + d->opts.turn_quiet_ms)
        e->turn_ms = NEVER;
    e->last_ms = now_ms;
    if (e->pos != NOT_WAITING) {
        judge(d, e);
        return;
    }
    e->first_ms = now_ms;
    e->due_ms = due(d, e);
    heap_add(d, e);
}

void debounce_turn_ended(struct debounce *d, const char *key, int64_t now_ms)
{
    struct entry *e = get(d, key, now_ms);

    e->turn_ms = now_ms;
    judge(d, e);
}

void debounce_uploaded(struct debounce *d, const char *key, int64_t now_ms, int64_t took_ms)
{
    struct entry *e = get(d, key, now_ms);

    e->uploaded_ms = now_ms;
    e->took_ms = took_ms < 0 ? 0 : took_ms;
    judge(d, e);
}

void debounce_forget(struct debounce *d, const char *key)
{
    struct entry *e = map_get(d->entries, key);

    if (e != NULL && e->pos != NOT_WAITING)
        heap_take(d, e);
}

int64_t debounce_next(const struct debounce *d)
{
    return d->n == 0 ? -1 : d->heap[0]->due_ms;
}

int debounce_pop(struct debounce *d, int64_t now_ms, char *key, unsigned long size)
{
    struct entry *e;
    size_t len;

    if (d->n == 0 || d->heap[0]->due_ms > now_ms)
        return 0;
    e = d->heap[0];
    len = strlen(e->key) + 1;
    assert(len <= size);
    memcpy(key, e->key, len);
    heap_take(d, e);
    return 1;
}

int64_t debounce_waiting(const struct debounce *d)
{
    return (int64_t)d->n;
}

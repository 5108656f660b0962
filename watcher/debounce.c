#include <stdlib.h>
#include <string.h>

#include "common/base/heap.h"
#include "common/base/map.h"
#include "common/base/str.h"

#include "watcher/debounce.h"

#define NEVER (-1)
#define UPLOAD_FACTOR 10 /* the distance is at least so many times what the last upload took */
#define KEEP_IDLE 64     /* sessions that do not wait are looked through when more than that came */

struct entry {
    struct heap_node node; /* among those that wait */
    int64_t due_ms;        /* while it waits */
    int64_t first_ms;      /* first and last change since it waits */
    int64_t last_ms;
    int64_t turn_ms;     /* when its turn ended, or NEVER */
    int64_t uploaded_ms; /* end of its last upload, or NEVER */
    int64_t took_ms;     /* and what that took */
    char key[];
};

struct debounce {
    struct debounce_opts opts;
    struct map *entries;
    struct heap waiting; /* the first one due on top */
    size_t purge_at;     /* entries, to forget those that matter no more */
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

static int is_before(const struct heap_node *x, const struct heap_node *y)
{
    const struct entry *a = (const struct entry *)x, *b = (const struct entry *)y;

    return a->due_ms != b->due_ms ? a->due_ms < b->due_ms : a->first_ms < b->first_ms;
}

static int is_waiting(const struct entry *e)
{
    return e->node.pos != 0;
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

    if (is_waiting(e) || distance_end(d, e) > p->now_ms)
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
void debounce_tidy(struct debounce *d, int64_t now_ms)
{
    struct purge p = {d, now_ms};

    map_each(d->entries, purge_one, &p);
    d->purge_at = 2 * map_size(d->entries) + KEEP_IDLE;
}

static struct entry *get(struct debounce *d, const char *key, int64_t now_ms)
{
    struct entry *e = map_get(d->entries, key);
    size_t len = strlen(key) + 1;

    if (e != NULL)
        return e;
    if (map_size(d->entries) >= d->purge_at)
        debounce_tidy(d, now_ms);
    e = str_calloc(1, sizeof(*e) + len);
    memcpy(e->key, key, len);
    e->turn_ms = e->uploaded_ms = NEVER;
    map_put(d->entries, key, e);
    return e;
}

/* Something about ${e} changed that its place in the heap depends on. */
static void judge(struct debounce *d, struct entry *e)
{
    if (!is_waiting(e))
        return;
    e->due_ms = due(d, e);
    heap_put(&d->waiting, &e->node);
}

struct debounce *debounce_new(const struct debounce_opts *opts)
{
    struct debounce *d = str_calloc(1, sizeof(*d));

    d->opts = *opts;
    d->entries = map_new();
    d->waiting.is_before = is_before;
    d->purge_at = KEEP_IDLE;
    return d;
}

void debounce_free(struct debounce *d)
{
    if (d == NULL)
        return;
    map_free_all(d->entries);
    heap_free(&d->waiting);
    free(d);
}

static int judge_one(void *arg, const char *key, void *value)
{
    (void)key;
    judge(arg, value);
    return 0;
}

void debounce_set(struct debounce *d, const struct debounce_opts *opts)
{
    d->opts = *opts;
    map_each(d->entries, judge_one, d);
}

void debounce_touch(struct debounce *d, const char *key, int64_t now_ms)
{
    struct entry *e = get(d, key, now_ms);

    /* The work goes on: another turn has begun. */
    if (e->turn_ms != NEVER && now_ms > e->turn_ms + d->opts.turn_quiet_ms)
        e->turn_ms = NEVER;
    if (is_waiting(e)) {
        /* A scan tells of changes of long ago, in any order. */
        e->last_ms = now_ms > e->last_ms ? now_ms : e->last_ms;
        e->first_ms = now_ms < e->first_ms ? now_ms : e->first_ms;
        judge(d, e);
        return;
    }
    e->first_ms = e->last_ms = now_ms;
    e->due_ms = due(d, e);
    heap_put(&d->waiting, &e->node);
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

    if (e != NULL && is_waiting(e))
        heap_take(&d->waiting, &e->node);
}

int64_t debounce_next(const struct debounce *d)
{
    const struct entry *e = (const struct entry *)heap_top(&d->waiting);

    return e == NULL ? -1 : e->due_ms;
}

int debounce_pop(struct debounce *d, int64_t now_ms, char *key, unsigned long size)
{
    struct entry *e = (struct entry *)heap_top(&d->waiting);
    size_t len;

    if (e == NULL || e->due_ms > now_ms)
        return 0;
    len = strlen(e->key) + 1;
    if (len > size)
        abort();
    memcpy(key, e->key, len);
    heap_take(&d->waiting, &e->node);
    return 1;
}

int64_t debounce_waiting(const struct debounce *d)
{
    return (int64_t)d->waiting.n;
}

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "common/base/hash.h"
#include "common/base/map.h"
#include "common/base/now.h"
#include "common/base/str.h"
#include "watcher/debounce.h"

#include "daemon/daemon.h"
#include "daemon/session/exclusion.h"
#include "daemon/session/profile.h"
#include "daemon/account/allowance.h"
#include "daemon/account/room.h"

struct sessions {
    struct map *by_id;
    uint64_t seq; /* of changes */
    struct debounce *debounce;
    struct event *timer; /* of the next one that comes to rest */
};

struct session *sessions_get(struct daemon *d, const char *id)
{
    return map_get(d->sessions->by_id, id);
}

size_t sessions_n(const struct daemon *d)
{
    return map_size(d->sessions->by_id);
}

void sessions_each(struct daemon *d, int (*f)(void *arg, const char *id, void *session), void *arg)
{
    map_each(d->sessions->by_id, f, arg);
}

uint64_t sessions_seq(const struct daemon *d)
{
    return d->sessions->seq;
}

uint64_t sessions_next_seq(struct daemon *d)
{
    return ++d->sessions->seq;
}

/* An upload shortly before this daemon began counts for the distance too. */
static void keep_distance(struct daemon *d, const struct state_session *ss)
{
    int64_t ago_ms = now_wall_ms() - ss->confirmed_ms, at_ms = now_mono_ms() - ago_ms;

    if (ss->confirmed_ms > 0 && ss->confirmed_ms < d->started_ms && ago_ms >= 0 && at_ms > 0)
        debounce_uploaded(d->sessions->debounce, ss->session_id, at_ms, 0);
}

struct session *sessions_need(struct daemon *d, const char *id)
{
    struct session *s = sessions_get(d, id);
    struct state_session ss = {0};

    if (s != NULL)
        return s;
    s = str_calloc(1, sizeof(*s));
    snprintf(s->id, sizeof(s->id), "%s", id);
    if (d->books != NULL && state_get(d->books->state, id, &ss)) {
        s->is_known = 1;
        s->was_safe = ss.version > 0 && !ss.is_excluded;
        keep_distance(d, &ss);
    }
    state_session_clear(&ss);
    map_put(d->sessions->by_id, id, s);
    if (d->progress_since_ms == 0)
        d->progress_since_ms = now_mono_ms();
    return s;
}

static void session_free(struct session *s)
{
    growth_free(&s->growth);
    free(s->err);
    free(s);
}

void sessions_set_err(struct session *s, const struct ct_err *err)
{
    free(s->err);
    s->err = NULL;
    if (err != NULL) {
        s->err = str_calloc(1, sizeof(*s->err));
        *s->err = *err;
    }
}

int sessions_is_dirty(const struct session *s)
{
    return s->dirty_seq > s->safe_seq && s->dirty_seq > s->queued_seq;
}

void sessions_grew(struct daemon *d, struct session *s, int root, const char *path,
                   int64_t size_bytes)
{
    uint64_t file = hash_quick(d->seen_seed + (uint64_t)root, path), inode;
    int64_t before_bytes = 0, mtime_ns;

    if (s == NULL)
        return;
    if (!growth_knows(&s->growth, file) && d->books != NULL &&
        !state_file(d->books->state, d->config->roots.v[root], path, &before_bytes, &mtime_ns,
                    &inode))
        before_bytes = 0;
    growth_note(&s->growth, file, before_bytes, size_bytes);
}

int64_t sessions_pending_bytes(const struct session *s)
{
    return s->bundled_bytes + s->growth.bytes;
}

static void arm(struct daemon *d)
{
    int64_t next_ms = debounce_next(d->sessions->debounce), wait_ms;
    struct timeval tv;

    if (next_ms < 0) {
        evtimer_del(d->sessions->timer);
        return;
    }
    wait_ms = next_ms - now_mono_ms();
    if (wait_ms < 0)
        wait_ms = 0;
    tv.tv_sec = wait_ms / 1000;
    tv.tv_usec = wait_ms % 1000 * 1000;
    evtimer_add(d->sessions->timer, &tv);
}

struct session *sessions_touch(struct daemon *d, const char *id, int64_t age_ms, int64_t mtime_ms)
{
    struct session *s = sessions_get(d, id);
    int was_dirty = s != NULL && sessions_is_dirty(s);
    int64_t at_ms;

    if (s == NULL && (exclusion_is_final(d, id) || profile_is_off(d, id)))
        return NULL;
    s = sessions_need(d, id);
    s->dirty_seq = sessions_next_seq(d);
    if (mtime_ms > s->mtime_ms)
        s->mtime_ms = mtime_ms;
    s->failures = 0;
    if (!room_is_too_large(s)) /* a little more does not make it fit */
        s->retry_ms = 0;
    if (age_ms > d->config->wait_ms)
        age_ms = d->config->wait_ms;
    at_ms = now_mono_ms() - (age_ms > 0 ? age_ms : 0);
    debounce_touch(d->sessions->debounce, id, at_ms > 0 ? at_ms : 0);
    s->is_waiting = 1;
    bundler_outdated(d, s);
    if (!was_dirty)
        control_event(d, "changed", id, 0, 0, NULL);
    arm(d);
    return s;
}

void sessions_turn_ended(struct daemon *d, const char *id)
{
    if (sessions_get(d, id) == NULL)
        return;
    debounce_turn_ended(d->sessions->debounce, id, now_mono_ms());
    arm(d);
}

void sessions_make_due(struct daemon *d, struct session *s)
{
    if (s->is_waiting) {
        debounce_forget(d->sessions->debounce, s->id);
        s->is_waiting = 0;
    }
    s->is_urgent = 1;
    s->retry_ms = 0;
    room_try(d);
    bundler_due(d, s, 1);
    bundler_run(d);
}

void sessions_settle(struct daemon *d, struct session *s)
{
    int is_queued = d->books != NULL && uploader_has(d->books->uploader, s->id);

    waiter_check(d, s);
    if (s->is_waiting || s->is_due || s->is_bundling || is_queued || sessions_is_dirty(s))
        return;
    map_remove(d->sessions->by_id, s->id);
    session_free(s);
    if (sessions_n(d) == 0) {
        d->progress_since_ms = 0;
        d->progress_done_bytes = 0;
        daemon_rest_soon(d);
    }
}

void sessions_undoubted(struct daemon *d, const char *id)
{
    struct session *s = sessions_get(d, id);

    if (s == NULL || s->doubted_seq <= s->safe_seq)
        return;
    s->safe_seq = s->doubted_seq;
    s->bundled_bytes = 0;
    sessions_settle(d, s);
}

void sessions_give_up(struct daemon *d, struct session *s)
{
    debounce_forget(d->sessions->debounce, s->id);
    s->is_waiting = 0;
    bundler_due(d, s, 0);
    s->queued_seq = s->safe_seq = s->dirty_seq;
    sessions_settle(d, s);
}

static int forget_one(void *arg, const char *key, void *value)
{
    struct daemon *d = arg;

    debounce_forget(d->sessions->debounce, key);
    bundler_due(d, value, 0);
    map_remove(d->sessions->by_id, key);
    session_free(value);
    return 0;
}

void sessions_forget_all(struct daemon *d)
{
    sessions_each(d, forget_one, d);
    arm(d);
}

struct counting {
    struct daemon *d;
    struct sessions_counts *c;
};

static int count_one(void *arg, const char *key, void *value)
{
    struct counting *n = arg;
    const struct session *s = value;
    struct uploader_view v;

    if (profile_root(n->d, key) >= 0)
        return 0; /* no session: profile_report() */
    n->c->all++;
    if (allowance_is_awaited(n->d, s)) {
        n->c->limit++;
        n->c->is_new += !s->is_known;
        return 0;
    }
    n->c->is_new += !s->is_known;
    n->c->were_safe += s->was_safe;
    n->c->bytes += sessions_pending_bytes(s);
    if (n->d->books != NULL && uploader_look(n->d->books->uploader, key, &v)) {
        n->c->failed += strcmp(v.phase, "failed") == 0;
        n->c->limit += strcmp(v.phase, "limit") == 0;
    } else if (s->err != NULL) {
        n->c->failed++;
    }
    return 0;
}

void sessions_counts(struct daemon *d, struct sessions_counts *ret)
{
    struct counting n = {d, ret};

    memset(ret, 0, sizeof(*ret));
    sessions_each(d, count_one, &n);
    /* Those that another agent's session keeps out. */
    ret->all += (int64_t)(d->clashes.n / 2);
    ret->is_new += (int64_t)(d->clashes.n / 2);
    ret->failed += (int64_t)(d->clashes.n / 2);
}

/* ---- when they come to rest ---------------------------------------------------------------------
 */

static void on_debounce(evutil_socket_t fd, short what, void *arg)
{
    struct daemon *d = arg;
    char id[UUID_SIZE];

    (void)fd;
    (void)what;
    while (debounce_pop(d->sessions->debounce, now_mono_ms(), id, sizeof(id))) {
        struct session *s = sessions_get(d, id);
        if (s == NULL)
            continue;
        s->is_waiting = 0;
        bundler_due(d, s, 1);
        bundler_changed(d, s);
    }
    arm(d);
    bundler_run(d);
}

static struct debounce_opts debounce_opts_of(const struct daemon *d)
{
    const struct config *c = d->config;
    struct debounce_opts o = {
        .quiet_ms = c->quiet_ms,
        .turn_quiet_ms = c->turn_quiet_ms < c->quiet_ms ? c->turn_quiet_ms : c->quiet_ms,
        .wait_ms = c->wait_ms,
        .distance_ms = allowance_distance_ms(d->allowance),
    };

    return o;
}

void sessions_set_clocks(struct daemon *d)
{
    struct debounce_opts o = debounce_opts_of(d);

    debounce_set(d->sessions->debounce, &o);
    arm(d);
}

void sessions_uploaded(struct daemon *d, const char *id, int64_t took_ms)
{
    debounce_uploaded(d->sessions->debounce, id, now_mono_ms(), took_ms);
}

void sessions_rest(struct daemon *d)
{
    debounce_tidy(d->sessions->debounce, now_mono_ms());
}

struct sessions *sessions_new(struct daemon *d)
{
    struct debounce_opts o = debounce_opts_of(d);
    struct sessions *s = str_calloc(1, sizeof(*s));

    s->by_id = map_new();
    s->debounce = debounce_new(&o);
    s->timer = evtimer_new(d->base, on_debounce, d);
    if (s->timer == NULL)
        abort();
    return s;
}

void sessions_free(struct sessions *s)
{
    debounce_free(s->debounce);
    map_free(s->by_id);
    event_free(s->timer);
    free(s);
}

#include <sys/queue.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "bundle/install/adopted.h"
#include "common/data/jdoc.h"
#include "common/base/log.h"
#include "common/base/str.h"

#include "daemon/account/cloud.h"
#include "daemon/daemon.h"
#include "daemon/session/exclusion.h"
#include "daemon/session/profile.h"
#include "daemon/account/login_view.h"
#include "daemon/account/allowance.h"
#include "daemon/account/room.h"
#include "daemon/account/sealing.h"

/*
 * `sync --wait` is exact: it asks the watcher for a drain, lets the worker finish what it was
 * looking up, and then holds every session that is dirty at that moment as a target.  A target is
 * met when the session is safe up to the change number that it had then.
 */
#define LOOK_MS 10000   /* what the server had longer ago than this is looked at again */
#define ONCE_FAILURES 3 /* attempts after which --once gives up on a server */

enum phase { NEEDS_LOGIN, DRAINING, ASKING, WAITING };

struct target {
    char id[UUID_SIZE];
    uint64_t seq;
};

struct waiter {
    LIST_ENTRY(waiter) link;
    struct daemon *d;
    struct ipc_request *rq; /* NULL: --once, or ${ended} */
    void (*ended)(struct daemon *d);
    int is_waiting;
    int is_gone; /* nobody waits for the answer any more */
    enum phase phase;
    uint64_t generation; /* of the books, when it began to drain */
    struct strlist ids;
    struct map *targets; /* by their ids */
    int64_t requested, confirmed, unchanged, excluded;
    int is_profile_saved;
    struct json_object *failed;
};

struct waiters {
    LIST_HEAD(, waiter) all;
};

static int free_target(void *arg, const char *id, void *value)
{
    (void)arg;
    (void)id;
    free(value);
    return 0;
}

static void waiter_free(struct waiter *w)
{
    LIST_REMOVE(w, link);
    cloud_unlook(w->d->cloud, w);
    map_each(w->targets, free_target, NULL);
    map_free(w->targets);
    strlist_free(&w->ids);
    json_object_put(w->failed);
    free(w);
}

static void end_once(struct waiter *w, const char *state)
{
    struct daemon *d = w->d;

    if (d->has_given_up)
        return;
    if (strcmp(state, "auth_required") == 0 || strcmp(state, "account_changed") == 0)
        d->exit_status = 77;
    else if (map_size(w->targets) > 0 || json_object_array_length(w->failed) > 0 ||
             w->phase != WAITING)
        d->exit_status = 75;
    else
        d->exit_status = 0;
    daemon_stop(d);
}

static void finish(struct waiter *w)
{
    struct json_object *o;
    char why[512], cure[256];
    const char *state = report_state(w->d, why, cure);
    struct state_counts counts = {0};

    if (w->d->books != NULL)
        state_counts(w->d->books->state, &counts);
    if (w->ended != NULL) {
        w->ended(w->d);
    } else if (w->rq == NULL) {
        end_once(w, state);
    } else {
        o = json_object_new_object();
        jdoc_set_int(o, "requested", w->requested);
        if (w->is_waiting) {
            jdoc_set_int(o, "confirmed", w->confirmed);
            jdoc_set_int(o, "unchanged", w->unchanged);
            jdoc_set_int(o, "excluded", w->excluded);
            jdoc_set_bool(o, "profileSaved", w->is_profile_saved);
            jdoc_set_int(o, "diverged", counts.diverged);
            json_object_object_add(o, "failed", json_object_get(w->failed));
        }
        jdoc_set_str(o, "state", state);
        ipc_reply(w->rq, o);
    }
    waiter_free(w);
}

static void fail(struct waiter *w, const struct ct_err *err)
{
    ipc_fail(w->rq, err);
    waiter_free(w);
}

static void add_failed(struct waiter *w, const char *id, const char *reason, const char *cure)
{
    struct json_object *o = json_object_new_object();

    jdoc_set_str(o, "sessionId", id);
    jdoc_set_str(o, "reason", reason);
    jdoc_set_str(o, "cure", cure);
    json_object_array_add(w->failed, o);
}

static void count_going(void *arg, const struct uploader_view *v)
{
    int *n = arg;

    *n += strcmp(v->phase, "failed") != 0 && strcmp(v->phase, "limit") != 0 &&
          v->attempts <= ONCE_FAILURES;
}

/* Return whether the session can't even be bundled now, and nothing is on its way that would change
 * that. */
static int is_without_room(const struct waiter *w, const struct session *s)
{
    struct daemon *d = w->d;
    const struct ct_err *why = room_err(d);
    int going = 0;

    if (why == NULL || s->is_bundling || room_is_looked_for(d) || !sessions_is_dirty(s) ||
        d->bundler == NULL)
        return 0;
    if (strcmp(why->reason, ROOM_SPOOL_FULL) == 0)
        uploader_each(d->books->uploader, count_going, &going);
    return going == 0;
}

/* Return whether nothing of the session can leave, for want of a key. */
static int is_keyless(const struct waiter *w, const struct session *s)
{
    struct uploader_view v;

    if (!sealing_is_held(w->d->sealing) || s->is_bundling)
        return 0;
    return sessions_is_dirty(s) ||
           (w->d->books != NULL && uploader_look(w->d->books->uploader, s->id, &v) &&
            !queue_is_sealed(v.item));
}

static void fail_deleted(struct waiter *w, const char *id, const char *why)
{
    char cure[128];

    exclusion_cure_deleted(id, cure, sizeof(cure));
    add_failed(w, id, why, cure);
}

static void add_deleted(void *arg, const char *session_id, const char *why)
{
    struct waiter *w = arg;

    w->requested++;
    fail_deleted(w, session_id, why);
}

/* Return whether nothing of it goes out.  That is meant so, but for what was asked for by name, and
 * for what another device deleted and changed here since: it failed. */
static int judge_excluded(struct waiter *w, const char *id)
{
    struct state_session ss;
    int is_it;

    if (w->d->books == NULL || !state_is_excluded(w->d->books->state, id) ||
        !state_get(w->d->books->state, id, &ss))
        return 0;
    is_it = ss.is_excluded != STATE_NOT_EXCLUDED && ss.is_excluded != STATE_DELETED;
    if (ss.is_excluded == STATE_DELETED_CHANGED)
        fail_deleted(w, id, ss.deleted);
    else if (is_it && w->ids.n > 0)
        add_failed(w, id, exclusion_why(w->d, &ss), NULL);
    else if (is_it)
        w->excluded++;
    state_session_clear(&ss);
    return is_it;
}

/* Return whether the target is settled one way or the other. */
static int judge(struct waiter *w, const struct target *t, const struct session *s)
{
    struct uploader_view v;
    const char *why, *cure;

    if (s == NULL || s->safe_seq >= t->seq) {
        if (judge_excluded(w, t->id))
            return 1;
        if (profile_root(w->d, t->id) >= 0) { /* no session, and counted with none */
            w->requested--;
            w->is_profile_saved |= s == NULL || s->queued_seq >= t->seq;
        } else if (s == NULL || s->queued_seq >= t->seq)
            w->confirmed++;
        else
            w->unchanged++;
        return 1;
    }
    if (is_keyless(w, s)) {
        sealing_look(w->d->sealing, &why, &cure);
        add_failed(w, t->id, why, cure);
        return 1;
    }
    if (allowance_is_awaited(w->d, s) && !uploader_is_active(w->d->books->uploader, t->id)) {
        add_failed(w, t->id, allowance_why(w->d->allowance)->msg, NULL);
        return 1;
    }
    if (is_without_room(w, s)) {
        add_failed(w, t->id, room_err(w->d)->msg, NULL);
        return 1;
    }
    if (s->err != NULL && !s->is_bundling) {
        add_failed(w, t->id, s->err->msg, NULL);
        return 1;
    }
    if (w->d->books == NULL || !uploader_look(w->d->books->uploader, t->id, &v) || v.err == NULL ||
        (s->queued_seq < t->seq && !s->is_behind))
        return 0;
    if (strcmp(v.phase, "failed") == 0 || strcmp(v.phase, "limit") == 0 ||
        (w->rq == NULL && v.attempts > ONCE_FAILURES)) {
        add_failed(w, t->id, v.err->msg, NULL);
        return 1;
    }
    return 0;
}

/* Is there a point in waiting on?  Without an account nothing will ever be confirmed. */
static int is_hopeless(const struct waiter *w)
{
    const char *email, *url, *device, *why;
    const struct ct_err *err;
    struct uploader_stats st;

    switch (login_view_look(w->d->login, &email, &url, &device, &why)) {
    case LOGIN_NONE:
    case LOGIN_REFUSED:
    case LOGIN_CHANGED:
    case LOGIN_BROKEN:
        return 1;
    case LOGIN_NO_BOOKS:
        return w->rq == NULL;
    case LOGIN_CHECKING:
        return w->rq == NULL && login_view_is_offline(w->d->login);
    case LOGIN_OK:
        break;
    }
    if (w->rq != NULL || w->d->books == NULL)
        return 0;
    uploader_stats(w->d->books->uploader, &st);
    return st.failures >= ONCE_FAILURES || cloud_failures(w->d->cloud, &err) >= ONCE_FAILURES;
}

/* ---- the way to the targets ---------------------------------------------------------------------
 */

static void add_target(struct waiter *w, struct session *s)
{
    struct target *t = str_calloc(1, sizeof(*t));

    snprintf(t->id, sizeof(t->id), "%s", s->id);
    t->seq = s->dirty_seq;
    map_put(w->targets, t->id, t);
    w->requested++;
}

static int target_if_unsafe(void *arg, const char *key, void *value)
{
    struct waiter *w = arg;
    struct session *s = value;

    (void)key;
    if (s->dirty_seq > s->safe_seq)
        add_target(w, s);
    return 0;
}

/* ${ret_stays}: why nothing of it goes out, although somebody asks for it by name. */
static int is_known(struct daemon *d, const char *id, int *ret_excluded, const char **ret_stays)
{
    struct state_session ss;
    int known = d->books != NULL && state_get(d->books->state, id, &ss);

    *ret_excluded = known && ss.is_excluded;
    *ret_stays = known ? exclusion_reason(d, id, ss.meta, ss.project) : NULL;
    if (known)
        state_session_clear(&ss);
    return known;
}

static int is_rolled_back(struct daemon *d, const char *id)
{
    struct state_session ss;
    int is = d->books != NULL && state_get(d->books->state, id, &ss);

    if (!is)
        return 0;
    is = ss.rollback > 0 && !ss.is_archived && !ss.is_excluded;
    state_session_clear(&ss);
    return is;
}

static int target_by_name(struct waiter *w, const char *id, struct ct_err *err)
{
    struct daemon *d = w->d;
    struct session *s = sessions_get(d, id);
    const char *stays;
    int is_excluded, known = is_known(d, id, &is_excluded, &stays);

    if (s == NULL && !known)
        return err_set(err, ERR_GONE, "there is no session %s on this machine", id);
    if (is_excluded && stays != NULL)
        return err_set(err, ERR_REFUSED, "session %.8s is excluded: %s", id, stays);
    /* Or ctctl noted that it deleted it, and the server was not asked since. */
    if (is_excluded || (d->books != NULL && adopted_take_deleted(d->books->dir, id))) {
        if (state_set_excluded(d->books->state, id, 0, 1, err) != 0)
            return -1;
        s = sessions_touch(d, id, 0, 0);
    }
    if (is_rolled_back(d, id)) {
        /* Asked for by name: the server has less than it had, so it gets it anew. */
        if (state_renew(d->books->state, id, err) != 0)
            return -1;
        s = sessions_touch(d, id, 0, 0);
    }
    if (s != NULL && s->dirty_seq > s->safe_seq) {
        add_target(w, s);
    } else {
        w->requested++;
        w->unchanged++;
    }
    return 0;
}

static int find_targets(struct waiter *w, struct ct_err *err)
{
    if (w->ids.n == 0) {
        sessions_each(w->d, target_if_unsafe, w);
        if (w->is_waiting)
            state_each_deleted(w->d->books->state, add_deleted, w);
    }
    for (size_t i = 0; i < w->ids.n; i++) {
        if (target_by_name(w, w->ids.v[i], err) != 0)
            return -1;
    }
    return 0;
}

static int hurry_target(void *arg, const char *id, void *value)
{
    struct daemon *d = arg;
    struct session *s = sessions_get(d, id);

    (void)value;
    if (s == NULL)
        return 0;
    sessions_set_err(s, NULL);
    if (sessions_is_dirty(s))
        sessions_make_due(d, s);
    if (d->books != NULL)
        uploader_kick(d->books->uploader, id);
    return 0;
}

/* An explicit sync skips debounce, distance, back-off and pause. */
static void hurry(struct waiter *w)
{
    struct daemon *d = w->d;

    cloud_try_now(d->cloud);
    allowance_try(d->allowance);
    evtimer_del(d->reseal_timer);
    reseal_run(d);
    map_each(w->targets, hurry_target, d);
}

/* Whether profiles are saved the server is about to say: they may be targets too. */
static int awaits_answer(const struct waiter *w)
{
    const char *email, *url, *device, *why;
    enum login_view_state state = login_view_look(w->d->login, &email, &url, &device, &why);

    return w->is_waiting && w->ids.n == 0 && profile_state(w->d) == PROFILE_NOT_ASKED &&
           (state == LOGIN_OK || state == LOGIN_CHECKING) && !login_view_is_offline(w->d->login);
}

static void settle(struct waiter *w, struct target *t, const struct session *s)
{
    if (!judge(w, t, s))
        return;
    map_remove(w->targets, t->id);
    free(t);
}

static int settle_target(void *arg, const char *id, void *value)
{
    struct waiter *w = arg;

    settle(w, value, sessions_get(w->d, id));
    return 0;
}

static void aim(struct waiter *w);

static void check(struct waiter *w)
{
    if (w->is_gone && w->phase >= ASKING) {
        if (w->rq != NULL)
            finish(w);
        return;
    }
    if (w->phase == ASKING && !awaits_answer(w)) {
        aim(w);
        return;
    }
    if (w->phase == WAITING)
        map_each(w->targets, settle_target, w);
    if (w->phase == DRAINING)
        return; /* the watcher holds on to us */
    if (is_hopeless(w) || (w->phase == WAITING && (map_size(w->targets) == 0 || !w->is_waiting)))
        finish(w);
}

static void begin(struct waiter *w);

static void aim(struct waiter *w)
{
    struct ct_err err;

    w->phase = WAITING;
    if (find_targets(w, &err) != 0) {
        fail(w, &err);
        return;
    }
    hurry(w);
    check(w);
}

static void on_looked_up(void *arg)
{
    struct waiter *w = arg;

    if (w->generation != w->d->generation) {
        /* Another account's books were opened meanwhile: once more, with its own scan. */
        w->phase = NEEDS_LOGIN;
        begin(w);
        return;
    }
    if (awaits_answer(w))
        w->phase = ASKING;
    else
        aim(w);
}

static void nothing(void *arg)
{
    (void)arg;
}

static void on_looked(void *arg, int is_fresh)
{
    struct waiter *w = arg;

    (void)is_fresh;
    worker_submit(w->d->worker, nothing, on_looked_up, nothing, w);
}

/* Changes that name no session were handed to the worker before this; it works in order. */
static void on_drained(void *arg)
{
    struct waiter *w = arg;

    /* Who is told that all is safe wants to know it of the server as it is now. */
    if (w->is_waiting && w->ended == NULL)
        cloud_look(w->d->cloud, LOOK_MS, w->rq == NULL, on_looked, w);
    else
        on_looked(w, 0);
}

static void begin(struct waiter *w)
{
    const char *email, *url, *device, *why;
    enum login_view_state state = login_view_look(w->d->login, &email, &url, &device, &why);

    if (state == LOGIN_OK && w->phase == NEEDS_LOGIN) {
        w->phase = DRAINING;
        w->generation = w->d->generation;
        watcher_drain(w->d->watcher, on_drained, w);
    } else {
        check(w);
    }
}

static void on_peer_gone(void *arg)
{
    struct waiter *w = arg;

    w->is_gone = 1;
}

static struct waiter *add(struct daemon *d)
{
    struct waiter *w = str_calloc(1, sizeof(*w));

    w->d = d;
    w->failed = json_object_new_array();
    w->targets = map_new();
    LIST_INSERT_HEAD(&d->waiters->all, w, link);
    return w;
}

void waiter_sync(struct daemon *d, const char *const *ids, size_t n, struct ipc_request *rq,
                 int is_waiting)
{
    struct waiter *w = add(d);

    w->rq = rq;
    w->is_waiting = is_waiting;
    for (size_t i = 0; i < n; i++)
        strlist_add_once(&w->ids, ids[i]);
    if (rq != NULL)
        ipc_request_on_gone(rq, on_peer_gone, w);
    login_view_try_now(d->login);
    begin(w);
}

void waiter_hurry(struct daemon *d, void (*ended)(struct daemon *d))
{
    struct waiter *w = add(d);

    w->ended = ended;
    w->is_waiting = 1;
    begin(w);
}

int waiter_is_anybody(const struct daemon *d)
{
    const struct waiter *w;

    if (d->waiters == NULL)
        return 0;
    LIST_FOREACH(w, &d->waiters->all, link)
    {
        if (w->rq != NULL && w->is_waiting && !w->is_gone)
            return 1;
    }
    return 0;
}

void waiter_check(struct daemon *d, const struct session *s)
{
    struct waiter *w, *next;
    struct target *t;

    for (w = LIST_FIRST(&d->waiters->all); w != NULL; w = next) {
        next = LIST_NEXT(w, link);
        if (w->phase != WAITING)
            continue;
        if ((t = map_get(w->targets, s->id)) != NULL)
            settle(w, t, s);
        if (map_size(w->targets) == 0)
            finish(w);
    }
}

static int fail_target(void *arg, const char *id, void *value)
{
    struct waiter *w = arg;

    add_failed(w, id, "the account's books were closed before it was safe", "ctctl sync");
    map_remove(w->targets, id);
    free(value);
    return 0;
}

void waiter_forgotten(struct daemon *d)
{
    struct waiter *w, *next;

    for (w = LIST_FIRST(&d->waiters->all); w != NULL; w = next) {
        next = LIST_NEXT(w, link);
        if (w->phase != WAITING)
            continue;
        map_each(w->targets, fail_target, w);
        finish(w);
    }
}

void waiter_check_all(struct daemon *d)
{
    struct waiter *w, *next;

    for (w = LIST_FIRST(&d->waiters->all); w != NULL; w = next) {
        next = LIST_NEXT(w, link);
        begin(w);
    }
}

struct waiters *waiters_new(void)
{
    struct waiters *ws = str_calloc(1, sizeof(*ws));

    LIST_INIT(&ws->all);
    return ws;
}

void waiters_free(struct waiters *ws)
{
    struct ct_err err;
    struct waiter *w;

    if (ws == NULL)
        return;
    err_set(&err, ERR_RETRY, "the daemon is stopping");
    while ((w = LIST_FIRST(&ws->all)) != NULL) {
        if (w->rq != NULL)
            ipc_fail(w->rq, &err);
        waiter_free(w);
    }
    free(ws);
}

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agents/disk/beneath.h"
#include "agents/roots.h"
#include "common/base/hash.h"
#include "common/base/log.h"
#include "common/base/now.h"
#include "common/base/path.h"
#include "common/base/str.h"

#include "daemon/account/cloud.h"
#include "daemon/daemon.h"
#include "daemon/account/login_view.h"
#include "daemon/account/sealing.h"
#include "daemon/session/exclusion.h"
#include "daemon/session/rules.h"
#include "daemon/session/profile.h"

/* ---- files whose session is named inside: read on the worker ------------------------------------
 */

struct lookup {
    struct daemon *d;
    const struct agent *agent;
    uint64_t generation; /* of the books */
    int root_index;
    char *root;
    char *path;
    enum agent_kind kind;
    char session_id[UUID_SIZE]; /* of a transcript */
    int64_t offset;             /* prompt history: where to go on */
    int64_t next;
    int64_t age_ms;
    int64_t mtime_ms;
    int64_t size_bytes;
    struct strlist ids;
    int is_of_none; /* prompt history: a line names no session */
    int is_unparsable;
    int is_turn_end; /* a running session that waits for a person, or ended */
};

static void lookup_free(void *arg)
{
    struct lookup *l = arg;

    strlist_free(&l->ids);
    free(l->root);
    free(l->path);
    free(l);
}

static void on_history_id(void *arg, const char *session_id)
{
    struct lookup *l = arg;

    if (session_id[0] != '\0')
        strlist_add_once(&l->ids, session_id);
    else
        l->is_of_none = 1;
}

static void lookup_run(void *arg)
{
    struct lookup *l = arg;
    struct agent_live live;
    char id[UUID_SIZE];

    switch (l->kind) {
    case AGENT_SIDECHAIN:
        if (agent_read_sidechain(l->agent, l->root, l->path, id, NULL) == 0)
            strlist_add(&l->ids, id);
        break;
    case AGENT_HISTORY:
    case AGENT_NAMES:
        if (agent_read_history(l->agent, l->kind, l->root, l->offset, on_history_id, l, &l->next,
                               NULL) != 0)
            l->next = l->offset;
        break;
    case AGENT_TRANSCRIPT:
        l->is_turn_end = agent_is_turn_over(l->agent, l->root, l->path);
        break;
    case AGENT_LIVE:
        l->is_unparsable = agent_read_live(l->agent, l->root, l->path, &live) != 0;
        if (!l->is_unparsable && agent_is_alive(&live)) {
            strlist_add(&l->ids, live.session_id);
            l->is_turn_end =
                strcmp(live.status, "idle") == 0 || strcmp(live.status, "waiting") == 0;
        }
        break;
    default:
        break;
    }
}

static char *history_key(enum agent_kind kind, const char *root)
{
    return str_printf("%s %s", kind == AGENT_NAMES ? "names" : "history", root);
}

#define FRESH_MS 60000     /* what was written longer ago may wait until it is quiet */
#define LIVE_LOOK_MS 10000 /* what was read longer ago than this is looked at again */

static void live_set(struct daemon *d, const char *path, const char *session_id)
{
    /* Somebody begins to work on it here: has anybody else meanwhile? */
    if (session_id != NULL && map_get(d->live, path) == NULL)
        cloud_look(d->cloud, LIVE_LOOK_MS, 0, NULL, NULL);
    free(map_remove(d->live, path));
    if (session_id != NULL)
        map_put(d->live, path, str_dup(session_id));
}

static int is_same_id(void *arg, const char *key, void *value)
{
    (void)key;
    return strcmp(arg, value) == 0;
}

int changes_is_live(struct daemon *d, const char *session_id)
{
    return map_each(d->live, is_same_id, (char *)(uintptr_t)session_id);
}

/* The file of a process vanishes when its session ends. */
static void live_gone(struct daemon *d, const char *path)
{
    const char *id = map_get(d->live, path);

    if (id != NULL)
        sessions_turn_ended(d, id);
    live_set(d, path, NULL);
}

static void live_seen(struct lookup *l)
{
    if (l->is_unparsable)
        return; /* it is rewritten in place: no signal */
    live_set(l->d, l->path, l->ids.n > 0 ? l->ids.v[0] : NULL);
    if (l->is_turn_end)
        sessions_turn_ended(l->d, l->ids.v[0]);
}

static int write_noted(void *arg, struct ct_err *err)
{
    const struct lookup *l = arg;
    char *key = history_key(l->kind, l->root), value[24];
    int rc = 0;

    snprintf(value, sizeof(value), "%lld", (long long)l->next);
    for (size_t i = 0; rc == 0 && i < l->ids.n; i++)
        rc = state_outdate_files(l->d->books->state, l->ids.v[i], err);
    if (rc == 0)
        rc = state_note(l->d->books->state, key, value, err);
    free(key);
    return rc;
}

static void lookup_done(void *arg)
{
    struct lookup *l = arg;
    struct daemon *d = l->d;

    if (l->kind == AGENT_LIVE)
        live_seen(l);
    if (l->kind == AGENT_TRANSCRIPT && l->is_turn_end)
        sessions_turn_ended(d, l->session_id);
    /* Began for an account that is closed: the next one's scan asks anew. */
    if (l->generation != d->generation)
        goto done;
    for (size_t i = 0; i < l->ids.n && l->kind != AGENT_LIVE; i++)
        sessions_touch(d, l->ids.v[i], l->age_ms, l->mtime_ms);
    if (l->is_of_none)
        profile_touch(d, l->root_index);
    if (l->kind == AGENT_SIDECHAIN && l->ids.n > 0)
        sessions_grew(d, sessions_get(d, l->ids.v[0]), l->root_index, l->path, l->size_bytes);
    /* Read up to there; and, in the same transaction, the sessions whose lines those were count as
     * changed for the next scan too, should we not get to bundle them. */
    if ((l->kind == AGENT_HISTORY || l->kind == AGENT_NAMES) && d->books != NULL)
        db_transact(state_db(d->books->state), write_noted, l, NULL);
done:
    lookup_free(l);
    waiter_check_all(d);
}

/* How far the prompt history was read.  A history that is new to us is read from its end: every
 * session is new then too and takes its lines along. */
static int64_t history_offset(struct daemon *d, enum agent_kind kind, const char *root,
                              int64_t size_bytes)
{
    char *key = history_key(kind, root),
         *value = d->books != NULL ? state_noted(d->books->state, key) : NULL;
    unsigned long long offset;

    if (value == NULL || str_parse_u64(value, &offset) != 0)
        offset = (unsigned long long)size_bytes;
    free(value);
    free(key);
    return (int64_t)offset;
}

static void look_up(struct daemon *d, const struct watcher_change *c, int64_t age_ms)
{
    struct lookup *l = str_calloc(1, sizeof(*l));

    l->d = d;
    l->agent = daemon_agent(d, c->root);
    l->generation = d->generation;
    l->root_index = c->root;
    l->root = str_dup(d->config->roots.v[c->root]);
    l->path = str_dup(c->path);
    l->kind = c->place->kind;
    memcpy(l->session_id, c->place->session_id, UUID_SIZE);
    l->age_ms = age_ms;
    l->mtime_ms = c->mtime_ns / 1000000;
    l->size_bytes = c->size_bytes;
    if (l->kind == AGENT_HISTORY || l->kind == AGENT_NAMES)
        l->offset = history_offset(d, l->kind, l->root, c->size_bytes);
    worker_submit(d->worker, lookup_run, lookup_done, lookup_free, l);
}

/* ---- what the watcher says ----------------------------------------------------------------------
 */

struct touching {
    struct daemon *d;
    int64_t age_ms;
    int64_t mtime_ms;
    const char *prefix;
    struct strlist ids;
};

static void forget_clash(struct daemon *d, const char *session_id)
{
    struct strlist left = {0};

    for (size_t i = 0; i + 1 < d->clashes.n; i += 2) {
        if (strcmp(d->clashes.v[i], session_id) == 0)
            continue;
        strlist_add(&left, d->clashes.v[i]);
        strlist_add(&left, d->clashes.v[i + 1]);
    }
    strlist_free(&d->clashes);
    d->clashes = left;
}

/* A server knows a session by its id alone: of two agents that use the same one, the first is
 * saved, and the other one is named.  Only who is asked to makes up such an id. */
static int is_of_another(struct daemon *d, const char *session_id, const struct watcher_change *c)
{
    const char *own = daemon_agent(d, c->root)->id;
    const struct session *s = sessions_get(d, session_id);
    char saved[AGENT_ID_SIZE] = "";

    if (d->books == NULL || !roots_are_several(d->config))
        return 0;
    if (!state_agent(d->books->state, session_id, saved) && s != NULL && s->agent != NULL)
        snprintf(saved, sizeof(saved), "%s", s->agent->id);
    if (saved[0] == '\0' || strcmp(saved, own) == 0)
        return 0;
    if (c->place->kind == AGENT_TRANSCRIPT && c->is_gone)
        forget_clash(d, session_id);
    if (c->place->kind == AGENT_TRANSCRIPT && !c->is_gone &&
        !strlist_has(&d->clashes, session_id)) {
        log_warn("session-clash session=%s agent=%s saved=%s", session_id, own, saved);
        strlist_add(&d->clashes, session_id);
        strlist_add(&d->clashes, own);
        daemon_notice(d);
    }
    return 1;
}

static void session_changed(struct daemon *d, const char *session_id,
                            const struct watcher_change *c, int64_t age_ms)
{
    struct session *s;

    if (is_of_another(d, session_id, c))
        return;
    s = sessions_touch(d, session_id, age_ms, c->mtime_ns / 1000000);
    if (s != NULL)
        s->agent = daemon_agent(d, c->root);
    sessions_grew(d, s, c->root, c->path, c->size_bytes);
    if (c->place->kind == AGENT_TRANSCRIPT && !c->is_gone && age_ms < FRESH_MS &&
        daemon_agent(d, c->root)->is_turn_over != NULL)
        look_up(d, c, age_ms);
}

static void add_one(void *arg, const char *session_id)
{
    struct touching *t = arg;

    strlist_add_once(&t->ids, session_id);
}

static void touch_one(void *arg, const char *session_id)
{
    struct touching *t = arg;

    sessions_touch(t->d, session_id, t->age_ms, t->mtime_ms);
}

static void plan_changed(struct daemon *d, const struct watcher_change *c, int64_t age_ms)
{
    struct touching t = {.d = d, .age_ms = age_ms, .mtime_ms = c->mtime_ns / 1000000};
    struct strlist slugs = {0};

    daemon_agent(d, c->root)->plan_slugs(path_base(c->path), &slugs);
    for (size_t i = 0; d->books != NULL && i < slugs.n; i++)
        state_by_slug(d->books->state, slugs.v[i], touch_one, &t);
    strlist_free(&slugs);
    profile_touch(d, c->root); /* it may be nobody's */
}

static int touch_new_by_prefix(void *arg, const char *key, void *value)
{
    struct touching *t = arg;

    (void)value;
    if (strncmp(key, t->prefix, strlen(t->prefix)) == 0)
        strlist_add_once(&t->ids, key);
    return 0;
}

/* A transcript that says inside whose it is.  What can't be read yet comes again when it grows. */
static void nameless_changed(struct daemon *d, const struct watcher_change *c, int64_t age_ms)
{
    const struct agent *agent = daemon_agent(d, c->root);
    int root_fd = beneath_open_root(d->config->roots.v[c->root]);
    struct agent_path place = *c->place;
    struct watcher_change named = *c;
    char quoted[512];

    named.place = &place;
    if (root_fd >= 0 && agent_identify(agent, root_fd, c->path, &place) == 0)
        session_changed(d, place.session_id, &named, age_ms);
    else
        log_debug("session-unknown path=%s", log_quote(c->path, quoted, sizeof(quoted)));
    if (root_fd >= 0)
        close(root_fd);
}

/* A path that names its session by its first digits: all that begin so, which is one. */
static void touch_by_prefix(struct daemon *d, const struct watcher_change *c, int64_t age_ms)
{
    struct touching t = {.d = d, .prefix = c->place->prefix};

    if (d->books != NULL)
        state_each_prefixed(d->books->state, t.prefix, add_one, &t);
    sessions_each(d, touch_new_by_prefix, &t);
    for (size_t i = 0; i < t.ids.n; i++)
        session_changed(d, t.ids.v[i], c, age_ms);
    strlist_free(&t.ids);
}

/* One copy of a project's memory travels with the most recent session of those that it belongs to,
 * and with the others when they change for a reason of their own. */
static void memory_changed(struct daemon *d, const struct watcher_change *c, int64_t age_ms)
{
    char id[UUID_SIZE];

    if (d->books != NULL &&
        state_newest_of_memory(d->books->state, d->config->roots.v[c->root], c->place->project, id))
        sessions_touch(d, id, age_ms, 0);
    profile_touch(d, c->root); /* where there is no session */
}

static void on_seen(void *arg, int root, const char *path)
{
    struct daemon *d = arg;

    uint64_t h = hash_quick(d->seen_seed, path);

    if (d->roots[root].is_scanning)
        buf_add(&d->roots[root].seen, &h, sizeof(h));
}

static void on_changed(void *arg, const struct watcher_change *c)
{
    struct daemon *d = arg;
    int64_t age_ms = c->is_gone ? 0 : now_wall_ms() - c->mtime_ns / 1000000;

    if (!c->is_gone)
        on_seen(d, c->root, c->path);
    switch (c->place->kind) {
    case AGENT_TRANSCRIPT:
    case AGENT_SUBDIR:
    case AGENT_FILE_HISTORY:
    case AGENT_TASK:
    case AGENT_TODO:
    case AGENT_ASIDE:
    case AGENT_UPLOAD:
        if (c->place->session_id[0] != '\0')
            session_changed(d, c->place->session_id, c, age_ms);
        else if (c->place->kind == AGENT_TRANSCRIPT && !c->is_gone)
            nameless_changed(d, c, age_ms);
        else
            touch_by_prefix(d, c, age_ms);
        break;
    case AGENT_SIDECHAIN:
    case AGENT_HISTORY:
    case AGENT_NAMES:
        if (!c->is_gone)
            look_up(d, c, age_ms);
        break;
    case AGENT_LIVE:
        if (c->is_gone)
            live_gone(d, c->path);
        else
            look_up(d, c, 0);
        break;
    case AGENT_PLAN:
        plan_changed(d, c, age_ms);
        break;
    case AGENT_MEMORY:
        memory_changed(d, c, age_ms);
        break;
    case AGENT_LOOSE:
        profile_touch(d, c->root);
        break;
    case AGENT_PASTE: /* its session's prompt history says so too */
    case AGENT_NOTHING:
        break;
    }
}

static int on_recorded(void *arg, int root, const char *path, int64_t *ret_size_bytes,
                       int64_t *ret_mtime_ns, uint64_t *ret_inode)
{
    struct daemon *d = arg;

    return d->books != NULL && state_file(d->books->state, d->config->roots.v[root], path,
                                          ret_size_bytes, ret_mtime_ns, ret_inode);
}

static void on_scan_began(void *arg, int root)
{
    struct daemon *d = arg;
    struct root_view *r = &d->roots[root];

    buf_reset(&r->seen);
    strlist_free(&r->unreadable);
    r->is_scanning = 1;
}

static void on_unreadable(void *arg, int root, const char *path)
{
    struct daemon *d = arg;

    strlist_add(&d->roots[root].unreadable, path);
}

static int by_number(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

struct sweeping {
    const struct root_view *root;
    uint64_t seed;
    struct strlist gone; /* sessions that miss a file */
};

static void sweep_file(void *arg, const char *session_id, const char *path)
{
    struct sweeping *w = arg;

    uint64_t h = hash_quick(w->seed, path);

    if (bsearch(&h, w->root->seen.data, w->root->seen.len / sizeof(h), sizeof(h), by_number) !=
        NULL)
        return;
    for (size_t i = 0; i < w->root->unreadable.n; i++) {
        const char *dir = w->root->unreadable.v[i];
        if (dir[0] == '\0' || path_is_below(path, dir))
            return;
    }
    strlist_add(&w->gone, session_id);
}

/* What is recorded and was not met is gone: its sessions are looked at.  A root that is absent as a
 * whole says nothing about its sessions. */
static void sweep(struct daemon *d, int root)
{
    struct sweeping w = {.root = &d->roots[root], .seed = d->seen_seed};
    struct buf *seen = &d->roots[root].seen;

    if (d->books == NULL || !w.root->is_scanning || !w.root->is_there)
        return;
    buf_add(seen, "", 0); /* never NULL */
    qsort(seen->data, seen->len / sizeof(uint64_t), sizeof(uint64_t), by_number);
    state_each_file(d->books->state, d->config->roots.v[root], sweep_file, &w);
    strlist_sort(&w.gone);
    for (size_t i = 0; i < w.gone.n; i++)
        sessions_touch(d, w.gone.v[i], 0, 0);
    strlist_free(&w.gone);
}

static int sweep_live(void *arg, const char *path, void *id)
{
    struct daemon *d = arg;
    int is_there = 0;

    (void)id;
    for (size_t i = 0; i < d->config->roots.n && !is_there; i++) {
        char *whole = path_join(d->config->roots.v[i], path);
        is_there = access(whole, F_OK) == 0 || errno != ENOENT;
        free(whole);
    }
    if (!is_there)
        live_gone(d, path);
    return 0;
}

/* Of the agents that may be here, not all are. */
static int is_optional(const struct daemon *d)
{
    return strlist_has(&d->config->agents, "auto");
}

static int all_are_scanned(const struct daemon *d)
{
    for (size_t i = 0; i < d->config->roots.n; i++) {
        if ((!d->roots[i].is_there && !is_optional(d)) || d->roots[i].scans == 0)
            return 0;
    }
    return 1;
}

static void on_scanned(void *arg, int root, int64_t files)
{
    struct daemon *d = arg;
    struct root_view *r = &d->roots[root];
    char quoted[512];

    log_info("scan-done root=%s files=%lld",
             log_quote(d->config->roots.v[root], quoted, sizeof(quoted)), (long long)files);
    sweep(d, root);
    map_each(d->live, sweep_live,
             d); /* these are on no record; a poll only tells that one is missing */
    buf_free(&r->seen);
    r->is_scanning = 0;
    strlist_free(&r->unreadable);
    r->scans++;
    if (r->scans == 1)
        profile_touch(d, root);
    cleanup_look(d);
    if (d->books != NULL) {
        books_tidy(d);
        if (r->scans == 1 && all_are_scanned(d))
            salvage_begin(d);
    }
    daemon_rest_soon(d);
    control_event(d, "scan", NULL, 0, 0, NULL);
    bundler_run(d);
    waiter_check_all(d);
}

static void on_root_state(void *arg, int root, int there)
{
    struct daemon *d = arg;
    char quoted[512];

    d->roots[root].is_there = there;
    log_info("root-%s path=%s", there ? "found" : "missing",
             log_quote(d->config->roots.v[root], quoted, sizeof(quoted)));
    control_event(d, "state", NULL, 0, 0,
                  there ? "watched folder found" : "watched folder missing");
    if (there)
        restart_if_barred(d, d->config->roots.v[root]);
}

/* What it leads to may be new since the sandbox closed. */
static void on_linked(void *arg, int root, const char *path)
{
    struct daemon *d = arg;
    char *whole = path_join(d->config->roots.v[root], path);

    restart_if_barred(d, whole);
    free(whole);
}

static void on_file_changed(void *arg, const char *path)
{
    struct daemon *d = arg;

    if (gather_changed(d, path))
        ;
    else if (strcmp(path, sealing_path(d->sealing)) == 0)
        sealing_refresh(d->sealing);
    else if (strcmp(path, rules_path(d->rules)) == 0)
        exclusion_refresh(d);
    else
        login_view_refresh(d->login);
    restart_if_barred(d, path);
}

static void on_resumed(void *arg)
{
    daemon_woke(arg);
}

const struct watcher_ops changes_watcher_ops = {
    .changed = on_changed,
    .recorded = on_recorded,
    .seen = on_seen,
    .scan_began = on_scan_began,
    .unreadable = on_unreadable,
    .scanned = on_scanned,
    .linked = on_linked,
    .root_state = on_root_state,
    .file_changed = on_file_changed,
    .resumed = on_resumed,
};

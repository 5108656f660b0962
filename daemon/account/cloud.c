#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "api/client.h"
#include "common/base/hash.h"
#include "common/data/jdoc.h"
#include "common/base/log.h"
#include "common/base/now.h"
#include "common/base/path.h"
#include "common/base/percent.h"
#include "common/base/str.h"
#include "uploader/backoff.h"
#include "uploader/beside.h"

#include "daemon/account/cloud_impl.h"
#include "daemon/account/login_view.h"

/*
 * What the server has already.  Its list is read at log-in, after a time without it, and now and
 * then while there are uploads; never while nothing happens.  It tells two things: versions that
 * other devices made, and sessions that are there although nothing of that is recorded here (the
 * database was lost).  Of these, and only of these, the versions are asked for before anything is
 * uploaded: a bundle of the same content has the same checksum.
 */
#define PAGE 100
#define MAX_PAGES 10000
#define FRESH_MS (60LL * 1000)      /* not asked again sooner */
#define STALE_MS (60LL * 60 * 1000) /* asked again when there is something to do anyway */

static void ask_next(struct cloud *c);
static void read_page(struct cloud *c);
static void try_again(struct cloud *c);
static int list_will_tell(void *arg, const char *id, void *value);

static int forget_key(void *arg, const char *key, void *value)
{
    (void)value;
    map_remove(arg, key);
    return 0;
}

static int free_listed(void *arg, const char *key, void *value)
{
    (void)key;
    map_remove(arg, key);
    free(value);
    return 0;
}

static void stop_calls(struct cloud *c)
{
    if (c->call != NULL)
        http_cancel(c->call);
    if (c->ask != NULL)
        http_cancel(c->ask);
    probe_cancel(c->probe);
    c->probe = NULL;
    c->call = c->ask = NULL;
    cloud_verify_stop(c);
    c->is_telling = 0;
    api_request_free(c->request);
    api_request_free(c->ask_request);
    c->request = c->ask_request = NULL;
    evtimer_del(c->retry);
    evtimer_del(c->soon);
}

static void try_later(struct cloud *c, const struct ct_err *err)
{
    struct timeval tv;
    uint32_t random;
    int64_t wait_ms;

    if (err->code == ERR_AUTH) {
        login_view_refused(c->d->login, err);
        return;
    }
    hash_random(&random, sizeof(random));
    c->err = *err;
    wait_ms = backoff_ms(++c->failures, waiter_is_anybody(c->d), err->retry_after_s, random);
    tv.tv_sec = wait_ms / 1000;
    tv.tv_usec = wait_ms % 1000 * 1000;
    evtimer_add(c->retry, &tv);
    if (c->failures == 1)
        log_warn("cloud-not-listed error=\"%s\"", err->msg);
    daemon_mind_network(c->d);
}

static int start_get(struct cloud *c, const char *path, struct api_request **request,
                     struct http_call **call,
                     void (*done)(void *arg, const struct http_res *res, const struct ct_err *err))
{
    const struct cred *cred = login_view_cred(c->d->login);
    struct ct_err err;

    if (cred == NULL || *call != NULL)
        return -1;
    api_request_free(*request);
    api_request_new(cred->api_url, cred->token, "GET", path, NULL, request);
    if (api_start(c->d->engine, *request, done, c, call, &err) == 0)
        return 0;
    *call = NULL;
    try_later(c, &err);
    return -1;
}

int cloud_get(struct cloud *c, const char *path,
              void (*done)(void *arg, const struct http_res *res, const struct ct_err *err))
{
    return start_get(c, path, &c->request, &c->call, done);
}

/* ---- the list -----------------------------------------------------------------------------------
 */

static void collect(void *arg, const struct uploader_view *v)
{
    strlist_add(arg, v->item->session_id);
}

/* What was queued before the list was known. */
static void consider_all(struct cloud *c)
{
    struct strlist ids = {0};

    uploader_each(c->d->books->uploader, collect, &ids);
    for (size_t i = 0; i < ids.n; i++)
        cloud_consider(c, ids.v[i]);
    strlist_free(&ids);
}

static void list_ended(struct cloud *c)
{
    reseal_run(c->d); /* what another device has overtaken */
    consider_all(c);
    login_view_listed(c->d->login);
    ask_next(c);
}

/* ---- what was deleted ---------------------------------------------------------------------------
 */

static void ask_tombstones(struct cloud *c, const char *cursor);

/* What is absent is known, or can't be. */
static void told(struct cloud *c)
{
    c->is_telling = 0;
    if (c->is_looked_late && c->doubt == NULL) {
        c->is_looked_late = 0;
        cloud_looked(c, 1);
    }
}

static void on_tombstones(void *arg, const struct http_res *res, const struct ct_err *net_err)
{
    struct cloud *c = arg;
    struct json_object *answer = NULL, *deleted, *there;
    const char *cursor;
    struct ct_err err;

    c->call = NULL;
    if (c->d->books == NULL)
        return;
    login_view_answered(c->d->login, res);
    /* A failure is no harm: the next list asks once more. */
    if (res != NULL && api_answer(res, &answer, &err) == 0) {
        deleted = jdoc_array(answer, "deleted");
        for (size_t i = 0; deleted != NULL && i < json_object_array_length(deleted); i++)
            cloud_see_tombstone(c, json_object_array_get_idx(deleted, i));
        there = jdoc_array(answer, "sessions");
        for (size_t i = 0; there != NULL && i < json_object_array_length(there); i++)
            cloud_see_there(c, json_object_array_get_idx(there, i));
        cursor = jdoc_str(answer, "cursor");
        if (jdoc_bool(answer, "more", 0) && cursor != NULL) {
            ask_tombstones(c, cursor);
            json_object_put(answer);
            if (c->call == NULL)
                told(c);
            return;
        }
        if (cursor != NULL)
            cloud_lose_absent(c);
    }
    if (answer == NULL && map_size(c->doubtful) > 0) {
        cloud_untold(c);
        try_later(c, res == NULL ? net_err : &err);
    }
    json_object_put(answer);
    cloud_forget_absent(c);
    told(c);
    ask_next(c);
    cloud_settle(c);
}

static void ask_tombstones(struct cloud *c, const char *cursor)
{
    char *escaped = percent_encode(cursor);
    char *path = str_printf("/sessions?limit=%d&since=%s", PAGE, escaped);

    start_get(c, path, &c->request, &c->call, on_tombstones);
    free(path);
    free(escaped);
}

/* ---- the list, a page at a time -----------------------------------------------------------------
 */

static void on_page(void *arg, const struct http_res *res, const struct ct_err *net_err)
{
    struct cloud *c = arg;
    struct json_object *answer = NULL, *items;
    struct ct_err err;
    size_t n;

    c->call = NULL;
    if (c->d->books == NULL)
        return;
    login_view_answered(c->d->login, res);
    if (res == NULL || api_answer(res, &answer, &err) != 0) {
        cloud_looked(c, 0);
        list_ended(c);
        try_later(c, res == NULL ? net_err : &err);
        cloud_untold(c);
        return;
    }
    items = jdoc_array(answer, "sessions");
    n = items != NULL ? json_object_array_length(items) : 0;
    if (c->offset == 0)
        cloud_set_cursor(c, answer);
    for (size_t i = 0; i < n; i++)
        cloud_see_item(c, json_object_array_get_idx(items, i));
    c->offset += (int64_t)n;
    if (n > 0 && c->offset < jdoc_int(answer, "total", 0) && c->offset < PAGE * MAX_PAGES) {
        read_page(c);
    } else {
        c->is_known = 1;
        c->failures = 0;
        daemon_mind_network(c->d);
        c->read_ms = now_mono_ms();
        cloud_end_list(c);
        c->is_telling = jdoc_str(answer, "cursor") != NULL && map_size(c->absent) > 0;
        cloud_looked(c, 1);
        sealing_listed(c->d->sealing);
        log_debug("cloud-listed sessions=%lld", (long long)c->offset);
        list_ended(c);
        if (c->is_telling)
            ask_tombstones(c, "0");
        if (c->call == NULL)
            told(c);
    }
    json_object_put(answer);
    cloud_settle(c);
}

static void read_page(struct cloud *c)
{
    char *path = str_printf("/sessions?limit=%d&offset=%lld", PAGE, (long long)c->offset);

    start_get(c, path, &c->request, &c->call, on_page);
    free(path);
}

/* The list is read whatever came of it. */
static void on_cursor(void *arg, const struct http_res *res, const struct ct_err *net_err)
{
    struct cloud *c = arg;
    struct json_object *answer = NULL;

    (void)net_err;
    c->call = NULL;
    if (c->d->books == NULL)
        return;
    if (res != NULL && res->status == 200 && api_answer(res, &answer, NULL) == 0)
        c->is_reset = jdoc_bool(answer, "reset", 0);
    json_object_put(answer);
    read_page(c);
}

/* Is it still the database that was read last?  The list itself doesn't tell. */
static void ask_cursor(struct cloud *c)
{
    char *escaped = percent_encode(c->cursor);
    char *path = str_printf("/sessions?limit=1&since=%s", escaped);

    start_get(c, path, &c->request, &c->call, on_cursor);
    free(path);
    free(escaped);
}

void cloud_refresh(struct cloud *c)
{
    stop_calls(c);
    cloud_begin_list(c);
    c->offset = 0;
    c->was_lost = 0;
    map_each(c->doubtful, list_will_tell, c);
    if (c->d->books == NULL)
        return;
    cloud_recall_cursor(c);
    if (c->cursor[0] != '\0' && !c->is_reset)
        ask_cursor(c);
    else
        read_page(c);
    if (c->call == NULL)
        cloud_untold(c);
}

void cloud_contact(struct cloud *c, int is_lost)
{
    int64_t age_ms = now_mono_ms() - c->read_ms;

    if (is_lost)
        c->was_lost = 1;
    else if (c->call == NULL && c->is_known &&
             ((c->was_lost && age_ms > FRESH_MS) || age_ms > STALE_MS))
        cloud_refresh(c);
}

/* ---- does the server have this bundle? ----------------------------------------------------------
 */

/* Write the id whose turn it is; return 0 if there is none. */
static int turn_of(struct cloud *c, char id[UUID_SIZE])
{
    if (c->next_ask == c->asks.n) {
        strlist_free(&c->asks);
        c->next_ask = 0;
        return 0;
    }
    snprintf(id, UUID_SIZE, "%s", c->asks.v[c->next_ask]);
    return 1;
}

/* It is known now: the bundle may go, unless it is settled. */
static void release(struct cloud *c, const char *id)
{
    c->next_ask++;
    map_remove(c->is_asked, id);
    uploader_hold(c->d->books->uploader, id, UPLOADER_HOLD_ASKING, 0);
}

/* The newest version with the checksum of the bundle that waits, or 0; and whether it is contained
 * in no other. */
static int64_t version_with(struct json_object *answer, const char *sha256, int *ret_is_head)
{
    struct json_object *versions = jdoc_array(answer, "versions");
    size_t n = versions != NULL ? json_object_array_length(versions) : 0;
    int64_t best = 0;

    for (size_t i = 0; i < n; i++) {
        struct json_object *v = json_object_array_get_idx(versions, i);
        const char *sum = jdoc_str(v, "checksum");
        int64_t version = jdoc_int(v, "version", 0);
        if (sum != NULL && strncmp(sum, "sha256:", 7) == 0 && strcmp(sum + 7, sha256) == 0 &&
            version > best) {
            best = version;
            *ret_is_head = jdoc_bool(v, "isHead", 1);
        }
    }
    return best;
}

static void on_versions(void *arg, const struct http_res *res, const struct ct_err *net_err)
{
    struct cloud *c = arg;
    struct json_object *answer = NULL;
    struct uploader_view v;
    struct ct_err err = {0};
    int64_t version = 0;
    struct queue_beside within = {.is_told = 1, .messages = -1, .is_within = 1};
    int is_head = 1;
    char id[UUID_SIZE];

    c->ask = NULL;
    if (c->d->books == NULL || !turn_of(c, id))
        return;
    login_view_answered(c->d->login, res);
    if (res == NULL)
        err = *net_err;
    else
        api_answer(res, &answer, &err);
    if (err.code != ERR_NONE && err.code != ERR_GONE) {
        try_later(c, &err);
        return;
    }
    c->failures = 0;
    daemon_mind_network(c->d);
    if (answer != NULL && uploader_look(c->d->books->uploader, id, &v) && !queue_is_sealed(v.item))
        version = version_with(answer, v.item->sha256, &is_head);
    within.version = jdoc_int(answer, "currentVersion", 0);
    json_object_put(answer);
    if (version > 0) {
        log_info("there-already session=%s version=%lld", id, (long long)version);
        uploader_settle(c->d->books->uploader, id, version, is_head ? NULL : &within,
                        login_view_is_own_machine(c->d->login));
    }
    release(c, id);
    ask_next(c);
}

/* What is sealed has other bytes each time: what its metadata says of the content decides, if the
 * object is there. */
static const struct listed *sealed_match(struct cloud *c, const char *id)
{
    struct uploader_view v;
    const struct listed *l;

    if (!uploader_look(c->d->books->uploader, id, &v) || !queue_is_sealed(v.item))
        return NULL;
    l = map_get(c->listed, v.item->wire_id);
    return l != NULL && l->generation > 0 && strcmp(l->content_id, v.item->content_id) == 0 ? l
                                                                                            : NULL;
}

static void on_probed(void *arg, const struct ct_err *why)
{
    struct cloud *c = arg;
    const struct listed *l;
    char id[UUID_SIZE];

    c->probe = NULL;
    if (c->d->books == NULL || !turn_of(c, id))
        return;
    if (why != NULL && why->code != ERR_GONE) {
        try_later(c, why);
        return;
    }
    l = sealed_match(c, id);
    if (why != NULL) {
        log_warn("not-there session=%s error=\"%s\"", id, why->msg);
    } else if (l != NULL) {
        log_info("there-already session=%s version=%lld", id, (long long)l->version);
        uploader_settle_sealed(c->d->books->uploader, id, l->version, l->sha256, l->key_id,
                               l->generation, NULL, login_view_is_own_machine(c->d->login));
    }
    release(c, id);
    ask_next(c);
}

/* Return 0 if the server is being asked now. */
static int probe_listed(struct cloud *c, const char *id)
{
    const struct listed *l = sealed_match(c, id);
    const struct cred *cred = login_view_cred(c->d->login);
    struct probe_what what = {0};
    struct uploader_view v;
    struct ct_err err;

    if (l == NULL || cred == NULL || !uploader_look(c->d->books->uploader, id, &v))
        return -1;
    what.api_url = cred->api_url;
    what.token = cred->token;
    what.session_id = v.item->wire_id;
    what.version = l->version;
    what.generation = l->generation;
    memcpy(what.object_id, l->object_id, sizeof(what.object_id));
    return probe_start(c->d->engine, &what, on_probed, c, &c->probe, &err);
}

/* Return whether the server need not be asked for the session. */
static int is_settled(struct cloud *c, const char *id)
{
    struct uploader_view v;

    if (!uploader_look(c->d->books->uploader, id, &v))
        return 1;
    if (c->is_known && map_get(c->listed, queue_wire_id(v.item)) == NULL)
        return 1;
    return c->is_known && queue_is_sealed(v.item) && probe_listed(c, id) != 0;
}

static void ask_next(struct cloud *c)
{
    char *path, id[UUID_SIZE];
    struct uploader_view v;
    int is_one;

    if (c->call != NULL || c->ask != NULL || c->probe != NULL || evtimer_pending(c->retry, NULL))
        return;
    while ((is_one = turn_of(c, id)) && is_settled(c, id))
        release(c, id);
    if (!is_one || c->probe != NULL)
        return;
    uploader_look(c->d->books->uploader, id, &v);
    path = api_session_path(queue_wire_id(v.item), "/versions");
    start_get(c, path, &c->ask_request, &c->ask, on_versions);
    free(path);
}

void cloud_go_on(struct cloud *c)
{
    ask_next(c);
}

void cloud_consider(struct cloud *c, const char *session_id)
{
    struct uploader_view v;
    struct state_session ss = {0};
    const struct timeval now = {0, 0};
    int is_recorded = 1;

    if (!uploader_look(c->d->books->uploader, session_id, &v))
        return;
    if (!state_get_bare(c->d->books->state, session_id, &ss) || ss.version == 0 ||
        strcmp(ss.wire_id, v.item->wire_id) != 0)
        is_recorded = 0;
    state_session_clear(&ss);
    if (is_recorded || (c->is_known && map_get(c->listed, queue_wire_id(v.item)) == NULL) ||
        v.item->phase != QUEUE_READY || v.item->revive ||
        uploader_is_active(c->d->books->uploader, session_id))
        return;
    uploader_hold(c->d->books->uploader, session_id, UPLOADER_HOLD_ASKING, 1);
    if (map_get(c->is_asked, session_id) == NULL) {
        map_put(c->is_asked, session_id, c);
        strlist_add(&c->asks, session_id);
    }
    /* From the loop: the caller may be in the middle of something with that session. */
    evtimer_add(c->soon, &now);
}

static void try_again(struct cloud *c)
{
    if (c->d->books == NULL)
        return;
    if (!c->is_known || map_size(c->doubtful) > 0)
        cloud_refresh(c);
    else
        ask_next(c);
}

int cloud_failures(const struct cloud *c, const struct ct_err **ret_err)
{
    *ret_err = &c->err;
    return c->failures;
}

int cloud_is_in_the_way(const struct cloud *c, const struct ct_err **ret_err)
{
    *ret_err = &c->err;
    return c->failures > 0 && c->next_ask < c->asks.n;
}

void cloud_try_now(struct cloud *c)
{
    if (!evtimer_pending(c->retry, NULL))
        return;
    evtimer_del(c->retry);
    try_again(c);
}

int cloud_is_known(const struct cloud *c)
{
    return c->is_known;
}

int64_t cloud_in_clear(const struct cloud *c, int64_t *ret_late, const char **ret_which)
{
    *ret_late = c->clear.late;
    *ret_which = c->clear.which;
    return c->clear.others;
}

int cloud_has(const struct cloud *c, const char *session_id)
{
    char wire_id[UUID_SIZE];

    sealing_wire_id(c->d->sealing, session_id, wire_id);
    if (map_get(c->listed, wire_id[0] != '\0' ? wire_id : session_id) != NULL)
        return 1;
    return c->is_known ? 0 : -1;
}

int cloud_confirmed(struct cloud *c, const struct queue_item *item, int64_t version,
                    struct ct_err *err)
{
    struct listed *l = map_get(c->listed, queue_wire_id(item));
    int is_other = l != NULL && l->is_other && !item->beside.is_told && l->version != version &&
                   l->version > item->base_version && /* a pull may have brought it meanwhile */
                   !beside_is_merged(item, l->version, l->sha256);
    struct state_elsewhere e = {.wire_id = item->wire_id, .messages = -1, .is_apart = 1};

    map_put(c->since, item->session_id, c);
    if (l != NULL) {
        l->is_other = 0;
        l->own_version = 0;
    }
    e.version = is_other ? l->version : 0;
    return is_other ? state_set_elsewhere(c->d->books->state, item->session_id, &e, err) : 0;
}

void cloud_passed(struct cloud *c, const struct queue_item *item)
{
    map_put(c->since, item->session_id, c);
}

struct settled {
    struct cloud *c;
    struct strlist ids;
};

static int is_settled_by_list(void *arg, const char *id, void *value)
{
    struct settled *s = arg;

    if (value == s->c->doubtful)
        strlist_add(&s->ids, id);
    return 0;
}

static int list_did_not_tell(void *arg, const char *id, void *value)
{
    struct cloud *c = arg;

    (void)value;
    map_put(c->doubtful, id, c);
    return 0;
}

/* It was not read to its end: who was in doubt is. */
void cloud_untold(struct cloud *c)
{
    map_each(c->doubtful, list_did_not_tell, c);
}

static int list_will_tell(void *arg, const char *id, void *value)
{
    struct cloud *c = arg;

    (void)value;
    map_put(c->doubtful, id, c->doubtful);
    return 0;
}

void cloud_settle(struct cloud *c)
{
    struct settled s = {.c = c};

    if (map_size(c->doubtful) == 0 || c->call != NULL || c->doubt != NULL)
        return;
    map_each(c->doubtful, is_settled_by_list, &s);
    for (size_t i = 0; i < s.ids.n; i++)
        map_remove(c->doubtful, s.ids.v[i]);
    for (size_t i = 0; i < s.ids.n; i++)
        sessions_undoubted(c->d, s.ids.v[i]);
    strlist_free(&s.ids);
    if (map_size(c->doubtful) > 0 && !evtimer_pending(c->retry, NULL))
        cloud_refresh(c);
}

int cloud_is_doubtful(const struct cloud *c, const char *session_id)
{
    return map_get(c->doubtful, session_id) != NULL;
}

void cloud_adopted(struct cloud *c, const char *session_id, int is_told)
{
    struct state_session ss = {0};
    struct listed *l;

    map_put(c->since, session_id, c);
    state_get(c->d->books->state, session_id, &ss);
    l = map_get(c->listed, ss.wire_id[0] != '\0' ? ss.wire_id : session_id);
    /* The list may have come before: what was another device's then is what is here now. */
    if (l != NULL && l->version <= ss.version)
        l->is_other = 0;
    is_told |=
        l != NULL && ((l->version == ss.version && strcmp(l->sha256, ss.sha256) == 0) ||
                      (l->own_version == ss.version && strcmp(l->own_sha256, ss.sha256) == 0));
    if (l != NULL)
        l->own_version = 0; /* what is here now is another one */
    state_session_clear(&ss);
    if (is_told)
        return;
    map_put(c->doubtful, session_id, c);
    if (c->is_known || c->call != NULL)
        cloud_settle(c); /* else the first list tells */
}

int64_t cloud_own_version(const struct cloud *c, const struct queue_item *item,
                          char ret_sha256[HASH_SHA256_HEX])
{
    const struct listed *l = map_get(c->listed, queue_wire_id(item));

    if (l == NULL || l->own_version == 0)
        return 0;
    memcpy(ret_sha256, l->own_sha256, HASH_SHA256_HEX);
    return l->own_version;
}

int64_t cloud_generation(const struct cloud *c, const char *wire_id)
{
    const struct listed *l = wire_id[0] != '\0' ? map_get(c->listed, wire_id) : NULL;

    return l != NULL ? l->generation : 0;
}

const struct map *cloud_rollbacks(const struct cloud *c)
{
    return c->rollbacks;
}

int64_t cloud_unreadable(const struct cloud *c, const char **ret_why)
{
    *ret_why = c->unreadable_err.msg;
    return c->unreadable;
}

/* ---- */

static void on_soon(evutil_socket_t fd, short what, void *arg)
{
    struct cloud *c = arg;

    (void)fd;
    (void)what;
    if (c->d->books != NULL)
        ask_next(c);
}

static void on_retry(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    try_again(arg);
}

void cloud_forget(struct cloud *c)
{
    stop_calls(c);
    map_each(c->listed, free_listed, c->listed);
    map_each(c->is_asked, forget_key, c->is_asked);
    map_each(c->since, forget_key, c->since);
    map_each(c->in_clear, forget_key, c->in_clear);
    map_each(c->rollbacks, forget_key, c->rollbacks);
    map_each(c->seen, forget_key, c->seen);
    map_each(c->doubtful, forget_key, c->doubtful);
    cloud_forget_absent(c);
    c->unreadable = 0;
    strlist_free(&c->asks);
    c->next_ask = 0;
    c->is_known = c->was_lost = c->is_reset = 0;
    c->failures = 0;
    c->cursor[0] = '\0';
    cloud_looked(c, 0);
    c->looked_ms = 0;
}

struct cloud *cloud_new(struct daemon *d)
{
    struct cloud *c = str_calloc(1, sizeof(*c));

    c->d = d;
    c->listed = map_new();
    c->is_asked = map_new();
    c->since = map_new();
    c->in_clear = map_new();
    c->rollbacks = map_new();
    c->described = map_new();
    c->doubtful = map_new();
    c->seen = map_new();
    c->absent = map_new();
    c->look_timer = cloud_look_event(c);
    c->retry = evtimer_new(d->base, on_retry, c);
    c->soon = evtimer_new(d->base, on_soon, c);
    if (c->retry == NULL || c->soon == NULL || c->look_timer == NULL)
        abort();
    return c;
}

void cloud_free(struct cloud *c)
{
    if (c == NULL)
        return;
    cloud_forget(c);
    event_free(c->retry);
    event_free(c->soon);
    event_free(c->look_timer);
    map_free(c->listed);
    map_free(c->is_asked);
    map_free(c->since);
    map_free(c->in_clear);
    map_free(c->rollbacks);
    map_free(c->described);
    map_free(c->doubtful);
    map_free(c->seen);
    cloud_forget_absent(c);
    map_free(c->absent);
    free(c);
}

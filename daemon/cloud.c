#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "api/client.h"
#include "common/hash.h"
#include "common/jdoc.h"
#include "common/log.h"
#include "common/now.h"
#include "common/path.h"
#include "common/str.h"
#include "uploader/backoff.h"

#include "daemon/cloud.h"
#include "daemon/daemon.h"
#include "daemon/login.h"

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

struct listed {
    int64_t version;
    int is_other; /* made by another device */
};

struct cloud {
    struct daemon *d;
    struct map *listed; /* sessions without a confirmed version here -> struct listed */
    int is_known;       /* all of the list was read since the books were opened */
    int was_lost;       /* the server could not be reached since */
    int64_t read_ms;    /* when all of it was read last (monotonic clock), 0: never */
    int64_t offset;
    struct http_call *call; /* the list, or NULL */
    struct api_request *request;
    struct strlist asks;  /* sessions whose versions are to be asked for, from ${next_ask} on */
    struct map *is_asked; /* the same, to find them in */
    size_t next_ask;
    struct http_call *ask; /* of the next one, or NULL */
    struct api_request *ask_request;
    struct event *retry;
    int failures;
    struct ct_err err; /* the last of them */
};

static void ask_next(struct cloud *c);
static void read_page(struct cloud *c);
static void try_again(struct cloud *c);

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
    c->call = c->ask = NULL;
    api_request_free(c->request);
    api_request_free(c->ask_request);
    c->request = c->ask_request = NULL;
    evtimer_del(c->retry);
}

static void try_later(struct cloud *c, const struct ct_err *err)
{
    struct timeval tv;
    uint32_t random;
    int64_t wait_ms;

    if (err->code == ERR_AUTH) {
        login_refused(c->d->login, err);
        return;
    }
    hash_random(&random, sizeof(random));
    c->err = *err;
    wait_ms = backoff_ms(++c->failures, err->retry_after_s, random);
    tv.tv_sec = wait_ms / 1000;
    tv.tv_usec = wait_ms % 1000 * 1000;
    evtimer_add(c->retry, &tv);
    if (c->failures == 1)
        log_warn("cloud-not-listed error=\"%s\"", err->msg);
}

static int start_get(struct cloud *c, const char *path, struct api_request **request,
                     struct http_call **call,
                     void (*done)(void *arg, const struct http_res *res, const struct ct_err *err))
{
    const struct cred *cred = login_cred(c->d->login);
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

/* ---- the list -----------------------------------------------------------------------------------
 */

static int is_other_device(const struct cloud *c, struct json_object *item)
{
    const char *machine = jdoc_str(item, "sourceMachine"), *email, *url, *device, *why;
    char *own;
    int rc;

    /* Ours says so, by the token; from another server the name has to do. */
    if (json_object_object_get_ex(item, "thisDevice", NULL))
        return !jdoc_bool(item, "thisDevice", 0);
    if (machine == NULL)
        return 0;
    login_look(c->d->login, &email, &url, &device, &why);
    own = device[0] != '\0' ? str_dup(device) : path_host_name();
    rc = strcmp(own, machine) != 0;
    free(own);
    return rc;
}

/* A version that is ours but not recorded yet: its confirm is on the way. */
static int is_being_confirmed(const struct cloud *c, const char *id, int64_t version)
{
    struct uploader_view v;

    return uploader_look(c->d->uploader, id, &v) && v.item->phase == QUEUE_STORED &&
           v.item->version == version;
}

static void remember(struct cloud *c, const char *id, int64_t version, int is_other)
{
    struct listed *l = map_get(c->listed, id);

    if (l == NULL) {
        l = str_calloc(1, sizeof(*l));
        map_put(c->listed, id, l);
    }
    l->version = version;
    l->is_other = is_other;
}

static void see_item(struct cloud *c, struct json_object *item)
{
    const char *id = jdoc_str(item, "id");
    int64_t version = jdoc_int(item, "currentVersion", 0);
    struct state_session ss = {0};
    int is_other;

    if (id == NULL || !uuid_is_valid(id) || version <= 0)
        return;
    is_other = is_other_device(c, item);
    state_get(c->d->state, id, &ss);
    if (ss.version == 0) {
        remember(c, id, version, is_other);
    } else if (is_other && version > ss.version && version != ss.elsewhere &&
               !is_being_confirmed(c, id, version)) {
        log_info("newer-elsewhere session=%s version=%lld here=%lld", id, (long long)version,
                 (long long)ss.version);
        state_set_elsewhere(c->d->state, id, version, NULL);
        control_event(c->d, "state", id, version, 0, "another device has a newer version");
    }
    state_session_clear(&ss);
}

static void collect(void *arg, const struct uploader_view *v)
{
    strlist_add(arg, v->item->session_id);
}

/* What was queued before the list was known. */
static void consider_all(struct cloud *c)
{
    struct strlist ids = {0};

    uploader_each(c->d->uploader, collect, &ids);
    for (size_t i = 0; i < ids.n; i++)
        cloud_consider(c, ids.v[i]);
    strlist_free(&ids);
}

static void list_ended(struct cloud *c)
{
    consider_all(c);
    login_listed(c->d->login);
    ask_next(c);
}

static void on_page(void *arg, const struct http_res *res, const struct ct_err *net_err)
{
    struct cloud *c = arg;
    struct json_object *answer = NULL, *items;
    struct ct_err err;
    size_t n;

    c->call = NULL;
    if (c->d->state == NULL)
        return;
    if (res == NULL || api_answer(res, &answer, &err) != 0) {
        list_ended(c);
        try_later(c, res == NULL ? net_err : &err);
        return;
    }
    items = jdoc_array(answer, "sessions");
    n = items != NULL ? json_object_array_length(items) : 0;
    for (size_t i = 0; i < n; i++)
        see_item(c, json_object_array_get_idx(items, i));
    c->offset += (int64_t)n;
    if (n > 0 && c->offset < jdoc_int(answer, "total", 0) && c->offset < PAGE * MAX_PAGES) {
        read_page(c);
    } else {
        c->is_known = 1;
        c->failures = 0;
        c->read_ms = now_mono_ms();
        log_debug("cloud-listed sessions=%lld", (long long)c->offset);
        list_ended(c);
    }
    json_object_put(answer);
}

static void read_page(struct cloud *c)
{
    char *path = str_printf("/sessions?limit=%d&offset=%lld", PAGE, (long long)c->offset);

    start_get(c, path, &c->request, &c->call, on_page);
    free(path);
}

void cloud_refresh(struct cloud *c)
{
    stop_calls(c);
    c->offset = 0;
    c->was_lost = 0;
    if (c->d->state != NULL)
        read_page(c);
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
    uploader_hold(c->d->uploader, id, UPLOADER_HOLD_ASKING, 0);
}

/* The newest version with the checksum of the bundle that waits, or 0. */
static int64_t version_with(struct json_object *answer, const char *sha256)
{
    struct json_object *versions = jdoc_array(answer, "versions");
    size_t n = versions != NULL ? json_object_array_length(versions) : 0;
    int64_t best = 0;

    for (size_t i = 0; i < n; i++) {
        struct json_object *v = json_object_array_get_idx(versions, i);
        const char *sum = jdoc_str(v, "checksum");
        int64_t version = jdoc_int(v, "version", 0);
        if (sum != NULL && strncmp(sum, "sha256:", 7) == 0 && strcmp(sum + 7, sha256) == 0 &&
            version > best)
            best = version;
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
    char id[UUID_SIZE];

    c->ask = NULL;
    if (c->d->state == NULL || !turn_of(c, id))
        return;
    if (res == NULL)
        err = *net_err;
    else
        api_answer(res, &answer, &err);
    if (err.code != ERR_NONE && err.code != ERR_GONE) {
        try_later(c, &err);
        return;
    }
    c->failures = 0;
    if (answer != NULL && uploader_look(c->d->uploader, id, &v))
        version = version_with(answer, v.item->sha256);
    json_object_put(answer);
    if (version > 0) {
        log_info("there-already session=%s version=%lld", id, (long long)version);
        uploader_settle(c->d->uploader, id, version,
                        http_url_is_loopback(login_cred(c->d->login)->api_url));
    }
    release(c, id);
    ask_next(c);
}

static void ask_next(struct cloud *c)
{
    char *path, id[UUID_SIZE];
    int is_one;

    if (c->call != NULL || c->ask != NULL || evtimer_pending(c->retry, NULL))
        return;
    while ((is_one = turn_of(c, id)) && cloud_has(c, id) == 0)
        release(c, id);
    if (!is_one)
        return;
    path = api_session_path(id, "/versions");
    start_get(c, path, &c->ask_request, &c->ask, on_versions);
    free(path);
}

void cloud_consider(struct cloud *c, const char *session_id)
{
    struct uploader_view v;
    struct state_session ss = {0};
    int is_recorded = state_get(c->d->state, session_id, &ss) && ss.version > 0;

    state_session_clear(&ss);
    if (is_recorded || cloud_has(c, session_id) == 0 ||
        !uploader_look(c->d->uploader, session_id, &v) || v.item->phase != QUEUE_READY ||
        v.item->revive || uploader_is_active(c->d->uploader, session_id))
        return;
    uploader_hold(c->d->uploader, session_id, UPLOADER_HOLD_ASKING, 1);
    if (map_get(c->is_asked, session_id) == NULL) {
        map_put(c->is_asked, session_id, c);
        strlist_add(&c->asks, session_id);
    }
    ask_next(c);
}

static void try_again(struct cloud *c)
{
    if (c->d->state == NULL)
        return;
    if (!c->is_known)
        cloud_refresh(c);
    else
        ask_next(c);
}

int cloud_failures(const struct cloud *c, const struct ct_err **ret_err)
{
    *ret_err = &c->err;
    return c->failures;
}

void cloud_try_now(struct cloud *c)
{
    if (!evtimer_pending(c->retry, NULL))
        return;
    evtimer_del(c->retry);
    try_again(c);
}

int cloud_has(const struct cloud *c, const char *session_id)
{
    if (map_get(c->listed, session_id) != NULL)
        return 1;
    return c->is_known ? 0 : -1;
}

int cloud_confirmed(struct cloud *c, const char *session_id, int64_t version, struct ct_err *err)
{
    struct listed *l = map_get(c->listed, session_id);
    int is_other = l != NULL && l->is_other && l->version != version;

    if (l != NULL)
        l->is_other = 0;
    return is_other ? state_set_elsewhere(c->d->state, session_id, l->version, err) : 0;
}

/* ---- */

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
    strlist_free(&c->asks);
    c->next_ask = 0;
    c->is_known = c->was_lost = 0;
    c->failures = 0;
}

struct cloud *cloud_new(struct daemon *d)
{
    struct cloud *c = str_calloc(1, sizeof(*c));

    c->d = d;
    c->listed = map_new();
    c->is_asked = map_new();
    c->retry = evtimer_new(d->base, on_retry, c);
    if (c->retry == NULL)
        abort();
    return c;
}

void cloud_free(struct cloud *c)
{
    if (c == NULL)
        return;
    cloud_forget(c);
    event_free(c->retry);
    map_free(c->listed);
    map_free(c->is_asked);
    free(c);
}

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/base/hash.h"
#include "common/base/log.h"
#include "common/base/now.h"
#include "common/base/path.h"
#include "common/sys/secret.h"
#include "common/base/str.h"
#include "uploader/uploader_impl.h"

#include "uploader/uploader.h"

/* With more than one place, the last one is kept free of bundles larger than this, so that a small
 * session never waits for a large one. */
#define LARGE_BYTES (8LL << 20)

static void arm(struct uploader *u, int64_t at_ms, int64_t now_ms);

static char *file_path(const struct uploader *u, const char *file)
{
    return path_join(u->spool_dir, file);
}

static void remove_file(const struct uploader *u, const char *file)
{
    char *path = file_path(u, file);

    if (unlink(path) != 0 && errno != ENOENT)
        log_warn("spool-remove file=%s error=\"%s\"", file, strerror(errno));
    free(path);
}

static struct entry *entry_add(struct uploader *u, struct queue_item *item)
{
    struct entry *e = str_calloc(1, sizeof(*e));

    e->u = u;
    e->item = item;
    TAILQ_INSERT_TAIL(&u->entries, e, link);
    map_put(u->by_session, item->session_id, e);
    u->queued_bytes += item->size_bytes;
    return e;
}

static void entry_free(struct entry *e)
{
    struct uploader *u = e->u;

    uploader_entry_stop(e);
    TAILQ_REMOVE(&u->entries, e, link);
    map_remove(u->by_session, e->item->session_id);
    u->queued_bytes -= e->item->size_bytes;
    queue_item_free(e->item);
    free(e);
}

/* ---- what a transfer reports --------------------------------------------------------------------
 */

static int on_stored(void *arg, int64_t version, int is_loopback, struct ct_err *err)
{
    struct entry *e = arg;
    struct ct_err ours;

    e->u->ops->stored(e->u->arg, is_loopback);
    /* On a full disk it goes on all the same: what is confirmed leaves the spool and makes room. */
    if (queue_set_phase(e->u->opts.db, e->item->session_id, QUEUE_STORED, version, &ours) != 0 &&
        ours.code != ERR_NOSPACE) {
        *err = ours;
        return -1;
    }
    e->item->phase = QUEUE_STORED;
    e->item->version = version;
    return 0;
}

static int on_unstored(void *arg, struct ct_err *err)
{
    struct entry *e = arg;

    if (queue_set_phase(e->u->opts.db, e->item->session_id, QUEUE_READY, 0, err) != 0)
        return -1;
    e->item->phase = QUEUE_READY;
    e->item->version = 0;
    return 0;
}

static void on_beside(void *arg, const struct queue_beside *beside)
{
    struct entry *e = arg;

    e->item->beside = *beside;
}

static void on_features(void *arg, unsigned features)
{
    struct entry *e = arg;

    e->u->features = features;
}

static void on_progress(void *arg, int64_t sent)
{
    struct entry *e = arg;
    struct uploader *u = e->u;

    if (sent > e->sent_bytes)
        u->bytes_sent += sent - e->sent_bytes;
    e->sent_bytes = sent;
    if (sent > 0 && u->outage.failures > 0 && !u->outage.is_alive) {
        /* Whoever is small need not wait until all of a large one is there.  How long to wait after
         * the next failure, though, is forgotten only when one came through. */
        u->outage.is_alive = 1;
        arm(u, 0, 0);
    }
}

static void on_clock(void *arg, enum transfer_peer peer, int64_t skew_ms)
{
    struct entry *e = arg;

    e->u->skew_ms[peer] = skew_ms;
    e->u->has_skew[peer] = 1;
}

struct settling {
    struct entry *e;
    int64_t version;
    int is_loopback;
    int64_t took_ms;
};

static int write_settled(void *arg, struct ct_err *err)
{
    const struct settling *t = arg;
    struct uploader *u = t->e->u;

    return u->ops->confirmed(u->arg, t->e->item, t->version, t->is_loopback, t->took_ms, err) != 0
               ? -1
               : queue_drop(u->opts.db, t->e->item->session_id, err);
}

static void succeed(struct entry *e, int64_t version, int is_loopback)
{
    struct uploader *u = e->u;
    char session_id[UUID_SIZE];
    int64_t size_bytes = e->item->size_bytes;
    struct settling t = {e, version, is_loopback, now_mono_ms() - e->began_ms};
    struct ct_err err;

    uploader_recovered(u);
    /* Out of the queue and into the daemon's books, in one transaction. */
    if (db_transact(u->opts.db, write_settled, &t, &err) != 0) {
        /* The store has it; our own disk is the trouble.  Confirming again later is harmless, and
         * the file is not needed for that. */
        if (err.code == ERR_NOSPACE)
            remove_file(u, e->item->file);
        uploader_disk_failed(e, &err);
        return;
    }
    snprintf(session_id, sizeof(session_id), "%s", e->item->session_id);
    remove_file(u, e->item->file);
    entry_free(e);
    u->confirmed++;
    u->ops->settled(u->arg, session_id, version, size_bytes);
}

static int write_behind(void *arg, struct ct_err *err)
{
    const struct entry *e = arg;
    struct uploader *u = e->u;

    return u->ops->behind(u->arg, e->item, err) != 0
               ? -1
               : queue_drop(u->opts.db, e->item->session_id, err);
}

static void pass(struct entry *e)
{
    struct uploader *u = e->u;
    char session_id[UUID_SIZE];
    struct ct_err err;

    uploader_recovered(u);
    if (db_transact(u->opts.db, write_behind, e, &err) != 0) {
        uploader_disk_failed(e, &err);
        return;
    }
    snprintf(session_id, sizeof(session_id), "%s", e->item->session_id);
    remove_file(u, e->item->file);
    entry_free(e);
    u->ops->passed(u->arg, session_id);
}

static void on_behind(void *arg)
{
    struct entry *e = arg;
    struct uploader *u = e->u;

    e->transfer = NULL;
    e->is_urgent = 0;
    u->active--;
    pass(e);
    uploader_schedule(u);
}

static void on_unsure(void *arg, struct json_object *heads)
{
    struct entry *e = arg;
    struct uploader *u = e->u;

    e->transfer = NULL;
    u->active--;
    e->held |= UPLOADER_HOLD_LOOKING;
    u->ops->unsure(u->arg, e->item, heads);
    uploader_schedule(u);
}

void uploader_entry_stop(struct entry *e)
{
    if (e->transfer != NULL) {
        transfer_cancel(e->transfer);
        e->transfer = NULL;
        e->u->active--;
    }
    reservation_free(e->reservation);
    e->reservation = NULL;
}

int uploader_entry_drop(struct entry *e, struct ct_err *err)
{
    struct uploader *u = e->u;

    if (queue_drop(u->opts.db, e->item->session_id, err) != 0)
        return -1;
    remove_file(u, e->item->file);
    entry_free(e);
    return 0;
}

static void on_done(void *arg, int64_t version, int is_loopback, const struct ct_err *err)
{
    struct entry *e = arg;
    struct uploader *u = e->u;

    e->transfer = NULL;
    e->is_urgent = 0;
    u->active--;
    if (err == NULL)
        succeed(e, version, is_loopback);
    else
        uploader_failed(e, err);
    uploader_schedule(u);
}

static const struct transfer_ops transfer_ops = {
    .stored = on_stored,
    .unstored = on_unstored,
    .beside = on_beside,
    .features = on_features,
    .behind = on_behind,
    .unsure = on_unsure,
    .done = on_done,
    .progress = on_progress,
    .clock = on_clock,
};

/* ---- who goes next ------------------------------------------------------------------------------
 */

/* Where the books were lost, nobody knows whether what is here still holds all of this device's
 * last version (the machine may have been put back, too): it is named only if it can be pinned. */
static void settle_own(struct queue_item *q)
{
    struct queue_facts *f = &q->facts;

    if (f->own_version > 0 && q->pin == 0)
        q->pin = f->own_version;
    else if (f->own_version > 0 && q->pin != f->own_version)
        f->own_version = 0;
    if (q->pin != 0)
        f->amend = 0; /* what is pinned is not given up */
}

static void ask_facts(struct entry *e)
{
    struct uploader *u = e->u;
    struct queue_item *q = e->item;

    json_object_put(q->facts.also);
    memset(&q->facts, 0, sizeof(q->facts));
    u->ops->facts(u->arg, q, &q->facts);
    settle_own(q);
}

static void start(struct entry *e)
{
    struct uploader *u = e->u;
    struct transfer_env env = {.engine = u->engine,
                               .worker = u->opts.worker,
                               .kept = u->kept,
                               .cred = u->cred,
                               .features = u->features,
                               .device_id = u->opts.device_id,
                               .is_looked_into = e->is_looked_into};
    char *path = file_path(u, e->item->file);

    e->began_ms = now_mono_ms();
    e->sent_bytes = 0;
    e->wait.next_ms = 0;
    ask_facts(e);
    memset(&e->item->beside, 0, sizeof(e->item->beside));
    u->active++;
    e->transfer = transfer_start(&env, e->item, path, &e->reservation, &transfer_ops, e);
    free(path);
    u->ops->started(u->arg, e->item);
}

static int may_start(const struct entry *e, int64_t now_ms)
{
    const struct uploader *u = e->u;

    if (e->transfer != NULL || e->is_final || e->held != 0 || uploader_is_barred(e))
        return 0;
    if ((u->is_paused || uploader_is_too_dear(e)) && !e->is_urgent)
        return 0;
    if (e->wait.next_ms > now_ms)
        return 0;
    return u->opts.concurrency < 2 || e->item->size_bytes <= LARGE_BYTES ||
           u->active < u->opts.concurrency - 1;
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    uploader_schedule(arg);
}

static void arm(struct uploader *u, int64_t at_ms, int64_t now_ms)
{
    int64_t wait = at_ms > now_ms ? at_ms - now_ms : 0;
    struct timeval tv = {.tv_sec = wait / 1000, .tv_usec = wait % 1000 * 1000};

    evtimer_add(u->timer, &tv);
}

void uploader_schedule(struct uploader *u)
{
    int64_t now_ms = now_mono_ms(), next_ms = 0;
    /* One tries for all, until it gets somewhere. */
    int places = u->outage.failures > 0 && !u->outage.is_alive ? 1 : u->opts.concurrency;
    struct entry *e;

    evtimer_del(u->timer);
    if (u->cred == NULL || u->is_stopping)
        return;
    if (u->outage.next_ms > now_ms) {
        if (!TAILQ_EMPTY(&u->entries))
            arm(u, u->outage.next_ms, now_ms);
        return;
    }
    TAILQ_FOREACH(e, &u->entries, link)
    {
        if (u->active < places && may_start(e, now_ms))
            start(e);
        else if (e->transfer == NULL && e->wait.next_ms > now_ms &&
                 (next_ms == 0 || e->wait.next_ms < next_ms))
            next_ms = e->wait.next_ms;
    }
    if (next_ms != 0)
        arm(u, next_ms, now_ms);
}

/* ---- the outside --------------------------------------------------------------------------------
 */

static void on_loaded(void *arg, struct queue_item *item)
{
    entry_add(arg, item);
}

static int is_queued(void *arg, const char *key, void *value)
{
    const struct entry *e = value;

    (void)key;
    return strcmp(e->item->file, arg) == 0;
}

/* What a crash left between a bundle and its row is nobody's; its session is still unsafe in the
 * books, so it comes again. */
static int sweep(struct uploader *u, struct ct_err *err)
{
    DIR *d = opendir(u->spool_dir);
    struct dirent *ent;

    if (d == NULL)
        return err_sys(err, "can't read the spool %s", u->spool_dir);
    while ((ent = readdir(d)) != NULL) {
        if (ent->d_name[0] != '.' && !map_each(u->by_session, is_queued, ent->d_name))
            remove_file(u, ent->d_name);
    }
    closedir(d);
    return 0;
}

int uploader_new(const struct uploader_opts *opts, const struct uploader_ops *ops, void *arg,
                 struct uploader **ret, struct ct_err *err)
{
    struct uploader *u = str_calloc(1, sizeof(*u));

    u->opts = *opts;
    u->ops = ops;
    u->arg = arg;
    u->spool_dir = str_dup(opts->spool_dir);
    u->opts.spool_dir = u->spool_dir;
    u->kept = kept_new(opts->kept_dir, opts->kept_bytes);
    u->opts.kept_dir = NULL;
    u->by_session = map_new();
    TAILQ_INIT(&u->entries);
    u->timer = evtimer_new(opts->base, on_timer, u);
    if (u->timer == NULL)
        abort();
    if (path_make_private(u->spool_dir, err) != 0 || queue_setup(opts->db, err) != 0 ||
        queue_load(opts->db, on_loaded, u, err) != 0 || sweep(u, err) != 0) {
        uploader_free(u);
        return -1;
    }
    *ret = u;
    return 0;
}

static void forget_cred(struct uploader *u)
{
    cred_free(u->cred);
    u->cred = NULL;
}

static void stop_transfers(struct uploader *u)
{
    struct entry *e;

    TAILQ_FOREACH(e, &u->entries, link)
    {
        uploader_entry_stop(e); /* its reservation belongs to the account of before */
    }
}

void uploader_free(struct uploader *u)
{
    struct entry *e;

    if (u == NULL)
        return;
    while ((e = TAILQ_FIRST(&u->entries)) != NULL)
        entry_free(e);
    forget_cred(u);
    event_free(u->timer);
    map_free(u->by_session);
    kept_free(u->kept);
    free(u->spool_dir);
    free(u);
}

void uploader_set_cred(struct uploader *u, struct http_engine *engine, const struct cred *cred)
{
    stop_transfers(u);
    forget_cred(u);
    u->engine = engine;
    if (cred != NULL) {
        u->cred = str_calloc(1, sizeof(*u->cred));
        u->cred->token = secret_dup(cred->token);
        u->cred->api_url = str_dup(cred->api_url);
        u->cred->device_name = str_dup(cred->device_name);
        memset(&u->outage, 0, sizeof(u->outage));
    }
    uploader_schedule(u);
}

void uploader_set_features(struct uploader *u, unsigned features)
{
    u->features = features;
}

void uploader_pause(struct uploader *u, int is_paused)
{
    u->is_paused = is_paused;
    uploader_schedule(u);
}

void uploader_set_metered(struct uploader *u, int is_metered)
{
    u->is_metered = is_metered;
    uploader_schedule(u);
}

void uploader_stop(struct uploader *u)
{
    u->is_stopping = 1;
}

void uploader_set_concurrency(struct uploader *u, int n)
{
    u->opts.concurrency = n;
    uploader_schedule(u);
}

void uploader_set_kept_limit(struct uploader *u, int64_t bytes)
{
    struct entry *e;

    kept_set_limit(u->kept, bytes);
    TAILQ_FOREACH(e, &u->entries, link)
    {
        if (e->transfer == NULL && strcmp(e->err.reason, KEPT_FULL) == 0)
            e->wait.next_ms = 0;
    }
    uploader_schedule(u);
}

char *uploader_spool_path(struct uploader *u, const char *session_id)
{
    uint32_t dice;
    char *file, *path;

    hash_random(&dice, sizeof(dice));
    file = str_printf("%s.%08x.tar.gz", session_id, dice);
    path = file_path(u, file);
    path_make_private(u->spool_dir, NULL); /* somebody may have cleared it away */
    free(file);
    return path;
}

int uploader_put(struct uploader *u, const struct queue_item *item, struct ct_err *err)
{
    const struct entry *old = map_get(u->by_session, item->session_id);

    if (old != NULL && old->transfer != NULL)
        return err_set(err, ERR_BUG, "a bundle of this session is being uploaded");
    return queue_put(u->opts.db, item, err);
}

void uploader_take(struct uploader *u, const struct queue_item *item)
{
    struct entry *old = map_get(u->by_session, item->session_id), *e;
    unsigned held = old != NULL ? old->held : 0;
    int was_urgent = old != NULL && old->is_urgent;

    if (old != NULL) {
        if (strcmp(old->item->file, item->file) != 0)
            remove_file(u, old->item->file);
        entry_free(old);
    }
    e = entry_add(u, queue_item_copy(item));
    e->held = held;
    e->is_urgent = was_urgent;
    /* From the loop, not from here: the caller may want to hold it. */
    arm(u, 0, 0);
}

void uploader_hold(struct uploader *u, const char *session_id, enum uploader_hold why, int is_held)
{
    struct entry *e = map_get(u->by_session, session_id);

    if (e == NULL)
        return;
    e->held = is_held ? e->held | (unsigned)why : e->held & ~(unsigned)why;
    if (!is_held)
        uploader_schedule(u);
}

void uploader_settle(struct uploader *u, const char *session_id, int64_t version,
                     const struct queue_beside *beside, int is_loopback)
{
    static const struct queue_beside unknown = {0};
    struct entry *e = map_get(u->by_session, session_id);

    if (e == NULL || e->transfer != NULL)
        return;
    e->item->beside = beside != NULL ? *beside : unknown;
    e->began_ms = now_mono_ms();
    succeed(e, version, is_loopback);
}

int uploader_drop(struct uploader *u, const char *session_id, struct ct_err *err)
{
    struct entry *e = map_get(u->by_session, session_id);

    return e != NULL ? uploader_entry_drop(e, err) : 0;
}

static void kick(struct entry *e)
{
    e->is_final = 0;
    e->wait.next_ms = 0;
    e->is_urgent = 1;
    if (e->err.code == ERR_FAIL)
        memset(&e->err, 0, sizeof(e->err)); /* what is tried now has not failed yet */
}

void uploader_refuse(struct uploader *u, const char *session_id, const struct ct_err *err)
{
    struct entry *e = map_get(u->by_session, session_id);

    if (e == NULL || e->transfer != NULL)
        return;
    e->err = *err;
    e->is_final = 1;
}

void uploader_try_again(struct uploader *u, const char *session_id)
{
    struct entry *e = map_get(u->by_session, session_id);

    if (e == NULL)
        return;
    e->is_final = 0;
    e->wait.next_ms = 0;
    arm(u, 0, 0);
}

void uploader_kick(struct uploader *u, const char *session_id)
{
    struct entry *e;

    if (session_id == NULL) {
        TAILQ_FOREACH(e, &u->entries, link)
        kick(e);
    } else if ((e = map_get(u->by_session, session_id)) != NULL) {
        kick(e);
    }
    u->outage.next_ms = 0;
    uploader_schedule(u);
}

void uploader_try_now(struct uploader *u)
{
    struct entry *e;

    TAILQ_FOREACH(e, &u->entries, link)
    {
        if (e->err.code != ERR_FAIL) /* a network change cannot mend an operator's error */
            e->wait.next_ms = 0;
        e->wait.failures = e->wait.failures > 1 ? 1 : e->wait.failures;
    }
    outage_hurry(&u->outage);
    uploader_schedule(u);
}

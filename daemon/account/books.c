#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "bundle/pack/pack.h"
#include "common/base/log.h"
#include "common/base/now.h"
#include "common/base/path.h"
#include "common/base/str.h"

#include "daemon/account/cloud.h"
#include "daemon/daemon.h"
#include "daemon/session/exclusion.h"
#include "daemon/account/login_view.h"
#include "daemon/account/allowance.h"
#include "daemon/account/room.h"
#include "daemon/session/credscan.h"
#include "daemon/account/sealing.h"

/* Damage found a second time so soon is the disk's: do not make databases in a circle. */
#define DAMAGED_AGAIN_MS 60000

#define KEEP_CACHE_MS (7LL * 24 * 3600 * 1000)
#define TIDY_MOST 100 /* sessions at a time */

static void adopt_queued(void *arg, const struct uploader_view *v)
{
    struct daemon *d = arg;
    struct session *s = sessions_need(d, v->item->session_id);

    s->dirty_seq = s->queued_seq = sessions_next_seq(d);
    s->bundled_bytes = v->item->size_bytes;
}

/* From within whatever call met the damage: what that call is about must stay valid until it ends.
 */
static void on_damage(void *arg)
{
    struct daemon *d = arg;
    struct timeval now = {0, 0};

    event_add(d->damage, &now);
}

static int set_aside(struct daemon *d, const char *db, const char *spool, struct ct_err *err)
{
    char *aside;

    if (d->damaged_ms != 0 && now_mono_ms() - d->damaged_ms < DAMAGED_AGAIN_MS)
        return err_set(err, ERR_CORRUPT,
                       "the database %s is damaged again, so soon after it was made anew", db);
    if (state_set_aside(db, spool, &aside, err) != 0)
        return -1;
    d->damaged_ms = now_mono_ms();
    /* The spool may hold the only copy of what has vanished here: it stays beside. */
    log_error("state-damaged kept-as=%s spool-kept-as=%s.spool action=rebuild", aside, aside);
    free(aside);
    return 0;
}

static int has_files(const char *dir)
{
    DIR *d = opendir(dir);
    struct dirent *e;
    int n = 0;

    if (d == NULL)
        return 0;
    while ((e = readdir(d)) != NULL)
        n += e->d_name[0] != '.';
    closedir(d);
    return n > 0;
}

static int open_state(struct daemon *d, struct books *b, const char *db, const char *spool,
                      struct ct_err *err)
{
    /* A spool without its database: what is in it would be taken for nobody's. */
    if (access(db, F_OK) != 0 && has_files(spool) && set_aside(d, db, spool, err) != 0)
        return -1;
    if (state_open(db, &b->state, err) == 0)
        return 0;
    if (err->code != ERR_CORRUPT || set_aside(d, db, spool, err) != 0)
        return -1;
    return state_open(db, &b->state, err);
}

static int open_queue(struct daemon *d, struct books *b, const char *spool, struct ct_err *err)
{
    char *kept = path_join(b->dir, "kept");
    struct uploader_opts o = {
        .base = d->base,
        .db = state_db(b->state),
        .worker = d->worker,
        .spool_dir = spool,
        .kept_dir = kept,
        .kept_bytes = d->config->kept_bytes,
        .concurrency = (int)d->config->concurrency,
        .device_id = d->device_id,
    };
    int rc =
        credscan_open(o.db, err) != 0 ? -1 : uploader_new(&o, &uploads_ops, d, &b->uploader, err);

    free(kept);
    if (rc == 0)
        return 0;
    state_close(b->state);
    b->state = NULL;
    return -1;
}

static int open_both(struct daemon *d, struct books *b, struct ct_err *err)
{
    char *db = path_join(b->dir, "state.db"), *spool = path_join(b->dir, "spool");
    int rc = open_state(d, b, db, spool, err);

    if (rc == 0 && open_queue(d, b, spool, err) != 0) {
        rc = -1;
        /* The queue's table is where nothing has looked yet. */
        if (err->code == ERR_CORRUPT && set_aside(d, db, spool, err) == 0 &&
            state_open(db, &b->state, err) == 0)
            rc = open_queue(d, b, spool, err);
    }
    free(spool);
    free(db);
    return rc;
}

static void books_free(struct books *b)
{
    if (b == NULL)
        return;
    uploader_free(b->uploader);
    state_close(b->state);
    free(b->dir);
    free(b->cache_dir);
    free(b);
}

int books_open(struct daemon *d, const char *dir, struct ct_err *err)
{
    struct books *b = str_calloc(1, sizeof(*b));

    books_close(d);
    b->dir = str_dup(dir);
    b->cache_dir = path_join(dir, "cache");
    if (path_make_private(dir, err) != 0 || open_both(d, b, err) != 0) {
        books_free(b);
        return -1;
    }
    d->books = b;
    db_on_damage(state_db(b->state), on_damage, d);
    allowance_recall(d->allowance);
    uploader_each(b->uploader, adopt_queued, d);
    uploader_pause(b->uploader, pause_is_on(d));
    uploader_set_metered(b->uploader, d->is_metered);
    sealing_apply(d->sealing);
    state_seed_writers(b->state);
    exclusion_apply(d); /* the rules may have changed while it was closed */
    adopt_take_all(d);
    if (d->watcher != NULL)
        watcher_rescan(d->watcher);
    return 0;
}

void books_close(struct daemon *d)
{
    struct books *b = d->books;

    d->generation++;
    bundler_stop(d->bundler);
    if (d->waiters != NULL && b != NULL)
        waiter_forgotten(d);
    cloud_forget(d->cloud);
    headlook_forget(d->headlook);
    allowance_forget(d->allowance);
    room_is_there(d);
    sessions_forget_all(d);
    d->books = NULL;
    books_free(b);
    for (size_t i = 0; i < d->config->roots.n; i++)
        d->roots[i].scans = 0;
}

/* What a scan does not meet for a week is not coming back soon; its blocks can be made again. */
void books_tidy(struct daemon *d)
{
    int64_t before_ms = now_wall_ms() - KEEP_CACHE_MS;
    char id[UUID_SIZE];

    for (int i = 0; i < TIDY_MOST && state_next_archived(d->books->state, before_ms, id); i++) {
        pack_forget_cache(d->books->cache_dir, id);
        if (state_archive_tidied(d->books->state, id, NULL) != 0)
            return;
        log_debug("cache-forgotten session=%s", id);
    }
}

static void on_rebuild(evutil_socket_t fd, short what, void *arg)
{
    struct daemon *d = arg;
    char *db, *spool;
    struct ct_err err;

    (void)fd;
    (void)what;
    if (d->books == NULL || d->is_stopping)
        return;
    db = path_join(d->books->dir, "state.db");
    spool = path_join(d->books->dir, "spool");
    books_close(d);
    if (set_aside(d, db, spool, &err) != 0)
        log_error("state-damaged error=\"%s\"", err.msg);
    free(spool);
    free(db);
    login_view_reopen(d->login);
}

struct event *books_damage_event(struct daemon *d)
{
    return evtimer_new(d->base, on_rebuild, d);
}

#include <sys/statvfs.h>

#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "bundle/pack/pack.h"
#include "common/base/log.h"
#include "common/base/now.h"
#include "common/base/str.h"
#include "daemon/session/job.h"

#include "daemon/daemon.h"
#include "daemon/account/room.h"

/*
 * Room for bundles: on the disk, in the spool, in one upload.  Whatever is missing, what is in the
 * spool goes on its way; only bundling waits.
 */
#define PUT_MOST_BYTES ((5LL << 30) - (5LL << 20)) /* what one PUT can carry (R2, S3) */
#define RESERVE_BYTES (2LL << 20)                  /* stay free for the database */
#define NO_ROOM_MS 10000                           /* how often to look at a full disk */
#define TOO_LARGE_MS (60 * 60 * 1000)              /* how often to try what can't fit */

struct room {
    struct ct_err err;     /* no room for bundles or state: why */
    int64_t none_until_ms; /* nothing is bundled before (monotonic clock) */
    int is_giving_up;      /* the block cache is being removed to make some */
};

struct room *room_new(void)
{
    return str_calloc(1, sizeof(struct room));
}

void room_free(struct room *r)
{
    free(r);
}

const struct ct_err *room_err(const struct daemon *d)
{
    return d->room->err.code != ERR_NONE ? &d->room->err : NULL;
}

int room_is_looked_for(const struct daemon *d)
{
    return d->room->is_giving_up ||
           (d->room->none_until_ms == 0 && strcmp(d->room->err.reason, ROOM_SPOOL_FULL) != 0);
}

void room_try(struct daemon *d)
{
    d->room->none_until_ms = 0;
}

/* What the disk has beyond what stays free for the database: a spool that took the last byte could
 * not even be emptied, for that has to be recorded. */
static int64_t disk_room(const struct daemon *d)
{
    struct statvfs v;

    if (d->books == NULL || statvfs(d->books->dir, &v) != 0)
        return INT64_MAX; /* writing will say */
    return (int64_t)v.f_bavail * (int64_t)v.f_frsize - RESERVE_BYTES;
}

int64_t room_for_bundle(struct daemon *d, int *ret_is_disk)
{
    int64_t room = d->config->spool_bytes - uploader_spool_bytes(d->books->uploader),
            disk = disk_room(d);

    if (room > PUT_MOST_BYTES)
        room = PUT_MOST_BYTES;
    *ret_is_disk = disk < room;
    if (disk < room)
        room = disk;
    return room > 0 ? room : 0;
}

int64_t room_beside(struct daemon *d, int64_t taken_bytes)
{
    int64_t room = d->config->spool_bytes - uploader_spool_bytes(d->books->uploader),
            disk = disk_room(d);

    room = (disk < room ? disk : room) - taken_bytes;
    return room < PUT_MOST_BYTES ? room : PUT_MOST_BYTES;
}

int64_t room_wait_ms(struct daemon *d, int64_t now_ms)
{
    return d->room->none_until_ms > now_ms ? d->room->none_until_ms - now_ms : 0;
}

static void spool_is_full(struct daemon *d)
{
    char holds[32], may[32];

    str_human_bytes(uploader_spool_bytes(d->books->uploader), holds, sizeof(holds));
    str_human_bytes(d->config->spool_bytes, may, sizeof(may));
    if (d->room->err.code == ERR_NONE)
        log_warn("spool-full bytes=%lld action=wait", (long long)d->config->spool_bytes);
    err_set(&d->room->err, ERR_NOSPACE,
            "the spool holds %s of at most %s; new bundles wait for uploads", holds, may);
    snprintf(d->room->err.reason, sizeof(d->room->err.reason), ROOM_SPOOL_FULL);
}

int room_is_awaited(struct daemon *d, const struct session *s)
{
    return s->room_used_bytes > 0 && uploader_spool_bytes(d->books->uploader) >= s->room_used_bytes;
}

void room_is_there(struct daemon *d)
{
    memset(&d->room->err, 0, sizeof(d->room->err));
    d->room->none_until_ms = 0;
}

void room_left_spool(struct daemon *d)
{
    if (strcmp(d->room->err.reason, ROOM_SPOOL_FULL) == 0)
        room_is_there(d);
}

/* ---- a full disk --------------------------------------------------------------------------------
 */

/* The cache can be made again, and what it holds may be just what is missing. */
struct giving_up {
    struct daemon *d;
    uint64_t generation;
    char *dir;
    int64_t freed_bytes;
};

static void give_up_run(void *arg)
{
    struct giving_up *g = arg;

    g->freed_bytes = pack_give_up_cache(g->dir);
}

static void give_up_free(void *arg)
{
    struct giving_up *g = arg;

    free(g->dir);
    free(g);
}

static int unpark_disk(void *arg, const char *key, void *value)
{
    struct session *s = value;

    (void)arg;
    (void)key;
    if (s->err != NULL && s->err->code == ERR_NOSPACE)
        s->retry_ms = 0;
    return 0;
}

static void give_up_done(void *arg)
{
    struct giving_up *g = arg;
    struct daemon *d = g->d;

    d->room->is_giving_up = 0;
    if (g->freed_bytes > 0 && g->generation == d->generation) {
        log_info("cache-given-up bytes=%lld reason=\"no room on the disk\"",
                 (long long)g->freed_bytes);
        d->room->none_until_ms = 0;
        sessions_each(d, unpark_disk, NULL);
        bundler_run(d);
    }
    waiter_check_all(d);
    give_up_free(g);
}

void room_disk_failed(struct daemon *d, const struct ct_err *err)
{
    struct giving_up *g;

    /* With a reason it is a limit of ours that is meant (what is kept of fuller versions). */
    if (err->code != ERR_NOSPACE || err->reason[0] != '\0')
        return;
    if (d->room->err.code == ERR_NONE)
        log_warn("disk-full error=\"%s\" action=wait", err->msg);
    d->room->err = *err;
    d->room->none_until_ms = now_mono_ms() + NO_ROOM_MS;
    if (d->room->is_giving_up || d->books == NULL)
        return;
    d->room->is_giving_up = 1;
    g = str_calloc(1, sizeof(*g));
    g->d = d;
    g->generation = d->generation;
    g->dir = str_dup(d->books->cache_dir);
    worker_submit(d->worker, give_up_run, give_up_done, give_up_free, g);
}

static void disk_is_full(struct daemon *d)
{
    struct ct_err err;

    err_set(&err, ERR_NOSPACE, "the disk of %s is full, but for what the database may need",
            d->books->dir);
    room_disk_failed(d, &err);
}

int room_to_begin(struct daemon *d)
{
    int is_disk;

    if (room_for_bundle(d, &is_disk) > 0)
        return 1;
    if (is_disk)
        disk_is_full(d);
    else
        spool_is_full(d);
    return 0;
}

/* ---- a bundle that did not fit ------------------------------------------------------------------
 */

static void too_large(struct session *s, int64_t room_bytes)
{
    struct ct_err err;
    char size[32];

    str_human_bytes(room_bytes, size, sizeof(size));
    if (room_bytes >= PUT_MOST_BYTES)
        err_set(&err, ERR_REFUSED,
                "its bundle is larger than %s, which is as much as one upload can carry", size);
    else
        err_set(&err, ERR_REFUSED, "its bundle is larger than the whole spool may be (%s)", size);
    snprintf(err.reason, sizeof(err.reason),
             room_bytes >= PUT_MOST_BYTES ? ROOM_TOO_LARGE : ROOM_SPOOL_SMALL);
    sessions_set_err(s, &err);
    s->retry_ms = now_mono_ms() + TOO_LARGE_MS;
    log_warn("too-large session=%s most=%lld", s->id, (long long)room_bytes);
}

int room_is_too_large(const struct session *s)
{
    return s->err != NULL && (strcmp(s->err->reason, ROOM_TOO_LARGE) == 0 ||
                              strcmp(s->err->reason, ROOM_SPOOL_SMALL) == 0);
}

int room_refused(struct daemon *d, struct session *s, const struct job *j)
{
    if (j->err.code != ERR_NOSPACE)
        return 0;
    if (j->err.sys_errno != 0 || j->is_disk_short) {
        if (j->err.sys_errno != 0)
            room_disk_failed(d, &j->err);
        else
            disk_is_full(d);
        return 0;
    }
    if (j->spool_used_bytes == 0 || j->spool_room_bytes >= PUT_MOST_BYTES) {
        too_large(s, j->spool_room_bytes);
    } else {
        s->room_used_bytes = j->spool_used_bytes;
        spool_is_full(d);
    }
    return 1;
}

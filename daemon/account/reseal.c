#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "bundle/seal/seal.h"
#include "common/base/file.h"
#include "common/base/hash.h"
#include "common/base/log.h"
#include "common/base/path.h"
#include "common/base/str.h"

#include "daemon/account/cloud.h"
#include "daemon/account/naming.h"
#include "daemon/daemon.h"
#include "daemon/account/room.h"
#include "daemon/account/sealing.h"

/*
 * Bundles in the queue that were made before there was a key, or whose generation another device
 * has overtaken.  They may hold what is nowhere else any more, so they are not made anew: the
 * worker seals the bundle itself into a new spool file, and the row changes over to that.
 */
#define PIECE (256 << 10)
#define AGAIN_S 60 /* how often to try what failed, for want of room */

struct resealing {
    struct daemon *d;
    uint64_t generation; /* of the books */
    struct sealing_keys *keys;
    struct queue_item *item; /* a copy of what is in the queue; then what goes there instead */
    char *from;              /* its spool file */
    char *old_file;          /* the name of that */
    char *to;
    struct seal_header header;
    struct sealed_facts facts; /* borrows from ${item}, but for what was opened: */
    struct sealed_facts opened;
    struct ct_err err;

    /* The worker's. */
    int fd;
    struct sealer *sealer;
    struct hash *sha256, *md5;
    int64_t size_bytes;
};

static void resealing_free(void *arg)
{
    struct resealing *r = arg;

    r->d->is_resealing = 0;
    sealing_release(r->keys);
    sealed_facts_clear(&r->opened);
    queue_item_free(r->item);
    free(r->from);
    free(r->old_file);
    free(r->to);
    free(r);
}

/* ---- on the worker ------------------------------------------------------------------------------
 */

static int write_out(void *arg, const void *p, size_t n, struct ct_err *err)
{
    struct resealing *r = arg;

    if (file_write_all(r->fd, p, n) != 0)
        return err_sys(err, "can't write a sealed bundle into the spool");
    hash_update(r->sha256, p, n);
    hash_update(r->md5, p, n);
    r->size_bytes += (int64_t)n;
    return 0;
}

static int seal_more(void *arg, const void *p, size_t n, struct ct_err *err)
{
    struct resealing *r = arg;

    return sealer_add(r->sealer, p, n, err);
}

/* All of the old file to ${f}; return its length, or -1. */
static int64_t each_piece(int fd, int (*f)(void *arg, const void *p, size_t n, struct ct_err *err),
                          void *arg, struct ct_err *err)
{
    unsigned char *piece = str_calloc(1, PIECE);
    int64_t at = 0;
    ssize_t n;

    while ((n = file_pread_all(fd, piece, PIECE, (off_t)at)) > 0) {
        if (f(arg, piece, (size_t)n, err) != 0)
            break;
        at += n;
    }
    free(piece);
    if (n < 0)
        err_sys(err, "can't read a bundle in the spool");
    return n == 0 ? at : -1;
}

static int unseal_more(void *arg, const void *p, size_t n, struct ct_err *err)
{
    return unsealer_add(arg, p, n, err);
}

/* What is in clear gets its padding; what is sealed has one inside. */
static int pour(struct resealing *r, int fd, struct ct_err *err)
{
    struct unsealer *u;
    int64_t n;
    int rc;

    if (!queue_is_sealed(r->item)) {
        n = each_piece(fd, seal_more, r, err);
        r->facts.gzip_bytes = n;
        return n < 0 ? -1 : sealer_pad(r->sealer, seal_padded(n) - n, err);
    }
    u = unsealer_new(r->keys->ring, SEAL_BUNDLE, seal_more, r);
    rc = each_piece(fd, unseal_more, u, err) < 0 ? -1 : unsealer_end(u, err);
    unsealer_free(u);
    return rc;
}

static int seal_file(struct resealing *r, struct ct_err *err)
{
    int fd = open(r->from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW), rc = -1;

    r->fd = open(r->to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        err_sys(err, "can't open the spooled bundle %s", path_base(r->from));
        err->code = ERR_CORRUPT;
    } else if (r->fd < 0) {
        err_sys(err, "can't write into the spool");
    } else if (sealer_new(keyring_current(r->keys->ring), &r->header, write_out, r, &r->sealer,
                          err) == 0) {
        rc = pour(r, fd, err);
        if (rc == 0)
            rc = sealer_end(r->sealer, err);
        sealer_free(r->sealer);
    }
    if (rc == 0 && fsync(r->fd) != 0)
        rc = err_sys(err, "can't fsync a sealed bundle");
    if (r->fd >= 0)
        close(r->fd);
    if (fd >= 0)
        close(fd);
    return rc == 0 ? file_sync_parent(r->to, err) : -1;
}

static void resealing_run(void *arg)
{
    struct resealing *r = arg;
    unsigned char sha256[HASH_SHA256_BYTES], md5[HASH_MD5_BYTES];
    int rc;

    r->sha256 = hash_new(HASH_SHA256);
    r->md5 = hash_new(HASH_MD5);
    rc = seal_file(r, &r->err);
    hash_final(r->sha256, sha256);
    hash_final(r->md5, md5);
    if (rc != 0) {
        unlink(r->to);
        return;
    }
    hash_hex(sha256, sizeof(sha256), r->item->sha256);
    free(r->item->md5);
    r->item->md5 = hash_base64(md5, sizeof(md5));
    r->item->size_bytes = r->size_bytes;
}

/* ---- on the loop --------------------------------------------------------------------------------
 */

static int write_row(void *arg, struct ct_err *err)
{
    struct resealing *r = arg;

    return uploader_put(r->d->books->uploader, r->item, err);
}

static void uncover_item(struct resealing *r)
{
    struct queue_item *q = r->item;
    struct state_session ss = {0};

    if (!queue_is_sealed(q) && state_get(r->d->books->state, q->session_id, &ss) &&
        ss.meta != NULL) {
        json_object_put(q->metadata);
        q->metadata = sealing_metadata(ss.meta);
        naming_describe(r->d, q->session_id, q->metadata);
    }
    state_session_clear(&ss);
    if (!queue_is_sealed(q))
        return;
    free(q->source_machine);
    free(q->source_cwd);
    free(q->source_user_dir);
    json_object_put(q->metadata);
    q->source_machine = str_dup(r->opened.source_machine);
    q->source_cwd = str_dup(r->opened.source_cwd);
    q->source_user_dir = str_dup(r->opened.source_user_dir);
    q->metadata = json_object_get(r->opened.metadata);
    r->facts.gzip_bytes = r->opened.gzip_bytes;
}

/* The row changes over to the new file, and the session, if it was in clear, to what it is sealed:
 * that has no versions that this one could be about. */
static int change_over(struct resealing *r, struct ct_err *err)
{
    struct queue_item *q = r->item;
    char before[UUID_SIZE];

    snprintf(before, sizeof(before), "%s", q->wire_id);
    uncover_item(r);
    if (sealing_wrap(r->d, r->keys, &r->facts, q, err) != 0)
        return -1;
    if (strcmp(before, q->wire_id) != 0) {
        q->pin = 0;
        q->base_version = q->before_version = 0;
        json_object_put(q->merged);
        q->merged = NULL;
        q->has_news = QUEUE_NEWS;
    }
    q->phase = QUEUE_READY;
    q->version = 0;
    free(q->file);
    q->file = str_dup(path_base(r->to));
    return db_transact(state_db(r->d->books->state), write_row, r, err);
}

static void try_later(struct resealing *r)
{
    const struct timeval tv = {.tv_sec = AGAIN_S};
    struct session *s = sessions_get(r->d, r->item->session_id);

    log_warn("reseal-failed session=%s error=\"%s\"", r->item->session_id, r->err.msg);
    if (s != NULL)
        sessions_set_err(s, &r->err);
    room_disk_failed(r->d, &r->err);
    evtimer_add(r->d->reseal_timer, &tv);
    waiter_check_all(r->d);
}

/* The spool file is not what it should be: as the uploader does it. */
static void make_anew(struct resealing *r)
{
    struct daemon *d = r->d;
    const char *id = r->item->session_id;
    struct session *s = sessions_need(d, id);

    log_warn("bundle-damaged session=%s error=\"%s\" cure=rebuild", id, r->err.msg);
    if (state_outdate_files(d->books->state, id, &r->err) != 0 ||
        uploader_drop(d->books->uploader, id, &r->err) != 0) {
        try_later(r);
        return;
    }
    s->dirty_seq = sessions_next_seq(d);
    sessions_make_due(d, s);
}

/* Is it still what waits there? */
static int is_current(const struct resealing *r)
{
    struct uploader_view v;

    return r->generation == r->d->generation && r->d->books != NULL &&
           uploader_look(r->d->books->uploader, r->item->session_id, &v) &&
           strcmp(v.item->file, r->old_file) == 0 &&
           !uploader_is_active(r->d->books->uploader, r->item->session_id);
}

static void resealing_done(void *arg)
{
    struct resealing *r = arg;
    struct daemon *d = r->d;
    struct session *s;

    d->is_resealing = 0;
    if (!is_current(r)) {
        if (r->err.code == ERR_NONE)
            unlink(r->to);
    } else if (r->err.code == ERR_CORRUPT) {
        make_anew(r);
    } else if (r->err.code != ERR_NONE || change_over(r, &r->err) != 0) {
        unlink(r->to);
        try_later(r);
        resealing_free(r);
        return;
    } else {
        s = sessions_get(d, r->item->session_id);
        log_info("resealed session=%s generation=%lld", r->item->session_id,
                 (long long)r->item->generation);
        if (s != NULL)
            sessions_set_err(s, NULL);
        uploader_take(d->books->uploader, r->item);
        uploader_hold(d->books->uploader, r->item->session_id, UPLOADER_HOLD_SEALING, 0);
        cloud_consider(d->cloud, r->item->session_id);
        bundler_run(d);
    }
    resealing_free(r);
    if (d->books != NULL)
        reseal_run(d);
}

/* ---- which ones ---------------------------------------------------------------------------------
 */

struct choice {
    struct daemon *d;
    struct strlist ids;
};

/* A bundle whose key has gone goes as it is. */
static int has_key_of(const struct choice *c, const struct queue_item *q)
{
    unsigned char id[KEY_ID_BYTES];

    return hash_unhex(q->key_id, id, sizeof(id)) == 0 &&
           keyring_find(sealing_ring(c->d->sealing), id) != NULL;
}

static void choose(void *arg, const struct uploader_view *v)
{
    struct choice *c = arg;
    const struct queue_item *q = v->item;
    int64_t known;

    if (!queue_is_sealed(q)) {
        strlist_add(&c->ids, q->session_id);
        return;
    }
    if (uploader_is_active(c->d->books->uploader, q->session_id) || q->phase != QUEUE_READY ||
        !has_key_of(c, q))
        return;
    known = sealing_generation(c->d, q->session_id, q->wire_id);
    if (q->generation <= known)
        strlist_add(&c->ids, q->session_id);
}

static void let_go(void *arg, const struct uploader_view *v)
{
    struct choice *c = arg;

    strlist_add(&c->ids, v->item->session_id);
}

static void begin(struct daemon *d, const char *session_id)
{
    struct resealing *r = str_calloc(1, sizeof(*r));
    struct uploader_view v;
    char wire_id[UUID_SIZE], *dir;
    int64_t generation;

    uploader_look(d->books->uploader, session_id, &v);
    r->d = d;
    r->generation = d->generation;
    r->keys = sealing_hold(d->sealing);
    r->item = queue_item_copy(v.item);
    r->old_file = str_dup(v.item->file);
    r->to = uploader_spool_path(d->books->uploader, session_id);
    dir = path_parent(r->to);
    r->from = path_join(dir, v.item->file);
    free(dir);
    if (queue_is_sealed(v.item) &&
        sealed_open(r->keys->ring, v.item->wire_id, v.item->metadata, &r->opened, &r->err) != 0) {
        make_anew(r); /* the row is damaged */
        resealing_free(r);
        return;
    }
    sealing_wire_id(d->sealing, session_id, wire_id);
    generation = sealing_generation(d, session_id, wire_id) + 1;
    r->header.kind = SEAL_BUNDLE;
    r->header.is_padded = 1;
    r->header.generation = r->facts.generation = generation;
    r->facts.origin = queue_is_sealed(v.item) ? r->opened.origin : TRUST_OWN;
    hash_random(r->header.object_id, sizeof(r->header.object_id));
    memcpy(r->facts.object_id, r->header.object_id, sizeof(r->facts.object_id));
    snprintf(r->facts.content_id, sizeof(r->facts.content_id), "%s", v.item->content_id);
    d->is_resealing = 1;
    worker_submit(d->worker, resealing_run, resealing_done, resealing_free, r);
}

void reseal_run(struct daemon *d)
{
    struct choice c = {.d = d};

    if (d->books == NULL)
        return;
    uploader_each(d->books->uploader, sealing_is_on(d->sealing) ? choose : let_go, &c);
    if (!sealing_is_on(d->sealing)) {
        for (size_t i = 0; i < c.ids.n; i++)
            uploader_hold(d->books->uploader, c.ids.v[i], UPLOADER_HOLD_SEALING, 0);
        strlist_free(&c.ids);
        return;
    }
    for (size_t i = 0; i < c.ids.n; i++)
        uploader_hold(d->books->uploader, c.ids.v[i], UPLOADER_HOLD_SEALING, 1);
    if (c.ids.n > 0 && !d->is_resealing && !d->is_stopping &&
        !evtimer_pending(d->reseal_timer, NULL))
        begin(d, c.ids.v[0]);
    strlist_free(&c.ids);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    reseal_run(arg);
}

struct event *reseal_event(struct daemon *d)
{
    return evtimer_new(d->base, on_timer, d);
}

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <event2/event.h>

#include "bundle/pack.h"
#include "bundle/snapshot.h"
#include "common/hash.h"
#include "common/jdoc.h"
#include "common/log.h"
#include "common/now.h"
#include "common/path.h"
#include "common/str.h"

#include "daemon/daemon.h"

#define TRIES 5          /* snapshots of a session that changes under our hands */
#define NO_ROOM_MS 30000 /* how often to look whether the disk has room again */
#define FAILED_MS 60000  /* how often to try a session that can't be bundled */

/* ---- the job: all that the worker needs, and all that it found ----------------------------------
 */

struct job_file {
    char *path;
    int64_t size_bytes;
    int64_t mtime_ns;
    uint64_t inode;
    int is_attachment;
};

struct job {
    struct daemon *d;
    char session_id[UUID_SIZE];
    struct strlist roots;
    char *spool_path;
    char *cache_dir;
    int64_t cache_bytes;
    int64_t spool_room_bytes;
    char known_id[HASH_SHA256_HEX];
    int64_t previous_bytes;
    char previous_digest[HASH_SHA256_HEX];
    const _Atomic int *cancel;

    int rc;
    struct ct_err err;
    char *root;
    char *project;
    struct pack_result result;
    struct job_file *files;
    size_t n_files, cap_files;
    struct json_object *skipped;
    struct json_object *duplicates;
    int64_t modified_ms;
};

struct bundler {
    struct job *job; /* on the worker, or NULL */
    _Atomic int cancel;
    struct heap due;              /* sessions to be bundled, the next one on top */
    TAILQ_HEAD(, session) parked; /* those that have to wait */
    struct event *timer;          /* to try again what failed */
};

static void job_clear_results(struct job *j)
{
    for (size_t i = 0; i < j->n_files; i++)
        free(j->files[i].path);
    j->n_files = 0;
    json_object_put(j->skipped);
    json_object_put(j->duplicates);
    json_object_put(j->result.metadata);
    j->skipped = j->duplicates = j->result.metadata = NULL;
    free(j->project);
    j->project = NULL;
}

static void job_free(void *arg)
{
    struct job *j = arg;

    job_clear_results(j);
    strlist_free(&j->roots);
    free(j->files);
    free(j->spool_path);
    free(j->cache_dir);
    free(j->root);
    free(j);
}

static void add_file(struct job *j, const struct job_file *f)
{
    if (j->n_files == j->cap_files) {
        j->cap_files = j->cap_files == 0 ? 16 : j->cap_files * 2;
        j->files = str_realloc(j->files, j->cap_files, sizeof(*j->files));
    }
    j->files[j->n_files++] = *f;
    if (f->mtime_ns / 1000000 > j->modified_ms)
        j->modified_ms = f->mtime_ns / 1000000;
}

static void on_file(void *arg, const struct snapshot_file *f)
{
    struct job_file copy = {
        .path = str_dup(f->path),
        .size_bytes = f->size_bytes,
        .mtime_ns = f->mtime_ns,
        .inode = f->inode,
        .is_attachment = f->is_attachment,
    };

    add_file(arg, &copy);
}

/* Recorded as it is now, so that the next scan does not take it for news. */
static void on_skipped(void *arg, const char *path, const char *reason)
{
    struct job *j = arg;
    struct json_object *o = json_object_new_object();
    char *whole = path_join(j->root, path), quoted[512];
    struct stat st;

    jdoc_set_str(o, "path", path);
    jdoc_set_str(o, "reason", reason);
    json_object_array_add(j->skipped, o);
    if (lstat(whole, &st) == 0) {
        /* As the watcher sees it: what is no regular file counts as empty. */
        struct job_file f = {
            .path = str_dup(path),
            .size_bytes = S_ISREG(st.st_mode) ? st.st_size : 0,
            .mtime_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec,
            .inode = (uint64_t)st.st_ino,
        };
        add_file(j, &f);
    }
    log_warn("file-skipped session=%s path=%s reason=\"%s\"", j->session_id,
             log_quote(path, quoted, sizeof(quoted)), reason);
    free(whole);
}

static void on_duplicate(void *arg, const char *path)
{
    struct job *j = arg;

    json_object_array_add(j->duplicates, jdoc_new_str(path));
}

/* The root whose transcript of the session is the longest. */
static int best_snapshot(struct job *j, struct snapshot **ret, struct ct_err *err)
{
    struct snapshot *best = NULL;
    struct ct_err e, worst = {0};

    for (size_t i = 0; i < j->roots.n; i++) {
        struct snapshot_opts o = {
            .root = j->roots.v[i],
            .agent = j->d->agent,
            .session_id = j->session_id,
            .user_dir = path_home(),
            .cancel = j->cancel,
        };
        struct snapshot *s;
        if (snapshot_take(&o, &s, &e) != 0) {
            if (worst.code == ERR_NONE || worst.code == ERR_GONE)
                worst = e;
            continue;
        }
        if (best != NULL && snapshot_transcript_bytes(s) <= snapshot_transcript_bytes(best)) {
            snapshot_free(s);
            continue;
        }
        snapshot_free(best);
        best = s;
        free(j->root);
        j->root = str_dup(j->roots.v[i]);
    }
    if (best == NULL) {
        *err = worst;
        return -1;
    }
    *ret = best;
    return 0;
}

static int pack_once(struct job *j)
{
    struct pack_opts o = {
        .cache_dir = j->cache_dir,
        .cache_bytes = j->cache_bytes,
        .known_id = j->known_id[0] != '\0' ? j->known_id : NULL,
        .spool_path = j->spool_path,
        .spool_room_bytes = j->spool_room_bytes,
        .cancel = j->cancel,
        .previous_bytes = j->previous_bytes,
        .previous_digest = j->previous_digest[0] != '\0' ? j->previous_digest : NULL,
    };
    struct snapshot *s;
    int rc;

    job_clear_results(j);
    if (best_snapshot(j, &s, &j->err) != 0)
        return -1;
    rc = pack_write(s, &o, &j->result, &j->err);
    if (rc == 0) {
        j->skipped = json_object_new_array();
        j->duplicates = json_object_new_array();
        j->project = str_dup(snapshot_project(s));
        snapshot_each_file(s, on_file, j);
        snapshot_each_skipped(s, on_skipped, j);
        snapshot_each_duplicate(s, on_duplicate, j);
    }
    snapshot_free(s);
    return rc;
}

static void job_run(void *arg)
{
    struct job *j = arg;

    for (int i = 0; i < TRIES; i++) {
        j->rc = pack_once(j);
        if (j->rc == 0 || j->err.code != ERR_RETRY)
            return;
    }
}

/* ---- back on the loop ---------------------------------------------------------------------------
 */

static void spool_remove(const struct job *j)
{
    if (!j->result.is_same)
        unlink(j->spool_path);
}

static int record_files(struct job *j, struct ct_err *err)
{
    struct state *st = j->d->state;

    if (state_drop_files(st, j->session_id, err) != 0)
        return -1;
    for (size_t i = 0; i < j->n_files; i++) {
        struct state_file f = {
            .root = j->root,
            .path = j->files[i].path,
            .size_bytes = j->files[i].size_bytes,
            .mtime_ns = j->files[i].mtime_ns,
            .inode = j->files[i].inode,
            .is_attachment = j->files[i].is_attachment,
        };
        if (state_put_file(st, j->session_id, &f, err) != 0)
            return -1;
    }
    return 0;
}

struct vanishing {
    struct map *present;
    int n;
};

static void count_vanished(void *arg, const char *path)
{
    struct vanishing *v = arg;

    v->n += map_get(v->present, path) == NULL;
}

/* Attachments that the last bundle held and this one does not: clean-up took them. */
static int vanished_attachments(struct job *j)
{
    struct vanishing v = {map_new(), 0};

    for (size_t i = 0; i < j->n_files; i++)
        map_put(v.present, j->files[i].path, j);
    state_each_attachment(j->d->state, j->session_id, count_vanished, &v);
    map_free(v.present);
    return v.n;
}

static void new_state(const struct job *j, const struct state_session *old,
                      struct state_session *ss)
{
    const char *slug = jdoc_str(j->result.metadata, "slug");

    memset(ss, 0, sizeof(*ss));
    snprintf(ss->session_id, sizeof(ss->session_id), "%s", j->session_id);
    ss->root = j->root;
    ss->project = j->project;
    ss->meta = j->result.metadata;
    json_object_object_add(ss->meta, "skipped", json_object_get(j->skipped));
    json_object_object_add(ss->meta, "duplicates", json_object_get(j->duplicates));
    ss->slug = (char *)(uintptr_t)(slug != NULL ? slug : "");
    ss->modified_ms = j->modified_ms;
    ss->raw_bytes = j->result.raw_bytes > 0 ? j->result.raw_bytes : old->raw_bytes;
    ss->transcript_bytes = j->result.transcript_bytes;
    snprintf(ss->transcript_digest, sizeof(ss->transcript_digest), "%s",
             j->result.transcript_digest);
    ss->is_rewritten = old->is_rewritten || j->result.is_rewritten;
    ss->revive = old->revive;
}

static int queue_bundle(const struct job *j, const struct state_session *old, int64_t pin,
                        struct ct_err *err)
{
    struct daemon *d = j->d;
    const char *cwd = jdoc_str(j->result.metadata, "cwd"), *email, *url, *device, *why;
    char *machine = NULL, *md5 = hash_base64(j->result.md5, sizeof(j->result.md5));
    struct queue_item q = {0};
    int rc;

    login_look(d->login, &email, &url, &device, &why);
    machine = device[0] != '\0' ? str_dup(device) : path_host_name();
    snprintf(q.session_id, sizeof(q.session_id), "%s", j->session_id);
    q.file = (char *)(uintptr_t)path_base(j->spool_path);
    q.size_bytes = j->result.size_bytes;
    snprintf(q.sha256, sizeof(q.sha256), "%s", j->result.sha256);
    snprintf(q.content_id, sizeof(q.content_id), "%s", j->result.content_id);
    q.md5 = md5;
    q.source_machine = machine;
    q.source_cwd = (char *)(uintptr_t)(cwd != NULL ? cwd : path_home());
    q.source_user_dir = (char *)(uintptr_t)path_home();
    q.metadata =
        pack_public_metadata(j->result.metadata, d->config->metadata == CONFIG_METADATA_FULL);
    q.pin = pin;
    q.base_version = old->version;
    q.revive = old->revive;
    rc = uploader_put(d->uploader, &q, err);
    json_object_put(q.metadata);
    free(machine);
    free(md5);
    return rc;
}

/* What was found goes into the books: in one transaction the session's files, its metadata and the
 * bundle's place in the queue. */
static int record(struct job *j, const struct state_session *old, int64_t pin, struct ct_err *err)
{
    struct db *db = state_db(j->d->state);
    struct state_session ss;

    new_state(j, old, &ss);
    if (db_begin(db, err) != 0)
        return -1;
    if (state_put(j->d->state, &ss, err) != 0 || record_files(j, err) != 0)
        goto err0;
    if (!j->result.is_same && queue_bundle(j, old, pin, err) != 0)
        goto err0;
    if (db_commit(db, err) != 0)
        goto err1;
    return 0;

err1:
    if (!j->result.is_same)
        uploader_drop(j->d->uploader, j->session_id, NULL);
err0:
    db_rollback(db);
    return -1;
}

static void bundled(struct job *j, struct session *s)
{
    struct daemon *d = j->d;
    struct state_session old = {0};
    struct ct_err err = {0};
    int was_queued = uploader_has(d->uploader, s->id), is_thinner;

    state_get(d->state, s->id, &old);
    is_thinner = j->result.is_rewritten || vanished_attachments(j) > 0;
    if (is_thinner && was_queued && !j->result.is_same) {
        /* The fuller one is not safe yet: it goes first, this one comes again after it. */
        log_warn("session-rewritten session=%s action=wait-for-upload", s->id);
        spool_remove(j);
        s->is_behind = 1;
        bundler_due(d, s, 1);
        goto done;
    }
    if (is_thinner)
        log_warn("session-rewritten session=%s keeps-version=%lld", s->id, (long long)old.version);
    if (record(j, &old, is_thinner ? old.version : 0, &err) != 0) {
        spool_remove(j);
        log_error("record-failed session=%s error=\"%s\"", s->id, err.msg);
        daemon_disk_trouble(d, &err);
        sessions_set_err(s, &err);
        s->retry_ms = now_mono_ms() + NO_ROOM_MS;
        bundler_due(d, s, 1);
        goto done;
    }
    daemon_disk_trouble(d, NULL);
    sessions_set_err(s, NULL);
    s->failures = 0;
    s->is_known = 1;
    d->bytes_read += j->result.read_bytes;
    if (!j->result.is_same) {
        d->bundles++;
        s->queued_seq = s->taken_seq;
        log_info("bundled session=%s size=%lld reused=%lld", s->id, (long long)j->result.size_bytes,
                 (long long)j->result.reused_bytes);
        control_event(d, "bundled", s->id, 0, j->result.size_bytes, NULL);
    } else if (was_queued) {
        s->queued_seq = s->taken_seq;
    } else {
        s->safe_seq = s->taken_seq;
        log_debug("unchanged session=%s", s->id);
        control_event(d, "unchanged", s->id, old.version, 0, NULL);
    }
    if (s->is_urgent)
        uploader_kick(d->uploader, s->id);
    s->is_urgent = 0;
done:
    state_session_clear(&old);
}

/* There is no transcript any more.  What is safe stays safe, what is queued still goes out. */
static void vanished(struct job *j, struct session *s)
{
    struct daemon *d = j->d;
    struct state_session old = {0};
    int is_known = state_get(d->state, s->id, &old);

    s->safe_seq = s->taken_seq;
    s->is_urgent = 0;
    sessions_set_err(s, NULL);
    if (is_known && !old.is_archived && (old.version > 0 || uploader_has(d->uploader, s->id))) {
        state_set_archived(d->state, s->id, 1, NULL);
        state_drop_files(d->state, s->id, NULL);
        log_info("archived session=%s", s->id);
        control_event(d, "archived", s->id, old.version, 0, NULL);
    } else if (!is_known) {
        log_debug("no-transcript session=%s", s->id);
    }
    state_session_clear(&old);
}

static void failed(struct job *j, struct session *s)
{
    struct daemon *d = j->d;

    if (j->err.code != ERR_CANCELLED) {
        sessions_set_err(s, &j->err);
        s->failures++;
        s->retry_ms = now_mono_ms() + (j->err.code == ERR_NOSPACE ? NO_ROOM_MS : FAILED_MS);
    }
    bundler_due(d, s, 1);
    if (j->err.code == ERR_CANCELLED)
        return;
    if (j->err.code == ERR_NOSPACE)
        daemon_disk_trouble(d, &j->err);
    if (s->failures == 1)
        log_warn("bundle-failed session=%s error=\"%s\"", s->id, j->err.msg);
    control_event(d, "failed", s->id, 0, 0, j->err.msg);
}

static void job_done(void *arg)
{
    struct job *j = arg;
    struct daemon *d = j->d;
    struct session *s = sessions_get(d, j->session_id);

    d->bundler->job = NULL;
    if (s == NULL || d->state == NULL) {
        /* The account was closed meanwhile. */
        if (j->rc == 0)
            spool_remove(j);
        job_free(j);
        return;
    }
    s->is_bundling = 0;
    if (j->rc == 0)
        bundled(j, s);
    else if (j->err.code == ERR_GONE)
        vanished(j, s);
    else
        failed(j, s);
    job_free(j);
    uploader_hold(d->uploader, s->id, 0);
    sessions_settle(d, s);
    bundler_run(d);
}

/* ---- who is next --------------------------------------------------------------------------------
 */

/* Asked for first, then the newest: what somebody works on now. */
static int is_before(const struct heap_node *a, const struct heap_node *b)
{
    const struct session *x = (const struct session *)a, *y = (const struct session *)b;

    if (x->is_urgent != y->is_urgent)
        return x->is_urgent;
    return x->mtime_ms > y->mtime_ms;
}

static void unpark(struct bundler *b, struct session *s)
{
    if (s->is_parked)
        TAILQ_REMOVE(&b->parked, s, parked);
    s->is_parked = 0;
}

void bundler_due(struct daemon *d, struct session *s, int is_due)
{
    unpark(d->bundler, s);
    s->is_due = is_due;
    if (is_due)
        heap_put(&d->bundler->due, &s->due);
    else
        heap_take(&d->bundler->due, &s->due);
}

/* Return whether the session has to wait: for its own upload, or some time after a failure. */
static int is_blocked(const struct daemon *d, struct session *s, int64_t now_ms)
{
    if (s->queued_seq > s->safe_seq) {
        if (uploader_is_active(d->uploader, s->id) ||
            (s->is_behind && uploader_has(d->uploader, s->id)))
            return 1;
        s->is_behind = 0;
    }
    return s->retry_ms > now_ms;
}

/* Parked sessions whose time has come are due again; the next one sets the timer. */
static void look_at_parked(struct daemon *d, int64_t now_ms)
{
    struct bundler *b = d->bundler;
    struct session *s, *next;
    int64_t wait_ms = 0;
    struct timeval tv;

    for (s = TAILQ_FIRST(&b->parked); s != NULL; s = next) {
        next = TAILQ_NEXT(s, parked);
        if (!is_blocked(d, s, now_ms))
            bundler_due(d, s, 1);
        else if (s->retry_ms > now_ms && (wait_ms == 0 || s->retry_ms - now_ms < wait_ms))
            wait_ms = s->retry_ms - now_ms;
    }
    if (wait_ms > 0) {
        tv.tv_sec = wait_ms / 1000;
        tv.tv_usec = wait_ms % 1000 * 1000;
        evtimer_add(b->timer, &tv);
    }
}

static struct session *next_session(struct daemon *d, int64_t now_ms)
{
    struct bundler *b = d->bundler;
    struct session *s;

    while ((s = (struct session *)heap_top(&b->due)) != NULL) {
        if (!is_blocked(d, s, now_ms))
            return s;
        heap_take(&b->due, &s->due);
        s->is_parked = 1;
        TAILQ_INSERT_TAIL(&b->parked, s, parked);
    }
    return NULL;
}

static void start(struct daemon *d, struct session *s)
{
    struct job *j = str_calloc(1, sizeof(*j));
    struct state_session old = {0};
    struct uploader_view v;

    j->d = d;
    snprintf(j->session_id, sizeof(j->session_id), "%s", s->id);
    strlist_copy(&j->roots, &d->config->roots);
    j->spool_path = uploader_spool_path(d->uploader, s->id);
    j->cache_dir = str_dup(d->cache_dir);
    j->cache_bytes = d->config->cache_bytes;
    j->spool_room_bytes = d->config->spool_bytes - uploader_spool_bytes(d->uploader);
    if (j->spool_room_bytes < 1)
        j->spool_room_bytes = 1;
    j->cancel = &d->bundler->cancel;
    if (state_get(d->state, s->id, &old)) {
        snprintf(j->known_id, sizeof(j->known_id), "%s", old.revive ? "" : old.content_id);
        j->previous_bytes = old.transcript_bytes;
        snprintf(j->previous_digest, sizeof(j->previous_digest), "%s", old.transcript_digest);
    }
    if (uploader_look(d->uploader, s->id, &v))
        snprintf(j->known_id, sizeof(j->known_id), "%s", v.item->content_id);
    state_session_clear(&old);
    bundler_due(d, s, 0);
    s->is_bundling = 1;
    s->taken_seq = d->seq;
    d->bundler->job = j;
    uploader_hold(d->uploader, s->id, 1);
    worker_submit(d->worker, job_run, job_done, job_free, j);
}

void bundler_run(struct daemon *d)
{
    int64_t now_ms = now_mono_ms();
    struct session *s;

    if (d->bundler->job != NULL || d->state == NULL || d->is_stopping)
        return;
    s = next_session(d, now_ms);
    look_at_parked(d, now_ms);
    if (s == NULL)
        s = next_session(d, now_ms);
    if (s != NULL)
        start(d, s);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    bundler_run(arg);
}

struct bundler *bundler_new(struct daemon *d)
{
    struct bundler *b = str_calloc(1, sizeof(*b));

    b->due.is_before = is_before;
    TAILQ_INIT(&b->parked);
    b->timer = evtimer_new(d->base, on_timer, d);
    if (b->timer == NULL)
        abort();
    return b;
}

void bundler_stop(struct bundler *b)
{
    b->cancel = 1;
}

void bundler_free(struct bundler *b)
{
    if (b == NULL)
        return;
    event_free(b->timer);
    heap_free(&b->due);
    free(b);
}

/* ---- what the uploader reports ------------------------------------------------------------------
 */

static int on_confirmed(void *arg, const struct queue_item *item, int64_t version, int is_loopback,
                        int64_t took_ms, struct ct_err *err)
{
    struct daemon *d = arg;

    debounce_uploaded(d->debounce, item->session_id, now_mono_ms(), took_ms);
    return state_confirm(d->state, item->session_id, version, item->content_id, item->sha256,
                         item->size_bytes, is_loopback, now_wall_ms(), err);
}

static void on_settled(void *arg, const char *session_id, int64_t version, int64_t size_bytes)
{
    struct daemon *d = arg;
    struct session *s = sessions_get(d, session_id);

    log_info("confirmed session=%s version=%lld size=%lld", session_id, (long long)version,
             (long long)size_bytes);
    control_event(d, "confirmed", session_id, version, size_bytes, NULL);
    if (s != NULL) {
        s->safe_seq = s->queued_seq;
        d->progress_done_bytes += s->size_bytes;
        s->size_bytes = 0;
        s->was_safe = 1;
        s->is_known = 1;
        sessions_settle(d, s);
    }
    bundler_run(d);
}

static void on_started(void *arg, const struct queue_item *item)
{
    control_event(arg, "uploading", item->session_id, 0, item->size_bytes, NULL);
}

static void on_failed(void *arg, const struct queue_item *item, const struct ct_err *err,
                      int is_final)
{
    struct daemon *d = arg;

    log_warn("upload-failed session=%s code=%s final=%s error=\"%s\"", item->session_id,
             err_name(err->code), is_final ? "yes" : "no", err->msg);
    control_event(d, "failed", item->session_id, 0, item->size_bytes, err->msg);
    waiter_check_all(d);
    bundler_run(d);
}

static void on_rebuild(void *arg, const char *session_id)
{
    struct daemon *d = arg;
    struct session *s = sessions_need(d, session_id);

    s->dirty_seq = ++d->seq;
    sessions_make_due(d, s);
}

static void on_deleted(void *arg, const char *session_id)
{
    struct daemon *d = arg;
    struct session *s = sessions_get(d, session_id);

    log_info("excluded session=%s reason=\"deleted in the cloud\"", session_id);
    state_set_excluded(d->state, session_id, 1, 0, NULL);
    pack_forget_cache(d->cache_dir, session_id);
    control_event(d, "excluded", session_id, 0, 0, "deleted in the cloud");
    if (s != NULL)
        sessions_give_up(d, s);
}

static void on_auth(void *arg, const struct ct_err *err)
{
    struct daemon *d = arg;

    login_refused(d->login, err);
}

const struct uploader_ops bundler_uploader_ops = {
    .confirmed = on_confirmed,
    .settled = on_settled,
    .started = on_started,
    .failed = on_failed,
    .rebuild = on_rebuild,
    .deleted = on_deleted,
    .auth = on_auth,
};

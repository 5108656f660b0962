#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "bundle/pack/pack.h"
#include "common/base/hash.h"
#include "common/data/jdoc.h"
#include "common/base/log.h"
#include "common/base/now.h"
#include "common/base/path.h"
#include "common/base/str.h"
#include "daemon/session/adopt.h"
#include "daemon/session/job.h"
#include "daemon/session/profile.h"
#include "daemon/session/recording.h"

#include "daemon/account/cloud.h"
#include "daemon/daemon.h"
#include "daemon/session/exclusion.h"
#include "daemon/account/login_view.h"
#include "daemon/account/allowance.h"
#include "daemon/account/room.h"
#include "daemon/session/credscan.h"
#include "daemon/system/resources.h"
#include "daemon/account/sealing.h"

#define FAILED_MS 60000 /* how often to try a session that can't be bundled */

/* When a second worker helps: while that many wait, there is this much room for its bundle, and
 * nobody else works. */
#define LONG_QUEUE 4
#define BESIDE_ROOM_BYTES (INT64_C(1) << 30)
#define ALONE_MS 60000 /* how long not, after a bundle that was too large for the room it had */

struct bundler {
    struct job *jobs[2];          /* on the worker and on the second one; NULL: none */
    int64_t alone_until_ms;       /* no two before that */
    struct resources_use use;     /* of the machine, when it was last looked at */
    struct heap due;              /* sessions to be bundled, the next one on top */
    TAILQ_HEAD(, session) parked; /* those that have to wait */
    struct event *timer;          /* to try again what failed */
};

/* ---- back on the loop ---------------------------------------------------------------------------
 */

static void spool_remove(const struct job *j)
{
    if (!j->result.is_same)
        unlink(j->spool_path);
}

struct thinning {
    struct job *j;
    struct map *present; /* path -> struct job_file */
    int n;
};

/* Lists of tasks, the plan and memory are written anew as the work goes on; what else there is only
 * grows, or is written once. */
static int may_shrink(const struct job *j, const char *path)
{
    struct agent_path place;

    j->agent->classify(path, &place);
    return place.kind == AGENT_TASK || place.kind == AGENT_TODO || place.kind == AGENT_PLAN ||
           place.kind == AGENT_MEMORY;
}

static void count_thinner(void *arg, const char *path, int64_t size_bytes)
{
    struct thinning *t = arg;
    const struct job_file *now = map_get(t->present, path);

    if (now == NULL && profile_has_given(t->j, path))
        return;
    t->n += now == NULL || (now->size_bytes < size_bytes && !may_shrink(t->j, path));
}

/* Return whether an attachment that the last bundle held is gone from this one (clean-up took it),
 * or is shorter here. */
static int has_thinner_attachments(struct job *j)
{
    struct thinning t = {j, map_new(), 0};

    for (size_t i = 0; i < j->n_files; i++)
        map_put(t.present, j->files[i].path, &j->files[i]);
    state_each_attachment(j->d->books->state, j->session_id, count_thinner, &t);
    map_free(t.present);
    return t.n > 0;
}

/* Files that change without a word of conversation: prompts are in the transcript too, and what an
 * agent has to do is written anew when it opens a session. */
static int may_change(const struct job *j, const char *path)
{
    struct agent_path place;

    j->agent->classify(path, &place);
    return place.kind == AGENT_TRANSCRIPT || place.kind == AGENT_HISTORY ||
           place.kind == AGENT_TASK || place.kind == AGENT_TODO;
}

/* Return whether something beside the transcript is new or was written since the last bundle.  An
 * agent writes a file anew that stays what it was: Claude Code its file history, when it leaves. */
static int has_new_files(const struct job *j)
{
    int64_t size_bytes, mtime_ns;
    uint64_t inode;

    for (size_t i = 0; i < j->n_files; i++) {
        const struct job_file *f = &j->files[i];
        if (f->is_as_stored || may_change(j, f->path))
            continue;
        if (!state_file(j->d->books->state, j->root, f->path, &size_bytes, &mtime_ns, &inode) ||
            size_bytes != f->size_bytes || mtime_ns != f->mtime_ns)
            return 1;
    }
    return 0;
}

/* Return whether the content is that of the newest version again, while a bundle of something else
 * waits: neither needs to go out then.  Unless what waits holds more. */
static int is_back_to(struct job *j, const struct state_session *old, int is_thinner)
{
    struct uploader_view v;

    if (j->result.is_same || is_thinner || old->revive || old->is_renewed || old->version == 0 ||
        strcmp(old->content_id, j->result.content_id) != 0 ||
        !uploader_look(j->d->books->uploader, j->session_id, &v) || v.item->phase != QUEUE_READY)
        return 0;
    unlink(j->spool_path);
    j->result.is_same = 1;
    return 1;
}

/* Another device's version was heard of while this one was sealed: it would count as older. */
static int is_overtaken(const struct job *j)
{
    return j->keys != NULL && !j->result.is_same &&
           j->bundle_generation <= sealing_generation(j->d, j->session_id, j->wire_id);
}

/* What was found can't be used: the bundle is made anew. */
static void do_again(struct job *j, struct session *s)
{
    spool_remove(j);
    bundler_due(j->d, s, 1);
    bundler_changed(j->d, s);
}

/* Which fuller version the next one is to keep goes into old->pin; return what that is a version
 * of. What a thinner one was to keep, those after it keep until one of them is safe. */
static const char *choose_pin(const struct job *j, struct state_session *old, int is_thinner)
{
    const struct adopted *a = &j->adopted;
    int is_pulled = a->version > 0 && !adopted_is_merged(a);

    /* Nor is it known whether all that a pull brought was still there when somebody went on; and of
     * what came in clear, not all may have. */
    if ((is_pulled && is_thinner) ||
        (!j->result.is_same && a->version > 0 && (is_pulled || a->is_thinner))) {
        old->pin = a->version;
        return a->wire_id;
    }
    if (is_thinner && state_base(old) > 0)
        old->pin = state_base(old);
    return old->wire_id;
}

static void not_recorded(struct job *j, struct session *s, const struct ct_err *err)
{
    spool_remove(j);
    log_error("record-failed session=%s error=\"%s\"", s->id, err->msg);
    room_disk_failed(j->d, err);
    sessions_set_err(s, err);
    s->retry_ms = now_mono_ms() + FAILED_MS;
    bundler_due(j->d, s, 1);
}

/* It is in the books: what that means for the session. */
static void recorded(struct job *j, struct session *s, const struct state_session *old,
                     int is_adopted, int was_queued)
{
    struct daemon *d = j->d;

    if (!j->result.is_same) {
        d->bundles++;
        s->queued_seq = s->taken_seq;
        log_info("bundled session=%s size=%lld reused=%lld", s->id, (long long)j->result.size_bytes,
                 (long long)j->result.reused_bytes);
        control_event(d, "bundled", s->id, 0, j->result.size_bytes, NULL);
    } else if (was_queued) {
        s->queued_seq = s->taken_seq;
    } else if (!is_adopted && strcmp(old->content_id, j->result.content_id) != 0) {
        /* It was the same as a bundle that is not in the queue any more. */
        bundler_due(d, s, 1);
    } else if (cloud_is_doubtful(d->cloud, s->id)) {
        s->doubted_seq = s->taken_seq;
    } else {
        s->safe_seq = s->taken_seq;
        s->bundled_bytes = 0;
        log_debug("unchanged session=%s", s->id);
        control_event(d, is_adopted ? "adopted" : "unchanged", s->id,
                      is_adopted ? j->adopted.version : old->version, 0, NULL);
    }
    if (!j->result.is_same && (old->version == 0 || strcmp(old->wire_id, j->wire_id) != 0))
        cloud_consider(d->cloud, s->id);
    if (s->is_urgent)
        uploader_kick(d->books->uploader, s->id);
    s->is_urgent = 0;
}

/* The bundle is there, or turned out to be the same: into the books, unless another one has to go
 * first. */
static void bundled(struct job *j, struct session *s)
{
    struct daemon *d = j->d;
    struct state_session old = {0};
    struct ct_err err = {0};
    const char *pin_wire;
    int was_queued = uploader_has(d->books->uploader, s->id), is_thinner, is_adopted, is_back,
        is_void;

    state_get(d->books->state, s->id, &old);
    is_adopted = adopt_judge(j);
    is_void = adopt_is_void(j);
    if (is_void) {
        log_info("merge-not-found session=%s", s->id);
        adopt_forget(d, s->id);
    }
    if (is_void || is_overtaken(j)) {
        do_again(j, s);
        goto done;
    }
    is_thinner = j->result.is_rewritten || has_thinner_attachments(j);
    is_back = is_back_to(j, &old, is_thinner);
    if (is_thinner && was_queued && !j->result.is_same) {
        /* The fuller one is not safe yet: it goes first, this one comes again after it. */
        log_warn("session-rewritten session=%s action=wait-for-upload", s->id);
        s->is_behind = 1;
        do_again(j, s);
        goto done;
    }
    if (is_thinner)
        log_warn("session-rewritten session=%s keeps-version=%lld", s->id, (long long)old.version);
    pin_wire = choose_pin(j, &old, is_thinner);
    j->has_news = j->result.has_news || has_new_files(j);
    if (recording_write(j, &old, pin_wire, is_thinner, is_adopted, &err) != 0) {
        not_recorded(j, s, &err);
        goto done;
    }
    room_is_there(d);
    s->room_used_bytes = 0;
    if (is_back && uploader_drop(d->books->uploader, s->id, NULL) == 0) {
        was_queued = 0;
        state_forget_queued(d->books->state, s->id, NULL);
    }
    sessions_set_err(s, NULL);
    s->failures = 0;
    s->cancels = 0;
    s->is_known = 1;
    if (is_adopted)
        /* Its record stays, should the books be lost. */
        cloud_adopted(d->cloud, s->id,
                      old.elsewhere == j->adopted.version &&
                          strcmp(old.elsewhere_wire, j->adopted.wire_id) == 0);
    d->bytes_read += j->result.read_bytes;
    credscan_record(d, s->id, j->scan);
    recorded(j, s, &old, is_adopted, was_queued);
done:
    state_session_clear(&old);
}

static int write_vanished(void *arg, struct ct_err *err)
{
    const struct job *j = arg;
    struct state *st = j->d->books->state;

    /* Should it come back with less, what is safe is the fuller one. */
    if (!uploader_has(j->d->books->uploader, j->session_id) &&
        state_pin(st, j->session_id, err) != 0)
        return -1;
    if (state_set_archived(st, j->session_id, now_wall_ms(), err) != 0)
        return -1;
    return state_drop_files(st, j->session_id, err);
}

/* There is no transcript any more.  What is safe stays safe, what is queued still goes out. */
static void vanished(struct job *j, struct session *s)
{
    struct daemon *d = j->d;
    struct state_session old = {0};
    int is_known = state_get(d->books->state, s->id, &old);

    s->safe_seq = s->taken_seq;
    s->is_urgent = 0;
    sessions_set_err(s, NULL);
    if (is_known && !old.is_archived &&
        (old.version > 0 || uploader_has(d->books->uploader, s->id))) {
        db_transact(state_db(d->books->state), write_vanished, j, NULL);
        log_info("archived session=%s", s->id);
        control_event(d, "archived", s->id, old.version, 0, NULL);
        if (j->profile_root < 0)
            profile_touch_all(d); /* its memory may be nobody's now */
    } else if (!is_known && j->profile_root < 0) {
        log_debug("no-transcript session=%s", s->id);
        state_drop_files(d->books->state, s->id, NULL); /* of a stub */
        profile_touch_all(d);                           /* prompts that name it are nobody's */
    } else if (old.version == 0 && !uploader_has(d->books->uploader, s->id)) {
        state_forget(d->books->state, s->id, NULL); /* it was excluded, and is gone meanwhile */
    }
    state_session_clear(&old);
}

static int write_stub(void *arg, struct ct_err *err)
{
    struct job *j = arg;

    if (state_forget(j->d->books->state, j->session_id, err) != 0)
        return -1;
    return recording_files(j, err);
}

/* It is no session until somebody says something: on no list, but its files are on record, so that
 * a scan passes over them. */
static void is_nothing_yet(struct job *j, struct session *s)
{
    s->safe_seq = s->taken_seq;
    s->is_urgent = 0;
    s->bundled_bytes = 0;
    sessions_set_err(s, NULL);
    db_transact(state_db(j->d->books->state), write_stub, j, NULL);
    log_debug("stub session=%s", s->id);
}

static void failed(struct job *j, struct session *s)
{
    struct daemon *d = j->d;

    if (j->is_beside && j->err.code == ERR_NOSPACE) {
        /* It had what room the other left: by itself it may fit. */
        d->bundler->alone_until_ms = now_mono_ms() + ALONE_MS;
        bundler_due(d, s, 1);
        return;
    }
    if (room_refused(d, s, j)) {
        bundler_due(d, s, 1);
        return;
    }
    if (j->err.code != ERR_CANCELLED) {
        sessions_set_err(s, &j->err);
        s->failures++;
        s->retry_ms = now_mono_ms() + FAILED_MS;
    }
    if (j->err.code == ERR_CANCELLED) {
        if (!s->is_waiting)
            bundler_due(d, s, 1);
        return;
    }
    bundler_due(d, s, 1);
    if (s->failures == 1)
        log_warn("bundle-failed session=%s error=\"%s\"", s->id, j->err.msg);
    control_event(d, "failed", s->id, 0, 0, j->err.msg);
}

/* A key came since the bundle was begun in clear, or one turned out to be missing. */
static int must_not_leave(const struct job *j)
{
    return j->rc == 0 && !j->result.is_same &&
           (sealing_is_held(j->d->sealing) || (j->keys == NULL && sealing_is_on(j->d->sealing)));
}

/* What is excluded has changed since it was begun: it may hold what is to stay here now. */
static int is_outlawed(const struct job *j)
{
    return j->terms_seq != j->d->terms_seq && (j->profile_root >= 0 || rules_any(j->d->rules));
}

static void job_done(void *arg)
{
    struct job *j = arg;
    struct daemon *d = j->d;
    struct session *s = sessions_get(d, j->session_id);

    d->bundler->jobs[d->bundler->jobs[0] != j] = NULL;
    if (j->generation != d->generation || s == NULL) {
        /* The account was closed meanwhile; the next one may know the session too. */
        if (j->rc == 0)
            spool_remove(j);
        job_free(j);
        bundler_run(d);
        return;
    }
    s->is_bundling = 0;
    if (exclusion_is_final(d, s->id)) {
        /* It was told to stay here while its bundle was being made. */
        if (j->rc == 0)
            spool_remove(j);
        job_free(j);
        sessions_give_up(d, s);
        bundler_run(d);
        return;
    }
    if (is_outlawed(j)) {
        if (j->rc == 0)
            spool_remove(j);
        bundler_due(d, s, j->profile_root < 0);
        uploader_hold(d->books->uploader, s->id, UPLOADER_HOLD_NEWER, 0);
        job_free(j);
        profile_touch_all(d);
        bundler_run(d);
        return;
    }
    if (exclusion_by_job(d, s, j)) {
        uploader_hold(d->books->uploader, j->session_id, UPLOADER_HOLD_NEWER, 0);
        job_free(j);
        bundler_run(d);
        return;
    }
    if (j->is_stub) {
        is_nothing_yet(j, s);
    } else if (must_not_leave(j)) {
        spool_remove(j);
        bundler_due(d, s, 1);
    } else if (j->rc == 0) {
        bundled(j, s);
    } else if (j->err.code == ERR_GONE) {
        vanished(j, s);
    } else {
        failed(j, s);
    }
    job_free(j);
    uploader_hold(d->books->uploader, s->id, UPLOADER_HOLD_NEWER, 0);
    sessions_settle(d, s);
    bundler_run(d);
    if (room_err(d) != NULL)
        waiter_check_all(d); /* it concerns all of them */
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

static struct job *job_of(const struct bundler *b, const char *session_id)
{
    for (size_t i = 0; i < 2; i++) {
        if (b->jobs[i] != NULL && strcmp(b->jobs[i]->session_id, session_id) == 0)
            return b->jobs[i];
    }
    return NULL;
}

/* Return whether the session has to wait: for its own bundle (another account's, perhaps), for its
 * own upload, or some time after a failure. */
static int is_blocked(struct daemon *d, struct session *s, int64_t now_ms)
{
    if (s->queued_seq > s->safe_seq) {
        if (uploader_is_active(d->books->uploader, s->id) ||
            (s->is_behind && uploader_has(d->books->uploader, s->id)))
            return 1;
        s->is_behind = 0;
    }
    return job_of(d->bundler, s->id) != NULL || s->retry_ms > now_ms ||
           sealing_is_held(d->sealing) || room_is_awaited(d, s) || allowance_is_awaited(d, s);
}

void bundler_changed(struct daemon *d, struct session *s)
{
    if (s->is_behind && uploader_is_refused(d->books->uploader, s->id) &&
        !allowance_is_awaited(d, s))
        uploader_try_again(d->books->uploader, s->id);
}

static void arm(struct bundler *b, int64_t wait_ms)
{
    struct timeval tv = {.tv_sec = wait_ms / 1000, .tv_usec = wait_ms % 1000 * 1000};

    evtimer_add(b->timer, &tv);
}

/* Parked sessions whose time has come are due again; the next one sets the timer. */
static void look_at_parked(struct daemon *d, int64_t now_ms)
{
    struct bundler *b = d->bundler;
    struct session *s, *next;
    int64_t wait_ms = 0;

    for (s = TAILQ_FIRST(&b->parked); s != NULL; s = next) {
        next = TAILQ_NEXT(s, parked);
        if (!is_blocked(d, s, now_ms))
            bundler_due(d, s, 1);
        else if (s->retry_ms > now_ms && (wait_ms == 0 || s->retry_ms - now_ms < wait_ms))
            wait_ms = s->retry_ms - now_ms;
    }
    if (wait_ms > 0)
        arm(b, wait_ms);
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

static void start(struct daemon *d, struct session *s, const struct job *other)
{
    struct job *j = str_calloc(1, sizeof(*j));
    int slot = d->bundler->jobs[0] != NULL;
    struct state_session old = {0};
    struct uploader_view v;

    j->d = d;
    j->generation = d->generation;
    snprintf(j->session_id, sizeof(j->session_id), "%s", s->id);
    strlist_copy(&j->roots, &d->config->roots);
    strlist_copy(&j->root_agents, &d->config->root_agents);
    j->agent = agent_unnamed();
    j->spool_path = uploader_spool_path(d->books->uploader, s->id);
    j->cache_dir = str_dup(d->books->cache_dir);
    j->cache_bytes = d->config->cache_bytes;
    j->spool_used_bytes = uploader_spool_bytes(d->books->uploader);
    j->spool_room_bytes = room_for_bundle(d, &j->is_disk_short);
    j->is_beside = other != NULL;
    if (other != NULL)
        j->spool_room_bytes = room_beside(d, other->spool_room_bytes);
    j->terms_seq = d->terms_seq;
    j->notes_dir = str_dup(d->config->state_dir);
    j->exclude = job_rules(d, s->id);
    profile_prepare(d, j);
    j->keys = sealing_hold(d->sealing);
    sealing_wire_id(d->sealing, s->id, j->wire_id);
    j->scan = credscan_job_new(d, s->id);
    if (j->keys != NULL)
        j->bundle_generation = sealing_generation(d, s->id, j->wire_id) + 1;
    j->is_unheard_of = !state_get(d->books->state, s->id, &old);
    if (!j->is_unheard_of) {
        j->is_unheard_of = old.version == 0 && old.is_excluded == STATE_NOT_EXCLUDED;
        snprintf(j->known_id, sizeof(j->known_id), "%s",
                 old.revive || old.is_renewed ? "" : old.content_id);
        j->previous_bytes = old.transcript_bytes;
        snprintf(j->previous_digest, sizeof(j->previous_digest), "%s", old.transcript_digest);
        j->last_project = str_dup(old.project);
        snprintf(j->last_agent, sizeof(j->last_agent), "%s", old.agent);
        j->last_root = old.root != NULL ? str_dup(old.root) : NULL;
        if (state_stored_manifest(d->books->state, &old, &j->stored))
            j->stored_version = old.version;
    }
    if (uploader_look(d->books->uploader, s->id, &v)) {
        j->is_unheard_of = 0;
        snprintf(j->known_id, sizeof(j->known_id), "%s", old.is_renewed ? "" : v.item->content_id);
        if (v.item->generation >= j->bundle_generation && j->keys != NULL)
            j->bundle_generation = v.item->generation + 1;
    } else if (old.is_renewed != STATE_RENEWED) {
        adopt_look(j, &old);
        if (old.is_renewed || old.revive)
            j->known_id[0] = '\0'; /* it goes out, whatever it is the same as */
    }
    state_session_clear(&old);
    bundler_due(d, s, 0);
    s->is_bundling = 1;
    s->taken_seq = sessions_seq(d);
    s->bundled_bytes += growth_take(&s->growth);
    d->bundler->jobs[slot] = j;
    uploader_hold(d->books->uploader, s->id, UPLOADER_HOLD_NEWER, 1);
    log_debug("bundling session=%s", s->id);
    worker_submit(slot == 0 ? d->worker : d->second, job_run, job_done, job_free, j);
}

/* What belongs to no session, and what may go along where something is excluded, depends on what
 * was found before. */
static int goes_alone(struct daemon *d, const char *session_id)
{
    return rules_any(d->rules) || profile_root(d, session_id) >= 0;
}

/* May ${s} be bundled while ${other} is? */
static int may_help(struct daemon *d, const struct session *s, const struct job *other,
                    int64_t now_ms)
{
    struct bundler *b = d->bundler;
    struct ct_err err;

    if (d->config->workers == CONFIG_WORKERS_ONE || now_ms < b->alone_until_ms ||
        goes_alone(d, other->session_id) || goes_alone(d, s->id) ||
        room_beside(d, other->spool_room_bytes) < BESIDE_ROOM_BYTES)
        return 0;
    if (d->config->workers == CONFIG_WORKERS_AUTO &&
        (b->due.n < LONG_QUEUE || !resources_are_idle(&b->use)))
        return 0;
    if (d->second == NULL && worker_new(d->base, resources_be_polite, &d->second, &err) != 0) {
        log_warn("no-second-worker error=\"%s\"", err.msg);
        b->alone_until_ms = now_ms + ALONE_MS;
        return 0;
    }
    return 1;
}

/* Return whether another one may be begun after that. */
static int run_next(struct daemon *d)
{
    struct bundler *b = d->bundler;
    struct job *other = b->jobs[0] != NULL ? b->jobs[0] : b->jobs[1];
    int64_t now_ms = now_mono_ms(), wait_ms;
    struct session *s;

    if (d->books == NULL || d->is_stopping || (b->jobs[0] != NULL && b->jobs[1] != NULL))
        return 0;
    wait_ms = room_wait_ms(d, now_ms);
    if (wait_ms > 0) {
        arm(b, wait_ms);
        return 0;
    }
    s = next_session(d, now_ms);
    look_at_parked(d, now_ms);
    if (s == NULL)
        s = next_session(d, now_ms);
    if (s == NULL || (other != NULL && !may_help(d, s, other, now_ms)))
        return 0;
    if (room_to_begin(d)) {
        start(d, s, other);
        return 1;
    }
    if ((wait_ms = room_wait_ms(d, now_ms)) > 0)
        arm(b, wait_ms); /* nothing else tells of room on a disk */
    return 0;
}

void bundler_run(struct daemon *d)
{
    while (run_next(d))
        ;
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
    for (size_t i = 0; i < 2; i++) {
        if (b->jobs[i] != NULL)
            b->jobs[i]->cancel = 1;
    }
}

void bundler_outdated(struct daemon *d, struct session *s)
{
    struct job *j;

    if (!s->is_bundling || s->is_urgent || s->cancels > 0)
        return;
    s->cancels++;
    j = job_of(d->bundler, s->id);
    if (j != NULL)
        j->cancel = 1;
}

void bundler_free(struct bundler *b)
{
    if (b == NULL)
        return;
    event_free(b->timer);
    heap_free(&b->due);
    free(b);
}

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bundle/pack/pack.h"
#include "common/data/jdoc.h"
#include "common/base/log.h"
#include "common/base/str.h"
#include "daemon/session/job.h"

#include "daemon/daemon.h"
#include "daemon/session/exclusion.h"
#include "daemon/session/profile.h"
#include "daemon/session/recording.h"
#include "daemon/account/cloud.h"
#include "daemon/account/room.h"
#include "daemon/session/credscan.h"

/* ---- cached blocks: removed on the worker, behind what it is at ---------------------------------
 */

struct forgetting {
    char *cache_dir;
    struct strlist ids;
};

static void forget_run(void *arg)
{
    struct forgetting *f = arg;

    for (size_t i = 0; i < f->ids.n; i++)
        pack_forget_cache(f->cache_dir, f->ids.v[i]);
}

static void forget_free(void *arg)
{
    struct forgetting *f = arg;

    strlist_free(&f->ids);
    free(f->cache_dir);
    free(f);
}

static void forget_caches(struct daemon *d, const struct strlist *ids)
{
    struct forgetting *f = str_calloc(1, sizeof(*f));

    f->cache_dir = str_dup(d->books->cache_dir);
    strlist_copy(&f->ids, ids);
    worker_submit(d->worker, forget_run, forget_free, forget_free, f);
}

/* ---- one session --------------------------------------------------------------------------------
 */

/* Its cached blocks stay; see forget_caches(). */
static int keep_here(struct daemon *d, const char *id, enum state_excluded why, struct ct_err *err)
{
    struct session *s;

    if (state_set_excluded(d->books->state, id, why, 0, err) != 0 ||
        uploader_drop(d->books->uploader, id, err) != 0)
        return -1;
    credscan_forget(d, id);
    if ((s = sessions_get(d, id)) != NULL)
        sessions_give_up(d, s);
    log_info("excluded session=%s reason=%s", id,
             why == STATE_EXCLUDED_FOLDER ? "folder" : "asked");
    control_event(d, "excluded", id, 0, 0, NULL);
    return 0;
}

static int let_go(struct daemon *d, const char *id, int revive, struct ct_err *err)
{
    if (state_set_excluded(d->books->state, id, STATE_NOT_EXCLUDED, revive, err) != 0 ||
        state_outdate_files(d->books->state, id, err) != 0)
        return -1;
    log_info("included session=%s", id);
    sessions_touch(d, id, d->config->wait_ms, 0);
    return 0;
}

void exclusion_cure_deleted(const char *id, char *ret, size_t size)
{
    snprintf(ret, size,
             "to upload it again: ctctl sync %.8s; to leave it here alone: ctctl exclude %.8s", id,
             id);
}

const char *exclusion_reason(const struct daemon *d, const char *id, struct json_object *meta,
                             const char *project)
{
    const char *began_in = jdoc_str(meta, "beganIn");
    const char *why = rules_reason(d->rules, id, jdoc_str(meta, "cwd"), project);

    return why == NULL && began_in != NULL ? rules_reason(d->rules, id, began_in, project) : why;
}

const char *exclusion_why(const struct daemon *d, const struct state_session *ss)
{
    const char *why;

    if (ss->is_excluded == STATE_NOT_EXCLUDED || state_is_deleted(ss))
        return NULL;
    why = exclusion_reason(d, ss->session_id, ss->meta, ss->project);
    if (why != NULL)
        return why;
    return "it was deleted from the cloud, or excluded by its ID; to save it again: ctctl sync ID";
}

static int record(struct daemon *d, const struct job *j, struct ct_err *err)
{
    const char *slug = jdoc_str(j->result.metadata, "slug");
    struct state_session ss = {0};
    int rc = 0;

    /* Of one that was on record without its folder it may be known now. */
    if (!state_get(d->books->state, j->session_id, &ss) || ss.version == 0) {
        state_session_clear(&ss);
        snprintf(ss.session_id, sizeof(ss.session_id), "%s", j->session_id);
        snprintf(ss.agent, sizeof(ss.agent), "%s", j->agent->id);
        ss.root = str_dup(j->root);
        ss.project = str_dup(j->project);
        ss.meta = json_object_get(j->result.metadata);
        ss.slug = str_dup(slug != NULL ? slug : "");
        ss.modified_ms = j->modified_ms;
        for (size_t i = 0; i < j->n_files; i++)
            ss.raw_bytes += j->files[i].size_bytes;
        ss.is_excluded = STATE_EXCLUDED_FOLDER;
        rc = state_put(d->books->state, &ss, err);
    }
    if (rc == 0)
        rc = recording_writers(j, err);
    state_session_clear(&ss);
    return rc;
}

/* It stayed here only as long as its folder was not known; or it was deleted elsewhere and changes
 * here now, of which the server shall say what it thinks. */
static int may_go(struct daemon *d, const struct job *j)
{
    const char *id = j->session_id;
    struct session *s = sessions_get(d, id);
    struct state_session ss;
    int is_to_stay;

    if (!state_get(d->books->state, id, &ss))
        return 0;
    is_to_stay = ss.is_excluded == STATE_NOT_EXCLUDED ||
                 (ss.is_excluded == STATE_DELETED && j->result.is_same);
    if (!is_to_stay && s != NULL)
        s->was_safe = ss.version > 0; /* it is counted as such from now on */
    state_session_clear(&ss);
    if (is_to_stay)
        return 0;
    return state_set_excluded(d->books->state, id, STATE_NOT_EXCLUDED, 0, NULL);
}

int exclusion_is_final(struct daemon *d, const char *id)
{
    struct state_session ss = {0};
    int yes;

    if (d->books == NULL || !state_is_excluded(d->books->state, id))
        return 0;
    yes = state_get(d->books->state, id, &ss) &&
          (ss.is_excluded != STATE_EXCLUDED_FOLDER || jdoc_str(ss.meta, "cwd") != NULL ||
           rules_has_id(d->rules, id)) &&
          ss.is_excluded != STATE_DELETED;
    state_session_clear(&ss);
    return yes;
}

int exclusion_by_job(struct daemon *d, struct session *s, const struct job *j)
{
    struct strlist ids = {0};
    struct ct_err err;

    if (j->rc != 0 && !j->is_excluded)
        return 0;
    /* The rules may have changed while it was under way. */
    if (exclusion_reason(d, j->session_id, j->result.metadata, j->project) == NULL) {
        if (j->is_excluded) {
            bundler_due(d, s, 1);
            return 1;
        }
        return may_go(d, j) != 0;
    }
    if (j->rc == 0 && !j->result.is_same)
        unlink(j->spool_path);
    strlist_add(&ids, j->session_id);
    if (!state_is_excluded(d->books->state, j->session_id))
        profile_touch_all(d); /* what may be of it is known now */
    if (record(d, j, &err) != 0 || keep_here(d, j->session_id, STATE_EXCLUDED_FOLDER, &err) != 0) {
        /* It does not go out all the same; the next change or scan comes back to it. */
        log_error("record-failed session=%s error=\"%s\"", j->session_id, err.msg);
        room_disk_failed(d, &err);
        sessions_give_up(d, s);
    }
    forget_caches(d, &ids);
    strlist_free(&ids);
    return 1;
}

/* ---- all of them --------------------------------------------------------------------------------
 */

struct sorting {
    struct daemon *d;
    struct strlist stay, go;
    int64_t stay_in_cloud; /* of those that stay: have a version there */
};

static void sort_one(void *arg, const struct state_session *ss)
{
    struct sorting *w = arg;
    const char *why = exclusion_reason(w->d, ss->session_id, ss->meta, ss->project);

    if (why != NULL && (ss->is_excluded == STATE_NOT_EXCLUDED || state_is_deleted(ss)) &&
        !ss->is_archived) {
        strlist_add(&w->stay, ss->session_id);
        w->stay_in_cloud += ss->version > 0 && !state_is_deleted(ss);
    } else if (why == NULL && ss->is_excluded == STATE_EXCLUDED_FOLDER) {
        strlist_add(&w->go, ss->session_id);
    }
}

static void apply(struct sorting *w)
{
    struct daemon *d = w->d;
    struct db *db;
    struct ct_err err = {0};

    if (d->books == NULL ||
        (!rules_any(d->rules) && !state_has_excluded(d->books->state, STATE_EXCLUDED_FOLDER)))
        return;
    state_each(d->books->state, NULL, 0, INT64_MAX, sort_one, w);
    if (w->stay.n + w->go.n == 0)
        return;
    db = state_db(d->books->state);
    for (size_t i = 0; i < w->stay.n; i++) {
        if (keep_here(d, w->stay.v[i], STATE_EXCLUDED_FOLDER, &err) != 0)
            log_error("exclude-failed session=%s error=\"%s\"", w->stay.v[i], err.msg);
    }
    if (db_begin(db, &err) == 0) {
        for (size_t i = 0; i < w->go.n; i++)
            let_go(d, w->go.v[i], 0, &err);
        db_commit(db, NULL);
    }
    forget_caches(d, &w->stay);
}

static void sorting_clear(struct sorting *w)
{
    strlist_free(&w->stay);
    strlist_free(&w->go);
}

void exclusion_apply(struct daemon *d)
{
    struct sorting w = {.d = d};

    apply(&w);
    sorting_clear(&w);
    profile_refresh(d);
}

static void note_waiting(void *arg, const struct uploader_view *v)
{
    if (v->item->phase == QUEUE_READY)
        strlist_add(arg, v->item->session_id);
}

void exclusion_make_anew(struct daemon *d)
{
    struct strlist ids = {0};
    struct ct_err err;

    if (d->books == NULL || !rules_any(d->rules))
        return;
    uploader_each(d->books->uploader, note_waiting, &ids);
    for (size_t i = 0; i < ids.n; i++) {
        if (profile_root(d, ids.v[i]) >= 0)
            continue;
        if (uploader_drop(d->books->uploader, ids.v[i], &err) != 0)
            log_error("exclude-failed session=%s error=\"%s\"", ids.v[i], err.msg);
        sessions_touch(d, ids.v[i], d->config->wait_ms, 0);
    }
    strlist_free(&ids);
}

void exclusion_refresh(struct daemon *d)
{
    struct ct_err err;

    if (rules_reload(d->rules, &err) != 0)
        log_error("rules-failed error=\"%s\" effect=\"what was known holds\"", err.msg);
    else
        exclusion_apply(d);
}

/* ---- the methods --------------------------------------------------------------------------------
 */

/* Of one that is on no record nothing has to be undone: its bundle is judged by the rules.  What
 * was deleted in the cloud goes there anew if it is included again. */
static int keep_by_rule(struct daemon *d, const char *id, struct ct_err *err)
{
    struct state_session ss;
    int rc = 0;

    if (rules_say_id(d->rules, id, 1, err) != 0)
        return -1;
    if (state_get(d->books->state, id, &ss) && ss.is_excluded != STATE_EXCLUDED_ITSELF)
        rc = keep_here(d, id, state_is_deleted(&ss) ? STATE_EXCLUDED_ITSELF : STATE_EXCLUDED_FOLDER,
                       err);
    else if (sessions_get(d, id) != NULL)
        sessions_touch(d, id, d->config->wait_ms, 0);
    state_session_clear(&ss);
    return rc;
}

/* One that is deleted in the cloud stays here until somebody asks for it by name; no rule. */
static int keep_one(struct daemon *d, const char *id, int is_deleted, struct ct_err *err)
{
    struct strlist ids = {0};
    int rc = is_deleted ? keep_here(d, id, STATE_EXCLUDED_ITSELF, err) : keep_by_rule(d, id, err);

    strlist_add(&ids, id);
    forget_caches(d, &ids);
    strlist_free(&ids);
    return rc;
}

/* What was deleted in the cloud is uploaded anew; what never left the books is compared. */
static int let_one_go(struct daemon *d, const char *id, struct ct_err *err)
{
    struct state_session ss;
    const char *why = NULL;
    int rc = 0;

    if (rules_say_id(d->rules, id, 0, err) != 0)
        return -1;
    if (state_get(d->books->state, id, &ss))
        why = exclusion_reason(d, id, ss.meta, ss.project);
    if (why != NULL)
        rc = err_set(err, ERR_REFUSED, "session %.8s stays on this machine: %s", id, why);
    else
        rc = let_go(d, id, ss.is_excluded == STATE_EXCLUDED_ITSELF, err);
    state_session_clear(&ss);
    cloud_refresh(d->cloud); /* it may have been deleted there meanwhile */
    return rc;
}

/* What of it is in the cloud with what belongs to no session, as the books still have it. */
static void add_withheld(struct daemon *d, struct json_object *o)
{
    char id[UUID_SIZE];
    int64_t n = profile_withheld(d, id);

    jdoc_set_int(o, "inProfile", n);
    jdoc_set_str(o, "profileId", n > 0 ? id : NULL);
}

static void one_session(struct daemon *d, struct ipc_request *rq, const char *id, int is_excluded,
                        int is_deleted)
{
    struct json_object *o;
    struct ct_err err;
    int rc;

    if (d->books == NULL) {
        err_set(&err, ERR_AUTH, "not logged in; run: ctctl login");
        ipc_fail(rq, &err);
        return;
    }
    rc = is_excluded ? keep_one(d, id, is_deleted, &err) : let_one_go(d, id, &err);
    if (rc != 0) {
        profile_refresh(d);
        ipc_fail(rq, &err);
        return;
    }
    o = json_object_new_object();
    jdoc_set_str(o, "sessionId", id);
    if (is_excluded)
        add_withheld(d, o);
    profile_refresh(d);
    ipc_reply(rq, o);
}

/* Sessions that are excluded each by itself. */
static struct json_object *single(struct daemon *d)
{
    struct json_object *list = json_object_new_array(), *o;
    const struct strlist *ids = rules_ids(d->rules);
    struct state_session ss;

    for (size_t i = 0; i < ids->n; i++) {
        int is_known = d->books != NULL && state_get(d->books->state, ids->v[i], &ss);
        o = json_object_new_object();
        jdoc_set_str(o, "sessionId", ids->v[i]);
        jdoc_set_str(o, "title", is_known ? jdoc_str(ss.meta, "title") : NULL);
        jdoc_set_str(o, "projectPath", is_known ? jdoc_str(ss.meta, "cwd") : NULL);
        json_object_array_add(list, o);
        if (is_known)
            state_session_clear(&ss);
    }
    return list;
}

static void folder(struct daemon *d, struct ipc_request *rq, const char *path, int is_excluded)
{
    struct sorting w = {.d = d};
    struct json_object *o;
    struct ct_err err;
    char quoted[512];
    int changed = 0;

    if (rules_say(d->rules, path, is_excluded, &changed, &err) != 0) {
        ipc_fail(rq, &err);
        return;
    }
    log_info("rule %s=%s", is_excluded ? "exclude" : "include",
             log_quote(path, quoted, sizeof(quoted)));
    apply(&w);
    o = json_object_new_object();
    if (is_excluded)
        add_withheld(d, o);
    profile_refresh(d);
    jdoc_set_str(o, "path", path);
    jdoc_set_bool(o, "changed", changed);
    jdoc_set_int(o, "sessions", (int64_t)(is_excluded ? w.stay.n : w.go.n));
    jdoc_set_int(o, "inCloud", w.stay_in_cloud);
    json_object_object_add(o, "rules", rules_json(d->rules));
    ipc_reply(rq, o);
    sorting_clear(&w);
}

void exclusion_request(struct daemon *d, struct ipc_request *rq, struct json_object *params,
                       const char *id, int is_excluded)
{
    const char *path = jdoc_str(params, "path");
    struct json_object *o;

    if (id != NULL) {
        one_session(d, rq, id, is_excluded, jdoc_bool(params, "deleted", 0));
    } else if (path == NULL) {
        o = json_object_new_object();
        json_object_object_add(o, "rules", rules_json(d->rules));
        json_object_object_add(o, "sessions", single(d));
        ipc_reply(rq, o);
    } else if (path[0] != '/') {
        ipc_fail_code(rq, IPC_INVALID_PARAMS, "path must be absolute");
    } else {
        folder(d, rq, path, is_excluded);
    }
}

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/data/jdoc.h"
#include "common/data/names.h"
#include "common/base/now.h"
#include "common/base/path.h"
#include "common/base/str.h"

#include "daemon/daemon.h"
#include "daemon/session/exclusion.h"
#include "daemon/session/profile.h"
#include "daemon/account/cloud.h"
#include "daemon/account/login_view.h"
#include "daemon/account/naming.h"
#include "daemon/account/allowance.h"
#include "daemon/account/room.h"
#include "daemon/session/credscan.h"
#include "daemon/account/sealing.h"
#include "daemon/control/apart.h"
#include "daemon/session/profile.h"

#define PAGE 200

const char *listing_state(struct daemon *d, const struct state_session *ss, const char **ret_why)
{
    const struct session *s = sessions_get(d, ss->session_id);
    int is_pending = s != NULL && s->dirty_seq > s->safe_seq;
    struct uploader_view v;
    const char *cure;

    *ret_why = exclusion_why(d, ss);
    if (*ret_why != NULL)
        return "excluded";
    if (ss->is_excluded == STATE_DELETED_CHANGED) {
        *ret_why = ss->deleted;
        return "deleted";
    }
    if (s != NULL && allowance_is_awaited(d, s)) {
        *ret_why = allowance_why(d->allowance)->msg;
        return "limit";
    }
    if (d->books != NULL && uploader_look(d->books->uploader, ss->session_id, &v)) {
        *ret_why = v.err != NULL ? v.err->msg : NULL;
        if (sealing_is_held(d->sealing) && !queue_is_sealed(v.item))
            sealing_look(d->sealing, ret_why, &cure);
        if (strcmp(v.phase, "ready") == 0 || strcmp(v.phase, "stored") == 0)
            return "pending";
        return v.phase; /* uploading, failed, limit */
    }
    if (s != NULL && sealing_is_held(d->sealing) && sessions_is_dirty(s)) {
        sealing_look(d->sealing, ret_why, &cure);
        return "pending";
    }
    if (s != NULL && s->err != NULL) {
        *ret_why = s->err->msg;
        return room_is_too_large(s) ? "too_large" : "failed";
    }
    if (ss->is_apart)
        return "diverged";
    if (is_pending && cloud_is_doubtful(d->cloud, ss->session_id))
        *ret_why = "the server is being asked whether it has what a pull brought here";
    if (is_pending)
        return "pending";
    if (ss->is_excluded == STATE_DELETED) {
        *ret_why = "another device deleted it in the cloud, and it is as it was then";
        return "deleted";
    }
    if (ss->is_archived)
        return "archived";
    if (ss->elsewhere > 0)
        return "behind";
    return ss->version > 0 ? "synced" : "pending";
}

/* Does the server say what a version builds on?  Of one that was not reached yet: yes. */
static int tells_bases(const struct daemon *d)
{
    return !login_view_has_answered(d->login) || (login_view_features(d->login) & API_HAS_HEADS);
}

static const char *place_of(const struct state_session *ss)
{
    if (ss->version == 0 || state_is_deleted(ss) || ss->is_excluded == STATE_EXCLUDED_ITSELF)
        return NULL;
    return ss->is_loopback ? "this machine only" : "cloud";
}

static int is_kept(struct daemon *d, const struct state_session *ss)
{
    const char *id = ss->elsewhere_wire[0] != '\0' ? ss->elsewhere_wire : ss->session_id;

    return d->books != NULL && kept_has(uploader_kept(d->books->uploader), id, ss->elsewhere);
}

/* The title and tags that somebody gave it come before what it is called by itself. */
static void name_item(struct daemon *d, const struct state_session *ss, struct json_object *o)
{
    struct json_object *names = naming_of(d, ss->session_id);
    const char *title = names_title(names);

    jdoc_set_str(o, "title", title != NULL ? title : jdoc_str(ss->meta, "title"));
    json_object_object_add(o, "tags", names_tags(names));
    if (title != NULL)
        json_object_object_add(o, "named", json_object_get(jdoc_obj(names, "title")));
    json_object_put(names);
}

static struct json_object *item_of(struct daemon *d, const struct state_session *ss)
{
    struct json_object *o = json_object_new_object();
    const char *cwd = jdoc_str(ss->meta, "cwd"), *state, *why, *email, *url, *device, *reason;
    const struct session *s = sessions_get(d, ss->session_id);
    int64_t modified_ms = ss->modified_ms;
    char elsewhere[512], cure[256];

    if (s != NULL && s->mtime_ms > modified_ms)
        modified_ms = s->mtime_ms;
    login_view_look(d->login, &email, &url, &device, &reason);
    jdoc_set_str(o, "sessionId", ss->session_id);
    jdoc_set_str(o, "agent", ss->agent);
    jdoc_set_str(o, "projectPath", cwd);
    jdoc_set_str(o, "projectName", jdoc_str(ss->meta, "projectName"));
    name_item(d, ss, o);
    jdoc_set_int(o, "messageCount", jdoc_int(ss->meta, "messageCount", 0));
    jdoc_set_int(o, "sizeBytes", ss->raw_bytes);
    json_object_object_add(o, "usage", json_object_get(jdoc_obj(ss->meta, "usage")));
    jdoc_set_time(o, "modifiedAt", modified_ms);
    jdoc_set_bool(o, "live", changes_is_live(d, ss->session_id));
    state = listing_state(d, ss, &why);
    jdoc_set_str(o, "state", state);
    elsewhere[0] = '\0';
    if (strcmp(state, "diverged") == 0)
        apart_why(ss, is_kept(d, ss), elsewhere, sizeof(elsewhere));
    else if (strcmp(state, "behind") == 0)
        behind_why(ss, tells_bases(d) || ss->token_tag[0] == '\0', elsewhere, sizeof(elsewhere));
    if (strcmp(state, "deleted") == 0) {
        exclusion_cure_deleted(ss->session_id, cure, sizeof(cure));
        snprintf(elsewhere, sizeof(elsewhere), "%s; %s", why, cure);
    }
    jdoc_set_str(o, "reason", elsewhere[0] != '\0' ? elsewhere : why);
    jdoc_set_int(o, "version", ss->version);
    jdoc_set_str(o, "deviceName", device[0] != '\0' ? device : NULL);
    jdoc_set_str(o, "place", place_of(ss));
    if (ss->elsewhere > 0)
        jdoc_set_int(o, "elsewhereVersion", ss->elsewhere);
    jdoc_set_time(o, "confirmedAt", ss->confirmed_ms);
    sealing_item(o, ss);
    return o;
}

struct paging {
    struct daemon *d;
    struct json_object *list;
    int64_t from, limit; /* rows of sessions that are new here come first */
    int64_t n_new;
    int64_t rows; /* given out; a duplicate is no row of its own */
    const char *project;
};

/* A session that was seen but not bundled yet: little is known of it.  What belongs to no session
 * is none, and there may be nothing of it. */
static int add_new(void *arg, const char *key, void *value)
{
    struct paging *p = arg;
    const struct session *s = value;
    struct state_session ss = {0};

    (void)key;
    if (s->is_known || s->queued_seq > 0 || p->project != NULL || profile_root(p->d, s->id) >= 0)
        return 0;
    if (p->n_new++ < p->from || p->rows >= p->limit)
        return 0;
    p->rows++;
    snprintf(ss.session_id, sizeof(ss.session_id), "%s", s->id);
    snprintf(ss.agent, sizeof(ss.agent), "%s",
             s->agent != NULL ? s->agent->id : agent_unnamed()->id);
    ss.raw_bytes = sessions_pending_bytes(s);
    json_object_array_add(p->list, item_of(p->d, &ss));
    return 0;
}

static void add_known(void *arg, const struct state_session *ss)
{
    struct paging *p = arg;
    struct json_object *duplicates = jdoc_array(ss->meta, "duplicates"), *o;
    size_t n = duplicates != NULL ? json_object_array_length(duplicates) : 0;

    p->rows++;
    json_object_array_add(p->list, item_of(p->d, ss));
    /* Another transcript with the same id, all of which is in the one that is stored. */
    for (size_t i = 0; i < n; i++) {
        o = item_of(p->d, ss);
        jdoc_set_str(o, "state", "duplicate");
        jdoc_set_str(o, "reason", "all of it is in the transcript with this id that is stored");
        jdoc_set_str(o, "path", json_object_get_string(json_object_array_get_idx(duplicates, i)));
        jdoc_set_str(o, "place", NULL);
        json_object_array_add(p->list, o);
    }
}

struct json_object *listing_list(struct daemon *d, struct json_object *params)
{
    struct paging p = {.d = d, .list = json_object_new_array()};
    struct json_object *o = json_object_new_object();
    int64_t limit = jdoc_int(params, "limit", PAGE), skip;
    char next[24];

    p.project = jdoc_str(params, "project");
    p.from = jdoc_int(params, "cursor", 0);
    if (jdoc_str(params, "cursor") != NULL)
        p.from = strtoll(jdoc_str(params, "cursor"), NULL, 10);
    if (p.from < 0)
        p.from = 0;
    p.limit = limit < 1 || limit > PAGE ? PAGE : limit;
    sessions_each(d, add_new, &p);
    skip = p.from + p.rows - p.n_new;
    if (d->books != NULL && p.rows < p.limit)
        state_each(d->books->state, p.project, skip > 0 ? skip : 0, p.limit - p.rows, add_known,
                   &p);
    json_object_object_add(o, "sessions", p.list);
    snprintf(next, sizeof(next), "%lld", (long long)(p.from + p.rows));
    jdoc_set_str(o, "next", p.rows == p.limit ? next : NULL);
    return o;
}

/* The newest first. */
static int by_version(const void *a, const void *b)
{
    int64_t x = jdoc_int(*(struct json_object *const *)a, "version", 0);
    int64_t y = jdoc_int(*(struct json_object *const *)b, "version", 0);

    return x < y ? 1 : x > y ? -1 : 0;
}

static void add_kept(void *arg, const char *path, int64_t version, int64_t size_bytes)
{
    struct json_object *o = json_object_new_object();

    jdoc_set_int(o, "version", version);
    jdoc_set_int(o, "sizeBytes", size_bytes);
    jdoc_set_str(o, "path", path);
    json_object_array_add(arg, o);
}

static struct json_object *kept_of(struct daemon *d, const char *id, const char *wire_id)
{
    struct json_object *list = json_object_new_array();

    if (d->books != NULL)
        kept_each(uploader_kept(d->books->uploader), id, add_kept, list);
    if (d->books != NULL && wire_id[0] != '\0')
        kept_each(uploader_kept(d->books->uploader), wire_id, add_kept, list);
    json_object_array_sort(list, by_version);
    return list;
}

struct json_object *listing_show(struct daemon *d, const char *id)
{
    struct state_session ss;
    struct json_object *o, *skipped, *duplicates;
    struct uploader_view v;

    if (d->books == NULL || !state_get(d->books->state, id, &ss)) {
        memset(&ss, 0, sizeof(ss));
        snprintf(ss.session_id, sizeof(ss.session_id), "%s", id);
    }
    o = item_of(d, &ss);
    skipped = jdoc_array(ss.meta, "skipped");
    duplicates = jdoc_array(ss.meta, "duplicates");
    jdoc_set_str(o, "root", ss.root);
    jdoc_set_str(o, "projectFolder", ss.project);
    jdoc_set_str(o, "gitBranch", jdoc_str(ss.meta, "gitBranch"));
    jdoc_set_str(o, "model", jdoc_str(ss.meta, "claudeModel"));
    jdoc_set_str(o, "startedAt", jdoc_str(ss.meta, "sessionStartedAt"));
    jdoc_set_str(o, "endedAt", jdoc_str(ss.meta, "sessionEndedAt"));
    jdoc_set_int(o, "toolCallCount", jdoc_int(ss.meta, "toolCallCount", 0));
    jdoc_set_int(o, "subagentCount", jdoc_int(ss.meta, "subagentCount", 0));
    jdoc_set_int(o, "bundleBytes", ss.size_bytes);
    jdoc_set_str(o, "contentId", ss.content_id[0] != '\0' ? ss.content_id : NULL);
    jdoc_set_str(o, "checksum", ss.sha256[0] != '\0' ? ss.sha256 : NULL);
    jdoc_set_bool(o, "uploadedHere", ss.token_tag[0] != '\0');
    jdoc_set_bool(o, "rewritten", ss.is_rewritten);
    json_object_object_add(o, "skipped",
                           skipped != NULL ? json_object_get(skipped) : json_object_new_array());
    json_object_object_add(o, "duplicates",
                           duplicates != NULL ? json_object_get(duplicates)
                                              : json_object_new_array());
    json_object_object_add(o, "others",
                           jdoc_array(ss.meta, "others") != NULL
                               ? json_object_get(jdoc_array(ss.meta, "others"))
                               : json_object_new_array());
    json_object_object_add(o, "kept", kept_of(d, id, ss.wire_id));
    json_object_object_add(o, "secrets", credscan_of(d, id));
    memset(&v, 0, sizeof(v));
    if (d->books != NULL)
        uploader_look(d->books->uploader, id, &v);
    jdoc_set_int(o, "attempts", v.attempts);
    jdoc_set_str(o, "lastError", v.err != NULL ? v.err->msg : NULL);
    jdoc_set_time(o, "nextAttemptAt",
                  v.next_attempt_ms > 0 ? now_wall_ms() + v.next_attempt_ms - now_mono_ms() : 0);
    state_session_clear(&ss);
    return o;
}

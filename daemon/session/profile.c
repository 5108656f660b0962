#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "bundle/install/origin.h"
#include "bundle/pack/snapshot.h"
#include "common/base/hash.h"
#include "common/base/path.h"
#include "common/base/str.h"
#include "common/data/jdoc.h"

#include "daemon/account/login_view.h"
#include "daemon/session/exclusion.h"
#include "daemon/session/job.h"
#include "daemon/session/withhold.h"

#include "daemon/session/profile.h"

#define TERMS "profile terms" /* a note in the books */

enum profile_state profile_state(struct daemon *d)
{
    if (d->config->profile < 0)
        return PROFILE_UNSAID;
    if (d->config->profile == 0)
        return PROFILE_OFF;
    if (!login_view_has_answered(d->login))
        return PROFILE_NOT_ASKED;
    return login_view_features(d->login) & API_HAS_PROFILE ? PROFILE_ON : PROFILE_NO_SERVER;
}

/* The device's id is random, and a secret between this machine and the server: who sees this one
 * can't try names of folders.  Where there is a key, no server sees it: what it stores has an id
 * that the key makes (sealing_wire_id()). */
void profile_id(struct daemon *d, int root, char ret[UUID_SIZE])
{
    char *text = str_printf("codeteleport profile\n%s\n%s", d->device_id, d->config->roots.v[root]);
    unsigned char h[HASH_SHA256_BYTES];

    hash_sha256(text, strlen(text), h);
    snprintf(ret, UUID_SIZE, "%02x%02x%02x%02x-%02x%02x-4%x%02x-%x%x%02x-%02x%02x%02x%02x%02x%02x",
             h[0], h[1], h[2], h[3], h[4], h[5], h[6] & 0xf, h[7], 8 | (h[8] & 3), h[8] >> 4, h[9],
             h[10], h[11], h[12], h[13], h[14], h[15]);
    free(text);
}

/* Other agents keep nothing that belongs to no session. */
static int has_profile(const struct daemon *d, int root)
{
    return daemon_agent(d, root)->list_profile != NULL;
}

int profile_root(struct daemon *d, const char *id)
{
    char own[UUID_SIZE];

    for (size_t i = 0; i < d->config->roots.n; i++) {
        if (!has_profile(d, (int)i))
            continue;
        profile_id(d, (int)i, own);
        if (strcmp(own, id) == 0)
            return (int)i;
    }
    return -1;
}

int profile_is_off(struct daemon *d, const char *id)
{
    return profile_state(d) != PROFILE_ON && profile_root(d, id) >= 0;
}

void profile_touch(struct daemon *d, int root)
{
    char id[UUID_SIZE];

    if (d->books == NULL || !has_profile(d, root) || d->roots[root].scans == 0 ||
        profile_state(d) != PROFILE_ON)
        return;
    profile_id(d, root, id);
    sessions_touch(d, id, 0, 0);
}

void profile_touch_all(struct daemon *d)
{
    for (size_t i = 0; i < d->config->roots.n; i++)
        profile_touch(d, (int)i);
}

/* What decides on what is in it: what somebody has said of it, and what is excluded. */
static char *terms_of(struct daemon *d)
{
    struct json_object *list = rules_json(d->rules);
    const struct strlist *ids = rules_ids(d->rules);
    char *text;

    json_object_array_add(list, json_object_new_boolean(d->config->profile > 0));
    for (size_t i = 0; i < ids->n; i++)
        json_object_array_add(list, jdoc_new_str(ids->v[i]));
    text = str_dup(jdoc_text(list));
    json_object_put(list);
    return text;
}

static void drop(struct daemon *d, int root)
{
    struct session *s;
    char id[UUID_SIZE];

    profile_id(d, root, id);
    if (d->books != NULL)
        uploader_drop(d->books->uploader, id, NULL);
    s = sessions_get(d, id);
    if (s != NULL && d->config->profile <= 0)
        sessions_give_up(d, s);
}

void profile_refresh(struct daemon *d)
{
    char *now, *was;

    if (d->books == NULL)
        return;
    now = terms_of(d);
    was = state_noted(d->books->state, TERMS);
    if (was == NULL || strcmp(was, now) != 0) {
        d->terms_seq++;
        for (size_t i = 0; i < d->config->roots.n; i++) {
            if (has_profile(d, (int)i))
                drop(d, (int)i);
        }
        exclusion_make_anew(d);
        state_note(d->books->state, TERMS, now, NULL);
    }
    free(was);
    free(now);
    profile_touch_all(d);
}

static char *memory_of(const struct job *j, const char *project)
{
    char *folder = agent_project_path(j->agent, project), *memory = path_join(folder, "memory");

    free(folder);
    return memory;
}

/* What a session takes at once with ${path}: the plan, or the project's memory.  NULL: neither. */
static char *taken_with(const struct job *j, const char *path)
{
    struct agent_path place;

    j->agent->classify(path, &place);
    if (place.kind == AGENT_PLAN)
        return str_dup(path);
    return place.kind == AGENT_MEMORY ? memory_of(j, place.project) : NULL;
}

static void note_claimed(void *arg, const char *session_id, const char *path)
{
    struct job *j = arg;
    char *taken = strcmp(session_id, j->session_id) != 0 ? taken_with(j, path) : NULL;

    if (taken != NULL && (j->claimed.n == 0 || strcmp(j->claimed.v[j->claimed.n - 1], taken) != 0))
        strlist_add(&j->claimed, taken);
    free(taken);
}

int profile_has_given(const struct job *j, const char *path)
{
    char *taken = j->profile_root >= 0 ? taken_with(j, path) : NULL;
    int yes = taken != NULL && strlist_has(&j->claimed, taken);

    free(taken);
    return yes;
}

static void note_known(void *arg, const char *session_id)
{
    struct job *j = arg;

    map_put(j->known, session_id, j);
}

static int note_under_way(void *arg, const char *session_id, void *value)
{
    (void)value;
    note_known(arg, session_id);
    return 0;
}

static void note_excluded(void *arg, const char *project)
{
    struct job *j = arg;

    strlist_add(&j->withheld, project);
}

void profile_prepare(struct daemon *d, struct job *j)
{
    struct state_session ss = {0};
    const struct strlist *ids;

    j->profile_root = profile_root(d, j->session_id);
    if (j->profile_root < 0)
        return;
    j->agent = daemon_agent(d, j->profile_root);
    state_each_claimed(d->books->state, d->config->roots.v[j->profile_root], note_claimed, j);
    strlist_sort(&j->claimed);
    state_each_excluded_project(d->books->state, note_excluded, j);
    j->known = map_new();
    state_each_prefixed(d->books->state, "", note_known, j);
    sessions_each(d, note_under_way, j);
    /* What others typed is nobody's prompt here, also when their session is gone. */
    origin_each(d->config->state_dir, &d->config->roots, note_known, j);
    ids = rules_ids(j->exclude);
    for (size_t i = 0; i < ids->n; i++) {
        if (!state_get(d->books->state, ids->v[i], &ss))
            j->is_place_unknown = 1;
        state_session_clear(&ss);
        note_known(j, ids->v[i]);
    }
}

static int is_claimed(void *arg, const char *path)
{
    const struct job *j = arg;

    return strlist_has(&j->claimed, path);
}

static int is_known(void *arg, const char *session_id)
{
    const struct job *j = arg;

    return map_get(j->known, session_id) != NULL;
}

/* Is the project folder that of a session that stays here, or may it be of a folder above? */
static int has_excluded(const struct job *j, const char *project)
{
    size_t n = strlen(project);

    for (size_t i = 0; i < j->withheld.n; i++) {
        const char *p = j->withheld.v[i];
        if (strncmp(p, project, n) == 0 && (p[n] == '\0' || p[n] == '-'))
            return 1;
    }
    return 0;
}

static const char *stays(void *arg, const char *project, const char *cwd)
{
    const struct job *j = arg;
    const char *why;

    if (!rules_any(j->exclude) && j->withheld.n == 0)
        return NULL;
    if (project != NULL) {
        why = rules_memory_reason(j->exclude, project);
        if (why == NULL &&
            (j->is_place_unknown || has_excluded(j, project) ||
             rules_is_above(j->exclude, project) ||
             (j->roots.n > 0 && withhold_has_excluded(j, j->roots.v[j->profile_root], project))))
            why = "sessions that are excluded can have the same memory";
        return why;
    }
    if (cwd != NULL && cwd[0] != '\0')
        return rules_reason(j->exclude, NULL, cwd, NULL);
    return "it may be of what is excluded";
}

int profile_take(struct job *j, struct snapshot **ret, struct ct_err *err)
{
    const struct snapshot_opts o = {
        .root = j->roots.v[j->profile_root],
        .agent = j->agent,
        .session_id = j->session_id,
        .user_dir = path_home(),
        .cancel = &j->cancel,
    };
    const struct agent_profile p = {path_home(), j, is_claimed, is_known, stays};

    if (snapshot_take_profile(&o, &p, ret, err) != 0)
        return -1;
    free(j->root);
    j->root = str_dup(o.root);
    return 0;
}

struct withholding {
    struct job j;
    int64_t n;
};

/* Agents' memory, and one's own, is of no folder: it does not stay for one. */
static void count_withheld(void *arg, const char *path, int64_t size_bytes)
{
    struct withholding *w = arg;
    char *entry = str_printf(AGENT_PROFILE_ENTRY "%s", path);
    int is_users = w->j.agent->entry_kind(w->j.session_id, entry) == AGENT_MEMORY;
    struct agent_path place;

    (void)size_bytes;
    free(entry);
    if (is_users)
        return;
    w->j.agent->classify(path, &place);
    w->n += stays(&w->j, place.kind == AGENT_MEMORY ? place.project : NULL, NULL) != NULL;
}

int64_t profile_withheld(struct daemon *d, char ret_id[UUID_SIZE])
{
    struct withholding w = {.j = {.d = d}};
    struct state_session ss = {0};
    int64_t all = 0;

    for (size_t i = 0; d->books != NULL && i < d->config->roots.n; i++) {
        if (!has_profile(d, (int)i))
            continue;
        w.n = 0;
        profile_id(d, (int)i, w.j.session_id);
        w.j.exclude = job_rules(d, w.j.session_id);
        profile_prepare(d, &w.j);
        if (state_get(d->books->state, w.j.session_id, &ss) && ss.version > 0 &&
            !state_is_deleted(&ss) && ss.is_excluded != STATE_EXCLUDED_ITSELF)
            state_each_attachment(d->books->state, w.j.session_id, count_withheld, &w);
        if (w.n > 0)
            memcpy(ret_id, w.j.session_id, UUID_SIZE);
        all += w.n;
        state_session_clear(&ss);
        rules_free(w.j.exclude);
        strlist_free(&w.j.claimed);
        strlist_free(&w.j.withheld);
        map_free(w.j.known);
        w = (struct withholding){.j = {.d = d}};
    }
    return all;
}

static void add_skipped(struct json_object *list, const struct state_session *ss)
{
    struct json_object *skipped = jdoc_array(ss->meta, "skipped");
    size_t n = skipped != NULL ? json_object_array_length(skipped) : 0;

    for (size_t i = 0; i < n; i++)
        json_object_array_add(list, json_object_get(json_object_array_get_idx(skipped, i)));
}

static void report_root(struct daemon *d, int root, struct json_object *o, int64_t *saved_ms)
{
    struct state_session ss = {0};
    const char *why = NULL, *word = "pending";
    char id[UUID_SIZE], again[128];
    int is_known, is_safe;

    profile_id(d, root, id);
    is_known = state_get(d->books->state, id, &ss);
    if (is_known)
        word = listing_state(d, &ss, &why);
    is_safe = is_known && (strcmp(word, "synced") == 0 || strcmp(word, "archived") == 0);
    if (strcmp(word, "deleted") == 0) {
        snprintf(again, sizeof(again), "deleted in the cloud; to save it again: ctctl sync %.8s",
                 id);
        why = again;
    } else if (strcmp(word, "excluded") == 0) {
        snprintf(again, sizeof(again), "excluded by its ID; to have it saved: ctctl include %.8s",
                 id);
        why = again;
    }
    add_skipped(jdoc_array(o, "notSaved"), &ss);
    if (is_known && ss.confirmed_ms > *saved_ms && !state_is_deleted(&ss) &&
        ss.is_excluded != STATE_EXCLUDED_ITSELF)
        *saved_ms = ss.confirmed_ms;
    if (!is_safe && (is_known || sessions_get(d, id) != NULL)) {
        jdoc_set_str(o, "upload", word);
        jdoc_set_str(o, "reason", why);
        jdoc_set_bool(o, "changedSince", ss.is_excluded == STATE_DELETED_CHANGED);
    }
    state_session_clear(&ss);
}

struct json_object *profile_report(struct daemon *d)
{
    static const char *const words[] = {"unsaid", "off", "not-asked", "unknown-to-server", "on"};
    struct json_object *o = json_object_new_object();
    enum profile_state state = profile_state(d);
    int64_t saved_ms = 0;

    jdoc_set_str(o, "state", words[state]);
    json_object_object_add(o, "notSaved", json_object_new_array());
    for (size_t i = 0; state == PROFILE_ON && d->books != NULL && i < d->config->roots.n; i++) {
        if (has_profile(d, (int)i))
            report_root(d, (int)i, o, &saved_ms);
    }
    jdoc_set_time(o, "savedAt", saved_ms);
    return o;
}

int profile_is_unsafe(struct daemon *d)
{
    static const char *const words[] = {"failed", "limit", "too_large"};
    struct json_object *o = profile_report(d);
    const char *word = jdoc_str(o, "upload");
    int yes = jdoc_bool(o, "changedSince", 0);

    for (size_t i = 0; word != NULL && i < sizeof(words) / sizeof(words[0]); i++)
        yes = yes || strcmp(word, words[i]) == 0;
    json_object_put(o);
    return yes;
}

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "bundle/pack/snapshot.h"
#include "common/base/hash.h"
#include "common/base/path.h"
#include "common/base/str.h"
#include "common/data/jdoc.h"

#include "daemon/account/login_view.h"
#include "daemon/session/job.h"

#include "daemon/session/profile.h"

enum profile_state profile_state(struct daemon *d)
{
    if (d->config->profile < 0)
        return PROFILE_UNSAID;
    if (d->config->profile == 0)
        return PROFILE_OFF;
    return login_view_features(d->login) & API_HAS_PROFILE ? PROFILE_ON : PROFILE_NO_SERVER;
}

/* The device's id is random and known to nobody but the server. */
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

int profile_root(struct daemon *d, const char *id)
{
    char own[UUID_SIZE];

    for (size_t i = 0; i < d->config->roots.n; i++) {
        profile_id(d, (int)i, own);
        if (strcmp(own, id) == 0)
            return (int)i;
    }
    return -1;
}

void profile_touch(struct daemon *d, int root)
{
    char id[UUID_SIZE];

    if (d->state == NULL || d->roots[root].scans == 0 || profile_state(d) != PROFILE_ON)
        return;
    profile_id(d, root, id);
    sessions_touch(d, id, 0, 0);
}

void profile_touch_all(struct daemon *d)
{
    for (size_t i = 0; i < d->config->roots.n; i++)
        profile_touch(d, (int)i);
}

static void note_claimed(void *arg, const char *session_id, const char *path)
{
    struct job *j = arg;

    struct agent_path place;
    char *memory;

    if (strcmp(session_id, j->session_id) == 0)
        return;
    j->d->agent->classify(path, &place);
    if (place.kind == AGENT_PLAN)
        strlist_add(&j->claimed, path);
    if (place.kind != AGENT_MEMORY)
        return;
    memory = str_printf("projects/%s/memory", place.project);
    strlist_add_once(&j->claimed, memory);
    free(memory);
}

void profile_prepare(struct daemon *d, struct job *j)
{
    j->profile_root = profile_root(d, j->session_id);
    if (j->profile_root < 0)
        return;
    state_each_claimed(d->state, d->config->roots.v[j->profile_root], note_claimed, j);
    strlist_sort(&j->claimed);
}

static int is_claimed(void *arg, const char *path)
{
    const struct job *j = arg;

    return strlist_has(&j->claimed, path);
}

static const char *stays(void *arg, const char *project, const char *cwd)
{
    const struct job *j = arg;

    if (!rules_any(j->exclude))
        return NULL;
    return project != NULL ? rules_memory_reason(j->exclude, project)
                           : rules_reason(j->exclude, NULL, cwd, NULL);
}

int profile_take(struct job *j, struct snapshot **ret, struct ct_err *err)
{
    const struct snapshot_opts o = {
        .root = j->roots.v[j->profile_root],
        .agent = j->d->agent,
        .session_id = j->session_id,
        .user_dir = path_home(),
        .cancel = j->cancel,
    };
    const struct agent_profile p = {path_home(), j, is_claimed, stays};

    if (snapshot_take_profile(&o, &p, ret, err) != 0)
        return -1;
    free(j->root);
    j->root = str_dup(o.root);
    return 0;
}

struct json_object *profile_report(struct daemon *d)
{
    static const char *const words[] = {"unsaid", "off", "unknown-to-server", "on"};
    struct json_object *o = json_object_new_object();
    enum profile_state state = profile_state(d);
    int64_t saved_ms = 0;

    for (size_t i = 0; d->state != NULL && i < d->config->roots.n; i++) {
        struct state_session ss;
        char id[UUID_SIZE];
        profile_id(d, (int)i, id);
        if (state_get(d->state, id, &ss) && ss.confirmed_ms > saved_ms)
            saved_ms = ss.confirmed_ms;
        state_session_clear(&ss);
    }
    jdoc_set_str(o, "state", words[state]);
    jdoc_set_time(o, "savedAt", saved_ms);
    return o;
}

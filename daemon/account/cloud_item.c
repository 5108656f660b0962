#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bundle/seal/sealed.h"
#include "bundle/install/origin.h"
#include "bundle/open/generations.h"
#include "common/data/jdoc.h"
#include "common/base/log.h"
#include "common/base/now.h"
#include "common/base/path.h"
#include "common/base/str.h"

#include "daemon/account/cloud_impl.h"
#include "daemon/account/login_view.h"

/* Ours says so, by the token; from another server the name has to do. */
static int is_other_device(const struct cloud *c, struct json_object *item, const char *machine)
{
    const char *email, *url, *device, *why;
    char *own;
    int rc;

    if (json_object_object_get_ex(item, "thisDevice", NULL))
        return !jdoc_bool(item, "thisDevice", 0);
    if (machine == NULL)
        return 0;
    login_view_look(c->d->login, &email, &url, &device, &why);
    own = device[0] != '\0' ? str_dup(device) : path_host_name();
    rc = strcmp(own, machine) != 0;
    free(own);
    return rc;
}

/* A version that is ours but not recorded yet: its confirm is on the way. */
static int is_being_confirmed(const struct cloud *c, const char *id, int64_t version)
{
    struct uploader_view v;

    return uploader_look(c->d->uploader, id, &v) && v.item->phase == QUEUE_STORED &&
           v.item->version == version;
}

static struct listed *remember(struct cloud *c, const char *wire_id, int64_t version, int is_other,
                               struct json_object *item)
{
    struct listed *l = map_get(c->listed, wire_id);

    if (l == NULL) {
        l = str_calloc(1, sizeof(*l));
        map_put(c->listed, wire_id, l);
    }
    l->version = version;
    l->is_other = is_other;
    l->is_own = jdoc_bool(item, "thisDevice", 0);
    return l;
}

/* This device has saved more than its books know: they were put back from a copy. */
static int is_own_newer(const struct state_session *ss, int64_t version, struct json_object *item)
{
    return ss->version > 0 && version > ss->version && jdoc_bool(item, "thisDevice", 0);
}

static void is_elsewhere(struct cloud *c, const struct state_session *ss, int64_t version,
                         const char *wire_id)
{
    if (version == ss->elsewhere && strcmp(wire_id, ss->elsewhere_wire) == 0)
        return;
    log_info("newer-elsewhere session=%s version=%lld here=%lld", ss->session_id,
             (long long)version, (long long)ss->version);
    state_set_elsewhere(c->d->state, ss->session_id, version, wire_id, NULL);
    control_event(c->d, "state", ss->session_id, version, 0, "another device has a newer version");
}

/* ---- in clear -----------------------------------------------------------------------------------
 */

/* Deleted, and there again: what happened to it here meanwhile goes the usual way. */
static void see_again(struct cloud *c, const struct state_session *ss)
{
    if (!state_is_deleted(ss))
        return;
    log_info("undeleted session=%s", ss->session_id);
    state_set_excluded(c->d->state, ss->session_id, STATE_NOT_EXCLUDED, 0, NULL);
    if (ss->is_excluded == STATE_DELETED_CHANGED)
        sessions_touch(c->d, ss->session_id, 0, 0);
}

/* Somebody still uploads in clear, if it is newer than all that was when sealing began. */
static void count_clear(struct cloud *c, const struct state_session *ss, struct json_object *item)
{
    const char *at = jdoc_str(item, "createdAt"), *machine = jdoc_str(item, "sourceMachine");
    struct clear_view *v = &c->clear_now;
    int64_t ms = 0;

    v->others += ss->version == 0;
    if (at == NULL || now_parse_rfc3339(at, &ms) != 0)
        return;
    if (ms > v->newest_ms)
        v->newest_ms = ms;
    if (c->clear_until_ms < 0 || ms <= c->clear_until_ms)
        return;
    if (v->late++ == 0)
        snprintf(v->which, sizeof(v->which), "%.8s of %.60s", jdoc_str(item, "id"),
                 machine != NULL ? machine : "an unknown machine");
}

/* Where there is a key, what is in clear is nobody's word: it is counted, and that is all. */
static void see_strange(struct cloud *c, const char *id, int64_t version, struct json_object *item)
{
    struct state_session ss = {0};

    map_put(c->in_clear, id, c);
    state_get(c->d->state, id, &ss);
    count_clear(c, &ss, item);
    if (ss.version > 0 && version > ss.clear_version)
        state_set_clear(c->d->state, id, version, NULL);
    state_session_clear(&ss);
}

static void see_clear(struct cloud *c, const char *id, int64_t version, struct json_object *item)
{
    int is_other = is_other_device(c, item, jdoc_str(item, "sourceMachine"));
    struct state_session ss = {0};

    map_put(c->in_clear, id, c);
    state_get(c->d->state, id, &ss);
    if (ss.wire_id[0] == '\0')
        see_again(c, &ss);
    if (ss.version == 0 || ss.wire_id[0] != '\0' || is_own_newer(&ss, version, item))
        remember(c, id, version, is_other, item);
    if (ss.version > 0 && is_other && !is_being_confirmed(c, id, version) &&
        version > (ss.wire_id[0] == '\0' ? ss.version : ss.clear_version))
        is_elsewhere(c, &ss, version, "");
    if (ss.version > 0 && version > ss.clear_version)
        state_set_clear(c->d->state, id, version, NULL);
    state_session_clear(&ss);
}

/* ---- sealed -------------------------------------------------------------------------------------
 */

/* Less than was seen before, by this device: the server has gone back in time.  Nothing is done for
 * it, but to say so. */
static int is_rollback(struct cloud *c, const struct state_session *ss,
                       const struct sealed_facts *facts, int64_t version)
{
    int64_t seen = generations_highest(c->d->account_dir, facts->session_id);

    if (ss->generation > seen)
        seen = ss->generation;
    if (facts->generation >= seen || map_get(c->since, facts->session_id) != NULL) {
        map_remove(c->rollbacks, facts->session_id);
        return 0;
    }
    if (ss->rollback != facts->generation && map_get(c->rollbacks, facts->session_id) == NULL)
        log_warn("rollback session=%s version=%lld generation=%lld seen=%lld", facts->session_id,
                 (long long)version, (long long)facts->generation, (long long)seen);
    if (ss->session_id[0] == '\0')
        map_put(c->rollbacks, facts->session_id, c);
    state_see_generation(c->d->state, facts->session_id, seen, facts->generation, NULL);
    return 1;
}

static void see_opened(struct cloud *c, const char *wire_id, int64_t version,
                       struct json_object *item, const struct sealed_facts *facts)
{
    int is_other = is_other_device(c, item, facts->source_machine);
    struct state_session ss = {0};
    struct listed *l;

    state_get(c->d->state, facts->session_id, &ss);
    if (strcmp(ss.wire_id, wire_id) == 0)
        see_again(c, &ss);
    if (is_rollback(c, &ss, facts, version))
        goto done;
    if (facts->generation > ss.generation || ss.rollback > 0)
        state_see_generation(c->d->state, facts->session_id, facts->generation, 0, NULL);
    generations_note(c->d->account_dir, facts->session_id, facts->generation, NULL);
    if (ss.version == 0) /* what was noted here of its origin may be lost with the books */
        origin_note(c->d->config->state_dir, facts->session_id, facts->origin, NULL);
    if (ss.version == 0 || strcmp(ss.wire_id, wire_id) != 0 || is_own_newer(&ss, version, item)) {
        l = remember(c, wire_id, version, is_other, item);
        l->generation = facts->generation;
        snprintf(l->content_id, sizeof(l->content_id), "%s", facts->content_id);
        snprintf(l->key_id, sizeof(l->key_id), "%s", facts->key_id);
        if (ss.version > 0 && is_other && strcmp(facts->content_id, ss.content_id) != 0)
            is_elsewhere(c, &ss, version, wire_id);
    } else if (is_other && version > ss.version && !is_being_confirmed(c, ss.session_id, version)) {
        is_elsewhere(c, &ss, version, wire_id);
    }
done:
    state_session_clear(&ss);
}

static void see_sealed(struct cloud *c, const char *wire_id, int64_t version,
                       struct json_object *item, struct json_object *metadata)
{
    struct sealed_facts facts = {0};
    struct ct_err err = {0};

    if (sealed_open(sealing_ring(c->d->sealing), wire_id, metadata, &facts, &err) == 0) {
        see_opened(c, wire_id, version, item, &facts);
        sealed_facts_clear(&facts);
        return;
    }
    if (c->unreadable_now++ == 0 && strcmp(c->unreadable_err.msg, err.msg) != 0)
        log_warn("sealed-unreadable id=%s error=\"%s\"", wire_id, err.msg);
    c->unreadable_err = err;
    /* Whether the server has it can be told all the same, by the id that it would go under. */
    remember(c, wire_id, version, 0, item);
}

/* ---- the list -----------------------------------------------------------------------------------
 */

void cloud_see_item(struct cloud *c, struct json_object *item)
{
    const char *id = jdoc_str(item, "id");
    int64_t version = jdoc_int(item, "currentVersion", 0);
    struct json_object *metadata = jdoc_obj(item, "metadata");

    if (id == NULL || !uuid_is_valid(id) || version <= 0)
        return;
    map_put(c->seen, id, c);
    if (sealed_is(metadata)) {
        sealing_saw(c->d->sealing, metadata);
        see_sealed(c, id, version, item, metadata);
    } else if (sealing_is_one_way(c->d->sealing)) {
        see_strange(c, id, version, item);
    } else {
        see_clear(c, id, version, item);
    }
}

static int forget_key(void *arg, const char *key, void *value)
{
    (void)value;
    map_remove(arg, key);
    return 0;
}

static int free_value(void *arg, const char *key, void *value)
{
    map_remove(arg, key);
    free(value);
    return 0;
}

void cloud_forget_absent(struct cloud *c)
{
    map_each(c->absent, free_value, c->absent);
}

static void collect_absent(void *arg, const char *session_id, const char *wire_id)
{
    struct cloud *c = arg;
    const char *id = wire_id[0] != '\0' ? wire_id : session_id;

    if (map_get(c->seen, id) == NULL && map_get(c->since, session_id) == NULL)
        map_put(c->absent, id, str_dup(session_id));
}

void cloud_see_tombstone(struct cloud *c, const struct json_object *o)
{
    const char *wire_id = jdoc_str(o, "id");
    const char *id = wire_id != NULL ? map_get(c->absent, wire_id) : NULL;
    int is_own = jdoc_bool(o, "thisDevice", 0);

    /* What is on its way out anyway meets the server's answer to that. */
    if (id == NULL || map_get(c->since, id) != NULL || uploader_has(c->d->uploader, id))
        return;
    log_info("deleted-elsewhere session=%s here=unchanged", id);
    state_set_excluded(c->d->state, id, is_own ? STATE_EXCLUDED_ITSELF : STATE_DELETED, 0, NULL);
}

/* By the server's clock, which is compared with itself. */
#define CLEAR_UNTIL "clear_until_ms"

static int64_t clear_until(const struct cloud *c)
{
    char *noted = state_noted(c->d->state, CLEAR_UNTIL);
    int64_t ms = noted != NULL ? strtoll(noted, NULL, 10) : -1;

    free(noted);
    return ms;
}

static void note_clear(struct cloud *c)
{
    char text[24];

    c->clear = c->clear_now;
    if (!sealing_is_one_way(c->d->sealing) || c->clear_until_ms >= 0)
        return;
    snprintf(text, sizeof(text), "%lld", (long long)c->clear.newest_ms);
    state_note(c->d->state, CLEAR_UNTIL, text, NULL);
}

void cloud_begin_list(struct cloud *c)
{
    memset(&c->clear_now, 0, sizeof(c->clear_now));
    c->clear_until_ms = c->d->state != NULL ? clear_until(c) : -1;
    map_each(c->in_clear, forget_key, c->in_clear);
    map_each(c->since, forget_key, c->since);
    map_each(c->seen, forget_key, c->seen);
    cloud_forget_absent(c);
    c->unreadable_now = 0;
}

struct vanished {
    struct cloud *c;
    struct strlist ids;
};

static void collect_vanished(void *arg, const char *session_id, int is_here)
{
    struct vanished *v = arg;

    (void)is_here;
    if (map_get(v->c->in_clear, session_id) == NULL && map_get(v->c->since, session_id) == NULL)
        strlist_add(&v->ids, session_id);
}

void cloud_end_list(struct cloud *c)
{
    struct vanished v = {.c = c};

    state_each_clear(c->d->state, collect_vanished, &v);
    for (size_t i = 0; i < v.ids.n; i++)
        state_set_clear(c->d->state, v.ids.v[i], 0, NULL);
    strlist_free(&v.ids);
    map_each(c->in_clear, forget_key, c->in_clear);
    state_each_confirmed(c->d->state, collect_absent, c);
    map_each(c->seen, forget_key, c->seen);
    note_clear(c);
    c->unreadable = c->unreadable_now;
    if (c->unreadable == 0)
        memset(&c->unreadable_err, 0, sizeof(c->unreadable_err));
}

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bundle/seal/sealed.h"
#include "api/api.h"
#include "bundle/install/adopted.h"
#include "bundle/install/origin.h"
#include "bundle/open/generations.h"
#include "common/data/jdoc.h"
#include "common/base/log.h"
#include "common/base/now.h"
#include "common/base/path.h"
#include "common/base/str.h"
#include "uploader/beside.h"

#include "daemon/account/naming.h"
#include "daemon/account/cloud_impl.h"
#include "daemon/account/login_view.h"

static int is_own_name(const struct cloud *c, const char *machine)
{
    const char *email, *url, *device, *why;
    char *own;
    int is;

    login_view_look(c->d->login, &email, &url, &device, &why);
    own = device[0] != '\0' ? str_dup(device) : path_host_name();
    is = strcmp(own, machine) == 0;
    free(own);
    return is;
}

/* Ours says so, by the token; from another server the name has to do. */
static int is_other_device(const struct cloud *c, struct json_object *item, const char *machine)
{
    if (json_object_object_get_ex(item, "thisDevice", NULL))
        return !jdoc_bool(item, "thisDevice", 0);
    return machine != NULL && !is_own_name(c, machine);
}

/* Every version of one's own bears a higher state than the one before it.  A newer number with the
 * state of what was safe here has the description of that: somebody without the key put it there.
 */
static int is_copied(const struct cloud *c, const struct sealed_facts *f,
                     const struct json_object *row)
{
    int64_t version =
        jdoc_has(row, "version") ? jdoc_int(row, "version", 0) : jdoc_int(row, "currentVersion", 0);
    struct state_session ss;
    int is_so = state_get(c->d->books->state, f->session_id, &ss) && ss.version > 0 &&
                ss.wire_id[0] != '\0' && version > ss.version && f->generation <= ss.generation;

    state_session_clear(&ss);
    return is_so;
}

/* Which device a row is of, as its sealed description says: where there is a key, the server's word
 * decides nothing. */
static void take_owner(const struct cloud *c, const char *wire_id, struct json_object *row)
{
    struct sealed_facts f = {0};
    int is_own = 0;

    if (!jdoc_has(row, "thisDevice"))
        return;
    if (sealed_open(sealing_ring(c->d->sealing), wire_id, jdoc_obj(row, "metadata"), &f, NULL) == 0)
        is_own = f.is_retired          ? 0
                 : f.device[0] != '\0' ? strcmp(f.device, c->d->device_id) == 0
                                       : is_own_name(c, f.source_machine);
    if (is_own && is_copied(c, &f, row))
        is_own = 0;
    sealed_facts_clear(&f);
    jdoc_set_bool(row, "thisDevice", is_own);
}

static void take_owners(const struct cloud *c, const char *wire_id, struct json_object *item)
{
    struct json_object *heads = jdoc_array(item, "heads");

    take_owner(c, wire_id, item);
    for (size_t i = 0; heads != NULL && i < json_object_array_length(heads); i++)
        take_owner(c, wire_id, json_object_array_get_idx(heads, i));
}

/* A version that is ours but not recorded yet: its confirm is on the way. */
static int is_being_confirmed(const struct cloud *c, const char *id, int64_t version)
{
    struct uploader_view v;

    return uploader_look(c->d->books->uploader, id, &v) && v.item->phase == QUEUE_STORED &&
           v.item->version == version;
}

/* ---- one item: the current version, and the heads beside it -------------------------------------
 */

/* The ${i}th version that an item tells, the current one first; 0: no more of them. */
static int row_at(struct json_object *item, size_t i, struct api_head *ret)
{
    struct json_object *heads = jdoc_array(item, "heads");
    size_t n = heads != NULL ? json_object_array_length(heads) : 0;

    if (i == 0)
        return api_head_read(item, ret);
    memset(ret, 0, sizeof(*ret));
    if (i <= n)
        api_head_read(json_object_array_get_idx(heads, i - 1), ret);
    return i <= n;
}

static const char *sum_of(const struct api_head *h)
{
    return h->checksum[0] != '\0' ? h->checksum + strlen("sha256:") : "";
}

static int find_row(struct json_object *item, int64_t version, struct api_head *ret)
{
    for (size_t i = 0; row_at(item, i, ret); i++) {
        if (ret->version == version)
            return 1;
    }
    return 0;
}

/* The newest that this device made, pinned ones aside. */
static void newest_own(struct json_object *item, struct api_head *ret)
{
    struct api_head h;

    memset(ret, 0, sizeof(*ret));
    for (size_t i = 0; row_at(item, i, &h); i++) {
        if (h.is_told_whose && h.is_own && h.is_head && h.version > ret->version)
            *ret = h;
    }
}

/* Is the version in what is here, whoever made it? */
static int is_contained(const struct cloud *c, const struct state_session *ss, const char *wire_id,
                        const struct api_head *h)
{
    return state_is_contained(c->d->books->state, ss->session_id, wire_id, h->version, sum_of(h));
}

/* The newest that another device made and that is not contained here, pinned ones aside. */
static void newest_other(const struct cloud *c, const struct state_session *ss, const char *wire_id,
                         struct json_object *item, struct api_head *ret)
{
    struct api_head h;

    memset(ret, 0, sizeof(*ret));
    for (size_t i = 0; row_at(item, i, &h); i++) {
        if (h.is_told_whose && !h.is_own && h.is_head && h.version != ss->version &&
            h.version > ret->version && !is_contained(c, ss, wire_id, &h))
            *ret = h;
    }
}

static struct listed *remember(struct cloud *c, const char *wire_id, int is_other,
                               struct json_object *item)
{
    struct listed *l = map_get(c->listed, wire_id);
    struct api_head current = {0}, own;

    if (l == NULL) {
        l = str_calloc(1, sizeof(*l));
        map_put(c->listed, wire_id, l);
    }
    row_at(item, 0, &current);
    newest_own(item, &own);
    l->version = current.version;
    l->is_other = is_other;
    snprintf(l->sha256, sizeof(l->sha256), "%s", sum_of(&current));
    l->own_version = own.version;
    snprintf(l->own_sha256, sizeof(l->own_sha256), "%s", sum_of(&own));
    return l;
}

/* This device has saved more than its books know: they were put back from a copy. */
static int is_own_newer(const struct state_session *ss, struct json_object *item)
{
    struct api_head own;

    newest_own(item, &own);
    return ss->version > 0 && own.version > ss->version;
}

/* How many messages it has and which machine made it; of a sealed one the server does not know. */
static void learn(const struct cloud *c, const char *wire_id, const struct api_head *h,
                  int64_t *ret_messages, char ret_machine[API_DEVICE_NAME_SIZE])
{
    struct sealed_facts facts = {0};

    *ret_messages = h->messages;
    snprintf(ret_machine, API_DEVICE_NAME_SIZE, "%s", h->device);
    if (!sealed_is(h->metadata) ||
        sealed_open(sealing_ring(c->d->sealing), wire_id, h->metadata, &facts, NULL) != 0)
        return;
    *ret_messages = jdoc_int(facts.metadata, "messageCount", h->messages);
    if (facts.source_machine != NULL && facts.source_machine[0] != '\0')
        snprintf(ret_machine, API_DEVICE_NAME_SIZE, "%s", facts.source_machine);
    sealed_facts_clear(&facts);
}

static void is_elsewhere(struct cloud *c, const struct state_session *ss, const char *wire_id,
                         const struct api_head *h, int is_apart)
{
    char machine[API_DEVICE_NAME_SIZE];
    struct state_elsewhere e = {
        .version = h->version, .wire_id = wire_id, .device = machine, .is_apart = is_apart};

    /* What a pull has looked into tells more than who built on what. */
    if (h->version == ss->elsewhere && strcmp(wire_id, ss->elsewhere_wire) == 0 && ss->is_apart)
        e.is_apart = is_apart = 1;
    learn(c, wire_id, h, &e.messages, machine);
    if (h->version == ss->elsewhere && strcmp(wire_id, ss->elsewhere_wire) == 0 &&
        is_apart == ss->is_apart && strcmp(machine, ss->elsewhere_device) == 0)
        return;
    log_info("newer-elsewhere session=%s version=%lld here=%lld apart=%s", ss->session_id,
             (long long)h->version, (long long)ss->version, is_apart ? "yes" : "no");
    state_set_elsewhere(c->d->books->state, ss->session_id, &e, NULL);
    /* It is there: what ctctl noted was an earlier deletion. */
    (void)adopted_take_deleted(c->d->books->dir, ss->session_id);
    control_event(c->d, "state", ss->session_id, h->version, 0,
                  is_apart ? "it went on here and on another device"
                           : "another device has a newer version");
}

/* What is elsewhere is in what is here, or gone. */
static void is_whole(struct cloud *c, const struct state_session *ss)
{
    const struct state_elsewhere none = {.wire_id = "", .messages = -1};

    if (ss->elsewhere == 0 || strcmp(ss->elsewhere_wire, ss->wire_id) != 0)
        return;
    log_info("nothing-elsewhere session=%s", ss->session_id);
    state_set_elsewhere(c->d->books->state, ss->session_id, &none, NULL);
    control_event(c->d, "state", ss->session_id, ss->version, 0, "");
}

/* The server was put back from a backup, or somebody deleted that version: it is not saved. */
void cloud_is_gone(struct cloud *c, const struct state_session *ss)
{
    struct session *s;

    log_warn("version-gone session=%s version=%lld", ss->session_id, (long long)ss->version);
    adopted_forget(c->d->books->dir, ss->session_id);
    /* What waits was made to follow it, and without news only beside it. */
    if (uploader_drop(c->d->books->uploader, ss->session_id, NULL) == 0 &&
        state_unconfirm(c->d->books->state, ss->session_id, NULL) == 0) {
        if ((s = sessions_touch(c->d, ss->session_id, 0, 0)) != NULL)
            s->doubted_seq = 0;
    }
}

/* What the books say of the session, against what the server has of it under the same id. */
static void compare(struct cloud *c, const struct state_session *ss, const char *wire_id,
                    struct json_object *item)
{
    enum beside_standing standing = beside_standing(item, ss->version, ss->sha256);
    struct api_head own, other;
    int is_head;

    if (map_get(c->since, ss->session_id) != NULL)
        return; /* the books are younger than this list */
    if (standing == BESIDE_COVERED && c->is_reset)
        standing = BESIDE_GONE;
    if (!ss->is_archived && !ss->is_excluded) {
        if (standing == BESIDE_GONE) {
            cloud_is_gone(c, ss);
            return;
        }
        if (standing == BESIDE_COVERED && ss->sha256[0] != '\0')
            cloud_verify(c, ss, item);
    }
    is_head =
        standing == BESIDE_STANDS && find_row(item, ss->version, &own) != 0 && own.is_head != 0;
    newest_other(c, ss, wire_id, item, &other);
    if (ss->is_within && is_head)
        other = own; /* behind that, whatever else there is */
    if (other.version > 0)
        is_elsewhere(c, ss, wire_id, &other, is_head && !ss->is_within);
    else if (jdoc_array(item, "heads") != NULL)
        is_whole(c, ss);
}

/* ---- in clear -----------------------------------------------------------------------------------
 */

/* Deleted, and there again: what happened to it here meanwhile goes the usual way. */
static void see_again(struct cloud *c, struct state_session *ss)
{
    if (!state_is_deleted(ss))
        return;
    log_info("undeleted session=%s", ss->session_id);
    state_set_excluded(c->d->books->state, ss->session_id, STATE_NOT_EXCLUDED, 0, NULL);
    if (ss->is_excluded == STATE_DELETED_CHANGED)
        sessions_touch(c->d, ss->session_id, 0, 0);
    ss->is_excluded = STATE_NOT_EXCLUDED; /* what is there may lack what was safe here */
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
    state_get(c->d->books->state, id, &ss);
    count_clear(c, &ss, item);
    if (ss.version > 0 && version > ss.clear_version)
        state_set_clear(c->d->books->state, id, version, NULL);
    state_session_clear(&ss);
}

/* A server that doesn't say whose a version is: the newest one, if it is another machine's. */
static void see_newer(struct cloud *c, const struct state_session *ss, const char *wire_id,
                      int64_t known, const struct api_head *h)
{
    if (h->version > known && !is_being_confirmed(c, ss->session_id, h->version) &&
        !is_contained(c, ss, wire_id, h))
        is_elsewhere(c, ss, wire_id, h, 0);
}

/* What people call it, as the versions tell.  The current one may be just what is here. */
static void see_names(struct cloud *c, const struct state_session *ss, const char *session_id,
                      const struct api_head *current, const struct json_object *metadata)
{
    int is_here = ss->version > 0 && ss->version == current->version && !ss->is_archived &&
                  !ss->is_excluded && strcmp(ss->sha256, sum_of(current)) == 0;

    naming_see(c->d, session_id, metadata, is_here);
}

static void see_clear(struct cloud *c, const char *id, struct json_object *item)
{
    int is_other = is_other_device(c, item, jdoc_str(item, "sourceMachine"));
    struct state_session ss = {0};
    struct api_head current = {0}, h;

    row_at(item, 0, &current);
    map_put(c->in_clear, id, c);
    state_get(c->d->books->state, id, &ss);
    if (ss.wire_id[0] == '\0')
        see_again(c, &ss);
    if (ss.version == 0 || ss.wire_id[0] != '\0' || is_own_newer(&ss, item))
        remember(c, id, is_other, item);
    if (ss.version > 0 && ss.wire_id[0] == '\0')
        compare(c, &ss, "", item);
    if (ss.version > 0 && is_other && (ss.wire_id[0] != '\0' || !current.is_told_whose))
        see_newer(c, &ss, "", ss.wire_id[0] == '\0' ? ss.version : ss.clear_version, &current);
    if (ss.version > 0 && current.version > ss.clear_version)
        state_set_clear(c->d->books->state, id, current.version, NULL);
    for (size_t i = 1; row_at(item, i, &h); i++)
        naming_see(c->d, id, h.metadata, 0);
    see_names(c, &ss, id, &current, jdoc_obj(item, "metadata"));
    state_session_clear(&ss);
}

/* ---- sealed -------------------------------------------------------------------------------------
 */

/* Less than was seen before, by this device: the server has gone back in time.  Nothing is done for
 * it, but to say so. */
static int is_rollback(struct cloud *c, const struct state_session *ss,
                       const struct sealed_facts *facts, int64_t version)
{
    int64_t seen = generations_highest(c->d->books->dir, facts->session_id);

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
    state_see_generation(c->d->books->state, facts->session_id, seen, facts->generation, NULL);
    return 1;
}

/* The highest generation of any version that the item tells. */
static void see_heads(struct cloud *c, const char *wire_id, struct json_object *item,
                      struct sealed_facts *facts)
{
    struct sealed_facts beside;
    struct api_head h;

    for (size_t i = 1; row_at(item, i, &h); i++) {
        memset(&beside, 0, sizeof(beside));
        if (!sealed_is(h.metadata) ||
            sealed_open(sealing_ring(c->d->sealing), wire_id, h.metadata, &beside, NULL) != 0)
            continue;
        if (beside.generation > facts->generation && !beside.is_retired &&
            strcmp(beside.session_id, facts->session_id) == 0)
            facts->generation = beside.generation;
        if (!beside.is_retired && strcmp(beside.session_id, facts->session_id) == 0)
            naming_see(c->d, facts->session_id, beside.metadata, 0);
        sealed_facts_clear(&beside);
    }
}

static void see_opened(struct cloud *c, const char *wire_id, struct json_object *item,
                       struct sealed_facts *facts)
{
    int is_other = is_other_device(c, item, facts->source_machine);
    int64_t generation = facts->generation; /* of the current version */
    char key[ORIGIN_KEY_SIZE];
    struct state_session ss = {0};
    struct api_head current = {0};
    struct listed *l;

    if (facts->lacking[0] != '\0')
        sealing_lacks(c->d->sealing, facts->lacking);
    row_at(item, 0, &current);
    see_heads(c, wire_id, item, facts);
    state_get(c->d->books->state, facts->session_id, &ss);
    see_again(c, &ss); /* under whatever id it was deleted, or where the books were lost */
    if (is_rollback(c, &ss, facts, current.version)) {
        if (ss.version > 0 && strcmp(ss.wire_id, wire_id) == 0)
            compare(c, &ss, wire_id, item);
        goto done;
    }
    if (facts->generation > ss.generation || ss.rollback > 0)
        state_see_generation(c->d->books->state, facts->session_id, facts->generation, 0, NULL);
    generations_note(c->d->books->dir, facts->session_id, facts->generation, NULL);
    if (ss.version == 0) /* what was noted here of its origin may be lost with the books */
        origin_note(c->d->config->state_dir, NULL,
                    origin_key(jdoc_str(facts->metadata, "agentId"), facts->session_id, key),
                    facts->origin, NULL, NULL);
    if (ss.version == 0 || strcmp(ss.wire_id, wire_id) != 0 || is_own_newer(&ss, item)) {
        l = remember(c, wire_id, is_other, item);
        l->generation = generation;
        snprintf(l->content_id, sizeof(l->content_id), "%s", facts->content_id);
        snprintf(l->key_id, sizeof(l->key_id), "%s", facts->key_id);
        memcpy(l->object_id, facts->object_id, sizeof(l->object_id));
    }
    if (ss.version > 0 && strcmp(ss.wire_id, wire_id) == 0)
        compare(c, &ss, wire_id, item);
    else if (ss.version > 0 && is_other && strcmp(facts->content_id, ss.content_id) != 0)
        is_elsewhere(c, &ss, wire_id, &current, 0);
    if (ss.version > 0 && is_other && strcmp(ss.wire_id, wire_id) == 0 && !current.is_told_whose)
        see_newer(c, &ss, wire_id, ss.version, &current);
    see_names(c, &ss, facts->session_id, &current, facts->metadata);
done:
    state_session_clear(&ss);
}

/* The server has lost what describes it, and this device has what it describes: it goes up once
 * more. Once in the life of the daemon, for nothing says that the server keeps the next one. */
static void describe_anew(struct cloud *c, const char *wire_id, struct json_object *item)
{
    struct state_session ss = {0};
    struct api_head current = {0};
    char id[UUID_SIZE];

    row_at(item, 0, &current);
    if (!state_by_wire(c->d->books->state, wire_id, id) || map_get(c->described, id) != NULL)
        return;
    state_get(c->d->books->state, id, &ss);
    if (!ss.is_archived && ss.version == current.version &&
        strcmp(ss.sha256, sum_of(&current)) == 0 && !uploader_has(c->d->books->uploader, id) &&
        state_renew(c->d->books->state, id, NULL) == 0) {
        map_put(c->described, id, c);
        log_info("description-lost session=%s version=%lld", id, (long long)ss.version);
        sessions_touch(c->d, id, 0, 0);
    }
    state_session_clear(&ss);
}

static void see_sealed(struct cloud *c, const char *wire_id, struct json_object *item,
                       struct json_object *metadata)
{
    struct sealed_facts facts = {0};
    struct seal_header header;
    struct ct_err err = {0};

    int rc = sealed_open(sealing_ring(c->d->sealing), wire_id, metadata, &facts, &err);

    if (rc == 0 && facts.is_retired)
        rc = err_set(&err, ERR_REFUSED,
                     "sealed with key %.8s after that was retired: whoever has "
                     "it can have written that",
                     facts.key_id);
    else if (rc == 0) {
        take_owners(c, wire_id, item);
        c->opened_now++;
        see_opened(c, wire_id, item, &facts);
    }
    sealed_facts_clear(&facts);
    if (rc == 0)
        return;
    if (strcmp(err.reason, SEALED_BARE) == 0)
        describe_anew(c, wire_id, item);
    if (strcmp(err.reason, KEY_MISSING) == 0 && sealed_peek(metadata, &header, NULL) == 0)
        hash_hex(header.key_id, sizeof(header.key_id), c->foreign_key);
    if (c->unreadable_now++ == 0 && strcmp(c->unreadable_err.msg, err.msg) != 0)
        log_warn("sealed-unreadable id=%s error=\"%s\"", wire_id, err.msg);
    c->unreadable_err = err;
    /* Whether the server has it can be told all the same, by the id that it would go under. */
    remember(c, wire_id, 0, item);
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
        see_sealed(c, id, item, metadata);
    } else if (sealing_is_one_way(c->d->sealing)) {
        see_strange(c, id, version, item);
    } else {
        see_clear(c, id, item);
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

void cloud_see_there(struct cloud *c, const struct json_object *o)
{
    const char *wire_id = jdoc_str(o, "id");
    char *id = wire_id != NULL ? map_get(c->absent, wire_id) : NULL;

    if (id == NULL)
        return;
    map_remove(c->absent, wire_id);
    free(id);
}

static int lose(void *arg, const char *wire_id, void *value)
{
    struct cloud *c = arg;
    struct state_session ss;

    (void)wire_id;
    if (state_get(c->d->books->state, value, &ss) && ss.version > 0 && !ss.is_archived &&
        !ss.is_excluded && map_get(c->since, value) == NULL &&
        !uploader_has(c->d->books->uploader, value))
        cloud_is_gone(c, &ss);
    state_session_clear(&ss);
    return 0;
}

void cloud_lose_absent(struct cloud *c)
{
    map_each(c->absent, lose, c);
    cloud_forget_absent(c);
}

void cloud_see_tombstone(struct cloud *c, const struct json_object *o)
{
    const char *wire_id = jdoc_str(o, "id");
    const char *id = wire_id != NULL ? map_get(c->absent, wire_id) : NULL;
    int is_own;

    /* What is on its way out anyway meets the server's answer to that; what somebody asked for by
     * name is to go up again. */
    if (id == NULL || map_get(c->since, id) != NULL || uploader_has(c->d->books->uploader, id) ||
        state_is_revived(c->d->books->state, id))
        return;
    /* Not by the server's word: a stolen token is "this device" too. */
    is_own = adopted_take_deleted(c->d->books->dir, id);
    log_info("deleted-elsewhere session=%s here=unchanged", id);
    state_set_excluded(c->d->books->state, id, is_own ? STATE_EXCLUDED_ITSELF : STATE_DELETED, 0,
                       NULL);
    profile_touch_all(c->d); /* what may be of it stays here now */
    cloud_see_there(c, o);
}

/* By the server's clock, which is compared with itself. */
#define CLEAR_UNTIL "clear_until_ms"

static int64_t clear_until(const struct cloud *c)
{
    char *noted = state_noted(c->d->books->state, CLEAR_UNTIL);
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
    state_note(c->d->books->state, CLEAR_UNTIL, text, NULL);
}

void cloud_begin_look(struct cloud *c)
{
    map_each(c->since, forget_key, c->since);
    cloud_forget_absent(c);
}

void cloud_begin_list(struct cloud *c)
{
    memset(&c->clear_now, 0, sizeof(c->clear_now));
    c->clear_until_ms = c->d->books != NULL ? clear_until(c) : -1;
    map_each(c->in_clear, forget_key, c->in_clear);
    map_each(c->since, forget_key, c->since);
    map_each(c->seen, forget_key, c->seen);
    cloud_forget_absent(c);
    c->unreadable_now = c->opened_now = 0;
    c->foreign_key[0] = '\0';
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

    state_each_clear(c->d->books->state, collect_vanished, &v);
    for (size_t i = 0; i < v.ids.n; i++)
        state_set_clear(c->d->books->state, v.ids.v[i], 0, NULL);
    strlist_free(&v.ids);
    map_each(c->in_clear, forget_key, c->in_clear);
    c->is_reset = 0;
    state_each_confirmed(c->d->books->state, collect_absent, c);
    map_each(c->seen, forget_key, c->seen);
    note_clear(c);
    c->unreadable = c->unreadable_now;
    /* A ring that opens nothing of the account lacks its first key, with which ids are made: what
     * it would upload nobody else could find. */
    sealing_set_foreign(c->d->sealing, c->opened_now == 0 && !state_any_sealed(c->d->books->state)
                                           ? c->foreign_key
                                           : "");
    if (c->unreadable == 0)
        memset(&c->unreadable_err, 0, sizeof(c->unreadable_err));
}

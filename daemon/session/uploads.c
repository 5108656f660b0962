#include <stdio.h>
#include <string.h>

#include "bundle/pack/pack.h"
#include "bundle/install/adopted.h"
#include "bundle/open/generations.h"
#include "common/base/log.h"
#include "common/data/jdoc.h"
#include "common/base/now.h"
#include "uploader/beside.h"

#include "daemon/session/adopt.h"
#include "daemon/account/sealing.h"
#include "daemon/account/cloud.h"
#include "daemon/daemon.h"
#include "daemon/account/login_view.h"
#include "daemon/account/allowance.h"
#include "daemon/account/room.h"
#include "daemon/session/credscan.h"
#include "daemon/session/headlook.h"

/* A version younger than this may be amended; the server says an hour. */
#define AMEND_MS (59LL * 60 * 1000)

static int64_t server_now_ms(struct daemon *d)
{
    struct uploader_stats st;

    uploader_stats(d->books->uploader, &st);
    return now_wall_ms() + st.clock_skew_ms;
}

static int on_waited(void *arg)
{
    return waiter_is_anybody(arg);
}

static void on_stored(void *arg, int is_loopback)
{
    struct daemon *d = arg;

    if (is_loopback)
        login_view_note_own_machine(d->login, 1);
}

/* What the bundle lacks, as the server says or a look told.  ${is_apart}: and that lacks it, too.
 */
static int note_beside(struct daemon *d, const struct queue_item *item, int is_apart,
                       struct ct_err *err)
{
    const struct queue_beside *b = &item->beside;
    struct state_elsewhere e = {.version = b->version,
                                .wire_id = item->wire_id,
                                .device = b->device,
                                .messages = b->messages,
                                .is_apart = is_apart};

    return b->is_told ? state_set_elsewhere(d->books->state, item->session_id, &e, err) : 0;
}

/* What a merge put into it, should the server lose this version: that is nowhere else any more. */
static int note_named(struct daemon *d, const struct queue_item *item, struct ct_err *err)
{
    const struct state_elsewhere none = {.wire_id = "", .messages = -1};
    size_t n = item->merged != NULL ? json_object_array_length(item->merged) : 0;
    struct state_session ss = {0};
    int rc = 0, is_in;

    state_get(d->books->state, item->session_id, &ss);

    for (size_t i = 0; rc == 0 && item->pin == 0 && i < n; i++) {
        const struct json_object *v = json_object_array_get_idx(item->merged, i);
        rc = state_note_contained(d->books->state, item->session_id, item->wire_id,
                                  jdoc_int(v, "version", 0), jdoc_str(v, "sha256"), 0, err);
    }
    is_in = item->pin == 0 && ss.elsewhere > 0 && strcmp(ss.elsewhere_wire, item->wire_id) == 0 &&
            beside_is_merged(item, ss.elsewhere, "");
    state_session_clear(&ss);
    return rc == 0 && is_in ? state_set_elsewhere(d->books->state, item->session_id, &none, err)
                            : rc;
}

static int on_confirmed(void *arg, const struct queue_item *item, int64_t version, int is_loopback,
                        int64_t took_ms, struct ct_err *err)
{
    struct daemon *d = arg;
    struct state_confirmed c = {
        .version = version,
        .content_id = item->content_id,
        .sha256 = item->sha256,
        .size_bytes = item->size_bytes,
        .is_loopback = is_loopback >= 0 ? is_loopback : login_view_is_own_machine(d->login),
        .pin = item->pin,
        .is_within = item->beside.is_within && item->beside.version == version,
        .wall_ms = now_wall_ms(),
        .server_ms = server_now_ms(d),
        .token_tag = login_view_token_tag(d->login),
        .wire_id = item->wire_id,
        .key_id = item->key_id,
        .generation = item->generation,
        .goes_on_from = item->base_version,
        .base_sha256 = item->base_sha256,
    };

    sessions_uploaded(d, item->session_id, took_ms);
    if (state_confirm(d->books->state, item->session_id, &c, err) != 0 ||
        state_store_manifest(d->books->state, item->session_id, item->content_id, version, err) !=
            0 ||
        note_named(d, item, err) != 0 || cloud_confirmed(d->cloud, item, version, err) != 0)
        return -1;
    adopt_confirmed(d, item);
    login_view_note_own_machine(d->login, c.is_loopback);
    if (item->generation > 0)
        generations_note(d->books->dir, item->session_id, item->generation, NULL);
    return note_beside(d, item, !item->beside.is_within, err);
}

/* Nothing of it went out, for another device has more. */
static int on_behind(void *arg, const struct queue_item *item, struct ct_err *err)
{
    struct daemon *d = arg;
    struct state_session ss = {0};
    int is_apart, rc;

    state_get(d->books->state, item->session_id, &ss);
    is_apart = ss.is_apart;
    state_session_clear(&ss);
    if (state_forget_queued(d->books->state, item->session_id, err) != 0)
        return -1;
    cloud_passed(d->cloud, item);
    rc = item->beside.version > 0 ? note_beside(d, item, is_apart, err) : 0;
    return rc;
}

static void on_passed(void *arg, const char *session_id)
{
    struct daemon *d = arg;
    struct session *s = sessions_get(d, session_id);

    log_info("behind session=%s", session_id);
    control_event(d, "behind", session_id, 0, 0, "another device has a newer version");
    if (s != NULL) {
        if (s->safe_seq < s->queued_seq)
            s->safe_seq = s->queued_seq;
        s->bundled_bytes = 0;
        s->is_known = 1;
        sessions_settle(d, s);
    }
    daemon_mind_network(d);
    room_left_spool(d);
    bundler_run(d);
}

/* A sitting is one version and not fifty.  Only what this device made a moment ago is given up for
 * a bundle that holds all of it, entry by entry: what is pinned, rewritten or somebody else's
 * stays. The server looks once more, and drops the old one when the new one is confirmed, in one
 * transaction. */
static int64_t amends(struct daemon *d, const struct queue_item *item)
{
    struct state_session ss;
    int64_t version = 0, age_ms;

    if (!d->config->amend || item->pin != 0 || item->revive ||
        !state_get_bare(d->books->state, item->session_id, &ss))
        return 0;
    age_ms = server_now_ms(d) - ss.server_ms;
    if (ss.version > 0 && strcmp(ss.wire_id, item->wire_id) == 0 && ss.elsewhere == 0 &&
        age_ms >= 0 && age_ms < AMEND_MS && ss.token_tag[0] != '\0' &&
        strcmp(ss.token_tag, login_view_token_tag(d->login)) == 0 &&
        state_contains(d->books->state, item->session_id, item->content_id, ss.version))
        version = ss.version;
    state_session_clear(&ss);
    return version;
}

static int64_t own_version(struct daemon *d, const struct queue_item *item,
                           char ret_sha256[HASH_SHA256_HEX])
{
    struct state_session ss;
    int64_t version;

    ret_sha256[0] = '\0';
    if (cloud_has(d->cloud, item->session_id) == 0 && item->base_version == 0)
        return -1;
    /* This device's own, of which the books say nothing, or less: they were lost, or put back. */
    version = cloud_own_version(d->cloud, item, ret_sha256);
    if (version > item->base_version && version > item->before_version)
        return version;
    version = 0;
    /* A bundle of a daemon that did not write down on what it goes on. */
    if (item->base_version < 0 && state_get(d->books->state, item->session_id, &ss)) {
        if (strcmp(ss.wire_id, item->wire_id) == 0) {
            version = ss.version;
            memcpy(ret_sha256, ss.sha256, HASH_SHA256_HEX);
        }
        state_session_clear(&ss);
    }
    return version;
}

static void add_contained(void *arg, int64_t version, const char *sha256)
{
    json_object_array_add(arg, api_base_json(version, sha256, 1));
}

static struct json_object *contains(struct daemon *d, const struct queue_item *item)
{
    struct json_object *list;

    list = json_object_new_array();
    state_each_contained(d->books->state, item->session_id, item->wire_id, item->base_version > 0,
                         add_contained, list);
    if (json_object_array_length(list) > 0)
        return list;
    json_object_put(list);
    return NULL;
}

static void on_facts(void *arg, const struct queue_item *item, struct queue_facts *ret)
{
    struct daemon *d = arg;
    struct state_session ss;

    ret->amend = amends(d, item);
    ret->own_version = own_version(d, item, ret->own_sha256);
    ret->also = contains(d, item);
    if (state_get_bare(d->books->state, item->session_id, &ss)) {
        if (ss.is_apart && strcmp(ss.elsewhere_wire, item->wire_id) == 0)
            ret->apart = ss.elsewhere;
        if (strcmp(ss.wire_id, item->wire_id) == 0 && ss.sha256[0] != '\0') {
            ret->held = ss.version;
            ret->held_bytes = ss.size_bytes;
            memcpy(ret->held_sha256, ss.sha256, HASH_SHA256_HEX);
        }
    }
    state_session_clear(&ss);
}

static void on_unsure(void *arg, const struct queue_item *item, struct json_object *heads)
{
    struct daemon *d = arg;

    headlook_begin(d->headlook, item, heads);
}

/* Of a sealed version the server knows neither machine nor messages: what changed there tells. */
static void learn_whose(struct daemon *d, const char *session_id)
{
    struct state_session ss = {0};

    state_get_bare(d->books->state, session_id, &ss);
    if (ss.is_apart && ss.elsewhere_wire[0] != '\0')
        cloud_look(d->cloud, -1, 0, NULL, NULL);
    state_session_clear(&ss);
}

static void on_settled(void *arg, const char *session_id, int64_t version, int64_t size_bytes)
{
    struct daemon *d = arg;
    struct session *s = sessions_get(d, session_id);

    (void)adopted_take_deleted(d->books->dir, session_id); /* it is there again */
    log_info("confirmed session=%s version=%lld size=%lld", session_id, (long long)version,
             (long long)size_bytes);
    control_event(d, "confirmed", session_id, version, size_bytes, NULL);
    if (s != NULL) {
        if (s->safe_seq < s->queued_seq)
            s->safe_seq = s->queued_seq;
        d->progress_done_bytes += s->bundled_bytes;
        s->bundled_bytes = 0;
        s->was_safe = 1;
        s->is_known = 1;
        sessions_settle(d, s);
    }
    daemon_mind_network(d);
    cloud_contact(d->cloud, 0);
    learn_whose(d, session_id);
    room_left_spool(d);
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
    daemon_mind_network(d);
    room_disk_failed(d, err);
    /* Bytes that are used up (quota) stop the session whose bundle does not fit, and no other. */
    if (is_final && err->code == ERR_REFUSED && err->http_status == 403 &&
        strcmp(err->reason, "quota") != 0)
        allowance_refused(d->allowance, item->session_id, err);
    if (err->code == ERR_RETRY && err->http_status == 0)
        cloud_contact(d->cloud, 1);
    waiter_check_all(d);
    bundler_run(d);
}

/* So that even after a crash the next scan takes the session for changed. */
static int on_forget(void *arg, const char *session_id, struct ct_err *err)
{
    struct daemon *d = arg;

    return state_outdate_files(d->books->state, session_id, err);
}

static void on_rebuild(void *arg, const char *session_id)
{
    struct daemon *d = arg;
    struct session *s = sessions_need(d, session_id);

    s->dirty_seq = sessions_next_seq(d);
    sessions_make_due(d, s);
}

/* What this device deleted stays here, as was asked.  What another one deleted is saved nowhere as
 * it is now: nobody but the user can say which of the two is wanted. */
static void on_deleted(void *arg, const char *session_id, int was_revived, const char *why)
{
    struct daemon *d = arg;
    struct session *s = sessions_get(d, session_id);

    /* Asked for by name since its bundle was made. */
    if (!was_revived && state_is_revived(d->books->state, session_id)) {
        on_rebuild(d, session_id);
        return;
    }
    /* What ctctl deleted was excluded before, or is noted.  That it was this device is the server's
     * word, and a stolen token is this device too. */
    if (adopted_take_deleted(d->books->dir, session_id)) {
        log_info("excluded session=%s reason=\"deleted in the cloud\"", session_id);
        state_set_excluded(d->books->state, session_id, STATE_EXCLUDED_ITSELF, 0, NULL);
        control_event(d, "excluded", session_id, 0, 0, "deleted in the cloud");
    } else {
        log_warn("deleted-elsewhere session=%s why=\"%s\"", session_id, why);
        state_set_deleted(d->books->state, session_id, why, NULL);
        state_set_clear(d->books->state, session_id, 0, NULL);
        control_event(d, "failed", session_id, 0, 0, why);
    }
    pack_forget_cache(d->books->cache_dir, session_id);
    credscan_forget(d, session_id);
    if (s != NULL)
        sessions_give_up(d, s);
}

static void on_auth(void *arg, const struct ct_err *err)
{
    struct daemon *d = arg;

    login_view_refused(d->login, err);
}

const struct uploader_ops uploads_ops = {
    .is_waited = on_waited,
    .facts = on_facts,
    .stored = on_stored,
    .confirmed = on_confirmed,
    .settled = on_settled,
    .behind = on_behind,
    .passed = on_passed,
    .unsure = on_unsure,
    .started = on_started,
    .failed = on_failed,
    .forget = on_forget,
    .rebuild = on_rebuild,
    .deleted = on_deleted,
    .auth = on_auth,
};

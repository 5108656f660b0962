#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bundle/install/origin.h"
#include "bundle/pack/pack.h"
#include "bundle/pack/pack_meta.h"
#include "bundle/open/generations.h"
#include "common/base/buf.h"
#include "common/base/file.h"
#include "common/data/jdoc.h"
#include "common/base/log.h"
#include "common/base/path.h"
#include "common/base/str.h"

#include "daemon/account/cloud.h"
#include "daemon/daemon.h"
#include "common/config/keyring_file.h"
#include "common/config/keyring_open.h"
#include "daemon/account/sealing.h"

/* In the account's folder: the id of the key that its sessions are sealed with.  A file, so that a
 * lost database does not lead to uploads in clear. */
#define MARK "sealed"

struct sealing {
    struct daemon *d;
    char *path;
    struct sealing_keys *keys; /* NULL: there are none */
    struct ct_err err;         /* why they can't be read */
    enum sealing_state state;
    char mark[KEY_ID_HEX];    /* of the account that is open, "": nothing of it was sealed */
    char foreign[KEY_ID_HEX]; /* see sealing_set_foreign() */
    char lacking[KEY_ID_HEX]; /* see sealing_lacks() */
    char why[512];
    const char *cure;
};

/* ---- the keys -----------------------------------------------------------------------------------
 */

void sealing_release(struct sealing_keys *keys)
{
    if (keys == NULL || --keys->users > 0)
        return;
    keyring_free(keys->ring);
    free(keys);
}

struct sealing_keys *sealing_hold(struct sealing *s)
{
    if (s->state != SEALING_ON)
        return NULL;
    s->keys->users++;
    return s->keys;
}

static int same_keys(const struct keyring *a, const struct keyring *b)
{
    if (keyring_n(a) != keyring_n(b) || keyring_n_retired(a) != keyring_n_retired(b) ||
        keyring_n_vouched(a) != keyring_n_vouched(b))
        return 0;
    for (size_t i = 0; i < keyring_n(a); i++) {
        if (memcmp(keyring_at(a, i)->id, keyring_at(b, i)->id, KEY_ID_BYTES) != 0)
            return 0;
    }
    return 1;
}

static void take_ring(struct sealing *s, struct keyring *ring)
{
    memset(&s->err, 0, sizeof(s->err));
    if (same_keys(sealing_ring(s), ring)) {
        keyring_free(ring);
        return;
    }
    sealing_release(s->keys);
    s->keys = NULL;
    log_info("keys n=%zu seals-with=%s", keyring_n(ring),
             keyring_n(ring) > 0 ? keyring_current(ring)->id_hex : "none");
    if (keyring_n(ring) == 0) {
        keyring_free(ring);
        return;
    }
    s->foreign[0] = '\0'; /* the next list tells */
    s->keys = str_calloc(1, sizeof(*s->keys));
    s->keys->ring = ring;
    s->keys->users = 1;
}

static void read_keys(struct sealing *s)
{
    struct keyring *ring;
    struct ct_err err = {0};

    if (keyring_open(s->d->config, &ring, &err) == 0) {
        take_ring(s, ring);
        return;
    }
    if (strcmp(s->err.msg, err.msg) != 0)
        log_error("keys-unreadable error=\"%s\"", err.msg);
    s->err = err;
    sealing_release(s->keys);
    s->keys = NULL;
}

const struct keyring *sealing_ring(const struct sealing *s)
{
    return s->keys != NULL ? s->keys->ring : NULL;
}

/* ---- the account's mark -------------------------------------------------------------------------
 */

static void read_mark(struct sealing *s)
{
    char *path = path_join(s->d->books->dir, MARK);
    unsigned char scratch[KEY_ID_BYTES];
    struct buf text = {0};
    struct ct_err err = {0};

    s->mark[0] = '\0';
    if (file_read(path, 4096, &text, &err) == 0 && text.len >= KEY_ID_HEX - 1)
        snprintf(s->mark, sizeof(s->mark), "%.*s", KEY_ID_HEX - 1, text.data);
    /* An unreadable mark still counts as one: the account is sealed. */
    if (err.code != ERR_GONE && hash_unhex(s->mark, scratch, sizeof(scratch)) != 0)
        snprintf(s->mark, sizeof(s->mark), "unknown");
    buf_free(&text);
    free(path);
}

static void write_mark(struct sealing *s, const char *id)
{
    char *path, *text;
    struct ct_err err;

    if (strcmp(s->mark, id) == 0)
        return;
    path = path_join(s->d->books->dir, MARK);
    text = str_printf("%s\n", id);
    if (file_replace(path, text, strlen(text), 0600, &err) == 0)
        snprintf(s->mark, sizeof(s->mark), "%s", id);
    else
        log_error("mark-failed error=\"%s\"", err.msg);
    free(text);
    free(path);
}

/* ---- the state ----------------------------------------------------------------------------------
 */

static enum sealing_state judge(const struct sealing *s)
{
    int mode = s->d->config->encryption;

    if (mode == CONFIG_ENCRYPTION_OFF && s->mark[0] == '\0')
        return SEALING_OFF;
    if (s->err.code != ERR_NONE)
        return SEALING_BROKEN;
    if (s->keys != NULL)
        return s->foreign[0] == '\0' ? SEALING_ON : SEALING_NO_KEY;
    return mode == CONFIG_ENCRYPTION_REQUIRE || s->mark[0] != '\0' ? SEALING_NO_KEY : SEALING_PLAIN;
}

static void explain(struct sealing *s)
{
    s->why[0] = '\0';
    s->cure = "";
    if (s->state == SEALING_BROKEN) {
        snprintf(s->why, sizeof(s->why),
                 "the encryption keys can't be read, so nothing is "
                 "uploaded: %.400s",
                 s->err.msg);
        s->cure = s->d->config->key_command != NULL
                      ? "see to it that key_command prints the keys, then restart the daemon"
                      : "mend what is named; it goes on by itself then";
    } else if (s->state == SEALING_NO_KEY && s->mark[0] == '\0') {
        snprintf(s->why, sizeof(s->why),
                 "the configuration requires encryption, and there is no key on this device, so "
                 "nothing is uploaded");
        s->cure = "ctctl key init; or, if another device has the key: ctctl key import";
    } else if (s->state == SEALING_NO_KEY && s->keys != NULL) {
        snprintf(
            s->why, sizeof(s->why),
            "this account's sessions are sealed with key %.8s, and no key of this device opens "
            "any of them, so nothing is uploaded",
            s->foreign);
        s->cure = "on a device that has it: ctctl key export | ssh THIS-ONE ctctl key import -; "
                  "or type its recovery text: ctctl key import";
    } else if (s->state == SEALING_NO_KEY) {
        snprintf(s->why, sizeof(s->why),
                 "this account's sessions are sealed with key %.8s, which is not on this device, "
                 "so nothing is uploaded",
                 s->mark);
        s->cure = "on a device that has it: ctctl key export | ssh THIS-ONE ctctl key import -; "
                  "or type its recovery text: ctctl key import";
    }
}

static const char *const names[] = {"off", "plain", "sealing", "no_key", "broken"};

struct settling {
    char *cache_dir;
    struct sealing_keys *keys; /* NULL: in clear */
};

static void settle(void *arg)
{
    struct settling *t = arg;

    pack_settle_cache(t->cache_dir, t->keys != NULL ? keyring_current(t->keys->ring) : NULL);
}

static void settled(void *arg)
{
    struct settling *t = arg;

    sealing_release(t->keys);
    free(t->cache_dir);
    free(t);
}

/* What was cached in clear does not outlive the day on which a key comes. */
static void settle_cache(struct sealing *s)
{
    struct settling *t;

    if (s->d->books == NULL || sealing_is_held(s))
        return;
    t = str_calloc(1, sizeof(*t));
    t->cache_dir = str_dup(s->d->books->cache_dir);
    t->keys = sealing_hold(s);
    worker_submit(s->d->worker, settle, settled, settled, t);
}

/* Who waits and what waits go by the new state. */
static void announce(struct sealing *s)
{
    struct daemon *d = s->d;

    if (s->why[0] != '\0')
        log_warn("encryption state=%s reason=\"%s\"", names[s->state], s->why);
    else
        log_info("encryption state=%s", names[s->state]);
    control_event(d, "state", NULL, 0, 0, s->why);
    bundler_stop(d->bundler); /* what is being made may be in clear: it begins anew */
}

static void collect(void *arg, const char *session_id, int is_here)
{
    (void)is_here;
    strlist_add(arg, session_id);
}

/* What is here and safe in clear goes up sealed, like any change. */
static void seal_what_is_here(struct daemon *d)
{
    struct strlist ids = {0};
    struct ct_err err;

    state_each_to_seal(d->books->state, collect, &ids);
    for (size_t i = 0; i < ids.n; i++) {
        if (state_renew(d->books->state, ids.v[i], &err) == 0)
            sessions_touch(d, ids.v[i], 0, 0);
        else
            log_error("renew-failed session=%s error=\"%s\"", ids.v[i], err.msg);
    }
    if (ids.n > 0)
        log_info("sealing-what-is-here sessions=%zu", ids.n);
    strlist_free(&ids);
}

/* In clear only what may, and not before it is known that the account has no key. */
static int is_sealed_only(const struct sealing *s)
{
    return sealing_is_one_way(s) || !cloud_is_known(s->d->cloud);
}

void sealing_apply(struct sealing *s)
{
    struct daemon *d = s->d;
    enum sealing_state before = s->state;

    if (d->books != NULL)
        read_mark(s);
    s->state = judge(s);
    explain(s);
    if (s->state == SEALING_ON && d->books != NULL)
        write_mark(s, keyring_current(s->keys->ring)->id_hex);
    if (d->books != NULL)
        uploader_seal_only(d->books->uploader, is_sealed_only(s));
    if (s->state != before)
        announce(s);
    settle_cache(s);
    if (d->books == NULL)
        return;
    if (s->state == SEALING_ON)
        seal_what_is_here(d);
    reseal_run(d);
    bundler_run(d);
    waiter_check_all(d);
}

void sealing_saw(struct sealing *s, const struct json_object *metadata)
{
    struct seal_header header;
    char id[KEY_ID_HEX];

    /* What is no sealed object at all is no mark: anybody could write that. */
    if (s->mark[0] != '\0' || s->d->books == NULL || sealed_peek(metadata, &header, NULL) != 0)
        return;
    hash_hex(header.key_id, sizeof(header.key_id), id);
    log_info("account-is-sealed key=%.8s", id);
    write_mark(s, id);
    sealing_apply(s);
}

static void collect_sealed(void *arg, const struct uploader_view *v)
{
    if (queue_is_sealed(v->item))
        strlist_add(arg, v->item->session_id);
}

/* What was sealed before the list was known goes under ids that nobody else could find. */
static void take_back(struct daemon *d)
{
    struct strlist ids = {0};

    uploader_each(d->books->uploader, collect_sealed, &ids);
    for (size_t i = 0; i < ids.n; i++) {
        if (uploader_drop(d->books->uploader, ids.v[i], NULL) != 0)
            continue;
        state_forget_queued(d->books->state, ids.v[i], NULL);
        sessions_touch(d, ids.v[i], 0, 0);
    }
    strlist_free(&ids);
}

void sealing_set_foreign(struct sealing *s, const char *key_id)
{
    if (strcmp(s->foreign, key_id) == 0)
        return;
    snprintf(s->foreign, sizeof(s->foreign), "%s", key_id);
    if (key_id[0] != '\0' && s->d->books != NULL)
        take_back(s->d);
    sealing_apply(s);
}

void sealing_lacks(struct sealing *s, const char *key_id)
{
    snprintf(s->lacking, sizeof(s->lacking), "%s", key_id);
}

const char *sealing_lacking(const struct sealing *s)
{
    return s->lacking[0] != '\0' && !keyring_is_retired(sealing_ring(s), s->lacking) ? s->lacking
                                                                                     : NULL;
}

void sealing_listed(struct sealing *s)
{
    if (s->d->books != NULL)
        uploader_seal_only(s->d->books->uploader, is_sealed_only(s));
}

void sealing_start(struct sealing *s)
{
    read_keys(s);
    s->state = judge(s);
    explain(s);
    if (s->state != SEALING_PLAIN)
        log_info("encryption state=%s", names[s->state]);
}

void sealing_refresh(struct sealing *s)
{
    if (s->d->config->key_command == NULL)
        read_keys(s);
    sealing_apply(s);
}

enum sealing_state sealing_look(const struct sealing *s, const char **ret_why,
                                const char **ret_cure)
{
    *ret_why = s->why;
    *ret_cure = s->cure;
    return s->state;
}

int sealing_is_held(const struct sealing *s)
{
    return s->state == SEALING_NO_KEY || s->state == SEALING_BROKEN;
}

int sealing_is_one_way(const struct sealing *s)
{
    return s->state != SEALING_OFF && s->state != SEALING_PLAIN;
}

int sealing_is_on(const struct sealing *s)
{
    return s->state == SEALING_ON;
}

const char *sealing_path(const struct sealing *s)
{
    return s->path;
}

struct sealing *sealing_new(struct daemon *d)
{
    struct sealing *s = str_calloc(1, sizeof(*s));

    s->d = d;
    s->path = keyring_path();
    s->state = SEALING_PLAIN;
    s->cure = "";
    return s;
}

void sealing_free(struct sealing *s)
{
    if (s == NULL)
        return;
    sealing_release(s->keys);
    free(s->path);
    free(s);
}

/* ---- one session --------------------------------------------------------------------------------
 */

void sealing_wire_id(const struct sealing *s, const char *session_id, char ret[UUID_SIZE])
{
    if (s->state != SEALING_ON || keyring_opaque_id(s->keys->ring, session_id, ret) != 0)
        ret[0] = '\0';
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

int64_t sealing_generation(struct daemon *d, const char *session_id, const char *wire_id)
{
    int64_t most =
        larger(generations_highest(d->books->dir, session_id), cloud_generation(d->cloud, wire_id));
    struct state_session ss = {0};

    if (state_get(d->books->state, session_id, &ss))
        most = larger(most, ss.generation);
    state_session_clear(&ss);
    return most;
}

struct json_object *sealing_metadata(struct json_object *meta)
{
    static const char *const local[] = {"title", "gitBranch"};
    struct json_object *o = pack_meta_public(meta, 1), *v;

    for (size_t i = 0; i < sizeof(local) / sizeof(local[0]); i++) {
        if (json_object_object_get_ex(meta, local[i], &v))
            json_object_object_add(o, local[i], json_object_get(v));
    }
    return o;
}

static char *sealed_word(char *instead)
{
    free(instead);
    return str_dup(SEALED_WORD);
}

int sealing_wrap(struct daemon *d, const struct sealing_keys *keys, struct sealed_facts *facts,
                 struct queue_item *q, struct ct_err *err)
{
    char key[ORIGIN_KEY_SIZE];
    enum trust noted = origin_of(d->config->state_dir, &d->config->roots,
                                 origin_key(jdoc_str(q->metadata, "agentId"), q->session_id, key));
    struct json_object *wrapped;
    int rc;

    if (noted < facts->origin)
        facts->origin = noted;
    snprintf(facts->device, sizeof(facts->device), "%s", d->device_id);
    snprintf(facts->session_id, sizeof(facts->session_id), "%s", q->session_id);
    facts->source_machine = q->source_machine;
    facts->source_cwd = q->source_cwd;
    facts->source_user_dir = q->source_user_dir;
    facts->metadata = q->metadata;
    rc = sealed_make(keys->ring, facts, &wrapped, err);
    if (rc != 0 && err->code == ERR_REFUSED) {
        /* Thousands of files: their number has to do. */
        json_object_object_del(q->metadata, "filesModified");
        rc = sealed_make(keys->ring, facts, &wrapped, err);
    }
    if (rc != 0)
        return -1;
    json_object_put(q->metadata);
    q->metadata = wrapped;
    q->source_machine = sealed_word(q->source_machine);
    q->source_cwd = sealed_word(q->source_cwd);
    q->source_user_dir = sealed_word(q->source_user_dir);
    keyring_opaque_id(keys->ring, q->session_id, q->wire_id);
    snprintf(q->key_id, sizeof(q->key_id), "%s", keyring_current(keys->ring)->id_hex);
    q->generation = facts->generation;
    return 0;
}

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/map.h"
#include "common/base/now.h"
#include "common/data/jdoc.h"

#include "daemon/account/login_view.h"
#include "daemon/account/sealing.h"
#include "daemon/session/adopt.h"

void adopt_look(struct job *j, const struct state_session *known)
{
    struct adopted a;

    /* A lower number than is known here is what somebody took back with --force: a record ends with
     * the first version of one's own.  Where there is a key, what came in clear is not safe yet. */
    if (!adopted_load(j->d->books->dir, j->session_id, &a) ||
        (a.wire_id[0] == '\0' && sealing_is_one_way(j->d->sealing)) ||
        (a.version == state_base(known) && strcmp(a.wire_id, known->wire_id) == 0 &&
         !adopted_is_merged(&a)))
        return;
    j->adopted = a;
    memcpy(j->own_id, j->known_id, sizeof(j->own_id));
    memcpy(j->known_id, a.content_id, sizeof(j->known_id));
    j->previous_bytes = a.transcript_bytes;
    memcpy(j->previous_digest, a.transcript_digest, sizeof(j->previous_digest));
}

int adopt_judge(struct job *j)
{
    if (j->adopted.version == 0)
        return 0;
    if (j->result.is_same) {
        log_info("adopted session=%s version=%lld", j->session_id, (long long)j->adopted.version);
        return 1;
    }
    if (strcmp(j->result.content_id, j->own_id) == 0) {
        unlink(j->spool_path);
        j->result.is_same = 1;
        j->result.is_rewritten = 0;
        j->adopted.version = 0;
    }
    return 0;
}

static int is_there(void *arg, const char *path)
{
    return map_get(arg, path) != NULL;
}

/* Did clean-up take something that was merged before anybody looked? */
static int lacks_files(const struct job *j)
{
    struct map *here = map_new();
    int is_lacking;

    for (size_t i = 0; i < j->n_files; i++)
        map_put(here, j->files[i].path, &j->files[i]);
    is_lacking = adopted_lacks(j->d->books->dir, j->session_id, is_there, here);
    map_free(here);
    return is_lacking;
}

int adopt_is_void(const struct job *j)
{
    return j->adopted.version > 0 && adopted_is_merged(&j->adopted) && !j->result.is_same &&
           (j->result.is_rewritten || lacks_files(j));
}

/* Write down that all of these are in what is here. */
static int note_also(const struct daemon *d, const struct adopted *a, struct ct_err *err)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < a->n_also; i++)
        rc = state_note_contained(d->books->state, a->session_id, a->wire_id, a->also[i].version,
                                  a->also[i].sha256, 1, err);
    return rc;
}

int adopt_confirm(const struct job *j, struct ct_err *err)
{
    const struct adopted *a = &j->adopted;
    struct state_confirmed c = {
        .version = a->version,
        .content_id = a->content_id,
        .sha256 = a->sha256,
        .size_bytes = a->size_bytes,
        .is_loopback = a->is_loopback || login_view_is_own_machine(j->d->login),
        .is_pulled = 1,
        .wall_ms = now_wall_ms(),
        .token_tag = "",
        .wire_id = a->wire_id,
        .key_id = a->key_id,
        .generation = a->generation,
    };

    if (state_confirm(j->d->books->state, j->session_id, &c, err) != 0 ||
        state_queue_manifest(j->d->books->state, j->session_id, a->content_id, 0,
                             &j->result.manifest, err) != 0 ||
        state_store_manifest(j->d->books->state, j->session_id, a->content_id, a->version, err) !=
            0 ||
        note_also(j->d, a, err) != 0)
        return -1;
    /* What comes after it lacks what was not installed, so that version is kept. */
    return a->is_thinner ? state_pin(j->d->books->state, j->session_id, err) : 0;
}

void adopt_forget(const struct daemon *d, const char *session_id)
{
    if (d->books != NULL)
        adopted_forget(d->books->dir, session_id);
}

/* ---- without a job ------------------------------------------------------------------------------
 */

struct taking {
    struct daemon *d;
    const struct adopted *a;
    const struct state_session *ss;
};

static int is_contained(const struct taking *t)
{
    const struct adopted *a = t->a;

    if (strcmp(t->ss->elsewhere_wire, a->wire_id) != 0)
        return 0;
    for (size_t i = 0; i < a->n_also; i++) {
        if (a->also[i].version == t->ss->elsewhere)
            return 1;
    }
    return a->version == t->ss->elsewhere;
}

static int write_taken(void *arg, struct ct_err *err)
{
    const struct state_elsewhere none = {.wire_id = "", .messages = -1};
    struct taking *t = arg;
    struct state *st = t->d->books->state;
    const char *id = t->a->session_id;

    if (note_also(t->d, t->a, err) != 0 ||
        state_note_contained(st, id, t->a->wire_id, t->a->version, t->a->sha256, 1, err) != 0)
        return -1;
    if (t->ss->elsewhere == 0 || !is_contained(t))
        return 0;
    if (state_set_elsewhere(st, id, &none, err) != 0)
        return -1;
    /* Both stand side by side at the server, until a version names both. */
    return t->ss->is_apart ? state_renew_bases(st, id, err) : 0;
}

/* Does the record speak of the very transcript that was bundled last?  A plain one has to be in the
 * books, too: else it is still to be found out whether all of it is here. */
static int is_known(const struct adopted *a, const struct state_session *ss)
{
    return ss->session_id[0] != '\0' && !ss->is_excluded && !ss->is_archived &&
           a->transcript_bytes == ss->transcript_bytes &&
           strcmp(a->transcript_digest, ss->transcript_digest) == 0 &&
           strcmp(a->wire_id, ss->wire_id) == 0 &&
           (a->is_here || (a->version == state_base(ss) && strcmp(a->sha256, ss->sha256) == 0));
}

/* Return whether it could be taken over as it is. */
static int take(struct daemon *d, const char *session_id)
{
    struct state_session ss = {0};
    struct adopted a;
    struct taking t = {d, &a, &ss};
    struct ct_err err;
    int is_taken = 1, is_due = 0;

    if (!adopted_load(d->books->dir, session_id, &a))
        return 1;
    state_get(d->books->state, session_id, &ss);
    is_taken = is_known(&a, &ss);
    if (is_taken && db_transact(state_db(d->books->state), write_taken, &t, &err) != 0)
        log_error("record-failed session=%s error=\"%s\"", session_id, err.msg);
    else if (is_taken && ss.elsewhere > 0 && is_contained(&t)) {
        log_info("contained session=%s version=%lld", session_id, (long long)ss.elsewhere);
        control_event(d, "state", session_id, ss.version, 0, "");
        is_due = ss.is_apart;
    }
    if (is_due)
        sessions_touch(d, session_id, 0, 0);
    state_session_clear(&ss);
    return is_taken;
}

void adopt_take(struct daemon *d, const char *session_id)
{
    if (d->books != NULL && !take(d, session_id))
        sessions_touch(d, session_id, 0, 0);
}

void adopt_apart(struct daemon *d, const char *session_id, int64_t version)
{
    struct state_session ss = {0};
    struct state_elsewhere e;
    struct ct_err err;

    if (d->books == NULL)
        return;
    state_get(d->books->state, session_id, &ss);
    e = (struct state_elsewhere){.version = version,
                                 .wire_id = ss.elsewhere_wire,
                                 .device = ss.elsewhere_device,
                                 .messages = ss.elsewhere_messages,
                                 .is_apart = 1};
    if (ss.elsewhere == version && !ss.is_apart) {
        if (state_set_elsewhere(d->books->state, session_id, &e, &err) != 0)
            log_error("record-failed session=%s error=\"%s\"", session_id, err.msg);
        control_event(d, "state", session_id, version, 0, "it went on here and on another device");
    }
    state_session_clear(&ss);
}

static void take_one(void *arg, const char *session_id)
{
    take(arg, session_id);
}

void adopt_take_all(struct daemon *d)
{
    adopted_each(d->books->dir, take_one, d);
}

static int has(struct json_object *list, const struct adopted *a)
{
    for (size_t i = 0; list != NULL && i < json_object_array_length(list); i++) {
        const struct json_object *v = json_object_array_get_idx(list, i);
        const char *sum = jdoc_str(v, "sha256");
        if (jdoc_int(v, "version", 0) == a->version && sum != NULL && strcmp(sum, a->sha256) == 0)
            return 1;
    }
    return 0;
}

void adopt_confirmed(struct daemon *d, const struct queue_item *item)
{
    struct adopted a;

    if (d->books == NULL || !adopted_load(d->books->dir, item->session_id, &a))
        return;
    if (strcmp(a.wire_id, item->wire_id) != 0 || has(item->merged, &a) ||
        (item->base_version == a.version && strcmp(item->base_sha256, a.sha256) == 0) ||
        strcmp(a.content_id, item->content_id) == 0) {
        adopt_forget(d, item->session_id);
        return;
    }
    log_info("pulled-meanwhile session=%s version=%lld", item->session_id, (long long)a.version);
    sessions_touch(d, item->session_id, 0, 0);
}

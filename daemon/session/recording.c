#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bundle/pack/pack_meta.h"
#include "common/base/hash.h"
#include "common/base/now.h"
#include "common/data/jdoc.h"
#include "common/base/path.h"
#include "common/base/str.h"
#include "daemon/session/adopt.h"

#include "daemon/account/login_view.h"
#include "daemon/account/naming.h"
#include "daemon/session/recording.h"

#define OLD_MS (INT64_C(24) * 3600 * 1000)

int recording_files(struct job *j, struct ct_err *err)
{
    struct state *st = j->d->books->state;

    if (state_drop_files(st, j->session_id, err) != 0)
        return -1;
    for (size_t i = 0; i < j->n_files; i++) {
        struct state_file f = {
            .root = j->root,
            .path = j->files[i].path,
            .size_bytes = j->files[i].size_bytes,
            .mtime_ns = j->files[i].mtime_ns,
            .inode = j->files[i].inode,
            .is_attachment = j->files[i].is_attachment,
        };
        if (state_put_file(st, j->session_id, &f, err) != 0)
            return -1;
    }
    return 0;
}

int recording_writers(const struct job *j, struct ct_err *err)
{
    static const char *const keys[] = {"cwd", "beganIn"};
    int rc = 0;

    for (size_t k = 0; rc == 0 && k < sizeof(keys) / sizeof(keys[0]); k++) {
        const char *cwd = jdoc_str(j->result.metadata, keys[k]);
        rc = state_put_writer(j->d->books->state, j->project, cwd, err);
        for (size_t i = 0; rc == 0 && i < j->memories.n; i++)
            rc = state_put_writer(j->d->books->state, j->memories.v[i], cwd, err);
    }
    return rc;
}

static void new_state(const struct job *j, const struct state_session *old,
                      struct state_session *ss)
{
    const char *slug = jdoc_str(j->result.metadata, "slug");

    memset(ss, 0, sizeof(*ss));
    snprintf(ss->session_id, sizeof(ss->session_id), "%s", j->session_id);
    snprintf(ss->agent, sizeof(ss->agent), "%s", j->agent->id);
    ss->root = j->root;
    ss->project = j->project;
    ss->meta = j->result.metadata;
    json_object_object_add(ss->meta, "skipped", json_object_get(j->skipped));
    json_object_object_add(ss->meta, "duplicates", json_object_get(j->duplicates));
    json_object_object_add(ss->meta, "others", json_object_get(j->others));
    ss->slug = (char *)(uintptr_t)(slug != NULL ? slug : "");
    ss->modified_ms = j->modified_ms;
    ss->raw_bytes = j->result.raw_bytes > 0 ? j->result.raw_bytes
                    : old->raw_bytes > 0    ? old->raw_bytes
                                            : j->result.read_bytes; /* nothing was written */
    ss->transcript_bytes = j->result.transcript_bytes;
    snprintf(ss->transcript_digest, sizeof(ss->transcript_digest), "%s",
             j->result.transcript_digest);
    ss->is_rewritten = old->is_rewritten || j->result.is_rewritten;
    ss->revive = old->revive;
    ss->is_excluded = old->is_excluded;
    ss->pin = old->pin;
}

/* What goes into the books together. */
struct record {
    struct job *j;
    const struct state_session *old;
    const char *pin_wire; /* what old->pin is a version of */
    int is_thinner;       /* it lacks something of what was stored before */
    int is_adopted;       /* it is what a pull installed */
    struct queue_item q;
};

static void set_base(struct queue_item *q, int64_t version, const char *sha256)
{
    q->base_version = version;
    snprintf(q->base_sha256, sizeof(q->base_sha256), "%s", sha256);
}

/* Somebody put a version here in the place of what was safe: that is not in it. */
static int is_instead(const struct job *j)
{
    return j->adopted.version > 0 && j->adopted.is_instead;
}

/* Did a pull put a version in the place of what was here, which need not be in it?  The record of
 * that may be gone before the bundle is confirmed. */
static int is_replaced(const struct job *j)
{
    return is_instead(j) || (j->adopted.version > 0 && !adopted_is_merged(&j->adopted));
}

/* It lacks something of what was safe: it names what it keeps beyond rotation, which is one
 * version, and hides nothing else; what else there is stays a head. */
static void set_kept_base(const struct record *r, struct queue_item *q)
{
    const struct adopted *a = &r->j->adopted;

    if (q->pin <= 0)
        q->base_version = 0;
    else if (q->pin == a->version && strcmp(a->wire_id, r->j->wire_id) == 0)
        set_base(q, a->version, a->sha256);
    else if (q->pin == state_base(r->old) && strcmp(r->old->wire_id, r->j->wire_id) == 0)
        set_base(q, r->old->version, r->old->sha256);
    else
        q->base_version = 0;
}

/* Was something merged, or had it gone on before a pull left it as it was? */
static int has_more_than_stored(const struct record *r)
{
    const struct adopted *a = &r->j->adopted;

    return a->version > 0 && adopted_is_merged(a) &&
           !(a->is_here && a->transcript_bytes == r->old->transcript_bytes &&
             strcmp(a->transcript_digest, r->old->transcript_digest) == 0);
}

/* The version that this bundle may take the place of, because it holds all of it; or 0. */
static int64_t contained_version(const struct record *r)
{
    const struct job *j = r->j;

    return j->result.contains_stored && strcmp(r->old->wire_id, j->wire_id) == 0 &&
                   state_base(r->old) == j->stored_version
               ? j->stored_version
               : 0;
}

/* Was the session seen since by a pull, and nobody knows whether it had still all of what was safe?
 * What it went on from then is named by its number alone, which is no base (beside_goes_on()). */
static int is_doubtful(const struct record *r)
{
    return has_more_than_stored(r) && contained_version(r) == 0;
}

/* The version that this bundle goes on from, of those that it will be one of: what a pull
 * installed, what the bundle that it replaces goes on from, or this device's last one.  In clear
 * and sealed, a session has versions of its own. */
static void set_bases(const struct record *r, struct queue_item *q)
{
    const struct job *j = r->j;
    const struct adopted *a = &j->adopted;
    const struct queue_item *waiting = NULL;
    struct uploader_view v;
    int is_one = a->version > 0 && strcmp(a->wire_id, j->wire_id) == 0;

    if (uploader_look(j->d->books->uploader, j->session_id, &v) &&
        strcmp(v.item->wire_id, j->wire_id) == 0)
        waiting = v.item;
    if (r->is_thinner) {
        set_kept_base(r, q);
        return;
    }
    if (is_one && !adopted_is_merged(a))
        set_base(q, a->version, a->sha256);
    else if (is_instead(j))
        q->base_version = 0;
    else if (waiting != NULL && waiting->base_version > 0)
        set_base(q, waiting->base_version, waiting->base_sha256);
    else if (strcmp(r->old->wire_id, j->wire_id) == 0)
        set_base(q, state_base(r->old), is_doubtful(r) ? "" : r->old->sha256);
    /* Without books nobody knows whether what a pull found to be here too is still. */
    if (is_one && (adopted_is_merged(a) || (a->n_also > 0 && r->old->content_id[0] != '\0')))
        q->merged = adopted_json(a);
    else if (waiting != NULL)
        q->merged = json_object_get(waiting->merged);
    if (waiting == NULL)
        return;
    /* The bundle that this one replaces may have been confirmed without our learning of it. */
    q->before_version = waiting->phase == QUEUE_STORED ? waiting->version : waiting->before_version;
    snprintf(q->before_sha256, sizeof(q->before_sha256), "%s",
             waiting->phase == QUEUE_STORED ? waiting->sha256 : waiting->before_sha256);
}

/* Does it hold anything that the version of the books lacks?  Of what is not known to: yes.  What
 * is new was found beside the last bundle, so it counts too what that one had and never got away:
 * it waits and is replaced, or it was dropped, for the session was deleted elsewhere, or its file
 * damaged. */
static enum queue_news has_news(const struct record *r, const struct queue_item *q)
{
    const struct job *j = r->j;
    int is_within = r->old->is_within && strcmp(r->old->wire_id, j->wire_id) == 0;
    struct uploader_view v;

    if ((q->base_version <= 0 && !is_within) || has_more_than_stored(r) || r->old->revive ||
        r->old->is_renewed == STATE_RENEWED || j->has_news)
        return QUEUE_NEWS;
    if (uploader_look(j->d->books->uploader, j->session_id, &v))
        return v.item->has_news;
    if (state_is_unsaved(j->d->books->state, j->session_id))
        return QUEUE_NEWS;
    /* Files were there before the pull, too; and who only gave it a name may find that others did,
     * of the very same. */
    return (j->adopted.version > 0 && !adopted_is_merged(&j->adopted)) ||
                   r->old->is_renewed == STATE_RENEWED_NAMES
               ? QUEUE_MAYBE_NEWS
               : QUEUE_NO_NEWS;
}

static int seal_item(const struct job *j, struct queue_item *q, struct ct_err *err)
{
    struct sealed_facts facts = {
        .generation = j->bundle_generation,
        .gzip_bytes = j->result.gzip_bytes,
        .origin = TRUST_OWN,
    };

    memcpy(facts.object_id, j->result.object_id, sizeof(facts.object_id));
    snprintf(facts.content_id, sizeof(facts.content_id), "%s", j->result.content_id);
    return sealing_wrap(j->d, j->keys, &facts, q, err);
}

static int fill_item(struct record *r, struct ct_err *err)
{
    const struct job *j = r->j;
    struct daemon *d = j->d;
    const char *cwd = jdoc_str(j->result.metadata, "cwd"), *email, *url, *device, *why;
    struct queue_item *q = &r->q;

    login_view_look(d->login, &email, &url, &device, &why);
    snprintf(q->session_id, sizeof(q->session_id), "%s", j->session_id);
    q->file = str_dup(path_base(j->spool_path));
    q->size_bytes = j->result.size_bytes;
    snprintf(q->sha256, sizeof(q->sha256), "%s", j->result.sha256);
    snprintf(q->content_id, sizeof(q->content_id), "%s", j->result.content_id);
    q->md5 = hash_base64(j->result.md5, sizeof(j->result.md5));
    q->source_machine = device[0] != '\0' ? str_dup(device) : path_host_name();
    q->source_cwd = str_dup(cwd != NULL ? cwd : path_home());
    q->source_user_dir = str_dup(path_home());
    q->metadata = j->keys != NULL ? sealing_metadata(j->result.metadata)
                                  : pack_meta_public(j->result.metadata,
                                                     d->config->metadata == CONFIG_METADATA_FULL);
    naming_describe(d, j->session_id, q->metadata);
    q->pin = strcmp(r->pin_wire, j->wire_id) == 0 ? r->old->pin : 0;
    set_bases(r, q);
    q->has_news = has_news(r, q);
    q->revive = r->old->revive;
    return j->keys != NULL ? seal_item(j, q, err) : 0;
}

static int write_record(void *arg, struct ct_err *err)
{
    struct record *r = arg;
    struct daemon *d = r->j->d;
    struct state_session ss;

    new_state(r->j, r->old, &ss);
    if (strcmp(r->pin_wire, r->old->wire_id) != 0)
        ss.pin = 0;
    if ((r->is_thinner || is_replaced(r->j) || is_doubtful(r)) &&
        state_drop_contained(d->books->state, ss.session_id, err) != 0)
        return -1;
    if (state_put(d->books->state, &ss, err) != 0 || recording_writers(r->j, err) != 0 ||
        recording_files(r->j, err) != 0)
        return -1;
    if (r->is_adopted)
        return adopt_confirm(r->j, err);
    if (r->j->result.is_same)
        return 0;
    if (state_queue_manifest(d->books->state, r->j->session_id, r->j->result.content_id,
                             contained_version(r), &r->j->result.manifest, err) != 0)
        return -1;
    return uploader_put(d->books->uploader, &r->q, err);
}

int recording_write(struct job *j, const struct state_session *old, const char *pin_wire,
                    int is_thinner, int is_adopted, struct ct_err *err)
{
    struct daemon *d = j->d;
    struct record r = {.j = j,
                       .old = old,
                       .pin_wire = pin_wire,
                       .is_thinner = is_thinner,
                       .is_adopted = is_adopted};
    int rc = 0;

    if (!j->result.is_same)
        rc = fill_item(&r, err);
    if (rc == 0)
        rc = db_transact(state_db(d->books->state), write_record, &r, err);
    if (rc == 0 && j->modified_ms < now_wall_ms() - OLD_MS)
        cleanup_look(d); /* it may be about to go */
    if (rc == 0 && !j->result.is_same)
        uploader_take(d->books->uploader, &r.q);
    queue_item_clear(&r.q);
    return rc;
}

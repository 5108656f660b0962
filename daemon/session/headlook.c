#include <sys/queue.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/api.h"
#include "bundle/install/origin.h"
#include "bundle/open/held.h"
#include "bundle/seal/sealed.h"
#include "common/base/log.h"
#include "common/base/path.h"
#include "common/base/str.h"
#include "common/data/jdoc.h"
#include "daemon/session/job.h"
#include "uploader/beside.h"

#include "daemon/account/login_view.h"
#include "daemon/account/naming.h"
#include "daemon/account/room.h"
#include "daemon/account/sealing.h"
#include "daemon/session/headlook.h"

/* One session's look. */
struct look {
    TAILQ_ENTRY(look) link;
    struct headlook *h;
    char session_id[UUID_SIZE];
    char wire_id[UUID_SIZE];       /* "": in clear */
    struct json_object *heads;     /* rows; ... */
    size_t at, last;               /* ... the next one; the one that is looked into */
    struct api_head head;          /* ... that is */
    int64_t size_bytes;            /* ... of so many bytes */
    struct sealed_facts facts;     /* ... and its description, if it is sealed */
    char *path;                    /* where it is fetched to, or NULL */
    struct keep *keep;             /* it is being fetched, or NULL */
    struct peek *peek;             /* it is being read on the worker, or NULL */
    struct json_object *contained; /* {"version", "sha256"} of each head that is in the bundle */
    int is_same;                   /* the last one that was read holds no less than the bundle */
    struct json_object *beyond;    /* the row of one that holds all of the bundle and more, or NULL;
                                      borrowed from ${heads} */
    int64_t pin;   /* one that is contained, but whose records may be longer; or 0 */
    size_t looked; /* how many there were */
};

struct headlook {
    struct daemon *d;
    TAILQ_HEAD(, look) looks; /* the first one is under way */
};

static void go_on(struct look *l);

static void clear_head(struct look *l)
{
    if (l->path != NULL)
        unlink(l->path);
    free(l->path);
    l->path = NULL;
    sealed_facts_clear(&l->facts);
    memset(&l->facts, 0, sizeof(l->facts));
}

/* ---- on the worker: what do both hold? ----------------------------------------------------------
 */

struct peek {
    struct look *look; /* the loop's; NULL once that was forgotten */
    char session_id[UUID_SIZE];
    char *bundle, *head; /* paths */
    struct sealing_keys *keys;
    struct sealed_facts facts; /* of the head: its numbers only */
    int is_offshoot;           /* the head was made of what the bundle was made of */
    _Atomic int cancel;
    enum trust bundle_trust, head_trust; /* who vouches for either */
    int is_contained;                    /* the head is in the bundle */
    int is_within;                       /* all that the bundle has to say is in the head */
    int is_same;                         /* each is in the other, to the last record */
    int64_t more_bytes; /* that the head's transcript is longer, or (negative) shorter */
    struct ct_err err;
};

static int64_t transcript_bytes(const struct open_result *r)
{
    for (size_t i = 0; i < r->n; i++) {
        if (r->entries[i].kind == AGENT_TRANSCRIPT)
            return r->entries[i].size_bytes;
    }
    return 0;
}

static void compare(struct peek *p, struct held *bundle, struct held *head)
{
    enum news_order all, said, has;

    held_vouch(bundle, p->bundle_trust);
    held_vouch(head, p->head_trust);
    all = news_compare_all(bundle->news, head->news);
    said = news_compare(bundle->news, head->news);
    has = p->is_offshoot ? said : all;
    p->is_contained = (has == NEWS_SAME || has == NEWS_AHEAD) &&
                      held_files_lacking(&bundle->opened, &head->opened, NULL, NULL) == 0;
    p->is_within = (said == NEWS_SAME || said == NEWS_BEHIND) &&
                   held_files_lacking(&head->opened, &bundle->opened, NULL, NULL) == 0;
    p->is_same = p->is_contained && p->is_within && all == NEWS_SAME;
    p->more_bytes = transcript_bytes(&head->opened) - transcript_bytes(&bundle->opened);
}

static void peek_run(void *arg)
{
    struct peek *p = arg;
    struct unseal_opts ours = {0}, theirs;
    struct held bundle = {0}, head = {0};

    if (p->keys != NULL) {
        ours.ring = p->keys->ring;
        ours.must_be_sealed = 1;
    }
    theirs = ours;
    if (p->keys != NULL) {
        theirs.object_id = p->facts.object_id;
        theirs.generation = p->facts.generation;
        theirs.gzip_bytes = p->facts.gzip_bytes;
    }
    if (held_look(p->head, &theirs, p->session_id, &p->cancel, &head, &p->err) == 0 &&
        held_look(p->bundle, &ours, p->session_id, &p->cancel, &bundle, &p->err) == 0)
        compare(p, &bundle, &head);
    held_clear(&bundle);
    held_clear(&head);
}

static void peek_free(void *arg)
{
    struct peek *p = arg;

    if (p->keys != NULL)
        sealing_release(p->keys);
    free(p->bundle);
    free(p->head);
    free(p);
}

static void peek_done(void *arg)
{
    struct peek *p = arg;
    struct look *l = p->look;

    if (l != NULL) {
        l->peek = NULL;
        /* In clear, what comes home may have less in a record than what was sent. */
        l->is_same = p->is_same && (p->keys != NULL || p->more_bytes == 0);
        if (p->is_contained && p->keys == NULL && p->more_bytes > 0)
            l->pin = l->head.version;
        if (!p->is_contained && p->is_within && l->beyond == NULL)
            l->beyond = json_object_array_get_idx(l->heads, l->last);
        if (p->err.code != ERR_NONE)
            log_warn("not-looked-into session=%s version=%lld error=\"%s\"", l->session_id,
                     (long long)l->head.version, p->err.msg);
        if (p->is_contained) {
            struct json_object *o = json_object_new_object();
            jdoc_set_int(o, "version", l->head.version);
            jdoc_set_str(o, "sha256", strchr(l->head.checksum, ':') + 1);
            json_object_array_add(l->contained, o);
        }
        clear_head(l);
        go_on(l);
    }
    peek_free(p);
}

/* What was noted here of whose the session is. */
static enum trust noted(struct daemon *d, const char *session_id)
{
    char agent[AGENT_ID_SIZE] = "", key[ORIGIN_KEY_SIZE];

    state_agent(d->books->state, session_id, agent);
    return origin_of(d->config->state_dir, &d->config->roots, origin_key(agent, session_id, key));
}

static void read_it(struct look *l)
{
    struct daemon *d = l->h->d;
    struct peek *p = str_calloc(1, sizeof(*p));
    char *spool = path_join(d->books->dir, "spool");
    struct uploader_view v;

    p->look = l;
    snprintf(p->session_id, sizeof(p->session_id), "%s", l->session_id);
    if (uploader_look(d->books->uploader, l->session_id, &v)) {
        p->bundle = path_join(spool, v.item->file);
        p->is_offshoot = v.item->has_news == QUEUE_NEWS &&
                         beside_is_offshoot(v.item, json_object_array_get_idx(l->heads, l->last));
    } else {
        p->bundle = str_dup("");
    }
    p->head = str_dup(l->path);
    p->bundle_trust = noted(d, l->session_id);
    p->head_trust = l->facts.origin;
    if (l->wire_id[0] != '\0') {
        p->keys = sealing_hold(d->sealing);
    } else { /* in clear whoever runs the server vouches for both, at most */
        p->head_trust = TRUST_ACCOUNT;
        if (p->bundle_trust > TRUST_ACCOUNT)
            p->bundle_trust = TRUST_ACCOUNT;
    }
    memcpy(p->facts.object_id, l->facts.object_id, sizeof(p->facts.object_id));
    p->facts.generation = l->facts.generation;
    p->facts.gzip_bytes = l->facts.gzip_bytes;
    free(spool);
    l->peek = p;
    worker_submit(d->worker, peek_run, peek_done, peek_free, p);
}

/* ---- fetching -----------------------------------------------------------------------------------
 */

static void end(struct look *l)
{
    TAILQ_REMOVE(&l->h->looks, l, link);
    if (l->keep != NULL)
        keep_cancel(l->keep);
    if (l->peek != NULL) {
        l->peek->cancel = 1;
        l->peek->look = NULL;
    }
    clear_head(l);
    json_object_put(l->heads);
    json_object_put(l->contained);
    free(l);
}

static void start_next(struct headlook *h)
{
    if (!TAILQ_EMPTY(&h->looks))
        go_on(TAILQ_FIRST(&h->looks));
}

/* What may pass by itself makes the bundle wait; of all else nothing is known then. */
static void failed(struct look *l, const struct ct_err *err)
{
    struct headlook *h = l->h;
    char id[UUID_SIZE];

    if (err->code != ERR_RETRY && err->code != ERR_EXPIRED && err->code != ERR_AUTH) {
        log_warn("not-looked-into session=%s version=%lld error=\"%s\"", l->session_id,
                 (long long)l->head.version, err->msg);
        clear_head(l);
        go_on(l);
        return;
    }
    memcpy(id, l->session_id, sizeof(id));
    end(l);
    uploader_looked(h->d->books->uploader, id, 0, err);
    start_next(h);
}

static void on_fetched(void *arg, const struct ct_err *err)
{
    struct look *l = arg;

    l->keep = NULL;
    if (err != NULL)
        failed(l, err);
    else
        read_it(l);
}

/* Where there is a key, only what it vouches for is looked into. */
static int can_be_read(struct look *l, struct json_object *row)
{
    struct daemon *d = l->h->d;
    int is_disk;

    l->size_bytes = jdoc_int(row, "sizeBytes", 0);
    if (l->head.checksum[0] == '\0' || l->size_bytes <= 0 ||
        l->size_bytes > room_for_bundle(d, &is_disk))
        return 0;
    if (l->wire_id[0] == '\0')
        return !sealed_is(l->head.metadata);
    return sealed_is(l->head.metadata) &&
           sealed_open(sealing_ring(d->sealing), l->wire_id, l->head.metadata, &l->facts, NULL) ==
               0 &&
           !l->facts.is_retired && strcmp(l->facts.session_id, l->session_id) == 0;
}

static void fetch(struct look *l)
{
    struct daemon *d = l->h->d;
    struct keep_what what = {.version = l->head.version, .size_bytes = l->size_bytes};
    struct ct_err err;

    l->path = uploader_spool_path(d->books->uploader, l->session_id);
    snprintf(what.session_id, sizeof(what.session_id), "%s",
             l->wire_id[0] != '\0' ? l->wire_id : l->session_id);
    snprintf(what.sha256, sizeof(what.sha256), "%s", strchr(l->head.checksum, ':') + 1);
    what.path = l->path;
    if (uploader_fetch(d->books->uploader, &what, on_fetched, l, &l->keep, &err) != 0)
        failed(l, &err);
}

/* ---- what comes of it ---------------------------------------------------------------------------
 */

static int write_contained(void *arg, struct ct_err *err)
{
    struct look *l = arg;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < json_object_array_length(l->contained); i++) {
        const struct json_object *o = json_object_array_get_idx(l->contained, i);
        rc = state_note_contained(l->h->d->books->state, l->session_id, l->wire_id,
                                  jdoc_int(o, "version", 0), jdoc_str(o, "sha256"), 1, err);
    }
    return rc;
}

/* Its description, if it is sealed.  Return whether it may stand for what is here: who vouches for
 * less than this machine does not. */
static int describe(const struct look *l, const struct api_head *h, struct sealed_facts *ret)
{
    struct daemon *d = l->h->d;

    if (l->wire_id[0] == '\0')
        return 1;
    if (sealed_open(sealing_ring(d->sealing), l->wire_id, h->metadata, ret, NULL) != 0)
        return 0;
    if (ret->origin >= noted(d, l->session_id))
        return 1;
    sealed_facts_clear(ret);
    return 0;
}

/* The only one there is holds the same: that is the version that is here. */
static int settle(const struct look *l)
{
    struct daemon *d = l->h->d;
    const struct queue_beside nothing = {.is_told = 1, .messages = -1};
    const struct json_object *o;
    struct sealed_facts f = {0};
    struct api_head h;

    if (!l->is_same || l->looked != 1 || json_object_array_length(l->contained) != 1 ||
        !api_head_read(json_object_array_get_idx(l->heads, l->last), &h))
        return 0;
    if (!describe(l, &h, &f))
        return 0;
    o = json_object_array_get_idx(l->contained, 0);
    log_info("there-already session=%s version=%lld", l->session_id, (long long)h.version);
    uploader_settle_sealed(d->books->uploader, l->session_id, h.version, jdoc_str(o, "sha256"),
                           f.key_id, f.generation, &nothing, login_view_is_own_machine(d->login));
    naming_see(d, l->session_id, l->wire_id[0] != '\0' ? f.metadata : h.metadata, 1);
    sealed_facts_clear(&f);
    return 1;
}

/* One holds all of it and more: nothing is uploaded, and the session is behind that. */
static void pass(const struct look *l)
{
    struct daemon *d = l->h->d;
    struct queue_beside beside = {.is_told = 1, .is_within = 1};
    struct sealed_facts f = {0};
    struct api_head h;

    if (l->beyond == NULL || !api_head_read(l->beyond, &h) || !describe(l, &h, &f))
        return;
    log_info("behind session=%s version=%lld", l->session_id, (long long)h.version);
    beside.version = h.version;
    beside.messages = h.messages;
    snprintf(beside.device, sizeof(beside.device), "%s", h.device);
    uploader_settle_sealed(d->books->uploader, l->session_id, h.version,
                           h.checksum + strlen("sha256:"), f.key_id, f.generation, &beside,
                           login_view_is_own_machine(d->login));
    sealed_facts_clear(&f);
}

static void finish(struct look *l)
{
    struct headlook *h = l->h;
    struct ct_err err;

    log_info("looked-into session=%s versions=%zu contained=%zu", l->session_id, l->looked,
             json_object_array_length(l->contained));
    if (db_transact(state_db(h->d->books->state), write_contained, l, &err) != 0)
        log_error("record-failed session=%s error=\"%s\"", l->session_id, err.msg);
    if (!settle(l))
        pass(l);
    uploader_looked(h->d->books->uploader, l->session_id, l->pin, NULL);
    end(l);
    start_next(h);
}

/* The next one of the heads, or the end. */
static void go_on(struct look *l)
{
    while (l->at < json_object_array_length(l->heads)) {
        struct json_object *row = json_object_array_get_idx(l->heads, l->at++);
        if (!api_head_read(row, &l->head) || !l->head.is_head)
            continue; /* pinned only */
        l->looked++;
        l->is_same = 0;
        l->last = l->at - 1;
        if (can_be_read(l, row)) {
            naming_see(l->h->d, l->session_id,
                       l->wire_id[0] != '\0' ? l->facts.metadata : l->head.metadata, 0);
            fetch(l);
            return;
        }
        clear_head(l);
    }
    finish(l);
}

void headlook_begin(struct headlook *h, const struct queue_item *item, struct json_object *heads)
{
    struct look *l = str_calloc(1, sizeof(*l));
    int is_first = TAILQ_EMPTY(&h->looks);

    l->h = h;
    memcpy(l->session_id, item->session_id, sizeof(l->session_id));
    memcpy(l->wire_id, item->wire_id, sizeof(l->wire_id));
    l->heads = json_object_get(heads);
    l->contained = json_object_new_array();
    TAILQ_INSERT_TAIL(&h->looks, l, link);
    if (is_first)
        go_on(l);
}

void headlook_forget(struct headlook *h)
{
    while (!TAILQ_EMPTY(&h->looks))
        end(TAILQ_FIRST(&h->looks));
}

struct headlook *headlook_new(struct daemon *d)
{
    struct headlook *h = str_calloc(1, sizeof(*h));

    h->d = d;
    TAILQ_INIT(&h->looks);
    return h;
}

void headlook_free(struct headlook *h)
{
    if (h == NULL)
        return;
    headlook_forget(h);
    free(h);
}

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/api.h"
#include "api/client.h"
#include "api/put.h"
#include "api/store_error.h"
#include "common/base/hash.h"
#include "common/data/jdoc.h"
#include "common/data/names.h"
#include "common/base/now.h"
#include "common/base/path.h"
#include "common/sys/secret.h"
#include "common/base/str.h"
#include "uploader/beside.h"
#include "uploader/keep.h"
#include "uploader/spoolfile.h"

#include "uploader/transfer_impl.h"

/* Presigned URLs live 5 minutes; one with less than a minute left is not worth a PUT. */
#define URL_FRESH_MS (4 * 60 * 1000)

/* Clocks that differ by more are worth a word. */
#define SKEW_MS (60 * 1000)

void reservation_free(struct reservation *r)
{
    if (r == NULL)
        return;
    if (r->res.upload_url != NULL)
        str_wipe(r->res.upload_url, strlen(r->res.upload_url));
    api_upload_res_clear(&r->res);
    free(r);
}

static size_t count_bases(const struct transfer *t)
{
    struct json_object *bases = beside_bases(t->item, t->env.features);
    size_t n = bases != NULL ? json_object_array_length(bases) : 0;

    json_object_put(bases);
    return n;
}

static int is_fresh(const struct reservation *r)
{
    return r != NULL && now_boot_ms() - r->boot_ms < URL_FRESH_MS;
}

/* Frees what a transfer owns; a check under way was told before. */
static void transfer_free(struct transfer *t)
{
    api_request_free(t->request);
    reservation_free(t->reserved);
    secret_free(t->token);
    free(t->api_url);
    free(t->path);
    if (t->fd >= 0)
        close(t->fd);
    free(t);
}

void transfer_finish(struct transfer *t, const struct ct_err *err)
{
    t->ops->done(t->arg, t->version, t->is_loopback, err);
    transfer_free(t);
}

/* Begin an API call whose answer goes to ${done}. */
static void call(struct transfer *t, const char *method, const char *path, struct json_object *body,
                 void (*done)(void *arg, const struct http_res *res, const struct ct_err *err))
{
    struct ct_err err;

    api_request_free(t->request);
    api_request_new(t->api_url, t->token, method, path, body, &t->request);
    if (api_start(t->env.engine, t->request, done, t, &t->call, &err) != 0) {
        t->call = NULL;
        transfer_finish(t, &err);
    }
}

void transfer_versions(struct transfer *t, void (*done)(void *arg, const struct http_res *res,
                                                        const struct ct_err *err))
{
    char *path = api_session_path(queue_wire_id(t->item), "/versions");

    call(t, "GET", path, NULL, done);
    free(path);
}

static void see_clock(struct transfer *t, enum transfer_peer peer, const struct http_res *res)
{
    if (res == NULL || res->date_ms <= 0)
        return;
    t->skew_ms[peer] = res->date_ms - now_wall_ms();
    t->has_skew[peer] = 1;
    t->ops->clock(t->arg, peer, t->skew_ms[peer]);
}

/* One of API and store on this machine is enough: neither outlives it. */
static void see_machine(struct transfer *t, const struct http_res *res)
{
    if (res != NULL && res->is_own_machine)
        t->is_loopback = 1;
}

static void check(struct transfer *t);
static void confirm(struct transfer *t);

/* ---- what has no news neither hides nor stands beside what it lacks -----------------------------
 */

void transfer_behind(struct transfer *t)
{
    t->ops->behind(t->arg);
    transfer_free(t);
}

static void unsure(struct transfer *t)
{
    t->ops->unsure(t->arg, t->reserved->res.heads);
    transfer_free(t);
}

/* The reservation stays good, unless the look finds something that is in the bundle. */
static void look_into(struct transfer *t, struct json_object *heads)
{
    json_object_get(heads);
    *t->slot = t->reserved;
    t->reserved = NULL;
    t->ops->unsure(t->arg, heads);
    json_object_put(heads);
    transfer_free(t);
}

static void behind_or_unsure(struct transfer *t)
{
    transfer_if_held(t, transfer_behind, unsure);
}

/* Where the books know of no version that it goes on from, as when they or the server were put
 * back, what stands beside it may be in it; or it may be in that. */
static int is_unsure(const struct transfer *t)
{
    int is_news = t->item->has_news == QUEUE_NEWS && !beside_goes_on(t->item, t->env.features);

    return (is_news || t->item->has_news == QUEUE_MAYBE_NEWS) && !t->env.is_looked_into;
}

/* Somebody made a version of what this one was made of too, perhaps without a word: only a look
 * tells.  It is taken once for each such version. */
static int has_offshoot(const struct transfer *t, struct json_object *heads)
{
    struct api_head h;
    size_t n = heads != NULL ? json_object_array_length(heads) : 0;

    for (size_t i = 0; t->item->has_news == QUEUE_NEWS && !t->env.is_looked_into && i < n; i++) {
        struct json_object *row = json_object_array_get_idx(heads, i);
        if (api_head_read(row, &h) && h.is_head && !h.is_own && h.version > t->item->facts.apart &&
            beside_is_offshoot(t->item, row))
            return 1;
    }
    return 0;
}

/* After a look it is known that what stands does not hold it. */
static int is_without_news(const struct transfer *t)
{
    return t->item->has_news == QUEUE_NO_NEWS && !t->env.is_looked_into;
}

/* The header of what lies in the spool; not if it was removed to make room. */
static int own_header(const struct transfer *t, struct seal_header *ret)
{
    unsigned char head[SEAL_HEADER_BYTES];
    int fd = open(t->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    ssize_t n = fd >= 0 ? read(fd, head, sizeof(head)) : -1;

    if (fd >= 0)
        close(fd);
    return n == (ssize_t)sizeof(head) && seal_parse_header(head, sizeof(head), ret, NULL) == 0;
}

static void on_probed(void *arg, const struct ct_err *why)
{
    struct transfer *t = arg;
    struct ct_err err;

    t->probe = NULL;
    if (why == NULL || why->code != ERR_GONE) {
        transfer_finish(t, why);
        return;
    }
    if (t->ops->unstored(t->arg, &err) == 0) {
        err = *why;
        err.code = ERR_RETRY;
    }
    transfer_finish(t, &err);
}

void transfer_confirmed(struct transfer *t)
{
    struct probe_what what = {.api_url = t->api_url,
                              .token = t->token,
                              .session_id = queue_wire_id(t->item),
                              .version = t->version};
    struct seal_header header;
    struct ct_err err;

    if (!queue_is_sealed(t->item) || !own_header(t, &header)) {
        transfer_finish(t, NULL);
        return;
    }
    memcpy(what.object_id, header.object_id, sizeof(what.object_id));
    what.generation = header.generation;
    if (probe_start(t->env.engine, &what, on_probed, t, &t->probe, &err) != 0)
        transfer_finish(t, &err);
}

/* A reservation lapses by itself, too; a version that can't be deleted stays where it is. */
static void on_given_up(void *arg, const struct http_res *res, const struct ct_err *net_err)
{
    struct transfer *t = arg;
    struct json_object *answer = NULL;
    struct ct_err err = {0};
    int is_gone;

    (void)net_err;
    t->call = NULL;
    is_gone = res != NULL && (api_answer(res, &answer, &err) == 0 || err.code == ERR_GONE);
    json_object_put(answer);
    if (t->item->phase == QUEUE_STORED && !is_gone)
        transfer_confirmed(t);
    else
        t->then(t);
}

/* Have the server forget the version, and go on with ${then}. */
static void give_up(struct transfer *t, int64_t version, void (*then)(struct transfer *t))
{
    char *rest = str_printf("/versions/%lld", (long long)version);
    char *path = api_session_path(queue_wire_id(t->item), rest);

    t->then = then;
    call(t, "DELETE", path, NULL, on_given_up);
    free(path);
    free(rest);
}

/* So many places have something that others lack that the server takes no more of them. */
static int is_one_too_many(const struct transfer *t, const struct ct_err *err)
{
    return t->item->has_news == QUEUE_NO_NEWS && strcmp(err->reason, "too_many_heads") == 0;
}

/* ---- confirm ------------------------------------------------------------------------------------
 */

static void refused(struct transfer *t)
{
    transfer_finish(t, &t->refusal);
}

/* The server takes no more of what others lack; without news it need not. */
static void one_too_many(struct transfer *t, const struct ct_err *err)
{
    t->refusal = *err;
    transfer_if_held(t, transfer_behind, refused);
}

static void confirm_failed(struct transfer *t, struct ct_err *err)
{
    int is_lost = err->code == ERR_GONE || strcmp(err->reason, "no_reservation") == 0 ||
                  strcmp(err->reason, "not_uploaded") == 0;

    if (is_one_too_many(t, err)) {
        one_too_many(t, err);
        return;
    }
    if (is_lost && t->ops->unstored(t->arg, err) == 0) {
        err->code = ERR_EXPIRED;
        snprintf(err->msg, sizeof(err->msg), "the reservation is gone; uploading again");
    }
    transfer_finish(t, err);
}

static void take_back(struct transfer *t)
{
    give_up(t, t->version, transfer_behind);
}

static void on_confirmed(void *arg, const struct http_res *res, const struct ct_err *net_err)
{
    struct transfer *t = arg;
    struct json_object *answer = NULL;
    struct queue_beside beside;
    struct ct_err err;
    int lacking;

    t->call = NULL;
    see_machine(t, res);
    if (res == NULL) {
        transfer_finish(t, net_err);
        return;
    }
    if (api_answer(res, &answer, &err) != 0) {
        confirm_failed(t, &err);
        return;
    }
    lacking = beside_of_confirm(answer, t->version,
                                t->reserved != NULL ? t->reserved->res.heads : NULL, &beside);
    json_object_put(answer);
    t->is_told = lacking >= 0;
    if (t->is_told)
        t->ops->beside(t->arg, &beside);
    /* It came while this one was on its way.  What was amended, though, is in this one only. */
    if (lacking > 0 && t->item->has_news == QUEUE_NO_NEWS && t->item->facts.amend == 0)
        transfer_if_held(t, take_back, transfer_confirmed);
    else if (t->is_stock)
        transfer_settle(t);
    else
        transfer_confirmed(t);
}

static void confirm(struct transfer *t)
{
    struct api_confirm_req r = {.version = t->version};
    struct json_object *body;
    char *path = api_session_path(queue_wire_id(t->item), "/confirm");

    snprintf(r.checksum, sizeof(r.checksum), "sha256:%s", t->item->sha256);
    body = api_confirm_req_json(&r);
    call(t, "POST", path, body, on_confirmed);
    json_object_put(body);
    free(path);
}

/* ---- the PUT ------------------------------------------------------------------------------------
 */

/* A presigned URL that expired, or a signature that did not match, is worth a new URL at once. */
static int new_url_may_help(struct transfer *t, const struct ct_err *err)
{
    int most = strcmp(err->reason, "SignatureDoesNotMatch") == 0 ? 1 : 2;

    if (err->code != ERR_EXPIRED || t->new_urls >= most)
        return 0;
    t->new_urls++;
    return 1;
}

/* Signatures go by two clocks, the server's and the store's; ours has no part in it. */
static void explain_skew(const struct transfer *t, struct ct_err *err)
{
    int64_t ahead_ms = t->skew_ms[TRANSFER_STORE] - t->skew_ms[TRANSFER_API];
    char by[64];

    if (!t->has_skew[TRANSFER_API] || !t->has_skew[TRANSFER_STORE] || llabs(ahead_ms) < SKEW_MS)
        return;
    str_human_duration(llabs(ahead_ms) / 1000, by, sizeof(by));
    err->code = ERR_FAIL;
    snprintf(
        err->msg, sizeof(err->msg),
        "the object store's clock is %s %s the server's, so it refuses what the server signed; "
        "the operator has to set the clock",
        by, ahead_ms > 0 ? "ahead of" : "behind");
}

static void stored(struct transfer *t)
{
    struct ct_err err;

    t->version = t->reserved->res.version;
    if (t->ops->stored(t->arg, t->version, t->is_loopback, &err) != 0)
        transfer_finish(t, &err);
    else
        confirm(t);
}

static void put_failed(struct transfer *t, const struct ct_err *why)
{
    struct ct_err err = *why;

    if (strcmp(err.reason, "PreconditionFailed") == 0) {
        /* There is an object of that name, which was reserved for this bundle and signed for its
         * digest: an earlier attempt's, whose answer got lost.  The server looks at it. */
        stored(t);
        return;
    }
    if (strcmp(err.reason, "BadDigest") == 0) {
        if (!t->is_again) {
            t->is_again = 1;
            check(t);
            return;
        }
        err.code = ERR_RETRY; /* the file is what it should be: it happens on the way */
    }
    if (new_url_may_help(t, &err)) {
        transfer_reserve(t);
        return;
    }
    if (strcmp(err.reason, "SignatureDoesNotMatch") == 0)
        err.code = ERR_FAIL; /* a new one did not match either */
    if (err.code == ERR_EXPIRED || strcmp(err.reason, "RequestTimeTooSkewed") == 0)
        explain_skew(t, &err);
    if (err.code == ERR_RETRY && is_fresh(t->reserved)) {
        *t->slot = t->reserved;
        t->reserved = NULL;
    }
    transfer_finish(t, &err);
}

static void on_put(void *arg, const struct http_res *res, const struct ct_err *net_err)
{
    struct transfer *t = arg;
    struct ct_err err;

    t->call = NULL;
    close(t->fd);
    t->fd = -1;
    see_clock(t, TRANSFER_STORE, res);
    see_machine(t, res);
    if (res == NULL) {
        put_failed(t, net_err);
    } else if (res->status < 200 || res->status > 299) {
        store_error(res, now_boot_ms() - t->reserved->boot_ms, &err);
        put_failed(t, &err);
    } else {
        stored(t);
    }
}

static void on_progress(void *arg, int64_t sent, int64_t received)
{
    struct transfer *t = arg;

    (void)received;
    t->ops->progress(t->arg, sent);
}

void transfer_put(struct transfer *t)
{
    struct api_put put;
    struct ct_err err;

    if (spoolfile_open(t->path, &t->fd, &err) != 0) {
        transfer_finish(t, &err);
        return;
    }
    api_put_begin(t->api_url, &t->reserved->res, &put);
    put.http.headers = &put.headers;
    put.http.body_fd = t->fd;
    put.http.body_len = t->item->size_bytes;
    put.http.progress = on_progress;
    put.http.progress_arg = t;
    if (http_start(t->env.engine, &put.http, on_put, t, &t->call, &err) != 0) {
        t->call = NULL;
        transfer_finish(t, &err);
    }
    api_put_end(&put);
}

static void begin_put(struct transfer *t)
{
    t->is_stock = t->reserved->res.upload_headers == NULL;
    t->is_loopback = t->is_loopback > 0 || http_url_is_loopback(t->reserved->res.upload_url) ||
                     http_url_is_loopback(t->api_url);
    if ((t->is_stock || t->reserved->res.is_pin_refused) && t->item->pin > 0 && !t->is_kept)
        transfer_keep_pinned(t);
    else
        transfer_put(t);
}

/* ---- the reservation ----------------------------------------------------------------------------
 */

/* Who deleted it and when, as far as the server says so. */
static void say_deleted(const struct http_res *res, struct ct_err *err)
{
    struct json_object *o = NULL;
    const char *at, *name;
    char by[80] = "somebody", when[48] = "", day[32];
    int64_t at_ms;

    if (jdoc_parse(res->body.data, res->body.len, &o, NULL) != 0)
        return;
    at = jdoc_str(o, "deletedAt");
    name = jdoc_str(jdoc_obj(o, "deletedBy"), "name");
    if (name != NULL)
        str_escape(name, strlen(name), by, sizeof(by));
    if (at != NULL && now_parse_rfc3339(at, &at_ms) == 0) {
        now_rfc3339(at_ms, day);
        snprintf(when, sizeof(when), " on %.10s at %.5s UTC", day, day + 11);
    }
    snprintf(err->msg, sizeof(err->msg), "%s deleted it in the cloud%s", by, when);
    json_object_put(o);
}

/* The server says what it can do.  Return whether what was asked of it has to be asked anew. */
static int learn_features(struct transfer *t, unsigned features)
{
    unsigned before = t->env.features;

    t->env.features = features;
    if (features != before)
        t->ops->features(t->arg, features);
    return (features & ~before & API_HAS_BASE_CHECKSUMS) && beside_has_sums(t->item);
}

/* A server that has become an older one does not know checksums of bases. */
static int is_older_by_now(struct transfer *t, const struct ct_err *err)
{
    if (err->http_status != 422 || strstr(err->msg, "baseVersions") == NULL ||
        !(t->env.features & API_HAS_BASE_CHECKSUMS))
        return 0;
    learn_features(t, t->env.features & ~(unsigned)API_HAS_BASE_CHECKSUMS);
    return 1;
}

static void reserve_failed(struct transfer *t, const struct http_res *res, struct ct_err *err)
{
    if (is_older_by_now(t, err)) {
        transfer_reserve(t);
        return;
    }
    if (is_one_too_many(t, err)) {
        one_too_many(t, err);
        return;
    }
    if (strcmp(err->reason, "deleted") == 0)
        say_deleted(res, err);
    transfer_finish(t, err);
}

void transfer_go_on(struct transfer *t)
{
    if (is_fresh(t->reserved))
        begin_put(t);
    else
        transfer_reserve(t);
}

static void go_on_reserved(struct transfer *t)
{
    struct api_upload_res *res = &t->reserved->res;
    struct queue_beside beside;

    if (learn_features(t, res->features)) {
        give_up(t, res->version, transfer_reserve);
        return;
    }
    if (res->features & API_HAS_HEADS) {
        int lacking = beside_of_upload(res->heads, &beside);
        t->ops->beside(t->arg, &beside);
        if (lacking > 0 && (is_unsure(t) || is_without_news(t))) {
            give_up(t, res->version, is_unsure(t) ? unsure : behind_or_unsure);
            return;
        }
        if (has_offshoot(t, res->heads)) {
            look_into(t, res->heads);
            return;
        }
    } else if (!t->is_looked) {
        transfer_look(t);
        return;
    }
    begin_put(t);
}

static void on_reserved(void *arg, const struct http_res *res, const struct ct_err *net_err)
{
    struct transfer *t = arg;
    struct json_object *answer = NULL;
    struct reservation *fresh;
    struct ct_err err;
    int rc;

    t->call = NULL;
    see_clock(t, TRANSFER_API, res);
    see_machine(t, res);
    if (res == NULL) {
        transfer_finish(t, net_err);
        return;
    }
    if (api_answer(res, &answer, &err) != 0) {
        reserve_failed(t, res, &err);
        return;
    }
    fresh = str_calloc(1, sizeof(*fresh));
    rc = api_upload_res_parse(answer, &fresh->res, &err);
    json_object_put(answer);
    if (rc != 0) {
        reservation_free(fresh);
        err.code = ERR_RETRY;
        transfer_finish(t, &err);
        return;
    }
    fresh->boot_ms = now_boot_ms();
    fresh->n_bases = count_bases(t);
    reservation_free(t->reserved);
    t->reserved = fresh;
    go_on_reserved(t);
}

void transfer_reserve(struct transfer *t)
{
    const struct queue_item *q = t->item;
    struct api_upload_req r = {0};
    struct json_object *body;

    r.session_id = (char *)(uintptr_t)queue_wire_id(q);
    r.source_machine = q->source_machine;
    r.source_cwd = q->source_cwd;
    r.source_user_dir = q->source_user_dir;
    r.size_bytes = q->size_bytes;
    snprintf(r.checksum, sizeof(r.checksum), "sha256:%s", q->sha256);
    r.md5 = q->md5;
    r.metadata = q->metadata;
    /* As other clients have them; of what is sealed nobody is told. */
    r.label = (char *)(uintptr_t)names_title(jdoc_obj(q->metadata, "names"));
    r.tags = names_tags(jdoc_obj(q->metadata, "names"));
    if (json_object_array_length(r.tags) == 0) {
        json_object_put(r.tags);
        r.tags = NULL;
    }
    r.pin = q->pin;
    r.amend = q->facts.amend;
    if (t->env.device_id != NULL && t->env.device_id[0] != '\0')
        r.device_id = (char *)(uintptr_t)t->env.device_id;
    r.base_version = q->base_version;
    r.bases = beside_bases(q, t->env.features);
    r.revive = q->revive;
    body = api_upload_req_json(&r);
    json_object_put(r.bases);
    json_object_put(r.tags);
    call(t, "POST", "/sessions/upload", body, on_reserved);
    json_object_put(body);
}

/* ---- before anything goes out: is the spool file what was put there? ----------------------------
 */

struct check {
    struct transfer *t; /* the loop's; NULL once the transfer was cancelled */
    char *path;
    int64_t size_bytes;
    char sha256[HASH_SHA256_HEX];
    struct ct_err err;
};

static void check_run(void *arg)
{
    struct check *c = arg;

    spoolfile_check(c->path, c->size_bytes, c->sha256, &c->err);
}

static void check_free(void *arg)
{
    struct check *c = arg;

    free(c->path);
    free(c);
}

static void check_done(void *arg)
{
    struct check *c = arg;
    struct transfer *t = c->t;
    struct ct_err err = c->err;

    check_free(c);
    if (t == NULL)
        return;
    t->check = NULL;
    if (t->item->phase == QUEUE_STORED) {
        /* The store has it; the file matters only if the reservation turns out to be gone.  Whether
         * the server is ours and where it stores was not recorded: be careful. */
        t->version = t->item->version;
        t->is_stock = 1;
        t->is_loopback = http_url_is_loopback(t->api_url) ? 1 : -1;
        confirm(t);
    } else if (err.code != ERR_NONE) {
        transfer_finish(t, &err);
    } else if (is_fresh(t->reserved) && !t->is_again && t->env.is_looked_into &&
               t->reserved->n_bases != count_bases(t)) {
        give_up(t, t->reserved->res.version, transfer_reserve);
    } else if (is_fresh(t->reserved) && !t->is_again) {
        begin_put(t);
    } else if (t->env.features & API_HAS_HEADS || t->is_looked) {
        transfer_reserve(t);
    } else {
        transfer_look(t);
    }
}

static void check(struct transfer *t)
{
    t->check = str_calloc(1, sizeof(*t->check));
    t->check->t = t;
    t->check->path = str_dup(t->path);
    t->check->size_bytes = t->item->size_bytes;
    snprintf(t->check->sha256, sizeof(t->check->sha256), "%s", t->item->sha256);
    worker_submit(t->env.worker, check_run, check_done, check_free, t->check);
}

struct transfer *transfer_start(const struct transfer_env *env, const struct queue_item *item,
                                const char *path, struct reservation **slot,
                                const struct transfer_ops *ops, void *arg)
{
    struct transfer *t = str_calloc(1, sizeof(*t));

    t->env = *env;
    t->env.cred = NULL;
    t->api_url = str_dup(env->cred->api_url);
    t->token = secret_dup(env->cred->token);
    t->item = item;
    t->ops = ops;
    t->arg = arg;
    t->path = str_dup(path);
    t->fd = -1;
    t->slot = slot;
    t->reserved = *slot;
    *slot = NULL;
    t->is_looked = item->facts.own_version < 0; /* nothing is there to look at */
    check(t);
    return t;
}

void transfer_cancel(struct transfer *t)
{
    if (t == NULL)
        return;
    if (t->check != NULL)
        t->check->t = NULL;
    if (t->call != NULL)
        http_cancel(t->call);
    keep_cancel(t->keep);
    probe_cancel(t->probe);
    transfer_free(t);
}

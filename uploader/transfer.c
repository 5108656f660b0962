#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/api.h"
#include "api/client.h"
#include "common/base/hash.h"
#include "common/data/jdoc.h"
#include "common/base/now.h"
#include "common/base/path.h"
#include "common/sys/secret.h"
#include "common/base/str.h"
#include "uploader/keep.h"
#include "uploader/spoolfile.h"
#include "uploader/store_error.h"

#include "uploader/transfer.h"

/* Presigned URLs live 5 minutes; one with less than a minute left is not worth a PUT. */
#define URL_FRESH_MS (4 * 60 * 1000)

/* Clocks that differ by more are worth a word. */
#define SKEW_MS (60 * 1000)

struct check;

struct reservation {
    struct api_upload_res res;
    int64_t boot_ms; /* when it came */
};

struct transfer {
    struct transfer_env env;
    char *api_url;
    char *token;
    const struct queue_item *item;
    const struct transfer_ops *ops;
    void *arg;
    char *path;
    struct http_call *call;
    struct api_request *request;
    struct reservation *reserved;
    struct reservation **slot;
    int new_urls; /* how often a new one was asked for */
    int is_again; /* the store says that it received something else, and the file is checked */
    int64_t skew_ms[TRANSFER_PEERS];
    int has_skew[TRANSFER_PEERS];
    int64_t version;
    int is_loopback;
    int is_stock; /* the server knows no uploadHeaders: it is not ours */
    int fd;
    struct strlist put_headers;
    struct check *check; /* on the worker, or NULL */
    struct keep *keep;   /* the fuller version is being fetched, or NULL */
    int is_kept;         /* it is here, or nowhere */
};

void reservation_free(struct reservation *r)
{
    if (r == NULL)
        return;
    if (r->res.upload_url != NULL)
        str_wipe(r->res.upload_url, strlen(r->res.upload_url));
    api_upload_res_clear(&r->res);
    free(r);
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
    strlist_free(&t->put_headers);
    secret_free(t->token);
    free(t->api_url);
    free(t->path);
    if (t->fd >= 0)
        close(t->fd);
    free(t);
}

static void finish(struct transfer *t, const struct ct_err *err)
{
    t->ops->done(t->arg, t->version, t->is_loopback, err);
    transfer_free(t);
}

static void fail(struct transfer *t, enum err_code code, const char *sentence)
{
    struct ct_err err;

    err_set(&err, code, "%s", sentence);
    finish(t, &err);
}

/* Begin an API call whose answer goes to ${done}. */
static void call_api(struct transfer *t, const char *method, const char *path,
                     struct json_object *body,
                     void (*done)(void *arg, const struct http_res *res, const struct ct_err *err))
{
    struct ct_err err;

    api_request_free(t->request);
    api_request_new(t->api_url, t->token, method, path, body, &t->request);
    if (api_start(t->env.engine, t->request, done, t, &t->call, &err) != 0) {
        t->call = NULL;
        finish(t, &err);
    }
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
static void reserve(struct transfer *t);
static void confirm(struct transfer *t);

/* ---- after confirm: a stock server is believed only when it lists the checksum ------------------
 */

static int lists_checksum(struct json_object *answer, const char *sha256, int64_t *ret_version)
{
    struct json_object *versions = jdoc_array(answer, "versions");
    size_t n = versions != NULL ? json_object_array_length(versions) : 0;

    for (size_t i = 0; i < n; i++) {
        struct json_object *v = json_object_array_get_idx(versions, i);
        const char *sum = jdoc_str(v, "checksum");
        if (sum != NULL && strncmp(sum, "sha256:", 7) == 0 && strcmp(sum + 7, sha256) == 0) {
            *ret_version = jdoc_int(v, "version", *ret_version);
            return 1;
        }
    }
    return 0;
}

static void on_versions(void *arg, const struct http_res *res, const struct ct_err *net_err)
{
    struct transfer *t = arg;
    struct json_object *answer = NULL;
    struct ct_err err;

    t->call = NULL;
    if (res == NULL || api_answer(res, &answer, &err) != 0) {
        finish(t, res == NULL ? net_err : &err);
        return;
    }
    if (lists_checksum(answer, t->item->sha256, &t->version))
        finish(t, NULL);
    else if (t->ops->unstored(t->arg, &err) != 0)
        finish(t, &err);
    else
        fail(t, ERR_RETRY, "the server confirmed the bundle but does not list it");
    json_object_put(answer);
}

static void on_confirmed(void *arg, const struct http_res *res, const struct ct_err *net_err)
{
    struct transfer *t = arg;
    struct json_object *answer = NULL;
    struct ct_err err;
    char *path;

    t->call = NULL;
    see_machine(t, res);
    if (res == NULL) {
        finish(t, net_err);
        return;
    }
    if (api_answer(res, &answer, &err) != 0) {
        int is_lost = err.code == ERR_GONE || strcmp(err.reason, "no_reservation") == 0 ||
                      strcmp(err.reason, "not_uploaded") == 0;
        if (is_lost && t->ops->unstored(t->arg, &err) == 0) {
            err.code = ERR_EXPIRED;
            snprintf(err.msg, sizeof(err.msg), "the reservation is gone; uploading again");
        }
        finish(t, &err);
        return;
    }
    json_object_put(answer);
    if (!t->is_stock) {
        finish(t, NULL);
        return;
    }
    path = api_session_path(queue_wire_id(t->item), "/versions");
    call_api(t, "GET", path, NULL, on_versions);
    free(path);
}

static void confirm(struct transfer *t)
{
    struct api_confirm_req r = {.version = t->version};
    struct json_object *body;
    char *path = api_session_path(queue_wire_id(t->item), "/confirm");

    snprintf(r.checksum, sizeof(r.checksum), "sha256:%s", t->item->sha256);
    body = api_confirm_req_json(&r);
    call_api(t, "POST", path, body, on_confirmed);
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
    if (t->ops->stored(t->arg, t->version, t->reserved->res.elsewhere, t->is_loopback, &err) != 0)
        finish(t, &err);
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
        reserve(t);
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
    finish(t, &err);
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

/* Only headers that bind the body; the server has no say in where our token goes. */
static void add_upload_headers(struct transfer *t)
{
    static const char *const known[] = {"Content-MD5", "x-amz-checksum-sha256", "If-None-Match"};

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        const char *v = jdoc_str(t->reserved->res.upload_headers, known[i]);
        char *line;
        if (v == NULL || strpbrk(v, "\r\n") != NULL)
            continue;
        line = str_printf("%s: %s", known[i], v);
        strlist_add(&t->put_headers, line);
        free(line);
    }
}

static void put(struct transfer *t)
{
    struct http_req req = HTTP_REQ_INIT;
    struct ct_err err;

    if (spoolfile_open(t->path, &t->fd, &err) != 0) {
        finish(t, &err);
        return;
    }
    strlist_free(&t->put_headers);
    strlist_add(&t->put_headers, "Content-Type: application/gzip");
    add_upload_headers(t);
    req.method = "PUT";
    req.url = t->reserved->res.upload_url;
    req.from = t->api_url;
    req.headers = &t->put_headers;
    req.body_fd = t->fd;
    req.body_len = t->item->size_bytes;
    req.max_answer = 65536;
    req.progress = on_progress;
    req.progress_arg = t;
    if (http_start(t->env.engine, &req, on_put, t, &t->call, &err) != 0) {
        t->call = NULL;
        finish(t, &err);
    }
}

/* ---- a server that is not ours rotates out what it was to pin -----------------------------------
 */

static void on_kept(void *arg, const struct ct_err *err)
{
    struct transfer *t = arg;

    t->keep = NULL;
    if (err != NULL) {
        finish(t, err);
        return;
    }
    t->is_kept = 1;
    reserve(t); /* the URL is old by now */
}

static void keep_fuller(struct transfer *t)
{
    struct keep_env env = {.engine = t->env.engine,
                           .worker = t->env.worker,
                           .kept = t->env.kept,
                           .api_url = t->api_url,
                           .token = t->token};
    struct keep_what what = {.version = t->item->pin};
    struct ct_err err;

    snprintf(what.session_id, sizeof(what.session_id), "%s", queue_wire_id(t->item));
    if (kept_has(t->env.kept, what.session_id, what.version)) {
        put(t);
        return;
    }
    t->ops->pinned(t->arg, &what);
    if (keep_start(&env, &what, on_kept, t, &t->keep, &err) != 0)
        finish(t, &err);
}

static void begin_put(struct transfer *t)
{
    t->is_stock = t->reserved->res.upload_headers == NULL;
    t->is_loopback = t->is_loopback > 0 || http_url_is_loopback(t->reserved->res.upload_url) ||
                     http_url_is_loopback(t->api_url);
    if (t->is_stock && t->item->pin > 0 && !t->is_kept)
        keep_fuller(t);
    else
        put(t);
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
    int is_own;

    if (jdoc_parse(res->body.data, res->body.len, &o, NULL) != 0)
        return;
    at = jdoc_str(o, "deletedAt");
    name = jdoc_str(jdoc_obj(o, "deletedBy"), "name");
    is_own = jdoc_bool(o, "thisDevice", 0);
    if (name != NULL)
        str_escape(name, strlen(name), by, sizeof(by));
    if (at != NULL && now_parse_rfc3339(at, &at_ms) == 0) {
        now_rfc3339(at_ms, day);
        snprintf(when, sizeof(when), " on %.10s at %.5s UTC", day, day + 11);
    }
    snprintf(err->msg, sizeof(err->msg), "%s deleted it in the cloud%s", by, when);
    if (is_own)
        snprintf(err->reason, sizeof(err->reason), TRANSFER_DELETED_HERE);
    json_object_put(o);
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
    if (res == NULL || api_answer(res, &answer, &err) != 0) {
        if (res != NULL && strcmp(err.reason, "deleted") == 0)
            say_deleted(res, &err);
        finish(t, res == NULL ? net_err : &err);
        return;
    }
    fresh = str_calloc(1, sizeof(*fresh));
    rc = api_upload_res_parse(answer, &fresh->res, &err);
    json_object_put(answer);
    if (rc != 0) {
        reservation_free(fresh);
        err.code = ERR_RETRY;
        finish(t, &err);
        return;
    }
    fresh->boot_ms = now_boot_ms();
    reservation_free(t->reserved);
    t->reserved = fresh;
    begin_put(t);
}

/* What is certain to be in the bundle: while it waited, the one before it may have been confirmed.
 * NULL if nothing is: then it becomes current, and what it replaces stays as a head. */
static struct json_object *bases_of(const struct queue_item *q)
{
    struct json_object *bases;

    if (q->base_version <= 0 && q->own_version <= 0)
        return NULL;
    bases = json_object_new_array();
    if (q->base_version > 0)
        json_object_array_add(bases, json_object_new_int64(q->base_version));
    if (q->own_version > 0 && q->own_version != q->base_version)
        json_object_array_add(bases, json_object_new_int64(q->own_version));
    return bases;
}

static void reserve(struct transfer *t)
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
    r.pin = q->pin;
    r.amend = q->amend;
    r.base_version = q->base_version;
    r.bases = bases_of(q);
    r.revive = q->revive;
    body = api_upload_req_json(&r);
    json_object_put(r.bases);
    call_api(t, "POST", "/sessions/upload", body, on_reserved);
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
        finish(t, &err);
    } else if (is_fresh(t->reserved) && !t->is_again) {
        begin_put(t);
    } else {
        reserve(t);
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
    transfer_free(t);
}

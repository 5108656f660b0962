#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/api.h"
#include "api/client.h"
#include "common/base/file.h"
#include "common/base/hash.h"
#include "common/data/jdoc.h"
#include "common/base/log.h"
#include "common/base/now.h"
#include "common/sys/secret.h"
#include "common/base/str.h"
#include "api/store_error.h"

#include "uploader/keep.h"

struct publish;

struct keep {
    struct keep_env env;
    struct keep_what what;
    char *api_url;
    char *token;
    char *path; /* what.path, owned */
    void (*done)(void *arg, const struct ct_err *err);
    void *arg;
    int has_room; /* set aside in env.kept */
    int fd;       /* of the temporary file */
    char *tmp;
    struct api_request *request;
    struct http_call *call;
    int64_t url_boot_ms;
    struct publish *publish; /* on the worker, or NULL */
};

static void keep_free(struct keep *k)
{
    if (k->has_room)
        kept_release(k->env.kept, k->what.size_bytes);
    if (k->fd >= 0) {
        close(k->fd);
        unlink(k->tmp);
    }
    api_request_free(k->request);
    secret_free(k->token);
    free(k->api_url);
    free(k->path);
    free(k->tmp);
    free(k);
}

static void finish(struct keep *k, const struct ct_err *err)
{
    k->done(k->arg, err);
    keep_free(k);
}

static void nothing_to_keep(struct keep *k)
{
    log_warn("nothing-to-keep session=%s version=%lld reason=\"the server has it no more\"",
             k->what.session_id, (long long)k->what.version);
    finish(k, NULL);
}

static void damaged(const struct keep_what *what, struct ct_err *err, const char *how)
{
    err_set(err, ERR_FAIL,
            "the fuller version %lld of this session would be lost: the server keeps only the "
            "newest, and what it has of that one %s",
            (long long)what->version, how);
    snprintf(err->reason, sizeof(err->reason), KEEP_DAMAGED);
}

/* ---- on the worker: is it what was uploaded?  Then it gets its name -----------------------------
 */

struct publish {
    struct keep *k; /* the loop's; NULL once that was cancelled */
    struct keep_what what;
    int fd;
    char *tmp;
    char *path;
    struct ct_err err;
};

static int check_and_rename(struct publish *p, struct ct_err *err)
{
    char hex[HASH_SHA256_HEX];
    int64_t size;

    if (hash_sha256_fd(p->fd, &size, hex) != 0)
        return err_sys(err, "can't read the fuller version back");
    if (size != p->what.size_bytes || strcmp(hex, p->what.sha256) != 0) {
        damaged(&p->what, err, "is not what was uploaded");
        return -1;
    }
    if (file_sync(p->fd) != 0)
        return err_sys(err, "can't fsync the fuller version");
    if (rename(p->tmp, p->path) != 0)
        return err_sys(err, "can't name the fuller version");
    return file_sync_parent(p->path, err);
}

static void publish_run(void *arg)
{
    struct publish *p = arg;

    if (check_and_rename(p, &p->err) != 0)
        unlink(p->tmp);
}

static void publish_free(void *arg)
{
    struct publish *p = arg;

    close(p->fd);
    free(p->tmp);
    free(p->path);
    free(p);
}

static void publish_done(void *arg)
{
    struct publish *p = arg;
    struct keep *k = p->k;
    struct ct_err err = p->err;

    publish_free(p);
    if (k == NULL)
        return;
    k->publish = NULL;
    if (err.code == ERR_NONE && k->path == NULL)
        log_info("kept session=%s version=%lld size=%lld", k->what.session_id,
                 (long long)k->what.version, (long long)k->what.size_bytes);
    finish(k, err.code == ERR_NONE ? NULL : &err);
}

static void publish(struct keep *k)
{
    struct publish *p = str_calloc(1, sizeof(*p));

    p->k = k;
    p->what = k->what;
    p->fd = k->fd;
    p->tmp = str_dup(k->tmp);
    p->path = k->path != NULL ? str_dup(k->path)
                              : kept_path(k->env.kept, k->what.session_id, k->what.version);
    k->fd = -1;
    k->publish = p;
    worker_submit(k->env.worker, publish_run, publish_done, publish_free, p);
}

/* ---- the object ---------------------------------------------------------------------------------
 */

static void on_object(void *arg, const struct http_res *res, const struct ct_err *net_err)
{
    struct keep *k = arg;
    struct ct_err err;

    k->call = NULL;
    if (res == NULL) {
        err = *net_err;
        if (err.code == ERR_CORRUPT)
            damaged(&k->what, &err, "is larger than what was uploaded");
        finish(k, &err);
    } else if (res->status >= 200 && res->status <= 299) {
        publish(k);
    } else {
        store_error(res, now_boot_ms() - k->url_boot_ms, &err);
        if (err.code == ERR_EXPIRED)
            err.code = ERR_RETRY;
        else if (strcmp(err.reason, "NoSuchKey") == 0)
            damaged(&k->what, &err, "is not in its object store");
        finish(k, &err);
    }
}

static void get_object(struct keep *k, const char *url)
{
    struct http_req req = HTTP_REQ_INIT;
    struct ct_err err;

    k->tmp = k->path != NULL ? str_printf("%s.new", k->path)
                             : kept_tmp_path(k->env.kept, k->what.session_id, k->what.version);
    k->fd = open(k->tmp, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (k->fd < 0) {
        err_sys(&err, "can't write the fuller version");
        finish(k, &err);
        return;
    }
    req.method = "GET";
    req.url = url;
    req.from = k->api_url;
    req.max_answer = 65536;
    req.answer_fd = k->fd;
    req.answer_limit = k->what.size_bytes;
    k->url_boot_ms = now_boot_ms();
    if (http_start(k->env.engine, &req, on_object, k, &k->call, &err) != 0) {
        k->call = NULL;
        finish(k, &err);
    }
}

/* ---- its address --------------------------------------------------------------------------------
 */

static void on_address(void *arg, const struct http_res *res, const struct ct_err *net_err)
{
    struct keep *k = arg;
    struct json_object *answer = NULL;
    struct api_download_res where = {0};
    struct ct_err err;

    k->call = NULL;
    if (res == NULL || api_answer(res, &answer, &err) != 0) {
        if (res != NULL && err.code == ERR_GONE)
            nothing_to_keep(k);
        else
            finish(k, res == NULL ? net_err : &err);
        return;
    }
    if (api_download_res_parse(answer, &where, &err) != 0) {
        err.code = ERR_RETRY;
        finish(k, &err);
    } else if (where.version != k->what.version) {
        damaged(&k->what, &err, "comes under another number");
        finish(k, &err);
    } else {
        get_object(k, where.download_url);
    }
    api_download_res_clear(&where);
    json_object_put(answer);
}

/* Begin an API call about the session whose answer goes to ${done}. */
static int ask(struct keep *k, const char *rest,
               void (*done)(void *arg, const struct http_res *res, const struct ct_err *err),
               struct ct_err *err)
{
    char *path = api_session_path(k->what.session_id, rest);
    int rc;

    api_request_free(k->request);
    api_request_new(k->api_url, k->token, "GET", path, NULL, &k->request);
    rc = api_start(k->env.engine, k->request, done, k, &k->call, err);
    if (rc != 0)
        k->call = NULL;
    free(path);
    return rc;
}

static int ask_address(struct keep *k, struct ct_err *err)
{
    char *rest;
    int rc;

    if (k->path == NULL && kept_reserve(k->env.kept, k->what.size_bytes, err) != 0)
        return -1;
    k->has_room = k->path == NULL;
    rest = str_printf("/download?version=%lld", (long long)k->what.version);
    rc = ask(k, rest, on_address, err);
    free(rest);
    return rc;
}

/* ---- its size and digest, where nothing of it is recorded here ----------------------------------
 */

static int take_listed(struct json_object *answer, struct keep_what *what)
{
    struct json_object *versions = jdoc_array(answer, "versions");
    size_t n = versions != NULL ? json_object_array_length(versions) : 0;

    for (size_t i = 0; i < n; i++) {
        struct json_object *v = json_object_array_get_idx(versions, i);
        const char *sum = jdoc_str(v, "checksum");
        if (jdoc_int(v, "version", 0) != what->version || sum == NULL ||
            !api_checksum_is_valid(sum))
            continue;
        what->size_bytes = jdoc_int(v, "sizeBytes", 0);
        snprintf(what->sha256, sizeof(what->sha256), "%s", sum + strlen("sha256:"));
        return what->size_bytes > 0;
    }
    return 0;
}

static void on_versions(void *arg, const struct http_res *res, const struct ct_err *net_err)
{
    struct keep *k = arg;
    struct json_object *answer = NULL;
    struct ct_err err;

    k->call = NULL;
    if (res == NULL) {
        finish(k, net_err);
    } else if (api_answer(res, &answer, &err) != 0 && err.code != ERR_GONE) {
        finish(k, &err);
    } else if (answer == NULL || !take_listed(answer, &k->what)) {
        nothing_to_keep(k);
    } else if (ask_address(k, &err) != 0) {
        finish(k, &err);
    }
    json_object_put(answer);
}

int keep_start(const struct keep_env *env, const struct keep_what *what,
               void (*done)(void *arg, const struct ct_err *err), void *arg, struct keep **ret,
               struct ct_err *err)
{
    struct keep *k = str_calloc(1, sizeof(*k));

    k->env = *env;
    k->what = *what;
    k->api_url = str_dup(env->api_url);
    k->token = secret_dup(env->token);
    k->path = what->path != NULL ? str_dup(what->path) : NULL;
    k->done = done;
    k->arg = arg;
    k->fd = -1;
    if ((what->sha256[0] != '\0' ? ask_address(k, err) : ask(k, "/versions", on_versions, err)) !=
        0) {
        keep_free(k);
        return -1;
    }
    *ret = k;
    return 0;
}

void keep_cancel(struct keep *k)
{
    if (k == NULL)
        return;
    if (k->publish != NULL)
        k->publish->k = NULL;
    if (k->call != NULL)
        http_cancel(k->call);
    keep_free(k);
}

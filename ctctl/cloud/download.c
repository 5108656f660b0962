#include <sys/file.h>
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "api/client.h"
#include "bundle/open/generations.h"
#include "common/base/file.h"
#include "common/base/hash.h"
#include "common/data/jdoc.h"
#include "common/base/path.h"
#include "common/base/str.h"
#include "ctctl/cloud/bare.h"
#include "ctctl/cloud/item.h"

#include "ctctl/cloud/download.h"

#define TRIES 6    /* without a byte of progress */
#define REFUSALS 3 /* of those, by the store: each is answered with a new URL */
#define FIRST_WAIT_MS 500
#define KEPT_S (7 * 86400)
#define SUFFIX ".part"

/* ---- what is to be had --------------------------------------------------------------------------
 */

static int ask(struct ctx *c, const char *id, int64_t version, struct api_download_res *ret,
               struct ct_err *err)
{
    char *rest =
        version > 0 ? str_printf("/download?version=%" PRId64, version) : str_dup("/download");
    char *path = api_session_path(id, rest);
    struct json_object *o;
    int rc = ctx_cloud(c, "GET", path, NULL, &o, err);

    free(path);
    free(rest);
    if (rc != 0 && version > 0 && err->code == ERR_GONE)
        return err_set(err, ERR_GONE,
                       "there is no version %" PRId64 " of it. One that was rotated out or deleted "
                       "is in the server's trash for a while: ctctl undelete shows it, ctctl "
                       "undelete ID --version %" PRId64 " brings it back",
                       version, version);
    if (rc != 0)
        return -1;
    rc = api_download_res_parse(o, ret, err);
    json_object_put(o);
    if (rc != 0) {
        err_prefix(err, "the server's answer can't be used");
        return -1;
    }
    if (strcmp(ret->session_id, id) == 0 && (version == 0 || ret->version == version))
        return 0;
    api_download_res_clear(ret);
    return err_set(err, ERR_CORRUPT, "the server answered with another session or version");
}

/* A stock server says checksum and size in its list of versions only. */
static int look_up_checksum(struct ctx *c, struct api_download_res *r, struct ct_err *err)
{
    char *path = api_session_path(r->session_id, "/versions");
    struct json_object *o, *list;
    int rc = ctx_cloud(c, "GET", path, NULL, &o, err);

    free(path);
    if (rc != 0)
        return -1;
    list = jdoc_array(o, "versions");
    for (size_t i = 0; list != NULL && i < json_object_array_length(list); i++) {
        const struct json_object *v = json_object_array_get_idx(list, i);
        const char *sum = jdoc_str(v, "checksum");
        if (jdoc_int(v, "version", 0) != r->version || sum == NULL || !api_checksum_is_valid(sum))
            continue;
        snprintf(r->checksum, sizeof(r->checksum), "%s", sum);
        r->size_bytes = jdoc_int(v, "sizeBytes", -1);
    }
    json_object_put(o);
    if (r->checksum[0] != '\0' && r->size_bytes > 0)
        return 0;
    return err_set(err, ERR_CORRUPT,
                   "the server names no checksum for version %" PRId64
                   ", so what comes can't be checked",
                   r->version);
}

/* ---- the file -----------------------------------------------------------------------------------
 */

/* What nobody came back for: downloads, and what looking at them left when it was killed. */
static void tidy(const char *dir)
{
    DIR *d = opendir(dir);
    time_t now = time(NULL);
    struct dirent *e;
    struct stat st;

    while (d != NULL && (e = readdir(d)) != NULL) {
        if (e->d_name[0] != '.' && fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
            st.st_mtime < now - KEPT_S)
            (void)file_remove_tree(dirfd(d), e->d_name);
    }
    if (d != NULL)
        closedir(d);
}

/* Whoever held the lock before may have removed the file: then it has no name any more. */
static int open_locked(const char *path, struct ct_err *err)
{
    struct stat st;
    int fd;

    for (;;) {
        fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd < 0)
            return err_sys(err, "can't make the file to download to");
        if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
            close(fd);
            return err_set(err, ERR_RETRY, "another ctctl is downloading the same right now");
        }
        if (fstat(fd, &st) == 0 && st.st_nlink > 0)
            return fd;
        close(fd);
    }
}

static int open_file(struct download *d, struct ct_err *err)
{
    const char *hex = strchr(d->answer.checksum, ':') + 1;
    char *name = str_printf("%s" SUFFIX, hex);

    d->path = path_join(d->dir, name);
    free(name);
    if (path_make_private(d->dir, err) != 0)
        return -1;
    tidy(d->dir);
    d->fd = open_locked(d->path, err);
    return d->fd < 0 ? -1 : 0;
}

static int64_t have_bytes(const struct download *d)
{
    struct stat st;

    return fstat(d->fd, &st) == 0 ? (int64_t)st.st_size : 0;
}

static int is_right(const struct download *d)
{
    char hex[HASH_SHA256_HEX];
    int64_t n;

    return hash_sha256_fd(d->fd, &n, hex) == 0 &&
           strcmp(strchr(d->answer.checksum, ':') + 1, hex) == 0;
}

/* ---- the transfer -------------------------------------------------------------------------------
 */

struct watching {
    const struct download *d;
    int64_t had;
};

static void on_progress(void *arg, int64_t sent, int64_t received)
{
    const struct watching *w = arg;

    (void)sent;
    w->d->progress(w->d->progress_arg, w->had + received, w->d->answer.size_bytes);
}

static int judge(struct download *d, const struct http_res *res, struct ct_err *err)
{
    if (res->status == 200 || res->status == 206)
        return 0;
    if (res->status == 416 && ftruncate(d->fd, 0) != 0)
        return err_sys(err, "can't empty the download");
    if (res->status == 408 || res->status == 429 || res->status >= 500)
        err_set(err, ERR_RETRY, "the object store answered with status %d", res->status);
    else
        err_set(err, ERR_EXPIRED, "the object store refused the download with status %d",
                res->status);
    err->http_status = res->status;
    err->retry_after_s = res->retry_after_s;
    return -1;
}

/* One exchange.  The presigned URL is all the permission there is: no Authorization header. */
static int get(struct download *d, struct ct_err *err)
{
    struct watching w = {d, have_bytes(d)};
    struct http_req req = HTTP_REQ_INIT;
    struct http_res res = {0};
    int64_t before = w.had;
    int rc;

    req.method = "GET";
    req.url = d->answer.download_url;
    req.from = d->api_url;
    req.answer_fd = d->fd;
    req.answer_offset = w.had;
    req.answer_limit = d->answer.size_bytes;
    if (d->progress != NULL) {
        req.progress = on_progress;
        req.progress_arg = &w;
    }
    rc = http_perform(&d->policy, &req, &res, err);
    d->is_loopback = d->is_loopback || res.is_own_machine;
    if (rc == 0)
        rc = judge(d, &res, err);
    http_res_free(&res);
    if (have_bytes(d) > before)
        d->received += have_bytes(d) - before;
    return rc;
}

static int renew(struct ctx *c, struct download *d, struct ct_err *err)
{
    struct api_download_res fresh;

    if (ask(c, d->answer.session_id, d->answer.version, &fresh, err) != 0)
        return -1;
    str_wipe(d->answer.download_url, strlen(d->answer.download_url));
    free(d->answer.download_url);
    d->answer.download_url = fresh.download_url;
    fresh.download_url = NULL;
    api_download_res_clear(&fresh);
    return 0;
}

static void pause_ms(int64_t ms)
{
    struct timespec t = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000};

    nanosleep(&t, NULL);
}

/* Until all is there.  A URL that is refused is answered with a new one. */
static int transfer(struct ctx *c, struct download *d, struct ct_err *err)
{
    int64_t wait_ms = FIRST_WAIT_MS, before;
    int tries = 0, refusals = 0;

    while ((before = have_bytes(d)) != d->answer.size_bytes) {
        if (before > d->answer.size_bytes && ftruncate(d->fd, 0) != 0)
            return err_sys(err, "can't empty the download");
        if (get(d, err) == 0 && have_bytes(d) < d->answer.size_bytes)
            err_set(err, ERR_RETRY, "the object store sent less than it was to");
        else if (have_bytes(d) == d->answer.size_bytes)
            return 0;
        if (have_bytes(d) > before) {
            tries = refusals = 0;
            wait_ms = FIRST_WAIT_MS;
        }
        if (err->code != ERR_RETRY && err->code != ERR_EXPIRED)
            return -1;
        refusals += err->code == ERR_EXPIRED;
        if (++tries >= TRIES || refusals >= REFUSALS)
            return -1;
        if (err->code == ERR_RETRY || tries > 1) {
            pause_ms(err->retry_after_s > 0 ? err->retry_after_s * INT64_C(1000) : wait_ms);
            wait_ms *= 2;
        }
        if (renew(c, d, err) != 0 && err->code != ERR_RETRY)
            return -1;
    }
    return 0;
}

/* Until it is there and what the server promised. */
static int fetch(struct ctx *c, struct download *d, struct ct_err *err)
{
    int is_resumed;

    if (d->fd >= 0)
        return 0;
    if (open_file(d, err) != 0)
        return -1;
    is_resumed = have_bytes(d) > 0;
    for (;;) {
        if (transfer(c, d, err) != 0)
            return -1;
        if (is_right(d))
            return 0;
        /* What was there before may be to blame, so once from the start. */
        if (ftruncate(d->fd, 0) != 0)
            return err_sys(err, "can't empty the download");
        if (!is_resumed)
            break;
        is_resumed = 0;
    }
    return err_set(err, ERR_CORRUPT,
                   "version %" PRId64
                   " is damaged in the object store: its SHA-256 is not what the "
                   "server promised",
                   d->answer.version);
}

/* ---- what does its description say? ------------------------------------------------------------
 */

/* What stands beside the current version may be younger. */
static int64_t highest_beside(struct ctx *c, const char *wire_id)
{
    char *path = api_session_path(wire_id, "/versions");
    struct json_object *o = NULL;
    int64_t highest = 0;

    if (ctx_cloud(c, "GET", path, NULL, &o, NULL) == 0)
        highest = item_highest(c, jdoc_array(o, "versions"), wire_id);
    json_object_put(o);
    free(path);
    return highest;
}

/* What this device has seen of it before. */
static int check_age(struct ctx *c, const char *wire_id, const struct sealed_facts *f,
                     struct ct_err *err)
{
    const char *dir = ctx_account_dir(c);
    int64_t seen;

    if (dir == NULL)
        return 0;
    seen = generations_highest(dir, f->session_id);
    if (f->generation < seen && highest_beside(c, wire_id) < seen)
        return item_rollback(err, f->session_id, f->generation, seen);
    return generations_note(dir, f->session_id, f->generation, err);
}

/* The bundle has to come first. */
static int describe(struct ctx *c, struct download *d, const struct keyring *ring,
                    struct ct_err *err)
{
    if (fetch(c, d, err) != 0)
        return -1;
    return bare_describe(ring, d->path, d->answer.session_id, strchr(d->answer.checksum, ':') + 1,
                         &d->facts, err);
}

static int unseal(struct ctx *c, struct download *d, struct ct_err *err)
{
    const struct keyring *ring;
    struct ct_err e;

    d->is_sealed = sealed_is(d->answer.metadata);
    if (!d->is_sealed)
        return 0;
    ring = ctx_ring(c, err);
    if (ring == NULL)
        return -1;
    if (sealed_open(ring, d->answer.session_id, d->answer.metadata, &d->facts, &e) != 0 &&
        (strcmp(e.reason, SEALED_BARE) != 0 || describe(c, d, ring, &e) != 0)) {
        item_refused(&e);
        if (err != NULL)
            *err = e;
        return -1;
    }
    return d->is_newest ? check_age(c, d->answer.session_id, &d->facts, err) : 0;
}

int download_look(struct ctx *c, const char *wire_id, int64_t version, struct download *ret,
                  struct ct_err *err)
{
    struct download d = {.fd = -1, .is_newest = version == 0};

    if (ctx_policy(c, &d.policy, err) != 0 || ask(c, wire_id, version, &d.answer, err) != 0)
        return -1;
    d.is_stock = d.answer.checksum[0] == '\0' || d.answer.size_bytes < 0;
    d.dir = path_join(c->config->state_dir, "downloads");
    d.api_url = c->cred->api_url;
    d.is_loopback =
        http_url_is_loopback(d.answer.download_url) || http_url_is_loopback(c->cred->api_url);
    if ((d.is_stock && look_up_checksum(c, &d.answer, err) != 0) || unseal(c, &d, err) != 0) {
        download_clear(&d, err == NULL || err->code != ERR_CORRUPT);
        return -1;
    }
    *ret = d;
    return 0;
}

/* ---- is it the object that its description means? ---------------------------------------------
 */

static int other_state(const struct download *d, const struct seal_header *h, struct ct_err *err)
{
    /* Such a server has the description of an upload that is under way for the newest. */
    if (d->is_stock && d->is_newest && h->generation < d->facts.generation)
        return err_set(err, ERR_RETRY,
                       "the server describes state %" PRId64 " of session %.8s and hands out state "
                       "%" PRId64 ": maybe another device is uploading it right now. Try again "
                       "later, or take what is there with --version %" PRId64,
                       d->facts.generation, download_id(d), h->generation, d->answer.version);
    if (d->is_stock && !d->is_newest)
        return 0;
    return err_set(err, ERR_CORRUPT,
                   "the server hands out state %" PRId64 " of session %.8s as version %" PRId64
                   ", which is state %" PRId64,
                   h->generation, download_id(d), d->answer.version, d->facts.generation);
}

/* The header is authentic once the bundle is opened: it is part of what is sealed. */
static int is_meant(struct download *d, struct ct_err *err)
{
    unsigned char head[SEAL_HEADER_BYTES];
    ssize_t n = file_pread_all(d->fd, head, sizeof(head), 0);
    struct seal_header h;

    if (n < 0)
        return err_sys(err, "can't read the download");
    if (!seal_is_sealed(head, (size_t)n) != !d->is_sealed)
        return err_set(err, ERR_CORRUPT,
                       d->is_sealed ? "session %.8s is sealed, and the server hands out something "
                                      "that is not"
                                    : "the server hands out something sealed for session %.8s, "
                                      "without the description that belongs to it",
                       download_id(d));
    if (!d->is_sealed)
        return 0;
    if (seal_parse_header(head, (size_t)n, &h, err) != 0)
        return -1;
    d->header = h;
    if (h.generation != d->facts.generation)
        return other_state(d, &h, err);
    if (memcmp(h.object_id, d->facts.object_id, sizeof(h.object_id)) != 0)
        return err_set(err, ERR_CORRUPT,
                       "the server hands out another bundle for version %" PRId64
                       " of session %.8s than its description means",
                       d->answer.version, download_id(d));
    return 0;
}

int download_unseal(struct ctx *c, const struct download *d, struct unseal_opts *ret,
                    struct ct_err *err)
{
    memset(ret, 0, sizeof(*ret));
    if (!d->is_sealed)
        return 0;
    ret->ring = ctx_ring(c, err);
    if (ret->ring == NULL)
        return -1;
    ret->must_be_sealed = 1;
    if (d->header.generation == d->facts.generation) {
        ret->object_id = d->facts.object_id;
        ret->generation = d->facts.generation;
        ret->gzip_bytes = d->facts.gzip_bytes;
    }
    return 0;
}

const char *download_id(const struct download *d)
{
    return d->is_sealed ? d->facts.session_id : d->answer.session_id;
}

int download_fetch(struct ctx *c, struct download *d, struct ct_err *err)
{
    return fetch(c, d, err) != 0 ? -1 : is_meant(d, err);
}

void download_clear(struct download *d, int is_kept)
{
    if (d->fd >= 0) {
        if (!is_kept || have_bytes(d) == 0)
            unlink(d->path);
        close(d->fd);
    }
    free(d->path);
    free(d->dir);
    sealed_facts_clear(&d->facts);
    api_download_res_clear(&d->answer);
    memset(d, 0, sizeof(*d));
    d->fd = -1;
}

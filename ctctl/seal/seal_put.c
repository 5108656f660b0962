#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "api/client.h"
#include "api/put.h"
#include "bundle/install/origin.h"
#include "bundle/seal/sealed.h"
#include "common/base/file.h"
#include "common/base/now.h"
#include "common/config/device.h"
#include "common/data/jdoc.h"
#include "common/base/path.h"
#include "common/base/str.h"

#include "ctctl/seal/seal_put.h"

#define PIECE (1 << 18)
#define TRIES 5
#define FIRST_WAIT_MS 500

/* The sealed bundle, ready to go out. */
struct parcel {
    int fd;
    char *path;
    struct hash *sha256, *md5;
    int64_t size_bytes;
    char checksum[API_CHECKSUM_SIZE];
    char *md5_base64;
    struct json_object *metadata;
};

static void clear(struct parcel *p)
{
    hash_free(p->sha256);
    hash_free(p->md5);
    if (p->fd >= 0)
        close(p->fd);
    if (p->path != NULL)
        unlink(p->path);
    free(p->path);
    free(p->md5_base64);
    json_object_put(p->metadata);
    memset(p, 0, sizeof(*p));
    p->fd = -1;
}

/* In the folder of downloads, where what a killed ctctl leaves goes after a week. */
static int make_file(struct ctx *c, char **ret_path, struct ct_err *err)
{
    char *dir, *path;
    int fd;

    if (ctx_config(c, err) != 0)
        return -1;
    dir = path_join(c->config->state_dir, "downloads");
    path = path_join(dir, "seal-XXXXXX");
    fd = path_make_private(dir, err) == 0 ? mkostemp(path, O_CLOEXEC) : -2;
    if (fd == -1)
        err_sys(err, "can't make a file in %s", dir);
    free(dir);
    if (fd < 0) {
        free(path);
        return -1;
    }
    *ret_path = path;
    return fd;
}

/* ---- sealing -----------------------------------------------------------------------------------
 */

static int on_sealed(void *arg, const void *bytes, size_t n, struct ct_err *err)
{
    struct parcel *p = arg;

    hash_update(p->sha256, bytes, n);
    hash_update(p->md5, bytes, n);
    p->size_bytes += (int64_t)n;
    return file_write_all(p->fd, bytes, n) == 0 ? 0 : err_sys(err, "can't write the sealed bundle");
}

static int feed(struct sealer *s, const char *path, int64_t gzip_bytes, struct ct_err *err)
{
    char *p = str_calloc(PIECE, 1);
    int fd = open(path, O_RDONLY | O_CLOEXEC), rc = 0;
    int64_t at = 0;
    ssize_t n;

    if (fd < 0)
        rc = err_sys(err, "can't open the bundle again");
    while (rc == 0 && (n = file_pread_all(fd, p, PIECE, (off_t)at)) != 0) {
        rc = n > 0 ? sealer_add(s, p, (size_t)n, err) : err_sys(err, "can't read the bundle again");
        at += n > 0 ? n : 0;
    }
    if (fd >= 0)
        close(fd);
    free(p);
    if (rc == 0 && at != gzip_bytes)
        rc = err_set(err, ERR_CORRUPT, "the bundle has changed under our hands");
    if (rc == 0)
        rc = sealer_pad(s, seal_padded(gzip_bytes) - gzip_bytes, err);
    return rc == 0 ? sealer_end(s, err) : -1;
}

static void describe(struct ctx *c, const struct seal_put *p, const struct seal_header *h,
                     struct sealed_facts *f)
{
    const struct api_download_res *a = &p->source->answer;
    const char *label = jdoc_str(p->item, "label");
    char of[ORIGIN_KEY_SIZE];
    struct json_object *tags = jdoc_array(p->item, "tags");

    snprintf(f->session_id, sizeof(f->session_id), "%s", p->session_id);
    f->source_machine = str_dup(a->source_machine != NULL ? a->source_machine : "");
    f->source_cwd = str_dup(a->source_cwd);
    f->source_user_dir = str_dup(a->source_user_dir);
    f->metadata = json_object_new_object();
    if (a->metadata != NULL) {
        json_object_object_foreach(a->metadata, key, value)
        {
            json_object_object_add(f->metadata, key, json_object_get(value));
        }
    }
    /* What else was said of it in clear. */
    if (label != NULL)
        jdoc_set_str(f->metadata, "label", label);
    if (tags != NULL && json_object_array_length(tags) > 0)
        json_object_object_add(f->metadata, "tags", json_object_get(tags));
    memcpy(f->content_id, p->copy->held.opened.content_id, sizeof(f->content_id));
    f->gzip_bytes = p->copy->gzip_bytes;
    memcpy(f->object_id, h->object_id, sizeof(f->object_id));
    f->generation = h->generation;
    f->origin = p->is_own
                    ? origin_of(c->config->state_dir, &c->config->roots,
                                origin_key(jdoc_str(f->metadata, "agentId"), p->session_id, of))
                    : TRUST_STRANGER;
    if (device_id(c->config->state_dir, f->device, NULL) != 0)
        f->device[0] = '\0';
}

static void finish(struct parcel *ret)
{
    unsigned char sha256[HASH_SHA256_BYTES], md5[HASH_MD5_BYTES];
    char hex[HASH_SHA256_HEX];

    hash_final(ret->sha256, sha256);
    hash_final(ret->md5, md5);
    ret->sha256 = ret->md5 = NULL;
    hash_hex(sha256, sizeof(sha256), hex);
    snprintf(ret->checksum, sizeof(ret->checksum), "sha256:%s", hex);
    ret->md5_base64 = hash_base64(md5, sizeof(md5));
}

static int seal(struct ctx *c, const struct seal_put *p, struct parcel *ret, struct ct_err *err)
{
    struct seal_header h = {.kind = SEAL_BUNDLE, .is_padded = 1, .generation = p->generation};
    struct sealed_facts facts = {0};
    struct sealer *s = NULL;
    int rc;

    hash_random(h.object_id, sizeof(h.object_id));
    ret->fd = make_file(c, &ret->path, err);
    if (ret->fd < 0)
        return -1;
    ret->sha256 = hash_new(HASH_SHA256);
    ret->md5 = hash_new(HASH_MD5);
    rc = sealer_new(keyring_current(p->ring), &h, on_sealed, ret, &s, err);
    if (rc == 0)
        rc = feed(s, p->source->path, p->copy->gzip_bytes, err);
    sealer_free(s);
    if (rc != 0)
        return -1;
    finish(ret);
    describe(c, p, &h, &facts);
    rc = sealed_make(p->ring, &facts, &ret->metadata, err);
    sealed_facts_clear(&facts);
    return rc;
}

/* ---- sending -----------------------------------------------------------------------------------
 */

static int reserve(struct ctx *c, const struct seal_put *p, const struct parcel *parcel,
                   struct api_upload_res *ret, struct ct_err *err)
{
    struct api_upload_req r = {
        .session_id = str_dup(p->wire_id),
        .source_machine = str_dup(SEALED_WORD),
        .source_cwd = str_dup(SEALED_WORD),
        .source_user_dir = str_dup(SEALED_WORD),
        .size_bytes = parcel->size_bytes,
        .md5 = str_dup(parcel->md5_base64),
        .metadata = json_object_get(parcel->metadata),
        .base_version = p->base_version,
        .bases = json_object_get(p->bases),
        .revive = p->is_asked_for,
    };
    struct json_object *body, *o = NULL;
    char id[UUID_SIZE];
    int rc;

    memcpy(r.checksum, parcel->checksum, sizeof(r.checksum));
    if (device_id(c->config->state_dir, id, NULL) == 0)
        r.device_id = str_dup(id);
    body = api_upload_req_json(&r);
    rc = ctx_cloud(c, "POST", "/sessions/upload", body, &o, err);
    if (rc == 0)
        rc = api_upload_res_parse(o, ret, err);
    json_object_put(o);
    json_object_put(body);
    api_upload_req_clear(&r);
    return rc;
}

struct sending {
    const struct seal_put *p;
    int64_t total;
};

static void on_progress(void *arg, int64_t sent, int64_t received)
{
    const struct sending *s = arg;

    (void)received;
    if (s->p->progress != NULL)
        s->p->progress(s->p->progress_arg, sent, s->total);
}

static int put(struct ctx *c, const struct seal_put *p, const struct parcel *parcel,
               const struct api_upload_res *reserved, int64_t reserved_boot_ms, struct ct_err *err)
{
    struct sending sending = {p, parcel->size_bytes};
    struct http_policy policy;
    struct api_put put;
    int rc;

    if (ctx_policy(c, &policy, err) != 0)
        return -1;
    api_put_begin(c->cred->api_url, reserved, &put);
    put.http.body_fd = parcel->fd;
    put.http.body_len = parcel->size_bytes;
    put.http.progress = on_progress;
    put.http.progress_arg = &sending;
    rc = api_put_perform(&put, &policy, reserved_boot_ms, err);
    if (rc != 0 && err->code == ERR_CORRUPT)
        err->code = ERR_RETRY; /* the digest is that of the file: it happened on the way */
    api_put_end(&put);
    return rc;
}

static int confirm(struct ctx *c, const struct seal_put *p, const struct parcel *parcel,
                   int64_t version, struct ct_err *err)
{
    struct api_confirm_req r = {.version = version};
    char *path = api_session_path(p->wire_id, "/confirm");
    struct json_object *body, *o = NULL;
    int rc;

    memcpy(r.checksum, parcel->checksum, sizeof(r.checksum));
    body = api_confirm_req_json(&r);
    rc = ctx_cloud(c, "POST", path, body, &o, err);
    json_object_put(o);
    json_object_put(body);
    free(path);
    if (rc != 0 && err->code == ERR_CONFLICT)
        err->code = ERR_RETRY; /* from the start */
    return rc;
}

static int send_once(struct ctx *c, const struct seal_put *p, const struct parcel *parcel,
                     int64_t *ret_version, struct ct_err *err)
{
    struct api_upload_res reserved = {0};
    int rc;

    if (reserve(c, p, parcel, &reserved, err) != 0)
        return -1;
    rc = put(c, p, parcel, &reserved, now_boot_ms(), err);
    if (rc == 0)
        rc = confirm(c, p, parcel, reserved.version, err);
    if (rc == 0)
        *ret_version = reserved.version;
    api_upload_res_clear(&reserved);
    return rc;
}

int seal_put(struct ctx *c, const struct seal_put *p, int64_t *ret_version, struct ct_err *err)
{
    struct parcel parcel = {.fd = -1};
    int64_t wait_ms = FIRST_WAIT_MS;
    int rc = seal(c, p, &parcel, err);

    for (int i = 0; rc == 0; i++) {
        rc = send_once(c, p, &parcel, ret_version, err);
        if (rc == 0 || i + 1 == TRIES || (err->code != ERR_RETRY && err->code != ERR_EXPIRED))
            break;
        if (err->retry_after_s > 0)
            wait_ms = err->retry_after_s * INT64_C(1000);
        nanosleep(&(struct timespec){(time_t)(wait_ms / 1000), (long)(wait_ms % 1000) * 1000000},
                  NULL);
        wait_ms *= 2;
        rc = 0;
    }
    clear(&parcel);
    return rc;
}

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "api/client.h"
#include "api/put.h"
#include "bundle/seal/sealed.h"
#include "common/base/buf.h"
#include "common/base/hash.h"
#include "common/base/now.h"
#include "common/data/jdoc.h"
#include "common/base/path.h"
#include "common/base/str.h"

#include "ctctl/doctor/doctor.h"

/*
 * The upload is reserved under an ID that no session has ("doctor" in hexadecimal, in a UUID of
 * version 4) and never confirmed: the wire API promises that such a reservation is never listed,
 * never counts as a version and blocks nothing, and our server forgets it after a day.  A server
 * that is not ours is asked to delete it, lest it count there as one of the plan's sessions.
 */
#define DOCTOR_ID "00000000-0000-4000-8000-646f63746f72"

/* An empty gzip file. */
static const unsigned char probe[] = {0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3,
                                      3,    0,    0, 0, 0, 0, 0, 0, 0, 0};

/* Where sessions leave sealed, neither this machine's name nor a folder of it leaves in clear. */
static int seals(struct ctx *c)
{
    return c->config->encryption != CONFIG_ENCRYPTION_OFF &&
           (c->config->encryption == CONFIG_ENCRYPTION_REQUIRE || ctx_ring(c, NULL) == NULL ||
            keyring_n(ctx_ring(c, NULL)) > 0);
}

static int reserve(struct doctor *d, struct api_upload_res *ret, struct ct_err *err)
{
    struct api_upload_req r = {.size_bytes = sizeof(probe), .base_version = -1, .revive = 1};
    unsigned char sum[HASH_SHA256_BYTES], md5[HASH_MD5_BYTES];
    struct hash *h = hash_new(HASH_MD5);
    struct json_object *body, *o = NULL;
    char hex[HASH_SHA256_HEX];
    int rc, is_sealed;

    hash_sha256(probe, sizeof(probe), sum);
    hash_hex(sum, sizeof(sum), hex);
    snprintf(r.checksum, sizeof(r.checksum), "sha256:%s", hex);
    hash_update(h, probe, sizeof(probe));
    hash_final(h, md5);
    r.md5 = hash_base64(md5, sizeof(md5));
    r.session_id = str_dup(DOCTOR_ID);
    is_sealed = seals(d->c);
    r.source_machine = str_dup(is_sealed ? SEALED_WORD : d->c->cred->device_name);
    r.source_cwd = str_dup(is_sealed ? SEALED_WORD : path_home());
    r.source_user_dir = str_dup(is_sealed ? SEALED_WORD : path_home());
    body = api_upload_req_json(&r);
    rc = ctx_cloud(d->c, "POST", "/sessions/upload", body, &o, err);
    if (rc == 0)
        rc = api_upload_res_parse(o, ret, err);
    json_object_put(body);
    json_object_put(o);
    api_upload_req_clear(&r);
    return rc;
}

/* Where the store is, without what makes the URL a secret. */
static char *store_of(const char *url)
{
    char *origin = http_url_origin(url);

    return origin != NULL ? origin : str_dup("the object store");
}

static void judge(struct doctor_finding *f, const char *what, const char *store, int rc,
                  const struct http_res *res, const struct ct_err *e)
{
    static const char cure[] =
        "see whether the object store runs and this network lets you through "
        "to it; on a server of your own: codeteleport-server check";

    if (rc != 0)
        doctor_say(f, DOCTOR_BAD, cure, "%s %s: %s", what, store, e->msg);
    else if (res != NULL && (res->status < 200 || res->status > 299))
        doctor_say(f, DOCTOR_BAD, cure, "%s %s: it answers with HTTP status %d", what, store,
                   res->status);
    else
        doctor_say(f, DOCTOR_OK, NULL, "%s %s works", what, store);
}

static void put(struct doctor *d, struct doctor_finding *f, const struct api_upload_res *reserved,
                int64_t reserved_boot_ms)
{
    char *store = store_of(reserved->upload_url);
    struct ct_err e = {0};
    struct api_put p;
    int rc;

    api_put_begin(d->c->cred->api_url, reserved, &p);
    p.http.body = probe;
    p.http.body_len = sizeof(probe);
    p.http.timeout_ms = 30000;
    rc = api_put_perform(&p, &d->policy, reserved_boot_ms, &e);
    judge(f, "a test upload to", store, rc, NULL, &e);
    api_put_end(&p);
    free(store);
}

void doctor_put(struct doctor *d, struct doctor_finding *f)
{
    struct api_upload_res reserved = {0};
    struct json_object *o;
    struct ct_err e;
    char *path;

    if (doctor_is_barred(d, f))
        return;
    if (reserve(d, &reserved, &e) != 0) {
        if (e.http_status == 403)
            doctor_say(f, DOCTOR_NOTE, NULL, "not tried, for the plan has no room: %s", e.msg);
        else
            doctor_say(f, DOCTOR_BAD, NULL, "the server grants no upload: %s", e.msg);
        return;
    }
    put(d, f, &reserved, now_boot_ms());
    if (reserved.upload_headers == NULL) {
        path = api_session_path(DOCTOR_ID, "");
        if (ctx_cloud(d->c, "DELETE", path, NULL, &o, &e) == 0)
            json_object_put(o);
        free(path);
    }
    str_wipe(reserved.upload_url, strlen(reserved.upload_url));
    api_upload_res_clear(&reserved);
}

/* The URL of the newest session's bundle; "" if there is none yet.  The caller frees it. */
static int newest(struct doctor *d, char **ret, struct ct_err *err)
{
    struct api_download_res res = {0};
    struct json_object *list, *o;
    const char *id;
    char *path;
    int rc;

    if (ctx_cloud(d->c, "GET", "/sessions?limit=1", NULL, &list, err) != 0)
        return -1;
    o = jdoc_array(list, "sessions");
    id = o != NULL && json_object_array_length(o) > 0
             ? jdoc_str(json_object_array_get_idx(o, 0), "id")
             : NULL;
    if (id == NULL) {
        json_object_put(list);
        *ret = str_dup("");
        return 0;
    }
    path = api_session_path(id, "/download");
    rc = ctx_cloud(d->c, "GET", path, NULL, &o, err);
    free(path);
    json_object_put(list);
    if (rc != 0)
        return -1;
    rc = api_download_res_parse(o, &res, err);
    json_object_put(o);
    if (rc == 0) {
        *ret = str_dup(res.download_url);
        str_wipe(res.download_url, strlen(res.download_url));
        api_download_res_clear(&res);
    }
    return rc;
}

/* One byte of what is there already; nothing is made for it and nothing is changed. */
void doctor_get(struct doctor *d, struct doctor_finding *f)
{
    struct http_req rq = HTTP_REQ_INIT;
    struct http_res res = {0};
    struct strlist headers = {0};
    struct ct_err e = {0};
    char *url = NULL, *store;
    int rc;

    if (doctor_is_barred(d, f))
        return;
    if (newest(d, &url, &e) != 0) {
        doctor_say(f, DOCTOR_BAD, NULL, "the server grants no download: %s", e.msg);
        return;
    }
    if (url[0] == '\0') {
        doctor_say(f, DOCTOR_SKIPPED, NULL, "not checked: there is nothing in the cloud yet");
        free(url);
        return;
    }
    store = store_of(url);
    strlist_add(&headers, "Range: bytes=0-0");
    rq.method = "GET";
    rq.url = url;
    rq.from = d->c->cred->api_url;
    rq.headers = &headers;
    rq.timeout_ms = 30000;
    rc = http_perform(&d->policy, &rq, &res, &e);
    judge(f, "a test download of one byte from", store, rc, &res, &e);
    http_res_free(&res);
    strlist_free(&headers);
    str_wipe(url, strlen(url));
    free(url);
    free(store);
}

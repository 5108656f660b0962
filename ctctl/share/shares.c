#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "api/put.h"
#include "common/base/hash.h"
#include "common/base/now.h"
#include "common/base/str.h"
#include "common/base/uuid.h"
#include "common/data/jdoc.h"

#include "ctctl/share/shares.h"

int shares_list(struct ctx *c, struct json_object **ret, struct ct_err *err)
{
    if (ctx_cloud(c, "GET", "/shares", NULL, ret, err) != 0) {
        if (err->code == ERR_GONE)
            err_set(err, ERR_REFUSED,
                    "this server can't share sessions: that takes a newer codeteleport-server, "
                    "whose operator allows it");
        return -1;
    }
    if (jdoc_array(*ret, "shares") == NULL) {
        json_object_put(*ret);
        return err_set(err, ERR_CORRUPT, "the server's answer holds no shares");
    }
    return 0;
}

const struct json_object *shares_find(struct json_object *list, const char *word,
                                      struct ct_err *err)
{
    const struct json_object *found = NULL;

    for (size_t i = 0; i < json_object_array_length(list); i++) {
        const struct json_object *o = json_object_array_get_idx(list, i);
        const char *id = jdoc_str(o, "id");
        if (id == NULL || strncmp(id, word, strlen(word)) != 0)
            continue;
        if (found != NULL) {
            err_set(err, ERR_CONFLICT, "several shares begin with \"%s\"; give more of the ID",
                    word);
            return NULL;
        }
        found = o;
    }
    if (found == NULL)
        err_set(err, ERR_GONE, "no share begins with \"%s\"; see: ctctl shares", word);
    return found;
}

/* An account without the key knows sessions by ids that say nothing. */
static int wire_id(struct ctx *c, const char *session_id, char ret[UUID_SIZE], struct ct_err *err)
{
    const struct keyring *ring = ctx_ring(c, err);

    if (ring == NULL)
        return -1;
    if (keyring_opaque_id(ring, session_id, ret) != 0) {
        if (ctx_is_sealing(c))
            return err_set(err, ERR_CONFIG,
                           "the key of this account is not on this device, see: ctctl key");
        memcpy(ret, session_id, UUID_SIZE);
    }
    return 0;
}

static void describe(const void *p, size_t n, int64_t lifetime_s, struct api_share_req *ret)
{
    unsigned char md5[HASH_MD5_BYTES];

    ret->size_bytes = (int64_t)n;
    memcpy(ret->checksum, "sha256:", 7);
    hash_sha256_hex(p, n, ret->checksum + 7);
    hash_md5(p, n, md5);
    ret->md5 = hash_base64(md5, sizeof(md5));
    ret->lifetime_s = lifetime_s;
}

/* A link goes from hand to hand: it leads where a browser may go, and has no part of its own behind
 * a # yet. */
static int check_answer(struct ctx *c, const struct json_object *o, struct ct_err *err)
{
    const char *url = jdoc_str(o, "url"), *id = jdoc_str(o, "id");
    struct http_policy policy;

    if (url == NULL || id == NULL || !uuid_is_valid(id) || !api_url_is_http(url) ||
        strchr(url, '#') != NULL)
        return err_set(err, ERR_CORRUPT, "the server's answer holds no address to share");
    return ctx_policy(c, &policy, err) != 0 ? -1 : http_url_allowed(url, &policy, err);
}

static int put(struct ctx *c, struct json_object *o, const void *p, size_t n, struct ct_err *err)
{
    int64_t reserved_boot_ms = now_boot_ms();
    struct api_upload_res reserved;
    struct http_policy policy;
    struct api_put put;
    int rc;

    if (ctx_policy(c, &policy, err) != 0 || api_upload_res_parse(o, &reserved, err) != 0)
        return -1;
    api_put_begin(c->cred->api_url, &reserved, &put);
    put.http.body = p;
    put.http.body_len = (int64_t)n;
    rc = api_put_perform(&put, &policy, reserved_boot_ms, err);
    api_put_end(&put);
    api_upload_res_clear(&reserved);
    return rc;
}

static int confirm(struct ctx *c, const char *id, struct ct_err *err)
{
    char *path = str_printf("/shares/%s/confirm", id);
    struct json_object *o = NULL;
    int rc = ctx_cloud(c, "POST", path, NULL, &o, err);

    json_object_put(o);
    free(path);
    return rc;
}

int shares_put(struct ctx *c, const char *session_id, const void *p, size_t n, int64_t lifetime_s,
               struct json_object **ret, struct ct_err *err)
{
    struct api_share_req req = {0};
    char id[UUID_SIZE];
    struct json_object *body, *o = NULL;
    int rc;

    if (wire_id(c, session_id, id, err) != 0)
        return -1;
    describe(p, n, lifetime_s, &req);
    req.session_id = str_dup(id);
    body = api_share_req_json(&req);
    rc = ctx_cloud(c, "POST", "/shares", body, &o, err);
    json_object_put(body);
    api_share_req_clear(&req);
    if (rc != 0)
        return -1;
    rc = check_answer(c, o, err);
    if (rc == 0 && (put(c, o, p, n, err) != 0 || confirm(c, jdoc_str(o, "id"), err) != 0)) {
        (void)shares_end(c, jdoc_str(o, "id"), NULL);
        rc = -1;
    }
    json_object_object_del(o, "uploadUrl");
    json_object_object_del(o, "uploadHeaders");
    json_object_object_del(o, "version");
    if (rc == 0)
        *ret = o;
    else
        json_object_put(o);
    return rc;
}

int shares_end(struct ctx *c, const char *id, struct ct_err *err)
{
    char *path = str_printf("/shares/%s", id);
    struct json_object *o = NULL;
    int rc = ctx_cloud(c, "DELETE", path, NULL, &o, err);

    json_object_put(o);
    free(path);
    return rc;
}

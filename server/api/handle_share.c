#include <string.h>

#include "common/base/log.h"
#include "common/base/now.h"
#include "common/base/str.h"
#include "common/data/jdoc.h"

#include "server/api/call.h"
#include "server/ledger/ledger_share.h"
#include "server/ledger/purge.h"

#define MIN_S 60
#define MAX_S (30 * 24 * 3600)

/* ${key} of the object of the share ${id} of who asks. */
static void key_of(struct call *c, const char *id, char key[STORE_KEY_MAX])
{
    char session_id[STORE_SHARE_SIZE];

    store_share_session(id, session_id);
    store_key(c->who.user_id, session_id, 1, key);
}

/* 0, or the status of the answer. */
static int check_allowed(struct call *c)
{
    if (c->config->share_url != NULL)
        return 0;
    return call_error(c, 403, "sharing_off",
                      "Whoever runs this server has not turned sharing on (see share in "
                      "codeteleport-server.conf).");
}

static int add_once(struct call *c, const struct api_share_req *req, char id[UUID_SIZE],
                    struct ct_err *err)
{
    const struct settings *s = c->config->settings;
    const struct ledger_limits limits = {s->max_bytes_per_user, s->max_bytes};
    const struct ledger_new_share share = {req->session_id, req->size_bytes, req->checksum,
                                           c->now_ms + req->lifetime_s * 1000};
    int rc;

    if (space_check(c->config->space, s->storage == SETTINGS_EMBEDDED ? req->size_bytes : 0, err) !=
            0 ||
        call_act(c, err) != 0)
        return -1;
    rc = ledger_share_add(c->config->ledger, &c->who, &share, &limits, c->now_ms, id, err);
    return call_acted(c, rc, err, "share-made", "id=%s session=%s days=%lld", rc == 0 ? id : "-",
                      req->session_id, (long long)((req->lifetime_s + 86399) / 86400));
}

/* Where there is no room it is made from what nobody misses any more. */
static int add(struct call *c, const struct api_share_req *req, char id[UUID_SIZE],
               struct ct_err *err)
{
    struct purged freed = {0};
    struct ct_err why;

    if (add_once(c, req, id, err) == 0)
        return 0;
    if (err->code != ERR_NOSPACE && strcmp(err->reason, "quota") != 0)
        return -1;
    web_busy(c->web, 1);
    if (purge_for_room(c->config->ledger, c->config->store,
                       err->code == ERR_NOSPACE ? NULL : c->who.user_id, req->size_bytes, c->now_ms,
                       &freed, &why) != 0)
        freed.bytes = 0;
    web_busy(c->web, 0);
    return freed.bytes > 0 ? add_once(c, req, id, err) : -1;
}

static char *link_of(const struct call *c, const char *id)
{
    return str_printf("%s/s/%s", c->config->share_url, id);
}

static int answer(struct call *c, const struct api_share_req *req, const char *id)
{
    char key[STORE_KEY_MAX], when[32], *url, *link = link_of(c, id);
    struct json_object *headers = json_object_new_object();
    const struct store_put put = {key, req->size_bytes, req->checksum, req->md5, c->now_ms};

    key_of(c, id, key);
    url = store_presign_put(c->config->store, &put, headers);
    c->answer = json_object_new_object();
    jdoc_set_str(c->answer, "id", id);
    jdoc_set_str(c->answer, "url", link);
    jdoc_set_int(c->answer, "version", 1); /* so that it reads as the answer to an upload */
    jdoc_set_str(c->answer, "uploadUrl", url);
    json_object_object_add(c->answer, "uploadHeaders", headers);
    jdoc_set_str(c->answer, "expiresAt", now_rfc3339(c->now_ms + req->lifetime_s * 1000, when));
    str_wipe(url, strlen(url));
    free(url);
    free(link);
    return 201;
}

int handle_share_create(struct call *c)
{
    struct api_share_req req;
    char id[UUID_SIZE];
    struct ct_err err;
    int status = check_allowed(c);

    if (status != 0)
        return status;
    if (api_share_req_parse(c->body, &req, &err) != 0)
        return call_fail(c, &err);
    if (req.size_bytes > API_SHARE_MAX_BYTES)
        status = call_error(c, 413, "too_large", "What is shared may have at most 64 MiB.");
    else if (req.lifetime_s < MIN_S || req.lifetime_s > MAX_S)
        status = call_error(c, 422, "invalid",
                            "expiresIn has to be a number of seconds, at most 30 days.");
    else if ((status = call_count(c, c->config->limits->shares, c->who.user_id)) == 0)
        status = add(c, &req, id, &err) != 0 ? call_fail(c, &err) : answer(c, &req, id);
    api_share_req_clear(&req);
    return status;
}

/* Is the object there as it was promised?  0, or the status of the answer. */
static int check_uploaded(struct call *c, const struct ledger_share *s)
{
    char key[STORE_KEY_MAX];
    struct store_head head;
    struct ct_err err;
    int rc;

    key_of(c, c->params[0], key);
    web_busy(c->web, 1);
    rc = store_head(c->config->store, key, &head, &err);
    if (rc == 0 && head.size_bytes == s->size_bytes)
        rc = store_check(c->config->store, key, s->checksum, &err);
    else if (rc == 0)
        rc = err_set(&err, ERR_CORRUPT, "it does not have the promised size");
    web_busy(c->web, 0);
    if (rc == 0)
        return 0;
    if (err.code == ERR_GONE || err.code == ERR_CORRUPT)
        return call_error(c, 409, "not_uploaded",
                          "What is to be shared is not in the store as it was promised.");
    return call_fail(c, &err);
}

int handle_share_confirm(struct call *c)
{
    struct ledger_share s;
    struct ct_err err;
    int status = check_allowed(c);

    if (status != 0)
        return status;
    if (ledger_share_find(c->config->ledger, c->who.user_id, c->params[0], c->now_ms, &s, &err) !=
        0)
        return call_fail(c, &err);
    if (!s.is_open) {
        if ((status = check_uploaded(c, &s)) != 0)
            return status;
        if (ledger_share_open(c->config->ledger, c->who.user_id, c->params[0], c->now_ms, &err) !=
            0)
            return call_fail(c, &err);
    }
    return call_ok(c);
}

/* Also where sharing is off (again): what there is can be seen and ended. */
int handle_share_list(struct call *c)
{
    struct ct_err err;

    if (ledger_shares(c->config->ledger, c->who.user_id, c->now_ms, &c->answer, &err) != 0)
        return call_fail(c, &err);
    jdoc_set_bool(c->answer, "allowed", c->config->share_url != NULL);
    return 200;
}

/* The link is dead by now; so is a presigned URL once the object is gone. */
static void remove_now(struct call *c, const char *id)
{
    char key[STORE_KEY_MAX];
    struct ct_err err;

    key_of(c, id, key);
    web_busy(c->web, 1);
    if (store_remove(c->config->store, key, &err) != 0)
        log_warn("purge-failed error=\"%s\"", err.msg);
    web_busy(c->web, 0);
}

int handle_share_end(struct call *c)
{
    struct ct_err err;
    int rc;

    if (call_act(c, &err) != 0)
        return call_fail(c, &err);
    rc = ledger_share_end(c->config->ledger, c->who.user_id, c->params[0], c->now_ms, &err);
    if (call_acted(c, rc, &err, "share-ended", "id=%s", c->params[0]) != 0)
        return call_fail(c, &err);
    remove_now(c, c->params[0]);
    return call_ok(c);
}

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/data/jdoc.h"
#include "common/base/log.h"
#include "common/base/str.h"
#include "api/api.h"

#include "server/api/call.h"
#include "server/ledger/ledger_share.h"
#include "server/ledger/purge.h"

#define MAX_SKIPS 4
#define MAX_VERSIONS 1000 /* in one answer */
#define MAX_ROUNDS 8      /* of making room */

/* An empty filter is none. */
static const char *or_null(const char *s)
{
    return s != NULL && s[0] != '\0' ? s : NULL;
}

/* What changed since a cursor; 304 if nothing did.  A cursor of another database starts anew. */
static int list_since(struct call *c, int64_t since, int64_t limit)
{
    const struct ledger_filter all = {.limit = limit};
    struct ct_err err;
    int rc = ledger_sessions_since(c->config->ledger, &c->who, since, limit, &c->answer, &err);

    if (rc >= 0)
        return rc == 1 ? 200 : 304;
    if (err.code != ERR_GONE ||
        ledger_sessions(c->config->ledger, &c->who, &all, &c->answer, &err) != 0)
        return call_fail(c, &err);
    jdoc_set_bool(c->answer, "reset", 1);
    return 200;
}

int handle_session_list(struct call *c)
{
    struct ledger_filter f = {0};
    int64_t since;
    char *machine = NULL, *tag = NULL, *agent = NULL;
    struct ct_err err;
    int status;

    if ((status = call_page(c, &f.limit, &f.offset)) != 0)
        return status;
    if ((status = call_query_int(c, "since", 0, INT64_MAX, &since)) == 1)
        return list_since(c, since, f.limit);
    if (status < 0)
        return call_error(c, 422, "invalid", "since has to be a cursor of this list.");
    status = 200;
    if (call_query(c, "machine", &machine) < 0 || call_query(c, "tag", &tag) < 0 ||
        call_query(c, "agent", &agent) < 0) {
        status = call_error(c, 422, "invalid", "The query of this list is not valid.");
    } else {
        f.machine = or_null(machine);
        f.tag = or_null(tag);
        f.agent = or_null(agent);
        if (ledger_sessions(c->config->ledger, &c->who, &f, &c->answer, &err) != 0)
            status = call_fail(c, &err);
    }
    free(machine);
    free(tag);
    free(agent);
    return status;
}

/* What is current and what stands beside it, or (${version}) beside what that would contain. */
static int answer_heads(struct call *c, const char *session_id, int64_t version)
{
    struct json_object *heads;
    int64_t current;
    struct ct_err err;

    if (ledger_heads(c->config->ledger, &c->who, session_id, version, &current, &heads, &err) != 0)
        return call_fail(c, &err);
    jdoc_set_int(c->answer, "currentVersion", current);
    json_object_object_add(c->answer, "heads", heads);
    return 200;
}

static int answer_upload(struct call *c, const struct api_upload_req *req,
                         const struct ledger_reserved *reserved)
{
    char key[STORE_KEY_MAX];
    struct store_put put = {key, req->size_bytes, req->checksum, req->md5, c->now_ms};
    struct api_upload_res res = {0};

    store_key(c->who.user_id, req->session_id, reserved->version, key);
    res.upload_headers = json_object_new_object();
    res.upload_url = store_presign_put(c->config->store, &put, res.upload_headers);
    res.session_record_id = str_dup(reserved->record_id);
    res.version = reserved->version;
    res.elsewhere = reserved->elsewhere;
    c->answer = api_upload_res_json(&res);
    if (req->pin > 0)
        jdoc_set_bool(c->answer, "pinned", reserved->pinned);
    api_upload_res_clear(&res);
    json_object_object_add(c->answer, "features", call_features());
    return answer_heads(c, req->session_id, reserved->version);
}

static int reserve_once(struct call *c, const struct api_upload_req *req,
                        struct ledger_reserved *ret, struct ct_err *err)
{
    const struct settings *s = c->config->settings;
    const struct ledger_limits limits = {s->max_bytes_per_user, s->max_bytes};

    if (space_check(c->config->space, s->storage == SETTINGS_EMBEDDED ? req->size_bytes : 0, err) !=
        0)
        return -1;
    return ledger_reserve(c->config->ledger, &c->who, req, &limits, c->now_ms, ret, err);
}

/* Where there is no room it is made from what nobody misses any more. */
static int reserve(struct call *c, const struct api_upload_req *req, struct ledger_reserved *ret,
                   struct ct_err *err)
{
    const struct app_config *config = c->config;
    struct purged freed;
    int rc;

    for (int i = 0; (rc = reserve_once(c, req, ret, err)) != 0 && i < MAX_ROUNDS; i++) {
        const char *user_id = err->code == ERR_NOSPACE ? NULL : c->who.user_id;
        struct ct_err why;
        if (err->code != ERR_NOSPACE && strcmp(err->reason, "quota") != 0)
            return -1;
        memset(&freed, 0, sizeof(freed));
        web_busy(c->web, 1);
        rc = purge_for_room(config->ledger, config->store, user_id, req->size_bytes, c->now_ms,
                            &freed, &why);
        web_busy(c->web, 0);
        if (rc != 0 || freed.bytes == 0)
            return -1;
    }
    return rc;
}

/*
 * A database that was put back from a backup gives out numbers again whose objects are there: a
 * store of ours refuses to overwrite them, an S3 would not.  So the place is looked at first.
 */
static int reserve_free(struct call *c, const struct api_upload_req *req,
                        struct ledger_reserved *ret, struct ct_err *err)
{
    struct ledger *l = c->config->ledger;
    char key[STORE_KEY_MAX];
    struct store_head head;
    int rc;

    for (int i = 0; i < MAX_SKIPS; i++) {
        if (reserve(c, req, ret, err) != 0)
            return -1;
        store_key(c->who.user_id, req->session_id, ret->version, key);
        web_busy(c->web, 1);
        rc = store_head(c->config->store, key, &head, NULL);
        web_busy(c->web, 0);
        /* Whatever else is wrong with the store the PUT will tell. */
        if (rc != 0)
            return 0;
        log_warn("object-in-the-way key=%s", key);
        if (ledger_skip(l, c->who.user_id, req->session_id, ret->version, err) != 0)
            return -1;
    }
    return err_set(err, ERR_RETRY, "the store has objects of this session that nobody knows");
}

static int refuse(struct call *c, const struct api_upload_req *req, const struct ct_err *err)
{
    int status = call_fail(c, err);

    if (err->code == ERR_CONFLICT && strcmp(err->reason, "deleted") == 0)
        ledger_deletion(c->config->ledger, &c->who, req->session_id, c->answer, NULL);
    return status;
}

int handle_session_upload(struct call *c)
{
    struct ledger_reserved reserved;
    struct api_upload_req req;
    struct ct_err err;
    int status;

    if (api_upload_req_parse(c->body, &req, &err) != 0)
        return call_fail(c, &err);
    snprintf(c->session_id, sizeof(c->session_id), "%s", req.session_id);
    if (req.size_bytes > STORE_MAX_OBJECT)
        status = call_error(c, 413, "too_large", "A bundle may have at most 5 GiB less 5 MiB.");
    else if (reserve_free(c, &req, &reserved, &err) != 0)
        status = refuse(c, &req, &err);
    else
        status = answer_upload(c, &req, &reserved);
    api_upload_req_clear(&req);
    return status;
}

/* What is there is not that version, and the next upload gets another place. */
static int not_uploaded(struct call *c, const struct ledger_pending *p, const char *sentence)
{
    struct ct_err err;

    if (ledger_confirm_failed(c->config->ledger, c->who.user_id, c->params[0], p->version,
                              c->now_ms, &err) != 0)
        return call_fail(c, &err);
    return call_error(c, 409, "not_uploaded", sentence);
}

/* Is the object there as it was promised?  0, or the status of the answer. */
static int check_uploaded(struct call *c, const struct ledger_pending *p)
{
    char key[STORE_KEY_MAX];
    struct store_head head;
    struct ct_err err;
    int rc;

    store_key(c->who.user_id, c->params[0], p->version, key);
    web_busy(c->web, 1);
    rc = store_head(c->config->store, key, &head, &err);
    web_busy(c->web, 0);
    if (rc != 0) {
        if (err.code == ERR_GONE)
            return call_error(c, 409, "not_uploaded", "The bundle has not been uploaded.");
        return call_fail(c, &err);
    }
    if (head.size_bytes != p->size_bytes)
        return not_uploaded(c, p, "The bundle in the store does not have the promised size.");
    if (head.sha256[0] != '\0' && strcmp(p->checksum + strlen("sha256:"), head.sha256) != 0)
        return not_uploaded(c, p, "The bundle in the store does not have the promised checksum.");
    web_busy(c->web, 1);
    rc = store_check(c->config->store, key, p->checksum, &err);
    web_busy(c->web, 0);
    if (rc != 0 && err.code == ERR_CORRUPT)
        return not_uploaded(c, p, "The bundle in the store does not have the promised checksum.");
    return rc != 0 ? call_fail(c, &err) : 0;
}

int handle_session_confirm(struct call *c)
{
    const struct app_config *config = c->config;
    struct api_confirm_req req;
    struct ledger_pending p;
    struct ct_err err;
    int status;

    if ((status = call_session_id(c)) != 0)
        return status;
    if (api_confirm_req_parse(c->body, &req, &err) != 0 ||
        ledger_pending(config->ledger, &c->who, c->params[0], &req, c->now_ms, &p, &err) != 0)
        return call_fail(c, &err);
    if (!p.confirmed) {
        if ((status = check_uploaded(c, &p)) != 0)
            return status;
        if (ledger_confirm(config->ledger, &c->who, c->params[0], p.version,
                           (int)config->settings->versions_per_session, c->now_ms, &err) != 0)
            return call_fail(c, &err);
    }
    call_ok(c);
    jdoc_set_int(c->answer, "version", p.version);
    return answer_heads(c, c->params[0], 0);
}

int handle_session_download(struct call *c)
{
    struct api_download_res res;
    char key[STORE_KEY_MAX];
    int64_t version = 0;
    struct ct_err err;
    int status;

    if ((status = call_session_id(c)) != 0)
        return status;
    if (call_query_int(c, "version", 1, API_VERSION_MAX, &version) < 0)
        return call_error(c, 422, "invalid", "version has to be the number of a version.");
    if (ledger_download(c->config->ledger, c->who.user_id, c->params[0], version, &res, &err) != 0)
        return call_fail(c, &err);
    store_key(c->who.user_id, c->params[0], res.version, key);
    res.download_url = store_presign_get(c->config->store, key, c->now_ms);
    c->answer = api_download_res_json(&res);
    api_download_res_clear(&res);
    return 200;
}

int handle_session_versions(struct call *c)
{
    int64_t limit = MAX_VERSIONS, offset = 0;
    struct ct_err err;
    int status;

    if ((status = call_session_id(c)) != 0)
        return status;
    if (call_query_int(c, "limit", 1, MAX_VERSIONS, &limit) < 0 ||
        call_query_int(c, "offset", 0, INT64_MAX, &offset) < 0)
        return call_error(c, 422, "invalid", "The query of this list is not valid.");
    if (ledger_versions(c->config->ledger, &c->who, c->params[0], limit, offset, &c->answer,
                        &err) != 0)
        return call_fail(c, &err);
    jdoc_set_int(c->answer, "limit", c->config->settings->versions_per_session);
    return 200;
}

int handle_session_delete(struct call *c)
{
    char ended[32] = "";
    int64_t shares = 0;
    struct ct_err err;
    int status, rc;

    if ((status = call_session_id(c)) != 0)
        return status;
    if (call_act(c, &err) != 0)
        return call_fail(c, &err);
    rc = ledger_session_delete(c->config->ledger, &c->who, c->params[0], c->now_ms, &err);
    /* Nobody means to go on showing what they delete. */
    if (rc == 0)
        rc = ledger_shares_end(c->config->ledger, c->who.user_id, c->params[0], c->now_ms, &shares,
                               &err);
    if (shares > 0)
        snprintf(ended, sizeof(ended), " shares=%lld", (long long)shares);
    if (call_acted(c, rc, &err, "session-deleted", "session=%s%s", c->session_id, ended) != 0)
        return call_fail(c, &err);
    call_ok(c);
    jdoc_set_int(c->answer, "sharesEnded", shares);
    return 200;
}

int handle_session_delete_version(struct call *c)
{
    unsigned long long version;
    struct ct_err err;
    int status, rc;

    if ((status = call_session_id(c)) != 0)
        return status;
    if (str_parse_u64(c->params[1], &version) != 0 || version > API_VERSION_MAX)
        return call_error(c, 404, "not_found", "There is no such version.");
    if (call_act(c, &err) != 0)
        return call_fail(c, &err);
    rc = ledger_version_delete(c->config->ledger, &c->who, c->params[0], (int64_t)version,
                               c->now_ms, &err);
    if (call_acted(c, rc, &err, "version-deleted", "session=%s version=%llu", c->session_id,
                   version) != 0)
        return call_fail(c, &err);
    return call_ok(c);
}

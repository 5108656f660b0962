#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/now.h"
#include "common/base/hash.h"
#include "common/data/jdoc.h"
#include "common/base/log.h"
#include "common/base/percent.h"
#include "common/base/str.h"
#include "common/base/strlist.h"
#include "api/api.h"
#include "server/auth/password.h"

#include "server/api/app_impl.h"

#define MAX_PAGE 100

int call_error(struct call *c, int status, const char *code, const char *message)
{
    json_object_put(c->answer);
    c->answer = api_error_json(code, message);
    return status;
}

int call_ok(struct call *c)
{
    c->answer = json_object_new_object();
    jdoc_set_bool(c->answer, "ok", 1);
    return 200;
}

int call_too_many(struct call *c, int wait_s)
{
    char text[16];

    snprintf(text, sizeof(text), "%d", wait_s);
    web_answer_header(c->web, "Retry-After", text);
    return call_error(c, 429, "too_many_attempts", "Too many attempts; try again later.");
}

int call_count(struct call *c, struct attempts *limit, const char *name)
{
    int64_t now_ms = now_mono_ms();
    int wait = attempts_wait_s(limit, name, now_ms);

    if (wait > 0)
        return call_too_many(c, wait);
    attempts_count(limit, name, now_ms);
    return 0;
}

int call_fail(struct call *c, const struct ct_err *err)
{
    switch (err->code) {
    case ERR_GONE:
        return call_error(c, 404, "not_found", err->msg);
    case ERR_AUTH:
        web_answer_header(c->web, "WWW-Authenticate", "Bearer");
        return call_error(c, 401, "unauthorized", err->msg);
    case ERR_REFUSED:
        if (err->reason[0] != '\0')
            return call_error(c, 403, err->reason, err->msg);
        return call_error(c, 422, "invalid", err->msg);
    case ERR_CONFLICT:
        if (err->reason[0] != '\0')
            return call_error(c, 409, err->reason, err->msg);
        break;
    default:
        break;
    }
    log_error("call-failed route=%s code=%s error=\"%s\"", c->route->pattern, err_name(err->code),
              err->msg);
    if (err->code == ERR_NOSPACE)
        return call_error(c, 507, "no_space", "The disk of the server is full.");
    if (err->code == ERR_CONFLICT || err->code == ERR_RETRY) {
        web_answer_header(c->web, "Retry-After", "1");
        return call_error(c, 503, "busy", "The server is busy; try again.");
    }
    return call_error(c, 500, "internal", "Something went wrong on the server.");
}

char *call_decode(const char *s, size_t n)
{
    char *text = percent_decode(s, n);

    if (text == NULL || str_is_utf8(text, strlen(text)))
        return text;
    free(text);
    return NULL;
}

int call_query(struct call *c, const char *name, char **ret)
{
    const char *s = strchr(web_target(c->web), '?');
    size_t name_len = strlen(name);

    while (s != NULL && *s != '\0') {
        size_t n = strcspn(++s, "&");
        if (n > name_len && strncmp(s, name, name_len) == 0 && s[name_len] == '=') {
            char *raw = str_printf("%.*s", (int)(n - name_len - 1), s + name_len + 1);
            char *value;
            /* Forms and URLSearchParams write a space so. */
            for (char *p = raw; *p != '\0'; p++) {
                if (*p == '+')
                    *p = ' ';
            }
            value = call_decode(raw, strlen(raw));
            free(raw);
            if (value == NULL)
                return -1;
            *ret = value;
            return 1;
        }
        s += n;
    }
    return 0;
}

int call_query_int(struct call *c, const char *name, int64_t min, int64_t max, int64_t *ret)
{
    unsigned long long n = 0;
    char *text = NULL;
    int rc = call_query(c, name, &text);

    if (rc == 1 &&
        (str_parse_u64(text, &n) != 0 || n > INT64_MAX || (int64_t)n < min || (int64_t)n > max))
        rc = -1;
    free(text);
    if (rc == 1)
        *ret = (int64_t)n;
    return rc;
}

int call_page(struct call *c, int64_t *ret_limit, int64_t *ret_offset)
{
    int64_t limit = MAX_PAGE, offset = 0;

    if (call_query_int(c, "limit", 1, INT64_MAX, &limit) < 0 ||
        call_query_int(c, "offset", 0, INT64_MAX, &offset) < 0)
        return call_error(c, 422, "invalid", "The query of this list is not valid.");
    *ret_limit = limit > MAX_PAGE ? MAX_PAGE : limit;
    *ret_offset = offset;
    return 0;
}

struct json_object *call_features(void)
{
    struct json_object *list = json_object_new_array();

    json_object_array_add(list, json_object_new_string(API_FEATURE_HEADS));
    json_object_array_add(list, json_object_new_string(API_FEATURE_BASE_CHECKSUMS));
    json_object_array_add(list, json_object_new_string(API_FEATURE_PROFILE));
    return list;
}

int call_session_id(struct call *c)
{
    if (api_session_id_is_valid(c->params[0])) {
        memcpy(c->session_id, c->params[0], strlen(c->params[0]) + 1);
        return 0;
    }
    return call_error(c, 404, "not_found", "There is no such session.");
}

char *call_cookie(struct call *c, const char *name, int i)
{
    char *list = web_header_list(c->web, "Cookie"), *value = NULL;
    size_t name_len = strlen(name), n;

    for (const char *p = list; value == NULL && *p != '\0'; p += n) {
        p += strspn(p, " ;,");
        n = strcspn(p, ";,");
        if (n > name_len && strncmp(p, name, name_len) == 0 && p[name_len] == '=' && i-- == 0)
            value = str_printf("%.*s", (int)(n - name_len - 1), p + name_len + 1);
    }
    str_wipe(list, strlen(list));
    free(list);
    return value;
}

/*
 * A proxy appends the address that it saw: read from the end, the first one that is no proxy of
 * ours is the client, and what stands before that is the client's own invention.
 */
void call_client(struct call *c, char address[WEB_ADDRESS_SIZE])
{
    char *list = web_header_list(c->web, "X-Forwarded-For");
    size_t end = strlen(list), begin, n;
    char next[WEB_ADDRESS_SIZE];

    web_peer(c->web, address);
    while (end > 0 && web_ranges_have(&c->config->settings->trusted_proxy, address)) {
        for (begin = end; begin > 0 && list[begin - 1] != ','; begin--)
            ;
        n = end - begin;
        end = begin > 0 ? begin - 1 : 0;
        if (web_address(list + begin, n, next) != 0)
            break;
        memcpy(address, next, sizeof(next));
    }
    free(list);
}

const char *call_peer(struct call *c, char *buf, size_t size)
{
    char address[WEB_ADDRESS_SIZE];

    call_client(c, address);
    return web_network(address, buf, size);
}

int call_bcrypt_begin(struct call *c)
{
    int is_user = c->who.user_id[0] != '\0', is_ours = is_user || c->has_known_device, rc;
    char client[WEB_ADDRESS_SIZE];

    c->hashes_as[0] = '\0';
    if (is_user)
        memcpy(c->hashes_as, c->who.user_id, UUID_SIZE);
    call_client(c, client);
    if (!is_ours)
        web_neighbourhood(client, c->hashes_as, sizeof(c->hashes_as));
    web_busy(c->web, 1);
    rc = limits_enter(c->config->limits, c->hashes_as, is_ours);
    if (rc == 0)
        return 0;
    web_busy(c->web, 0);
    if (rc > 0)
        return call_too_many(c, 2);
    web_answer_header(c->web, "Retry-After", "2");
    return call_error(c, 503, "busy", "Too many log in at this moment; try again.");
}

void call_bcrypt_end(struct call *c)
{
    limits_leave(c->config->limits, c->hashes_as);
    web_busy(c->web, 0);
}

int call_hash_password(struct call *c, const char *password, char **ret)
{
    struct ct_err err;
    int rc, status = call_bcrypt_begin(c);

    if (status != 0)
        return status;
    rc = password_hash(password, ret, &err);
    call_bcrypt_end(c);
    return rc != 0 ? call_fail(c, &err) : 0;
}

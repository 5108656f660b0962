#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/hash.h"
#include "common/base/now.h"
#include "common/data/jdoc.h"
#include "common/base/str.h"
#include "api/api.h"

#include "server/api/call.h"

#define MAX_NAME_BYTES 255
#define MAX_DAYS 3650
#define RAW_BYTES 32
#define DAY_MS (24LL * 3600 * 1000)

/* "never" or "<n>d"; ${ret_ms} is 0 for never. */
static int parse_expiry(const char *s, int64_t now_ms, int64_t *ret_ms)
{
    size_t n = strlen(s);
    unsigned long long days;
    char number[8];

    if (strcmp(s, "never") == 0) {
        *ret_ms = 0;
        return 0;
    }
    if (n < 2 || n > sizeof(number) || s[n - 1] != 'd')
        return -1;
    memcpy(number, s, n - 1);
    number[n - 1] = '\0';
    if (str_parse_u64(number, &days) != 0 || days < 1 || days > MAX_DAYS)
        return -1;
    *ret_ms = now_ms + (int64_t)days * 24 * 3600 * 1000;
    return 0;
}

static int add(struct call *c, const struct ledger_new_token *t, char id[UUID_SIZE],
               char device_id[UUID_SIZE], struct ct_err *err)
{
    long long days = t->expires_ms > 0 ? (t->expires_ms - t->now_ms) / DAY_MS : 0;
    int rc;

    if (call_act(c, err) != 0)
        return -1;
    rc = ledger_token_add(c->config->ledger, c->who.user_id, t, id, device_id, err);
    return call_acted(c, rc, err, "token-made", "id=%s days=%lld", id, days);
}

/* 0, or the status of the answer.  Each token made and ended leaves two traces for good.  Whoever
 * stole a log-in or the password must not keep the holder from a token once that has ended. */
static int count_mint(struct call *c)
{
    struct limits *limits = c->config->limits;
    char holder[UUID_SIZE + 24];
    const struct {
        struct attempts *limit;
        const char *name;
    } all[] = {{limits->mints_of_one, c->asker},
               {limits->mints, holder},
               {limits->mints_at_all, c->who.user_id}};
    int64_t now_ms = now_mono_ms();
    int wait = 0;

    snprintf(holder, sizeof(holder), "%s %lld", c->who.user_id, (long long)c->generation);
    for (size_t i = 0; wait == 0 && i < sizeof(all) / sizeof(all[0]); i++)
        wait = attempts_wait_s(all[i].limit, all[i].name, now_ms);
    if (wait > 0)
        return call_too_many(c, wait);
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        attempts_count(all[i].limit, all[i].name, now_ms);
    return 0;
}

static int create(struct call *c, const char *name, const char *device, int64_t expires_ms)
{
    unsigned char raw[RAW_BYTES];
    char id[UUID_SIZE] = "", device_id[UUID_SIZE], digest[HASH_SHA256_HEX], *text, *token;
    struct ledger_new_token t = {.name = name, .sha256 = digest, .device = device};
    struct ct_err err;
    int status = 201;

    hash_random(raw, sizeof(raw));
    text = hash_base64url(raw, sizeof(raw));
    token = str_printf("ctk_live_%s", text);
    hash_sha256_hex(token, strlen(token), digest);
    t.last4 = token + strlen(token) - 4;
    t.now_ms = c->now_ms;
    t.expires_ms = expires_ms;
    if (add(c, &t, id, device_id, &err) != 0) {
        status = call_fail(c, &err);
    } else {
        c->answer = json_object_new_object();
        jdoc_set_str(c->answer, "token", token);
        jdoc_set_str(c->answer, "id", id);
        if (device_id[0] != '\0')
            json_object_object_add(c->answer, "device", ledger_device_json(device_id, name));
    }
    str_wipe(raw, sizeof(raw));
    str_wipe(text, strlen(text));
    str_wipe(token, strlen(token));
    free(text);
    free(token);
    return status;
}

int handle_token_create(struct call *c)
{
    int status;
    const char *name = jdoc_str(c->body, "name"), *expires = jdoc_str(c->body, "expiresIn");
    const char *device = jdoc_str(c->body, "deviceId");
    int64_t expires_ms = 0, max_days = c->config->settings->max_token_days;

    if (name == NULL && !jdoc_has(c->body, "name"))
        name = "API token";
    if (name == NULL || name[0] == '\0' || strlen(name) > MAX_NAME_BYTES)
        return call_error(c, 422, "invalid", "name has to be a string of 1 to 255 bytes.");
    if (expires == NULL && !jdoc_has(c->body, "expiresIn"))
        expires = "never";
    if (expires == NULL || parse_expiry(expires, c->now_ms, &expires_ms) != 0)
        return call_error(c, 422, "invalid",
                          "expiresIn has to be \"never\" or days like \"30d\", at most \"3650d\".");
    if (max_days > 0 && (expires_ms == 0 || expires_ms > c->now_ms + max_days * 24 * 3600 * 1000))
        expires_ms = c->now_ms + max_days * 24 * 3600 * 1000;
    if (jdoc_has(c->body, "deviceId") && (device == NULL || !api_device_id_is_valid(device)))
        return call_error(c, 422, "invalid",
                          "deviceId has to be 8 to 64 letters, digits and \"-\".");
    if ((status = count_mint(c)) != 0)
        return status;
    return create(c, name, device, expires_ms);
}

int handle_token_list(struct call *c)
{
    struct ct_err err;

    if (ledger_tokens(c->config->ledger, &c->who, &c->answer, &err) != 0)
        return call_fail(c, &err);
    return 200;
}

int handle_token_revoke(struct call *c)
{
    struct ct_err err;
    int rc;

    if (call_act(c, &err) != 0)
        return call_fail(c, &err);
    rc = ledger_token_revoke(c->config->ledger, c->who.user_id, c->params[0], &err);
    if (call_acted(c, rc, &err, "token-revoked", "id=%s", c->params[0]) != 0)
        return call_fail(c, &err);
    return call_ok(c);
}

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/base/hash.h"
#include "common/base/log.h"
#include "common/base/now.h"
#include "common/base/str.h"

#include "server/api/app_impl.h"
#include "server/auth/jwt.h"

#define TOKEN_PREFIX "ctk_live_"
#define MAX_TOKEN_BYTES 2048

static int unauthorized(struct call *c, const char *message)
{
    struct ct_err err;

    err_set(&err, ERR_AUTH, "%s", message);
    return call_fail(c, &err);
}

int call_login_key(struct call *c, const char *purpose, unsigned char *key)
{
    if (jwt_key_get(c->config->keys->jwt, key) != 0)
        return call_error(c, 503, "no_key", "Log-ins don't work at the moment.");
    if (purpose != NULL)
        hash_hmac_sha256(key, JWT_KEY_BYTES, purpose, strlen(purpose), key);
    return 0;
}

/* A page's log-in is no other's, and no other is a page's. */
static const char *purpose_of(const struct call *c)
{
    return c->is_dashboard ? "dashboard" : NULL;
}

/* Also a token that is well signed must belong to a user who is there, with the same password. */
static int by_login(struct call *c, const char *token)
{
    unsigned char key[JWT_KEY_BYTES];
    char digest[HASH_SHA256_HEX];
    struct jwt_claims claims;
    struct ledger_user user = {0};
    struct ct_err err;
    int same, rc, status = call_login_key(c, purpose_of(c), key);

    if (status != 0)
        return status;
    rc = jwt_verify(key, token, c->now_ms / 1000, &claims, &err);
    str_wipe(key, sizeof(key));
    if (rc != 0)
        return call_fail(c, &err);
    if (ledger_user_by_id(c->config->ledger, claims.user_id, &user, &err) != 0) {
        if (err.code == ERR_GONE)
            return unauthorized(c, "This account is not there any more.");
        return call_fail(c, &err);
    }
    same = user.generation == claims.generation && !user.is_disabled &&
           (user.signed_in_ms == 0 ||
            user.signed_in_ms > ledger_signed_in_since(c->config->ledger, c->now_ms));
    ledger_user_clear(&user);
    if (!same)
        return unauthorized(c, "This log-in has ended; log in again.");
    memcpy(c->who.user_id, claims.user_id, UUID_SIZE);
    c->login_s = claims.issued_s;
    c->generation = claims.generation;
    hash_sha256_hex(token, strlen(token), digest);
    snprintf(c->asker, sizeof(c->asker), "log-in %.24s", digest);
    return 0;
}

static int by_api_token(struct call *c, const char *token)
{
    char digest[HASH_SHA256_HEX];
    struct ct_err err;

    hash_sha256_hex(token, strlen(token), digest);
    if (ledger_token_find(c->config->ledger, digest, c->now_ms, &c->who, &err) != 0)
        return call_fail(c, &err);
    if (c->route->auth == APP_LOGIN)
        return call_error(c, 403, "login_required",
                          "This needs a log-in with e-mail and password, not an API token.");
    memcpy(c->asker, c->who.token_id, UUID_SIZE);
    return 0;
}

static int by_cookie(struct call *c)
{
    char *token = call_page_login(c);
    int status;

    if (token == NULL)
        return unauthorized(c, "Sign in first.");
    status = by_login(c, token);
    str_wipe(token, strlen(token));
    free(token);
    if (status == 0 && attempts_wait_s(c->config->limits->ended, c->asker, now_mono_ms()) > 0)
        return unauthorized(c, "This log-in has ended; sign in again.");
    return status;
}

int call_authenticate(struct call *c)
{
    const char *h = web_header(c->web, "Authorization");

    if (c->is_dashboard)
        return by_cookie(c);
    if (h == NULL)
        return unauthorized(c, "A token is needed; log in first.");
    if (strncasecmp(h, "Bearer ", 7) != 0 || strlen(h) > MAX_TOKEN_BYTES)
        return unauthorized(c, "The Authorization header has to be a bearer token.");
    h += 7 + strspn(h + 7, " ");
    if (strncmp(h, TOKEN_PREFIX, strlen(TOKEN_PREFIX)) == 0)
        return by_api_token(c, h);
    return by_login(c, h);
}

char *call_login_token(struct call *c, const char *user_id, int64_t generation, const char *email,
                       int *ret_status)
{
    unsigned char key[JWT_KEY_BYTES];
    struct jwt_claims claims = {
        .generation = generation,
        .issued_s = c->now_ms / 1000,
        .expires_s = c->now_ms / 1000 + (c->is_dashboard ? JWT_PAGE_LIFETIME_S : JWT_LIFETIME_S)};
    char *token;
    int status = call_login_key(c, purpose_of(c), key);

    if (status != 0) {
        *ret_status = status;
        return NULL;
    }
    memcpy(claims.user_id, user_id, UUID_SIZE);
    token = jwt_make(key, &claims, email);
    str_wipe(key, sizeof(key));
    return token;
}

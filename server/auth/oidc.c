#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/hash.h"
#include "common/base/now.h"
#include "common/base/percent.h"
#include "common/base/str.h"
#include "common/data/jdoc.h"

#include "server/auth/jwks.h"
#include "server/auth/provider.h"
#include "server/settings/email.h"

/*
 * OpenID Connect's code flow with PKCE: discovery, the ID token (checked against the issuer's
 * keys), and userinfo if that has no e-mail. https://openid.net/specs/openid-connect-core-1_0.html
 */
#define WORD "the OpenID provider"
#define CLOCKS_APART_S 60

static int is_configured(const struct settings *s)
{
    return s->oidc_issuer != NULL && s->oidc_client_id != NULL;
}

/* GET ${url}, or POST ${form} to it; with the header line ${authorization} or without. */
static int call(const struct settings *s, const char *url, const char *authorization,
                const struct buf *form, struct json_object **ret, struct ct_err *err)
{
    struct http_req req = HTTP_REQ_INIT;
    struct strlist headers = {0};
    int rc;

    if (authorization != NULL)
        strlist_add(&headers, authorization);
    strlist_add(&headers, "Accept: application/json");
    req.method = form != NULL ? "POST" : "GET";
    req.url = url;
    req.headers = &headers;
    if (form != NULL) {
        strlist_add(&headers, "Content-Type: application/x-www-form-urlencoded");
        req.body = form->data;
        req.body_len = (int64_t)form->len;
    }
    rc = provider_call(s, WORD, &req, ret, err);
    if (authorization != NULL)
        str_wipe(headers.v[0], strlen(headers.v[0]));
    strlist_free(&headers);
    return rc;
}

/* What the issuer says of itself; one that calls itself something else is another one. */
static int fetch_site(const struct settings *s, const char *url, struct json_object **ret,
                      struct ct_err *err)
{
    struct json_object *o = NULL;
    const char *issuer;

    if (call(s, url, NULL, NULL, &o, err) != 0)
        return -1;
    issuer = jdoc_str(o, "issuer");
    if (issuer != NULL && strcmp(issuer, s->oidc_issuer) == 0) {
        *ret = o;
        return 0;
    }
    json_object_put(o);
    return err_set(err, ERR_FAIL,
                   "what is at oidc_issuer calls itself another issuer; write it as it does");
}

static int discover(const struct settings *s, struct provider_memory *m, struct json_object **ret,
                    struct ct_err *err)
{
    size_t n = strlen(s->oidc_issuer);
    char *url = str_printf("%.*s/.well-known/openid-configuration",
                           (int)(n - (n > 0 && s->oidc_issuer[n - 1] == '/')), s->oidc_issuer);
    int rc = 0;

    *ret = provider_recall(m, url);
    if (*ret == NULL) {
        rc = fetch_site(s, url, ret, err);
        if (rc == 0)
            provider_remember(m, url, *ret);
    }
    free(url);
    return rc;
}

/* One of its addresses, borrowed.  Whoever is reached by https sends nobody to http. */
static const char *endpoint(const struct settings *s, const struct json_object *site,
                            const char *name, struct ct_err *err)
{
    const struct http_policy policy = {.allow_plain_http = 1};
    const char *url = jdoc_str(site, name);

    if (url == NULL) {
        err_set(err, ERR_FAIL, WORD " names no %s", name);
        return NULL;
    }
    if (http_url_allowed(url, &policy, err) != 0 ||
        http_url_may_follow(url, s->oidc_issuer, err) != 0)
        return NULL;
    return url;
}

static int authorize(const struct settings *s, struct provider_memory *m,
                     const struct provider_trip *trip, char **ret_url, struct ct_err *err)
{
    struct json_object *site;
    struct buf query = {0};
    const char *url;

    if (discover(s, m, &site, err) != 0)
        return -1;
    url = endpoint(s, site, "authorization_endpoint", err);
    if (url != NULL) {
        provider_field(&query, "response_type", "code");
        provider_field(&query, "client_id", s->oidc_client_id);
        provider_field(&query, "redirect_uri", trip->redirect_uri);
        provider_field(&query, "scope", "openid email");
        provider_field(&query, "state", trip->state);
        provider_field(&query, "nonce", trip->nonce);
        provider_field(&query, "code_challenge", trip->challenge);
        provider_field(&query, "code_challenge_method", "S256");
        *ret_url = str_printf("%s%c%s", url, strchr(url, '?') != NULL ? '&' : '?', query.data);
    }
    buf_free(&query);
    json_object_put(site);
    return url != NULL ? 0 : -1;
}

/* "Authorization: Basic ...", of client and secret, each escaped first (RFC 6749, 2.3.1). */
static char *basic(const struct settings *s)
{
    char *id = percent_encode(s->oidc_client_id), *secret = percent_encode(s->oidc_client_secret);
    char *pair = str_printf("%s:%s", id, secret), *text = hash_base64(pair, strlen(pair));
    char *line = str_printf("Authorization: Basic %s", text);

    provider_wipe(text);
    provider_wipe(pair);
    provider_wipe(secret);
    free(id);
    return line;
}

/* A client with a secret shows it; one without has the verifier only. */
static int trade(const struct settings *s, const char *url, const char *code,
                 const struct provider_trip *trip, struct json_object **ret, struct ct_err *err)
{
    char *authorization = s->oidc_client_secret != NULL ? basic(s) : NULL;
    struct buf form = {0};
    int rc;

    provider_field(&form, "grant_type", "authorization_code");
    provider_field(&form, "code", code);
    provider_field(&form, "redirect_uri", trip->redirect_uri);
    provider_field(&form, "code_verifier", trip->verifier);
    if (authorization == NULL)
        provider_field(&form, "client_id", s->oidc_client_id);
    rc = call(s, url, authorization, &form, ret, err);
    provider_wipe(authorization);
    str_wipe(form.data, form.cap);
    buf_free(&form);
    return rc;
}

static int is_for_us(const struct settings *s, const struct json_object *claims)
{
    const char *aud = jdoc_str(claims, "aud"), *azp = jdoc_str(claims, "azp");
    struct json_object *list = jdoc_array(claims, "aud");
    int found = aud != NULL && strcmp(aud, s->oidc_client_id) == 0;
    size_t n = list != NULL ? json_object_array_length(list) : 0;

    for (size_t i = 0; i < n; i++) {
        const char *one = json_object_get_string(json_object_array_get_idx(list, i));
        found |= one != NULL && strcmp(one, s->oidc_client_id) == 0;
    }
    /* One for several says who it was made for. */
    return found && (azp != NULL ? strcmp(azp, s->oidc_client_id) == 0 : n < 2);
}

static int check_claims(const struct settings *s, const struct json_object *claims,
                        const char *nonce, struct ct_err *err)
{
    const char *iss = jdoc_str(claims, "iss"), *said = jdoc_str(claims, "nonce");
    int64_t now_s = now_wall_ms() / 1000;

    if (iss == NULL || strcmp(iss, s->oidc_issuer) != 0)
        return err_set(err, ERR_AUTH, "the ID token is another issuer's");
    if (!is_for_us(s, claims))
        return err_set(err, ERR_AUTH, "the ID token is for another client");
    if (jdoc_int(claims, "exp", 0) + CLOCKS_APART_S <= now_s ||
        jdoc_int(claims, "iat", 0) - CLOCKS_APART_S > now_s)
        return err_set(err, ERR_AUTH, "the ID token is too old, or of a clock that is ahead");
    if (said == NULL || strlen(said) != strlen(nonce) || !hash_equal(said, nonce, strlen(nonce)))
        return err_set(err, ERR_AUTH, "the ID token is the answer to another sign-in");
    return 0;
}

static int take_subject(const struct json_object *claims, struct provider_person *p,
                        struct ct_err *err)
{
    const char *sub = jdoc_str(claims, "sub");

    if (sub == NULL || sub[0] == '\0' || strlen(sub) >= sizeof(p->subject))
        return err_set(err, ERR_FAIL, WORD " does not say who this is");
    snprintf(p->subject, sizeof(p->subject), "%s", sub);
    return 0;
}

/* Only one that is called verified, in so many words. */
static void take_email(const struct json_object *claims, struct provider_person *p)
{
    const char *text = jdoc_str(claims, "email");
    char *email;

    if (text == NULL || !jdoc_bool(claims, "email_verified", 0) ||
        email_normal(text, &email, NULL) != 0)
        return;
    strlist_add(&p->emails, email);
    free(email);
}

/* Some put the e-mail there and not into the ID token. */
static int ask_userinfo(const struct settings *s, const struct json_object *site,
                        const struct json_object *tokens, struct provider_person *p,
                        struct ct_err *err)
{
    const char *token = jdoc_str(tokens, "access_token"), *sub, *url;
    struct json_object *o = NULL;
    char *authorization;
    int rc;

    if (!jdoc_has(site, "userinfo_endpoint") || token == NULL || !provider_is_token(token))
        return 0;
    url = endpoint(s, site, "userinfo_endpoint", err);
    if (url == NULL)
        return -1;
    authorization = str_printf("Authorization: Bearer %s", token);
    rc = call(s, url, authorization, NULL, &o, err);
    provider_wipe(authorization);
    sub = jdoc_str(o, "sub");
    if (rc == 0 && (sub == NULL || strcmp(sub, p->subject) != 0))
        rc = err_set(err, ERR_AUTH, WORD " tells of somebody else");
    if (rc == 0)
        take_email(o, p);
    json_object_put(o);
    return rc;
}

static int fetch_keys(const struct settings *s, struct provider_memory *m, const char *url,
                      struct json_object **ret, struct ct_err *err)
{
    if (call(s, url, NULL, NULL, ret, err) != 0)
        return -1;
    provider_remember(m, url, *ret);
    return 0;
}

/* By the keys that are remembered, or, for an issuer changes them, by those of now. */
static int verify(const struct settings *s, struct provider_memory *m,
                  const struct json_object *site, const char *id_token, struct json_object **ret,
                  struct ct_err *err)
{
    const char *url = endpoint(s, site, "jwks_uri", err);
    struct json_object *keys;
    int rc;

    if (url == NULL)
        return -1;
    keys = provider_recall(m, url);
    rc = keys != NULL ? jwks_verify(keys, id_token, ret, NULL) : -1;
    json_object_put(keys);
    if (rc == 0 || fetch_keys(s, m, url, &keys, err) != 0)
        return rc;
    rc = jwks_verify(keys, id_token, ret, err);
    json_object_put(keys);
    return rc;
}

static int read_person(const struct settings *s, struct provider_memory *m,
                       const struct json_object *site, const struct json_object *tokens,
                       const char *nonce, struct provider_person *p, struct ct_err *err)
{
    const char *id_token = jdoc_str(tokens, "id_token");
    struct json_object *claims = NULL;
    int rc;

    if (id_token == NULL)
        return err_set(err, ERR_AUTH, WORD " gave no ID token");
    if (verify(s, m, site, id_token, &claims, err) != 0)
        return -1;
    rc = check_claims(s, claims, nonce, err) != 0 || take_subject(claims, p, err) != 0 ? -1 : 0;
    if (rc == 0)
        take_email(claims, p);
    json_object_put(claims);
    if (rc == 0 && p->emails.n == 0)
        rc = ask_userinfo(s, site, tokens, p, err);
    return rc;
}

static int fetch(const struct settings *s, struct provider_memory *m, const char *code,
                 const struct provider_trip *trip, struct provider_person *ret, struct ct_err *err)
{
    struct provider_person p = {.issuer = s->oidc_issuer, .proves_email = s->oidc_joins_by_email};
    struct json_object *site, *tokens = NULL;
    const char *url;
    int rc = -1;

    if (discover(s, m, &site, err) != 0)
        return -1;
    url = endpoint(s, site, "token_endpoint", err);
    if (url != NULL && trade(s, url, code, trip, &tokens, err) == 0)
        rc = read_person(s, m, site, tokens, trip->nonce, &p, err);
    json_object_put(tokens);
    json_object_put(site);
    if (rc != 0)
        provider_person_clear(&p);
    else
        *ret = p;
    return rc;
}

const struct provider provider_oidc = {"oidc", WORD, is_configured, authorize, fetch};

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/hash.h"
#include "common/base/log.h"
#include "common/base/now.h"
#include "common/base/str.h"

#include "server/api/call.h"
#include "server/auth/provider.h"
#include "server/auth/signin.h"

#define COOKIE "ct_signin"
#define SECRET_BYTES 32
#define MAX_CODE_BYTES 512

/*
 * One random secret is kept by the browser, in a cookie.  What the provider gets to see are digests
 * of it: the state, which has to come back with the cookie that it was made from, the nonce, which
 * comes back in what it signs, and (RFC 7636) the digest of the verifier.
 */

/* Which one is it about?  Every route that leads here is of one. */
static const struct provider *provider(const struct call *c)
{
    return provider_of(c->route->pattern);
}

static char *redirect_uri(struct call *c)
{
    return str_printf("%s/v1/auth/%s/callback", c->config->api_url, provider(c)->name);
}

static void set_cookie(struct call *c, const char *value, int max_age_s)
{
    int is_https = strncmp(c->config->api_url, "https:", 6) == 0;
    char *text = str_printf(COOKIE "=%s; Path=/v1/auth/%s; Max-Age=%d; HttpOnly; SameSite=Lax%s",
                            value, provider(c)->name, max_age_s, is_https ? "; Secure" : "");

    web_answer_header(c->web, "Set-Cookie", text);
    provider_wipe(text);
}

static int answer_redirect(struct call *c, const char *url)
{
    web_answer_header(c->web, "Location", url);
    web_answer_header(c->web, "Referrer-Policy", "no-referrer");
    call_ok(c);
    return 302;
}

/* Back to the program that waits on the user's machine, or to the dashboard. */
static int answer_back(struct call *c, const struct signin *s, const char *name, const char *value)
{
    char *url = s->port == 0
                    ? call_page_url(c, name, value, s->client_state)
                    : str_printf("http://localhost:%d/callback?%s=%s%s%s", s->port, name, value,
                                 s->client_state[0] != '\0' ? "&state=" : "", s->client_state);
    int status;

    set_cookie(c, "", 0);
    status = answer_redirect(c, url);
    provider_wipe(url);
    return status;
}

static void pack(struct call *c, const struct signin *s, struct provider_trip *ret)
{
    unsigned char sum[HASH_SHA256_BYTES];

    ret->redirect_uri = redirect_uri(c);
    ret->state = signin_derive(s, "state");
    ret->nonce = signin_derive(s, "nonce");
    ret->verifier = signin_derive(s, "verifier");
    hash_sha256(ret->verifier, strlen(ret->verifier), sum);
    ret->challenge = hash_base64url(sum, sizeof(sum));
}

static void unpack(struct provider_trip *trip)
{
    provider_wipe((char *)(uintptr_t)trip->redirect_uri);
    provider_wipe((char *)(uintptr_t)trip->state);
    provider_wipe((char *)(uintptr_t)trip->nonce);
    provider_wipe((char *)(uintptr_t)trip->verifier);
    provider_wipe((char *)(uintptr_t)trip->challenge);
}

static int fail_back(struct call *c, const struct signin *s, const char *reason,
                     const struct ct_err *err)
{
    char client[WEB_ADDRESS_SIZE];

    call_client(c, client);
    log_warn("login-failed client=%s reason=%s by=%s error=\"%s\"", client, reason,
             provider(c)->name, err->msg);
    return answer_back(c, s, "error", reason);
}

static int begin(struct call *c, struct signin *s)
{
    char *secret, *cookie, *url = NULL;
    unsigned char raw[SECRET_BYTES];
    struct provider_trip trip;
    struct ct_err err;
    int status, rc;

    hash_random(raw, sizeof(raw));
    secret = hash_base64url(raw, sizeof(raw));
    snprintf(s->secret, sizeof(s->secret), "%s", secret);
    pack(c, s, &trip);
    cookie = signin_seal(c->config->keys, provider(c)->name, s, c->now_ms);
    web_busy(c->web, 1);
    rc = provider(c)->authorize(c->config->settings, c->config->sites, &trip, &url, &err);
    web_busy(c->web, 0);
    if (rc == 0) {
        set_cookie(c, cookie, SIGNIN_LIFETIME_S);
        status = answer_redirect(c, url);
    } else {
        status = fail_back(c, s, "provider_unreachable", &err);
    }
    str_wipe(raw, sizeof(raw));
    str_wipe(s->secret, sizeof(s->secret));
    unpack(&trip);
    provider_wipe(secret);
    provider_wipe(cookie);
    provider_wipe(url);
    return status;
}

/* A site that is slow may not take the threads that others need. */
static int too_many_outside(struct call *c)
{
    web_answer_header(c->web, "Retry-After", "10");
    return call_error(c, 503, "busy", "Too many people sign in at this moment; try again.");
}

static int not_configured(struct call *c)
{
    char *sentence = str_printf(
        "This server has no sign-in with %s; log in with e-mail and password.", provider(c)->word);
    int status = call_error(c, 501, "not_configured", sentence);

    free(sentence);
    return status;
}

/* Ours: what the waiting program wants to see again, so that it knows the answer as its own. */
static int read_client_state(struct call *c, char ret[SIGNIN_STATE_MAX + 1])
{
    char *text = NULL;
    int rc = call_query(c, "state", &text);

    if (rc == 1 && !signin_is_state(text))
        rc = -1;
    if (rc == 1)
        memcpy(ret, text, strlen(text) + 1);
    free(text);
    return rc < 0 ? -1 : 0;
}

static int bad_state(struct call *c)
{
    return call_error(c, 422, "invalid",
                      "state has to be at most 64 letters, digits, '-' and '_'.");
}

static int set_out(struct call *c, struct signin *s)
{
    char peer[WEB_ADDRESS_SIZE];
    int status;

    call_peer(c, peer, sizeof(peer));
    if ((status = call_count(c, c->config->limits->signins, peer)) != 0)
        return status;
    if (limits_go_out(c->config->limits) != 0)
        return too_many_outside(c);
    status = begin(c, s);
    limits_come_back(c->config->limits);
    return status;
}

/* A page of ours leads there, or somebody's own bookmark; others have no reason to. */
static int begin_for_dashboard(struct call *c)
{
    const char *site = web_header(c->web, "Sec-Fetch-Site");
    struct signin s = {0};

    if (!c->config->settings->dashboard)
        return call_error(c, 404, "not_found", "This server has no dashboard.");
    if (site != NULL && strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0)
        return call_error(c, 403, "elsewhere", "This is for the pages of this server only.");
    if (read_client_state(c, s.client_state) != 0)
        return bad_state(c);
    return set_out(c, &s);
}

int handle_provider_begin(struct call *c)
{
    struct signin s = {0};
    int64_t port = 0;

    if (!provider(c)->is_configured(c->config->settings))
        return not_configured(c);
    if (call_query_int(c, "dashboard", 1, 1, &port) == 1)
        return begin_for_dashboard(c);
    if (call_query_int(c, "cli_port", 1, 65535, &port) != 1)
        return call_error(c, 422, "invalid",
                          "cli_port has to be the port where ctctl waits for the answer.");
    s.port = (int)port;
    if (read_client_state(c, s.client_state) != 0)
        return bad_state(c);
    return set_out(c, &s);
}

/* Has it come back before?  Then somebody plays it again. */
static int is_used(struct call *c, const char *state)
{
    struct attempts *returns = c->config->limits->returns;
    int64_t now_ms = now_mono_ms();

    if (attempts_wait_s(returns, state, now_ms) > 0)
        return 1;
    attempts_count(returns, state, now_ms);
    return 0;
}

/* Did this browser set out with this state?  0 with ${ret}, or the status of the answer. */
static int take_state(struct call *c, struct signin *ret)
{
    char *cookie = call_cookie(c, COOKIE, 0), *want = NULL, *got = NULL;
    int good = 0;

    if (cookie != NULL && call_query(c, "state", &got) == 1 &&
        signin_open(c->config->keys, provider(c)->name, cookie, c->now_ms, ret) == 0) {
        want = signin_derive(ret, "state");
        good =
            strlen(got) == strlen(want) && hash_equal(got, want, strlen(want)) && !is_used(c, want);
    }
    provider_wipe(cookie);
    provider_wipe(want);
    provider_wipe(got);
    if (good)
        return 0;
    return call_error(c, 400, "invalid_state",
                      "This sign-in did not begin in this browser, was used already or took too "
                      "long; begin anew.");
}

/* The address to go by, or NULL; and whether the settings let this person in at all. */
static const char *choose_email(const struct settings *s, const struct provider_person *p,
                                int *ret_is_allowed)
{
    int has_list = s->allowed_emails.n > 0;

    *ret_is_allowed = (!has_list && !p->is_limited) || p->is_member;
    for (size_t i = 0; has_list && p->proves_email && i < p->emails.n; i++) {
        const char *email = p->emails.v[i];
        if (strlist_has(&s->allowed_emails, email) ||
            strlist_has(&s->allowed_emails, strchr(email, '@'))) {
            *ret_is_allowed = 1;
            return email;
        }
    }
    return p->emails.n > 0 ? p->emails.v[0] : NULL;
}

static const char *event_of(enum ledger_arrival arrival)
{
    switch (arrival) {
    case LEDGER_NEW:
        return "registered";
    case LEDGER_BACK:
        return "came-back";
    case LEDGER_TOOK_OVER:
        return "taken-over";
    default:
        return "log-in";
    }
}

/* 0 with ${user}, or a reason in ${err}. */
static int find_user(struct call *c, const struct provider_person *p, struct ledger_user *user,
                     struct ct_err *err)
{
    const struct settings *s = c->config->settings;
    int is_allowed, is_limited = s->allowed_emails.n > 0 || p->is_limited;
    struct ledger_identity i = {
        .issuer = p->issuer, .subject = p->subject, .proves_email = p->proves_email};
    enum ledger_arrival arrival;
    int rc;

    i.email = choose_email(s, p, &is_allowed);
    if (!is_allowed) {
        err_set(err, ERR_REFUSED, "not in allowed_emails or the organisation");
        snprintf(err->reason, sizeof(err->reason), "not_allowed");
        return -1;
    }
    /* Whoever is let in by name is meant to have an account. */
    i.may_create = is_limited || settings_registration(s) == SETTINGS_OPEN;
    if (call_act(c, err) != 0)
        return -1;
    rc = ledger_identity_login(c->config->ledger, &i, c->now_ms, c->who.user_id, &arrival, err);
    if (call_acted(c, rc, err, rc == 0 ? event_of(arrival) : "", "by=%s%s", provider(c)->name,
                   call_where(c)) != 0)
        return -1;
    return ledger_user_by_id(c->config->ledger, c->who.user_id, user, err);
}

static int finish(struct call *c, const struct signin *s, const char *code)
{
    struct provider_person p;
    struct provider_trip trip;
    struct ledger_user user = {0};
    struct ct_err err;
    int rc, status = 500;
    char *token, *half = NULL;

    pack(c, s, &trip);
    web_busy(c->web, 1);
    rc = provider(c)->fetch(c->config->settings, c->config->sites, code, &trip, &p, &err);
    web_busy(c->web, 0);
    unpack(&trip);
    if (rc != 0)
        return fail_back(c, s, err.code == ERR_AUTH ? "code_refused" : "provider_unreachable",
                         &err);
    c->is_dashboard = s->port == 0;
    rc = find_user(c, &p, &user, &err);
    provider_person_clear(&p);
    if (rc != 0)
        return fail_back(c, s, err.reason[0] != '\0' ? err.reason : "internal", &err);
    token = call_login_token(c, user.id, user.generation, user.email, &status);
    if (token != NULL && c->is_dashboard)
        half = call_page_enter(c, token);
    if (token != NULL && (half != NULL || !c->is_dashboard))
        status =
            answer_back(c, s, c->is_dashboard ? "key" : "token", c->is_dashboard ? half : token);
    provider_wipe(half);
    provider_wipe(token);
    ledger_user_clear(&user);
    return status;
}

static int come_back(struct call *c)
{
    char *code = NULL, *why = NULL;
    struct signin s = {0};
    int status;

    if ((status = take_state(c, &s)) != 0) {
        str_wipe(s.secret, sizeof(s.secret));
        return status;
    }
    if (call_query(c, "error", &why) != 0)
        status = answer_back(c, &s, "error", "access_denied");
    else if (call_query(c, "code", &code) != 1 || code[0] == '\0' || strlen(code) > MAX_CODE_BYTES)
        status = answer_back(c, &s, "error", "code_refused");
    else
        status = finish(c, &s, code);
    free(why);
    provider_wipe(code);
    str_wipe(s.secret, sizeof(s.secret));
    return status;
}

int handle_provider_callback(struct call *c)
{
    int status;

    if (!provider(c)->is_configured(c->config->settings))
        return not_configured(c);
    /* Before the state is used up: whoever is told to try again can. */
    if (limits_go_out(c->config->limits) != 0)
        return too_many_outside(c);
    status = come_back(c);
    limits_come_back(c->config->limits);
    return status;
}

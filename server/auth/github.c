#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/data/jdoc.h"
#include "common/base/percent.h"
#include "common/base/str.h"
#include "net/http.h"

#include "server/settings/email.h"
#include "server/auth/github_member.h"
#include "server/auth/provider.h"

/*
 * GitHub's OAuth for web applications, with PKCE: who is it that comes back with this code?
 * https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps
 */
#define MAX_EMAILS 100 /* a page of GitHub's */
#define WORD "GitHub"

static int is_configured(const struct settings *s)
{
    return s->github_client_id != NULL;
}

static int authorize(const struct settings *s, struct provider_memory *m,
                     const struct provider_trip *trip, char **ret_url, struct ct_err *err)
{
    struct buf query = {0};

    (void)m;
    (void)err;
    provider_field(&query, "client_id", s->github_client_id);
    provider_field(&query, "redirect_uri", trip->redirect_uri);
    provider_field(&query, "scope",
                   s->github_organization != NULL ? "read:user user:email read:org"
                                                  : "read:user user:email");
    provider_field(&query, "state", trip->state);
    provider_field(&query, "code_challenge", trip->challenge);
    provider_field(&query, "code_challenge_method", "S256");
    *ret_url = str_printf("%s/login/oauth/authorize?%s", s->github_url, query.data);
    buf_free(&query);
    return 0;
}

/* GET ${path} of GitHub's API with ${token}. */
static int ask(const struct settings *s, const char *token, const char *path,
               struct json_object **ret, struct ct_err *err)
{
    char *url = str_printf("%s%s", s->github_api_url, path);
    char *auth = str_printf("Authorization: Bearer %s", token);
    struct strlist headers = {0};
    struct http_req req = HTTP_REQ_INIT;
    int rc;

    strlist_add(&headers, auth);
    strlist_add(&headers, "Accept: application/vnd.github+json");
    strlist_add(&headers, "X-GitHub-Api-Version: 2022-11-28");
    strlist_add(&headers, "User-Agent: codeteleport-server");
    req.method = "GET";
    req.url = url;
    req.headers = &headers;
    rc = provider_call(s, WORD, &req, ret, err);
    str_wipe(headers.v[0], strlen(headers.v[0]));
    strlist_free(&headers);
    provider_wipe(auth);
    free(url);
    return rc;
}

static int trade(const struct settings *s, const char *code, const struct provider_trip *trip,
                 char **ret_token, struct ct_err *err)
{
    char *url = str_printf("%s/login/oauth/access_token", s->github_url);
    struct strlist headers = {0};
    struct json_object *o = NULL;
    struct http_req req = HTTP_REQ_INIT;
    struct buf body = {0};
    const char *token;
    int rc;

    provider_field(&body, "client_id", s->github_client_id);
    provider_field(&body, "client_secret", s->github_client_secret);
    provider_field(&body, "code", code);
    provider_field(&body, "redirect_uri", trip->redirect_uri);
    provider_field(&body, "code_verifier", trip->verifier);
    strlist_add(&headers, "Accept: application/json");
    strlist_add(&headers, "Content-Type: application/x-www-form-urlencoded");
    strlist_add(&headers, "User-Agent: codeteleport-server");
    req.method = "POST";
    req.url = url;
    req.headers = &headers;
    req.body = body.data;
    req.body_len = (int64_t)body.len;
    rc = provider_call(s, WORD, &req, &o, err);
    token = jdoc_str(o, "access_token");
    /* A code that is not good comes with 200 and an "error". */
    if (rc == 0 && (token == NULL || !provider_is_token(token)))
        rc = err_set(err, ERR_AUTH, "GitHub does not take this code");
    if (rc == 0)
        *ret_token = str_dup(token);
    json_object_put(o);
    str_wipe(body.data, body.cap);
    buf_free(&body);
    strlist_free(&headers);
    free(url);
    return rc;
}

static int fetch_subject(const struct settings *s, const char *token, struct provider_person *p,
                         struct ct_err *err)
{
    struct json_object *o = NULL;
    int64_t id;

    if (ask(s, token, "/user", &o, err) != 0)
        return -1;
    id = jdoc_int(o, "id", 0);
    json_object_put(o);
    if (id <= 0)
        return err_set(err, ERR_FAIL, "GitHub does not say who this is");
    snprintf(p->subject, sizeof(p->subject), "%lld", (long long)id);
    return 0;
}

/* Only what the answer calls verified, in so many words. */
static void add_emails(struct json_object *list, int is_primary, struct strlist *emails)
{
    for (size_t i = 0; i < json_object_array_length(list) && i < MAX_EMAILS; i++) {
        struct json_object *o = json_object_array_get_idx(list, i);
        const char *text = jdoc_str(o, "email");
        char *email;
        if (text == NULL || !jdoc_bool(o, "verified", 0) ||
            jdoc_bool(o, "primary", 0) != is_primary || email_normal(text, &email, NULL) != 0)
            continue;
        strlist_add_once(emails, email);
        free(email);
    }
}

static int fetch_emails(const struct settings *s, const char *token, struct provider_person *p,
                        struct ct_err *err)
{
    struct json_object *list = NULL;
    int rc = ask(s, token, "/user/emails?per_page=100", &list, err);

    if (rc == 0 && !json_object_is_type(list, json_type_array))
        rc = err_set(err, ERR_FAIL, "GitHub's list of e-mail addresses is none");
    if (rc == 0) {
        add_emails(list, 1, &p->emails);
        add_emails(list, 0, &p->emails);
    }
    json_object_put(list);
    return rc;
}

/* Who is no member gets 404, and who was only asked to join is "pending". */
static int fetch_membership(const struct settings *s, const char *token, struct provider_person *p,
                            struct ct_err *err)
{
    struct json_object *o = NULL;
    char *name, *path;
    const char *state;
    int rc;

    if (s->github_organization == NULL)
        return 0;
    name = percent_encode(s->github_organization);
    path = str_printf("/user/memberships/orgs/%s", name);
    rc = ask(s, token, path, &o, err);
    state = jdoc_str(o, "state");
    p->is_member = rc == 0 && state != NULL && strcmp(state, "active") == 0;
    if (rc != 0 && err->code == ERR_GONE)
        rc = 0;
    json_object_put(o);
    free(path);
    free(name);
    return rc;
}

static int fetch(const struct settings *s, struct provider_memory *m, const char *code,
                 const struct provider_trip *trip, struct provider_person *ret, struct ct_err *err)
{
    struct provider_person p = {
        .issuer = s->github_url, .proves_email = 1, .is_limited = s->github_organization != NULL};
    char *token;
    int rc;

    (void)m;
    if (trade(s, code, trip, &token, err) != 0)
        return -1;
    rc = fetch_subject(s, token, &p, err) != 0 || fetch_emails(s, token, &p, err) != 0 ||
                 fetch_membership(s, token, &p, err) != 0
             ? -1
             : 0;
    provider_wipe(token);
    if (rc != 0)
        provider_person_clear(&p);
    else
        *ret = p;
    return rc;
}

/* Memberships go by names, which people change; what we know is the number. */
static int login_of(const struct settings *s, const char *subject, char **ret, struct ct_err *err)
{
    char *id = percent_encode(subject), *path = str_printf("/user/%s", id);
    struct json_object *o = NULL;
    const char *login;
    int rc = ask(s, s->github_token, path, &o, err);

    login = jdoc_str(o, "login");
    if (rc == 0 && (login == NULL || login[0] == '\0'))
        rc = err_set(err, ERR_FAIL, "GitHub does not say who %s is", subject);
    if (rc == 0)
        *ret = percent_encode(login);
    json_object_put(o);
    free(path);
    free(id);
    return rc;
}

int github_is_member(const struct settings *s, const char *subject, int *ret, struct ct_err *err)
{
    char *login = NULL, *name = percent_encode(s->github_organization), *path = NULL;
    struct json_object *o = NULL;
    const char *state;
    int rc = login_of(s, subject, &login, err);

    if (rc == 0) {
        path = str_printf("/orgs/%s/memberships/%s", name, login);
        rc = ask(s, s->github_token, path, &o, err);
    }
    state = jdoc_str(o, "state");
    *ret = rc == 0 && state != NULL && strcmp(state, "active") == 0;
    /* Neither the person nor the membership is there any more. */
    if (rc != 0 && err->code == ERR_GONE)
        rc = 0;
    json_object_put(o);
    free(path);
    free(login);
    free(name);
    return rc;
}

const struct provider provider_github = {"github", WORD, is_configured, authorize, fetch};

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/client.h"
#include "common/base/hash.h"
#include "common/config/device.h"
#include "common/data/jdoc.h"
#include "common/sys/secret.h"
#include "common/base/percent.h"
#include "common/base/str.h"
#include "net/http.h"
#include "ctctl/key/loopback.h"
#include "ctctl/here/system.h"
#include "ctctl/ui/term.h"

#include "ctctl/key/login.h"

#define SITE_GITHUB "github"
#define SITE_OIDC "oidc"
#define SIGN_IN_MS 600000

/* ---- what is typed ----------------------------------------------------------------------------
 */

static int ask_secret(struct login *l, const char *prompt, struct ct_err *err)
{
    int rc;

    if (l->from_stdin || (l->has_token && !isatty(STDIN_FILENO)))
        rc = term_read_line(STDIN_FILENO, l->secret, LOGIN_SECRET_SIZE, err);
    else
        rc = term_ask(prompt, 1, l->secret, LOGIN_SECRET_SIZE, err);
    if (rc == 0 && l->secret[0] == '\0')
        rc = err_set(err, ERR_CANCELLED, "no answer was given");
    return rc;
}

/* A password that nobody could see while typing it is asked for twice when it is new. */
static int ask_password(struct login *l, struct ct_err *err)
{
    char *again;
    int rc = ask_secret(l, "Password: ", err);

    if (rc != 0 || !l->is_new || l->from_stdin)
        return rc;
    again = secret_alloc(LOGIN_SECRET_SIZE);
    rc = term_ask("Once more: ", 1, again, LOGIN_SECRET_SIZE, err);
    if (rc == 0 && strcmp(again, l->secret) != 0)
        rc = err_set(err, ERR_FAIL, "the two passwords are not the same");
    secret_free(again);
    return rc;
}

/* ---- the API ----------------------------------------------------------------------------------
 */

static int take(struct json_object *o, const char *key, char **ret, struct ct_err *err)
{
    const char *s = jdoc_str(o, key);

    if (s == NULL || s[0] == '\0')
        return err_set(err, ERR_RETRY, "the server's answer to the log-in has no %s", key);
    free(*ret);
    *ret = str_dup(s);
    return 0;
}

static int take_token(struct json_object *o, char **ret, struct ct_err *err)
{
    const char *s = jdoc_str(o, "token");

    if (s == NULL || s[0] == '\0')
        return err_set(err, ERR_RETRY, "the server's answer to the log-in has no token");
    secret_free(*ret);
    *ret = secret_dup(s);
    str_wipe((char *)(uintptr_t)s, strlen(s)); /* json-c's copy */
    return 0;
}

/* The short-lived token of a log-in makes the lasting one. */
static int mint(struct login *l, const char *jwt, struct ct_err *err)
{
    struct json_object *body = json_object_new_object(), *o = NULL;
    char *name =
        l->token_name != NULL ? l->token_name(l->token_name_arg) : str_dup(l->cred.device_name);
    int rc;

    jdoc_set_str(body, "name", name);
    free(name);
    jdoc_set_str(body, "expiresIn", "never");
    jdoc_set_str(body, "deviceId", l->device);
    rc = api_call(&l->policy, l->cred.api_url, jwt, "POST", "/auth/token", body, &o, err);
    json_object_put(body);
    if (rc == 0) {
        rc = take_token(o, &l->cred.token, err);
        json_object_put(o);
    }
    return rc;
}

/* An invitation is asked for where the server wants one and a person is there. */
static int ask_invitation(const struct login *l, char *buf, size_t size, const struct ct_err *why)
{
    return l->is_new && l->invite == NULL && strcmp(why->reason, "invite_required") == 0 &&
           !l->from_stdin && term_is_interactive() &&
           term_ask("Invitation: ", 0, buf, size, NULL) == 0 && buf[0] != '\0';
}

static int enter(struct login *l, const char *email, const char *invite, struct json_object **ret,
                 struct ct_err *err)
{
    struct json_object *body = json_object_new_object();
    int rc;

    jdoc_set_str(body, "email", email);
    jdoc_set_str(body, "password", l->secret);
    /* Whoever guesses at this account elsewhere does not lock this machine out. */
    if (!l->is_new)
        jdoc_set_str(body, "deviceId", l->device);
    if (l->is_new && invite != NULL)
        jdoc_set_str(body, "invite", invite);
    rc = api_call(&l->policy, l->cred.api_url, NULL, "POST",
                  l->is_new ? "/auth/register" : "/auth/login", body, ret, err);
    json_object_put(body);
    return rc;
}

static int with_password(struct login *l, const char *email, struct ct_err *err)
{
    struct json_object *o = NULL;
    char *jwt = NULL, typed[256];
    int rc = enter(l, email, l->invite, &o, err);

    if (rc != 0 && ask_invitation(l, typed, sizeof(typed), err))
        rc = enter(l, email, typed, &o, err);
    if (rc != 0 && l->is_new && err->code == ERR_CONFLICT)
        err_set(err, ERR_CONFLICT,
                "there is an account with this e-mail already; log in without "
                "--register");
    if (rc != 0)
        return -1;
    rc = take_token(o, &jwt, err);
    if (rc == 0)
        rc = take(jdoc_obj(o, "user"), "id", &l->account_id, err);
    if (rc == 0)
        rc = take(jdoc_obj(o, "user"), "email", &l->account_email, err);
    json_object_put(o);
    if (rc == 0)
        rc = mint(l, jwt, err);
    secret_free(jwt);
    return rc;
}

/* The server says whose a token is. */
static int learn_account(struct login *l, const char *token, struct ct_err *err)
{
    struct json_object *o;
    const char *plan;
    int rc;

    if (api_call(&l->policy, l->cred.api_url, token, "GET", "/auth/me", NULL, &o, err) != 0)
        return -1;
    plan = jdoc_str(o, "plan");
    l->plan = plan != NULL ? str_dup(plan) : NULL;
    l->set_aside = jdoc_int(o, "unprovenInTrash", 0);
    rc = take(o, "id", &l->account_id, err);
    if (rc == 0)
        rc = take(o, "email", &l->account_email, err);
    json_object_put(o);
    return rc;
}

/* By a token that was made elsewhere. */
static int with_token(struct login *l, struct ct_err *err)
{
    for (const char *p = l->secret; *p != '\0'; p++) {
        if (*p <= ' ' || *p > '~')
            return err_set(err, ERR_REFUSED, "that is no token: it has a character that none has");
    }
    if (learn_account(l, l->secret, err) != 0)
        return -1;
    l->cred.token = secret_dup(l->secret);
    return 0;
}

/* By the browser, which comes back to a port of ours. */
static int browse(struct ctx *c, const char *api_url, const char *site, struct loopback_answer *ret,
                  struct ct_err *err)
{
    struct loopback *lo;
    unsigned char raw[16];
    char state[2 * sizeof(raw) + 1], *url;
    const char *with = strcmp(site, SITE_GITHUB) == 0 ? " with GitHub" : "";
    int rc;

    if (loopback_new(&lo, err) != 0)
        return -1;
    hash_random(raw, sizeof(raw));
    hash_hex(raw, sizeof(raw), state);
    url = str_printf("%s/auth/%s?cli_port=%d&state=%s", api_url, site, loopback_port(lo), state);
    if (system_open_browser(url) == 0)
        ctx_say(c, "sign in%s in the browser. If none opens, go to:", with);
    else
        ctx_say(c, "to sign in%s, open this in a browser on this machine:", with);
    fprintf(stderr, "%s\n", url);
    rc = loopback_wait(lo, state, SIGN_IN_MS, ret, err);
    loopback_free(lo);
    free(url);
    return rc;
}

static int with_site(struct ctx *c, struct login *l, const char *site, struct ct_err *err)
{
    struct loopback_answer a = {0};
    int rc;

    if (browse(c, l->cred.api_url, site, &a, err) != 0)
        return -1;
    l->must_agree = !a.has_state;
    rc = learn_account(l, a.token, err);
    if (rc == 0)
        rc = mint(l, a.token, err);
    loopback_answer_clear(&a);
    return rc;
}

/* Whose log-in it is, the server sees: what is asked with it is done to that account. */
int login_fresh(struct ctx *c, const char *site, char **ret_token, struct ct_err *err)
{
    struct loopback_answer a = {0};
    int rc;

    if (browse(c, c->cred->api_url, site, &a, err) != 0)
        return -1;
    rc = a.has_state ? 0 : err_set(err, ERR_AUTH, "that is the answer to another sign-in");
    if (rc == 0)
        *ret_token = secret_dup(a.token);
    loopback_answer_clear(&a);
    return rc;
}

/* Is there a server of ours at all?  Without a token it says 401; before anybody types a password.
 */
static int reach(const struct login *l, struct ct_err *err)
{
    struct json_object *o;

    if (api_call(&l->policy, l->cred.api_url, NULL, "GET", "/auth/me", NULL, &o, err) == 0) {
        json_object_put(o);
        return 0;
    }
    return err->code == ERR_AUTH ? 0 : -1;
}

static int ask_email(const struct login *l, char *buf, size_t size, struct ct_err *err)
{
    char *clean = l->cred.email != NULL ? str_printable(l->cred.email) : NULL;
    char *prompt =
        clean != NULL && !l->is_new ? str_printf("E-mail [%s]: ", clean) : str_dup("E-mail: ");
    int rc = term_ask(prompt, 0, buf, size, err);

    if (rc == 0 && buf[0] == '\0' && clean != NULL && !l->is_new)
        snprintf(buf, size, "%s", l->cred.email);
    else if (rc == 0 && buf[0] == '\0')
        rc = err_set(err, ERR_CANCELLED, "no answer was given");
    free(prompt);
    free(clean);
    return rc;
}

int login_authenticate(struct ctx *c, struct login *l, struct ct_err *err)
{
    char typed[256];
    /* Where nobody can be asked, the address of the last log-in to this server counts. */
    const char *email = l->email != NULL || !l->from_stdin ? l->email : l->cred.email;

    if (ctx_config(c, err) != 0 || device_id(c->config->state_dir, l->device, err) != 0)
        return -1;
    if (l->by_github || l->by_oidc)
        return with_site(c, l, l->by_oidc ? SITE_OIDC : SITE_GITHUB, err);
    if (!l->from_stdin && term_is_interactive() && reach(l, err) != 0)
        return -1;
    if (l->has_token)
        return ask_secret(l, "API token: ", err) == 0 ? with_token(l, err) : -1;
    if (!l->from_stdin && term_is_interactive())
        ctx_say(c, "logging in to %s", l->cred.api_url);
    if (email == NULL && l->from_stdin)
        return err_set(
            err, ERR_CONFIG,
            "nobody has logged in to %s from here before; say whose password it is, with "
            "--email",
            l->cred.api_url);
    if (email == NULL) {
        if (ask_email(l, typed, sizeof(typed), err) != 0)
            return -1;
        email = typed;
    }
    if (ask_password(l, err) != 0)
        return -1;
    return with_password(l, email, err);
}

int login_revoke(struct ctx *c, struct ct_err *err)
{
    struct json_object *o, *list, *answer;
    char *id, *path;
    int rc = -1;

    if (ctx_cloud(c, "GET", "/auth/tokens", NULL, &o, err) != 0)
        return -1;
    err_set(err, ERR_FAIL, "the server does not say which of the tokens it is");
    list = jdoc_array(o, "tokens");
    for (size_t i = 0; list != NULL && i < json_object_array_length(list); i++) {
        const struct json_object *t = json_object_array_get_idx(list, i);
        if (!jdoc_bool(t, "current", 0) || jdoc_str(t, "id") == NULL)
            continue;
        id = percent_encode(jdoc_str(t, "id"));
        path = str_printf("/auth/tokens/%s", id);
        rc = ctx_cloud(c, "DELETE", path, NULL, &answer, err);
        if (rc == 0)
            json_object_put(answer);
        free(path);
        free(id);
        break;
    }
    json_object_put(o);
    return rc;
}

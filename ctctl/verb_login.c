#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/client.h"
#include "common/account.h"
#include "common/buf.h"
#include "common/jdoc.h"
#include "common/path.h"
#include "common/str.h"
#include "ctctl/term.h"

#include "ctctl/verb.h"

#define ANSWER_MS 30000
#define MAX_SECRET 4096

struct login {
    const char *email, *api_url; /* as given, or NULL */
    int is_new, has_token, from_stdin;
    struct http_policy policy;
    struct cred cred; /* what is saved in the end */
    char *account_id, *account_email, *plan;
    char secret[MAX_SECRET + 2]; /* password or token */
};

/* ---- what is typed ----------------------------------------------------------------------------
 */

static int ask_secret(struct login *l, const char *prompt, struct ct_err *err)
{
    int rc;

    if (l->from_stdin || (l->has_token && !isatty(STDIN_FILENO)))
        rc = term_read_line(STDIN_FILENO, l->secret, sizeof(l->secret), err);
    else
        rc = term_ask(prompt, 1, l->secret, sizeof(l->secret), err);
    if (rc == 0 && l->secret[0] == '\0')
        rc = err_set(err, ERR_CANCELLED, "no answer was given");
    return rc;
}

/* A password that nobody could see while typing it is asked for twice when it is new. */
static int ask_password(struct login *l, struct ct_err *err)
{
    char again[sizeof(l->secret)];
    int rc = ask_secret(l, "Password: ", err);

    if (rc != 0 || !l->is_new || l->from_stdin)
        return rc;
    rc = term_ask("Once more: ", 1, again, sizeof(again), err);
    if (rc == 0 && strcmp(again, l->secret) != 0)
        rc = err_set(err, ERR_FAIL, "the two passwords are not the same");
    str_wipe(again, sizeof(again));
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

/* By e-mail and password: a short-lived token, which makes the lasting one. */
static int with_password(struct login *l, const char *email, struct ct_err *err)
{
    struct json_object *body = json_object_new_object(), *o = NULL;
    char *jwt = NULL;
    int rc;

    jdoc_set_str(body, "email", email);
    jdoc_set_str(body, "password", l->secret);
    rc = api_call(&l->policy, l->cred.api_url, NULL, "POST",
                  l->is_new ? "/auth/register" : "/auth/login", body, &o, err);
    json_object_put(body);
    if (rc != 0 && l->is_new && err->code == ERR_CONFLICT)
        err_set(err, ERR_CONFLICT,
                "there is an account with this e-mail already; log in without "
                "--register");
    if (rc != 0)
        return -1;
    rc = take(o, "token", &jwt, err);
    if (rc == 0)
        rc = take(jdoc_obj(o, "user"), "id", &l->account_id, err);
    if (rc == 0)
        rc = take(jdoc_obj(o, "user"), "email", &l->account_email, err);
    json_object_put(o);
    if (rc != 0)
        goto done;
    body = json_object_new_object();
    jdoc_set_str(body, "name", l->cred.device_name);
    jdoc_set_str(body, "expiresIn", "never");
    rc = api_call(&l->policy, l->cred.api_url, jwt, "POST", "/auth/token", body, &o, err);
    json_object_put(body);
    if (rc == 0) {
        rc = take(o, "token", &l->cred.token, err);
        json_object_put(o);
    }

done:
    if (jwt != NULL)
        str_wipe(jwt, strlen(jwt));
    free(jwt);
    return rc;
}

/* By a token that was made elsewhere; the server says whose it is. */
static int with_token(struct login *l, struct ct_err *err)
{
    struct json_object *o;
    const char *plan;
    int rc;

    for (const char *p = l->secret; *p != '\0'; p++) {
        if (*p <= ' ' || *p > '~')
            return err_set(err, ERR_REFUSED, "that is no token: it has a character that none has");
    }
    if (api_call(&l->policy, l->cred.api_url, l->secret, "GET", "/auth/me", NULL, &o, err) != 0)
        return -1;
    plan = jdoc_str(o, "plan");
    l->plan = plan != NULL ? str_dup(plan) : NULL;
    rc = take(o, "id", &l->account_id, err);
    if (rc == 0)
        rc = take(o, "email", &l->account_email, err);
    json_object_put(o);
    if (rc == 0)
        l->cred.token = str_dup(l->secret);
    return rc;
}

/* ---- whose sessions go where ------------------------------------------------------------------
 */

static int tell_daemon(struct ctx *c, const struct login *l, struct ct_err *err)
{
    struct json_object *params = json_object_new_object(), *o;
    int rc;

    jdoc_set_str(params, "apiUrl", l->cred.api_url);
    jdoc_set_str(params, "accountId", l->account_id);
    jdoc_set_str(params, "email", l->account_email);
    rc = ctx_call(c, "account", params, ANSWER_MS, &o, err);
    json_object_put(params);
    if (rc == 0) {
        json_object_put(o);
        return 0;
    }
    if (!ctx_is_no_daemon(err))
        return -1;
    return account_record_save(c->config->state_dir, l->cred.api_url, l->account_id,
                               l->account_email, l->cred.token, err);
}

static int agree(const struct login *l, const struct account *was)
{
    char *question =
        str_printf("Until now the sessions of this machine went to %s at %s.\nFrom now "
                   "on all of them go to %s at %s. Is that what you want?",
                   was->email, was->api_url, l->account_email, l->cred.api_url);
    char *clean, *line = question;
    struct buf b = {0};
    const struct text_style st = {.is_utf8 = 1};
    int yes;

    for (char *nl; (nl = strchr(line, '\n')) != NULL; line = nl + 1) {
        *nl = '\0';
        clean = text_clean(&st, line);
        buf_printf(&b, "%s\n", clean);
        free(clean);
    }
    clean = text_clean(&st, line);
    buf_addstr(&b, clean);
    free(clean);
    yes = term_confirm(b.data);
    buf_free(&b);
    free(question);
    return yes;
}

/* The account that this machine's sessions went to so far, as the daemon knows it, or, where none
 * runs, as the record in the state folder says.  NULL if there is none yet. */
static int known_account(struct ctx *c, struct account **ret, struct ct_err *err)
{
    struct json_object *o;

    *ret = NULL;
    if (ctx_call(c, "account", NULL, ANSWER_MS, &o, err) == 0) {
        const char *url = jdoc_str(o, "apiUrl"), *id = jdoc_str(o, "accountId"),
                   *email = jdoc_str(o, "email");
        if (url != NULL && id != NULL) {
            *ret = str_calloc(1, sizeof(**ret));
            (*ret)->api_url = str_dup(url);
            (*ret)->account_id = str_dup(id);
            (*ret)->email = str_dup(email != NULL ? email : "");
        }
        json_object_put(o);
        return 0;
    }
    if (ctx_is_no_daemon(err) &&
        (account_record_load(c->config->state_dir, ret, err) == 0 || err->code == ERR_GONE))
        return 0;
    return -1;
}

/*
 * Whoever swaps the credentials must not receive everything: another account than before needs a
 * person at a terminal.  The first one, and the same one again, the daemon takes by itself.  Return
 * 0 if the credentials may be saved.
 */
static int confirm_account(struct ctx *c, const struct login *l, struct ct_err *err)
{
    struct account *was;
    int is_same, rc = 0;

    if (known_account(c, &was, err) != 0) {
        ctx_say(c, "%s", err->msg);
        return term_is_interactive() ? tell_daemon(c, l, err) : 0;
    }
    if (was == NULL)
        return 0;
    is_same =
        strcmp(was->api_url, l->cred.api_url) == 0 && strcmp(was->account_id, l->account_id) == 0;
    if (!is_same && !term_is_interactive())
        ctx_say(c, "this is another account or server than before: the daemon waits in the state "
                   "account_changed until you confirm it in a terminal with: ctctl login");
    else if (!is_same && !agree(l, was))
        rc = err_set(err, ERR_CANCELLED, "nothing was changed");
    else if (!is_same)
        rc = tell_daemon(c, l, err);
    account_record_free(was);
    return rc;
}

/* ---- all of it --------------------------------------------------------------------------------
 */

/* --api-url, else the environment, else where the last log-in was, else the public service. */
static int prepare(struct ctx *c, struct login *l, const char *path, struct ct_err *err)
{
    const char *url = l->api_url != NULL ? l->api_url : getenv("CODETELEPORT_API_URL");
    struct cred *old = NULL;
    struct ct_err e = {0};

    if (ctx_policy(c, &l->policy, err) != 0)
        return -1;
    if (cred_load(path, &old, &e) != 0 && e.code != ERR_AUTH)
        ctx_say(c, "%s (it is replaced now)", e.msg);
    if (url == NULL || url[0] == '\0')
        url = old != NULL ? old->api_url : CRED_DEFAULT_URL;
    l->cred.api_url = cred_normal_url(url);
    if (c->config->device_name != NULL)
        l->cred.device_name = str_dup(c->config->device_name);
    else
        l->cred.device_name = old != NULL ? str_dup(old->device_name) : path_host_name();
    cred_free(old);
    return http_url_allowed(l->cred.api_url, &l->policy, err);
}

static int authenticate(struct login *l, struct ct_err *err)
{
    char typed[256];
    const char *email = l->email;

    if (l->has_token)
        return ask_secret(l, "API token: ", err) == 0 ? with_token(l, err) : -1;
    if (email == NULL) {
        if (term_ask("E-mail: ", 0, typed, sizeof(typed), err) != 0)
            return -1;
        email = typed;
    }
    if (ask_password(l, err) != 0)
        return -1;
    return with_password(l, email, err);
}

static void report(struct ctx *c, const struct login *l)
{
    struct json_object *o;
    struct buf b = {0};
    char *email, *device;

    if (c->json) {
        o = json_object_new_object();
        jdoc_set_str(o, "apiUrl", l->cred.api_url);
        jdoc_set_str(o, "accountId", l->account_id);
        jdoc_set_str(o, "email", l->account_email);
        jdoc_set_str(o, "plan", l->plan);
        jdoc_set_str(o, "deviceName", l->cred.device_name);
        ctx_json(c, o);
        json_object_put(o);
        return;
    }
    email = text_clean(&c->out, l->account_email);
    device = text_clean(&c->out, l->cred.device_name);
    buf_printf(&b, "Logged in to %s as %s; this machine is %s.\n", l->cred.api_url, email, device);
    ctx_print(c, &b);
    buf_free(&b);
    free(email);
    free(device);
}

static void clear(struct login *l)
{
    if (l->cred.token != NULL)
        str_wipe(l->cred.token, strlen(l->cred.token));
    free(l->cred.token);
    free(l->cred.api_url);
    free(l->cred.device_name);
    free(l->account_id);
    free(l->account_email);
    free(l->plan);
    str_wipe(l->secret, sizeof(l->secret));
}

static int log_in(struct ctx *c, struct login *l)
{
    char *path = cred_path();
    struct ct_err e;
    int rc;

    if (prepare(c, l, path, &e) != 0 || authenticate(l, &e) != 0 ||
        confirm_account(c, l, &e) != 0 || cred_save(path, &l->cred, &e) != 0) {
        rc = ctx_fail(c, &e);
    } else {
        report(c, l);
        rc = CTX_OK;
    }
    free(path);
    clear(l);
    return rc;
}

static int run(struct ctx *c, int argc, char **argv)
{
    struct strlist words = {0};
    struct login l = {0};
    const struct opt opts[] = {
        {"email", OPT_STRING, &l.email},
        {"api-url", OPT_STRING, &l.api_url},
        {"register", OPT_FLAG, &l.is_new},
        {"token", OPT_FLAG, &l.has_token},
        {"password-stdin", OPT_FLAG, &l.from_stdin},
    };
    int rc = opts_parse(c, opts, sizeof(opts) / sizeof(opts[0]), argc, argv, &words);
    size_t n = words.n;

    strlist_free(&words);
    if (rc != -1)
        return rc;
    if (n > 0)
        return ctx_usage(c, "login takes options only; a password or token is asked for, or comes "
                            "on stdin, but never stands on the command line");
    if (l.has_token && (l.is_new || l.from_stdin || l.email != NULL))
        return ctx_usage(c, "--token goes with --api-url only");
    if (l.from_stdin && l.email == NULL)
        return ctx_usage(c, "--password-stdin goes with --email");
    return log_in(c, &l);
}

const struct verb verb_login = {
    "login",
    "[--email E] [--register] [--token] [--api-url URL] [--password-stdin]",
    "log in, or make an account",
    "  --email E         whose account (else you are asked)\n"
    "  --register        make a new account\n"
    "  --token           log in with an API token, typed or from stdin\n"
    "  --api-url URL     which server (else $CODETELEPORT_API_URL, else that of the last\n"
    "                    login, else the public service)\n"
    "  --password-stdin  the password is the first line of stdin\n"
    "\n"
    "A password is never echoed and never stands on the command line. What is kept is a\n"
    "token, in ~/.codeteleport/config.json, which only you can read.\n"
    "\n"
    "Logging in to another account or server than before is confirmed on a terminal, for\n"
    "all sessions of this machine go there from then on.\n",
    run,
};

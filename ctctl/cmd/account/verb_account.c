#include <stdlib.h>
#include <string.h>

#include "api/client.h"
#include "common/base/buf.h"
#include "common/base/str.h"
#include "common/data/jdoc.h"
#include "common/sys/secret.h"
#include "ctctl/key/login.h"
#include "ctctl/ui/headline.h"
#include "ctctl/ui/term.h"

#include "ctctl/ctx/verb.h"

/* What one holder's request works with. */
struct holder {
    struct json_object *account; /* as the server describes it */
    struct json_object *body;
    char *token; /* of a sign-in a moment ago, where there is no password; or NULL */
};

static int fetch(struct ctx *c, struct json_object **ret, struct ct_err *err)
{
    int rc = ctx_cloud(c, "GET", "/account", NULL, ret, err);

    if (rc != 0 && err->code == ERR_GONE)
        err_set(err, ERR_REFUSED,
                "this server leaves accounts to whoever runs it, or to its web page");
    return rc;
}

/* ---- show ----------------------------------------------------------------------------------- */

static int show(struct ctx *c)
{
    int64_t n_shared, n_traces;
    char bytes[24], trash[24], shared[24], traces[24], since[64], *email;
    struct json_object *o;
    struct buf b = {0};
    struct ct_err e;

    if (fetch(c, &o, &e) != 0)
        return ctx_fail(c, &e);
    if (c->json) {
        ctx_json(c, o);
        json_object_put(o);
        return CTX_OK;
    }
    email = text_clean(&c->out, jdoc_str(o, "email") != NULL ? jdoc_str(o, "email") : "-");
    str_human_bytes((unsigned long long)headline_number(o, "bytes", 0), bytes, sizeof(bytes));
    str_human_bytes((unsigned long long)headline_number(o, "trashBytes", 0), trash, sizeof(trash));
    buf_printf(&b, "%s at %s, since %s\n", email, c->cred->api_url,
               text_clock(jdoc_str(o, "createdAt"), "%Y-%m-%d", since, sizeof(since)));
    buf_printf(&b, "%lld sessions of %lld devices, %s; %s in the trash\n",
               (long long)headline_number(o, "sessions", 0),
               (long long)headline_number(o, "devices", 0), bytes, trash);
    n_shared = headline_number(o, "sharedBytes", 0);
    if (n_shared > 0)
        buf_printf(&b, "%s can be read by links, see: ctctl shares\n",
                   str_human_bytes((unsigned long long)n_shared, shared, sizeof(shared)));
    n_traces = headline_number(o, "tracesBytes", 0);
    if (n_traces > 0)
        buf_printf(&b, "%s in the server's audit table, which count for no quota\n",
                   str_human_bytes((unsigned long long)n_traces, traces, sizeof(traces)));
    buf_addstr(&b, jdoc_bool(o, "hasPassword", 1) ? "log-in with a password\n"
                                                  : "log-in by the browser only\n");
    ctx_print(c, &b);
    buf_free(&b);
    free(email);
    json_object_put(o);
    return CTX_OK;
}

/* ---- who is here? --------------------------------------------------------------------------- */

static int ask(const char *prompt, char **ret, struct ct_err *err)
{
    char *text = secret_alloc(LOGIN_SECRET_SIZE);
    int rc = term_ask(prompt, 1, text, LOGIN_SECRET_SIZE, err);

    if (rc == 0 && text[0] == '\0')
        rc = err_set(err, ERR_CANCELLED, "no answer was given; nothing was changed");
    if (rc != 0)
        secret_free(text);
    else
        *ret = text;
    return rc;
}

/* Whoever has several accounts at the other site may come back as another one of them. */
static int is_same(struct ctx *c, const struct holder *h, struct ct_err *err)
{
    const char *want = jdoc_str(h->account, "id"), *got;
    struct json_object *o = NULL;
    struct http_policy policy;
    int rc;

    if (ctx_policy(c, &policy, err) != 0 ||
        api_call(&policy, c->cred->api_url, h->token, "GET", "/auth/me", NULL, &o, err) != 0)
        return -1;
    got = jdoc_str(o, "id");
    rc = want != NULL && got != NULL && strcmp(want, got) == 0
             ? 0
             : err_set(err, ERR_AUTH,
                       "that was a sign-in to another account than the one of this machine; "
                       "nothing was changed");
    json_object_put(o);
    return rc;
}

/* The password once more, or a sign-in where there is none. */
static int prove(struct ctx *c, struct holder *h, struct ct_err *err)
{
    const char *site = jdoc_str(h->account, "signIn");
    char *password;

    h->body = json_object_new_object();
    if (!jdoc_bool(h->account, "hasPassword", 1))
        return login_fresh(c, site != NULL && strcmp(site, "oidc") == 0 ? site : "github",
                           &h->token, err) != 0
                   ? -1
                   : is_same(c, h, err);
    if (ask("Password of the account: ", &password, err) != 0)
        return -1;
    jdoc_set_str(h->body, "password", password);
    secret_free(password);
    return 0;
}

static void clear(struct holder *h)
{
    json_object_put(h->account);
    json_object_put(h->body);
    secret_free(h->token);
}

/* Send it; return the exit status, with ${what} said. */
static int post(struct ctx *c, struct holder *h, const char *path, const char *what)
{
    struct json_object *answer;
    struct http_policy policy;
    struct buf b = {0};
    struct ct_err e;
    int rc;

    rc = h->token == NULL ? ctx_cloud(c, "POST", path, h->body, &answer, &e)
         : ctx_policy(c, &policy, &e) != 0
             ? -1
             : api_call(&policy, c->cred->api_url, h->token, "POST", path, h->body, &answer, &e);
    if (rc != 0)
        return ctx_fail(c, &e);
    if (c->json) {
        ctx_json(c, answer);
    } else {
        buf_printf(&b, "%s\n", what);
        ctx_print(c, &b);
        buf_free(&b);
    }
    json_object_put(answer);
    return CTX_OK;
}

/* ---- what a holder does --------------------------------------------------------------------- */

static int ask_new_password(struct holder *h, struct ct_err *err)
{
    char *password, *again;
    int rc;

    if (ask("New password: ", &password, err) != 0)
        return -1;
    rc = ask("Once more: ", &again, err);
    if (rc == 0) {
        if (strcmp(password, again) == 0)
            jdoc_set_str(h->body, "newPassword", password);
        else
            rc = err_set(err, ERR_FAIL, "the two passwords are not the same; nothing was changed");
        secret_free(again);
    }
    secret_free(password);
    return rc;
}

static int passwd(struct ctx *c, struct holder *h, int ends_tokens)
{
    struct ct_err e;

    if (prove(c, h, &e) != 0 || ask_new_password(h, &e) != 0)
        return ctx_fail(c, &e);
    jdoc_set_bool(h->body, "endTokens", ends_tokens);
    return post(c, h, "/account/password",
                ends_tokens ? "The password is changed. All other machines have to log in again."
                            : "The password is changed. Machines that are logged in stay so: "
                              "ctctl tokens");
}

static int logout_all(struct ctx *c, struct holder *h)
{
    struct ct_err e;

    if (prove(c, h, &e) != 0)
        return ctx_fail(c, &e);
    return post(c, h, "/account/logout-all",
                "All other machines have to log in again; this one stays logged in.");
}

static int agree_to_delete(struct ctx *c, const struct holder *h, int now)
{
    const char *email = jdoc_str(h->account, "email");
    char *clean = text_clean(&c->err, email != NULL ? email : "-");
    char *question = str_printf(
        "Delete the account %s at %s, with its %lld sessions there%s? It can't be had "
        "back. What is on your machines stays there.",
        clean, c->cred->api_url, (long long)headline_number(h->account, "sessions", 0),
        now ? ", at once" : "; whoever runs the server has their objects for 30 days more");
    int yes = term_confirm(question);

    free(question);
    free(clean);
    return yes;
}

static int delete_account(struct ctx *c, struct holder *h, int now)
{
    struct ct_err e;
    char *path;
    int rc;

    if (!agree_to_delete(c, h, now)) {
        ctx_say(c, "nothing was deleted");
        return CTX_FAILED;
    }
    if (prove(c, h, &e) != 0)
        return ctx_fail(c, &e);
    jdoc_set_bool(h->body, "now", now);
    rc = post(c, h, "/account/delete",
              "The account is deleted. Nothing is saved from this machine until you log in "
              "elsewhere: ctctl login --api-url URL");
    if (rc != CTX_OK)
        return rc;
    path = cred_path();
    if (cred_forget(path, &e) != 0)
        rc = ctx_fail(c, &e);
    free(path);
    return rc;
}

static int change(struct ctx *c, const char *action, int ends_tokens, int now)
{
    struct holder h = {0};
    struct ct_err e;
    int rc;

    /* Never from stdin: a program that has the token must not do this by itself. */
    if (!term_is_interactive())
        return ctx_usage(c, "account %s asks for the password, on a terminal", action);
    if (fetch(c, &h.account, &e) != 0)
        return ctx_fail(c, &e);
    rc = strcmp(action, "passwd") == 0       ? passwd(c, &h, ends_tokens)
         : strcmp(action, "logout-all") == 0 ? logout_all(c, &h)
                                             : delete_account(c, &h, now);
    clear(&h);
    return rc;
}

static int run(struct ctx *c, int argc, char **argv)
{
    struct strlist words = {0};
    int ends_tokens = 0, now = 0, rc;
    const struct opt opts[] = {{"tokens", OPT_FLAG, &ends_tokens}, {"now", OPT_FLAG, &now}};
    const char *action;

    rc = opts_parse(c, opts, sizeof(opts) / sizeof(opts[0]), argc, argv, &words);
    action = words.n > 0 ? words.v[0] : "show";
    if (rc != -1)
        goto done;
    if (words.n > 1 || (ends_tokens && strcmp(action, "passwd") != 0) ||
        (now && strcmp(action, "delete") != 0))
        rc = ctx_usage(c, "account takes one word, passwd --tokens, and delete --now");
    else if (strcmp(action, "show") == 0)
        rc = show(c);
    else if (strcmp(action, "passwd") == 0 || strcmp(action, "logout-all") == 0 ||
             strcmp(action, "delete") == 0)
        rc = change(c, action, ends_tokens, now);
    else
        rc =
            ctx_usage(c, "account can show, passwd, logout-all and delete, and not \"%s\"", action);
done:
    strlist_free(&words);
    return rc;
}

const struct verb verb_account = {
    "account",
    "[show | passwd [--tokens] | logout-all | delete [--now]]",
    "the account itself: its password, its log-ins, its end",
    "show               whose it is and what it holds (this is the default)\n"
    "passwd             set another password, which ends all log-ins by password;\n"
    "                   --tokens ends the tokens of all other machines too\n"
    "logout-all         end all log-ins and tokens but the one of this machine\n"
    "delete             delete the account and everything of it in the cloud; it asks first.\n"
    "                   --now: its objects at once, and not after 30 days\n"
    "\n"
    "All but show want the password once more, on a terminal, for whoever stole a token does\n"
    "not have it; an account without one signs in anew, in the browser.\n",
    run,
    "ctctl account                  # whose it is and what it holds\n"
    "ctctl account passwd --tokens  # a machine was stolen: new password, all others out\n"
    "ctctl account logout-all       # end every log-in but this one\n",
};

#include <stdlib.h>
#include <string.h>

#include "common/config/account.h"
#include "common/base/buf.h"
#include "common/data/jdoc.h"
#include "common/base/path.h"
#include "common/sys/secret.h"
#include "common/base/str.h"
#include "ctctl/key/login.h"
#include "ctctl/key/login_key.h"
#include "ctctl/key/login_agents.h"
#include "ctctl/key/login_profile.h"
#include "ctctl/ui/term.h"

#include "ctctl/ctx/verb.h"

#define ANSWER_MS 30000

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
    /* The same address with accounts of its own again: a server that was set up anew. */
    int is_anew =
        strcmp(was->api_url, l->cred.api_url) == 0 && strcmp(was->email, l->account_email) == 0;
    char *question =
        is_anew
            ? str_printf("%s at %s is another account than the one of that name that this machine "
                         "saved to: the server was set up anew, or the account was.\n"
                         "All sessions of this machine are saved to it once more. Is that what you "
                         "want?",
                         l->account_email, l->cred.api_url)
            : str_printf("Until now the sessions of this machine went to %s at %s.\nFrom now "
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
 * Any page that a browser shows can call a port of this machine, so an answer without our state may
 * be somebody else's account, slipped in so that all sessions go there.
 */
static int agree_to_account(const struct login *l, struct ct_err *err)
{
    char *question, *clean;
    int yes;

    if (!l->must_agree)
        return 0;
    if (!term_is_interactive())
        return err_set(err, ERR_AUTH,
                       "the server does not say that this sign-in is the one that was begun here; "
                       "confirm it in a terminal");
    question = str_printf("You are signed in as %s. All sessions of this machine will go there. Is "
                          "that you?",
                          l->account_email);
    clean = str_printable(question);
    yes = term_confirm(clean);
    free(clean);
    free(question);
    return yes ? 0 : err_set(err, ERR_CANCELLED, "nothing was changed");
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
    if (cred_recall(path, &old, &e) != 0 && e.code != ERR_AUTH)
        ctx_say(c, "%s (it is replaced now)", e.msg);
    if (url == NULL || url[0] == '\0')
        url = old != NULL ? old->api_url : CRED_DEFAULT_URL;
    l->cred.api_url = cred_normal_url(url);
    if (c->config->device_name != NULL)
        l->cred.device_name = str_dup(c->config->device_name);
    else
        l->cred.device_name = old != NULL ? str_dup(old->device_name) : path_host_name();
    /* An address is known at its own server. */
    if (old != NULL && old->email != NULL && strcmp(old->api_url, l->cred.api_url) == 0)
        l->cred.email = str_dup(old->email);
    cred_free(old);
    return http_url_allowed(l->cred.api_url, &l->policy, err);
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

static void say_set_aside(struct ctx *c, const struct login *l)
{
    if (l->set_aside > 0)
        ctx_say(c,
                "%lld sessions were saved to this account before anybody had proved that its "
                "address is theirs. They are in the trash for 30 days; if they are yours: ctctl "
                "undelete",
                (long long)l->set_aside);
}

static void clear(struct login *l)
{
    secret_free(l->cred.token);
    free(l->cred.api_url);
    free(l->cred.device_name);
    free(l->cred.email);
    free(l->account_id);
    free(l->account_email);
    free(l->plan);
    secret_free(l->secret);
}

struct naming {
    struct ctx *c;
    const struct login *l;
    enum login_key answer;
};

static char *token_name(void *arg)
{
    struct naming *n = arg;

    n->answer = login_key_ask(n->c);
    return login_key_token_name(n->c, n->answer, n->l->cred.device_name);
}

/* With the new token, which nobody else knows yet. */
static int obtain_key(struct ctx *c, const struct login *l, enum login_key answer,
                      struct ct_err *err)
{
    if (answer != LOGIN_KEY_WANTED)
        return 0;
    cred_free(c->cred);
    c->cred = str_calloc(1, sizeof(*c->cred));
    c->cred->token = secret_dup(l->cred.token);
    c->cred->api_url = str_dup(l->cred.api_url);
    c->cred->device_name = str_dup(l->cred.device_name);
    if (login_key_obtain(c) == 0)
        return 0;
    if (!l->has_token)
        login_revoke(c, err);
    return err_set(err, ERR_CANCELLED,
                   "you are not logged in. With the key at hand, again: ctctl login");
}

/* Whoever logs in first and starts the daemon later would wait for nothing. */
static void say_no_daemon(struct ctx *c)
{
    struct json_object *o;
    struct ct_err e;

    if (ctx_call(c, "account", NULL, ANSWER_MS, &o, &e) == 0)
        json_object_put(o);
    else if (ctx_is_no_daemon(&e))
        ctx_say(c, "the daemon is not running yet, so nothing is being saved. Start it with: %s",
                ctx_start_command());
}

static int log_in(struct ctx *c, struct login *l)
{
    char *path = cred_path();
    struct naming n = {c, l, LOGIN_KEY_NOT_ASKED};
    struct ct_err e;
    int rc;

    l->secret = secret_alloc(LOGIN_SECRET_SIZE);
    l->token_name = token_name;
    l->token_name_arg = &n;
    if (prepare(c, l, path, &e) != 0 || login_authenticate(c, l, &e) != 0 ||
        agree_to_account(l, &e) != 0) {
        rc = ctx_fail(c, &e);
        goto done0;
    }
    /* A token that was made elsewhere has its name. */
    if (l->has_token)
        n.answer = login_key_ask(c);
    free(l->cred.email);
    l->cred.email = str_dup(l->account_email);
    if (obtain_key(c, l, n.answer, &e) != 0 || confirm_account(c, l, &e) != 0 ||
        cred_save(path, &l->cred, &e) != 0) {
        rc = ctx_fail(c, &e);
    } else {
        report(c, l);
        rc = CTX_OK;
        fflush(stdout);
        say_set_aside(c, l);
        login_key_settle(c, n.answer);
        login_agents_settle(c);
        login_profile_settle(c, l);
        say_no_daemon(c);
    }
done0:
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
        {"github", OPT_FLAG, &l.by_github},
        {"oidc", OPT_FLAG, &l.by_oidc},
        {"invite", OPT_STRING, &l.invite},
    };
    int rc = opts_parse(c, opts, sizeof(opts) / sizeof(opts[0]), argc, argv, &words);
    size_t n = words.n;

    strlist_free(&words);
    if (rc != -1)
        return rc;
    if (n > 0)
        return ctx_usage(c, "login takes options only; a password or token is asked for, or comes "
                            "on stdin, but never stands on the command line");
    if (l.has_token && (l.is_new || l.from_stdin || l.email != NULL || l.by_github || l.by_oidc))
        return ctx_usage(c, "--token goes with --api-url only");
    if (l.by_github && l.by_oidc)
        return ctx_usage(c, "sign in with --github or with --oidc, not with both");
    if ((l.by_github || l.by_oidc) && (l.is_new || l.from_stdin || l.email != NULL))
        return ctx_usage(
            c, "--github and --oidc go with --api-url only; it makes an account where there is "
               "none yet");
    if (l.invite != NULL && !l.is_new)
        return ctx_usage(c, "--invite goes with --register");
    if (l.from_stdin && l.is_new && l.email == NULL)
        return ctx_usage(c, "--password-stdin and --register go with --email");
    return log_in(c, &l);
}

const struct verb verb_login = {
    "login",
    "[--email E] [--register [--invite CODE]] [--github | --oidc]\n"
    "                   [--token] [--api-url URL] [--password-stdin]",
    "log in, or make an account",
    "  --email E         whose account (else you are asked, or it is that of the last login)\n"
    "  --register        make a new account\n"
    "  --invite CODE     with an invitation, where the server wants one\n"
    "  --github          sign in with GitHub, in the browser\n"
    "  --oidc            sign in with the server's OpenID provider, in the browser\n"
    "  --token           log in with an API token, typed or from stdin\n"
    "  --api-url URL     which server (else $CODETELEPORT_API_URL, else that of the last\n"
    "                    login, else the public service)\n"
    "  --password-stdin  the password is the first line of stdin\n"
    "\n"
    "With these the browser has to run on this machine, for it comes back to a port here;\n"
    "over SSH, forward the port that the address names: ssh -L PORT:localhost:PORT ...\n"
    "\n"
    "A password is never echoed and never stands on the command line. What is kept is a\n"
    "token, in ~/.codeteleport/config.json, which only you can read.\n"
    "\n"
    "On a terminal, a device without a key is asked whether what it saves shall be sealed; if\n"
    "so, a key is made, or the account's asked for (see: ctctl key --help).\n"
    "\n"
    "It is asked once, too, whether what belongs to no session is saved (see: profile in\n"
    "codeteleportd.conf(5)), if there is any. With --register and without a terminal it is\n"
    "saved.\n"
    "\n"
    "Logging in to another account or server than before is confirmed on a terminal, for\n"
    "all sessions of this machine go there from then on.\n",
    run,
    "ctctl login --register                          # a new account\n"
    "ctctl login --api-url https://ct.example.org:8787  # a server of your own\n"
    "ctctl login --email al@example.org --password-stdin <file  # without a terminal\n",
};

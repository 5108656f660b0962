#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "api/api.h"
#include "api/client.h"
#include "common/data/db.h"
#include "common/base/hash.h"
#include "common/data/jdoc.h"
#include "common/base/log.h"
#include "common/base/now.h"
#include "common/base/path.h"
#include "common/base/str.h"
#include "net/http.h"
#include "uploader/backoff.h"

#include "daemon/account/cloud.h"
#include "daemon/daemon.h"
#include "daemon/account/login_view.h"
#include "daemon/account/allowance.h"

#define OWN_MACHINE "own_machine" /* a note: the URL of a server on this machine, or "" */
#define REOPEN_S 30               /* how often to try to open state again */

struct login_view {
    struct daemon *d;
    char *path;        /* of the credentials */
    struct cred *cred; /* as last read, or NULL */
    struct account *account;
    enum login_view_state state;
    struct ct_err why;
    struct http_call *call;
    struct api_request *request;
    struct event *retry;
    struct event *reopen; /* the books could not be opened */
    int failures;
    int64_t next_ms; /* when ${retry} is due */
    int is_uploading;
    int is_listed;     /* uploads wait for the answer of ${call}, and for nothing else */
    unsigned features; /* enum api_feature of the server, as far as it has told */
    int has_answered;  /* this server, about these credentials */
    char token_tag[STATE_TAG_SIZE];
};

static void say(struct login_view *l, enum login_view_state state, const struct ct_err *why)
{
    int is_news = state != l->state;

    l->state = state;
    memset(&l->why, 0, sizeof(l->why));
    if (why != NULL)
        l->why = *why;
    if (!is_news)
        return;
    if (state == LOGIN_OK)
        log_info("logged-in api=%s", l->cred->api_url);
    else if (state != LOGIN_CHECKING)
        log_warn("not-uploading reason=\"%s\"", l->why.msg);
    control_event(l->d, "state", NULL, 0, 0, l->why.msg);
    waiter_check_all(l->d);
}

static void stop_uploads(struct login_view *l)
{
    l->is_uploading = 0;
    if (l->d->books != NULL)
        uploader_set_cred(l->d->books->uploader, NULL, NULL);
}

static void stop_check(struct login_view *l)
{
    if (l->call != NULL)
        http_cancel(l->call);
    l->call = NULL;
    api_request_free(l->request);
    l->request = NULL;
    evtimer_del(l->retry);
}

static int open_account(struct login_view *l)
{
    char *dir = account_dir(l->d->config->state_dir, l->account->api_url, l->account->account_id);
    const struct timeval again = {.tv_sec = REOPEN_S};
    struct ct_err err;
    int rc = 0;

    evtimer_del(l->reopen);
    if (l->d->books == NULL || strcmp(l->d->books->dir, dir) != 0)
        rc = books_open(l->d, dir, &err);
    free(dir);
    if (rc != 0) {
        stop_check(l);
        say(l, LOGIN_NO_BOOKS, &err);
        if (strcmp(err.reason, DB_NEWER) == 0)
            daemon_give_up(l->d, 78);
        evtimer_add(l->reopen, &again);
    }
    return rc;
}

static int account_read(struct login_view *l)
{
    struct ct_err err = {0};

    account_record_free(l->account);
    l->account = NULL;
    if (account_record_load(l->d->config->state_dir, &l->account, &err) == 0 ||
        err.code == ERR_GONE)
        return 0;
    /* Whose machine this was can't be read any more: as after a change, a person has to say. */
    err_prefix(&err, "the confirmed account is not known; run: ctctl login");
    stop_check(l);
    stop_uploads(l);
    say(l, LOGIN_CHANGED, &err);
    return -1;
}

static void accept_account(struct login_view *l)
{
    if (open_account(l) != 0)
        return;
    say(l, LOGIN_OK, NULL);
    cloud_refresh(l->d->cloud); /* and then login_view_listed() */
}

void login_view_listed(struct login_view *l)
{
    if (l->state != LOGIN_OK || l->is_uploading || l->d->books == NULL)
        return;
    /* What is told of a bundle depends on what the server can do. */
    l->is_listed = l->call != NULL;
    if (l->is_listed)
        return;
    l->is_uploading = 1;
    allowance_ask(l->d->allowance);
    uploader_set_features(l->d->books->uploader, l->features);
    uploader_set_cred(l->d->books->uploader, l->d->engine, l->cred);
}

static int is_confirmed(const struct login_view *l, const char *account_id)
{
    return l->account != NULL && strcmp(l->account->api_url, l->cred->api_url) == 0 &&
           strcmp(l->account->account_id, account_id) == 0;
}

static int is_known_token(const struct login_view *l)
{
    char hex[HASH_SHA256_HEX];

    if (l->account == NULL || l->account->token_sha256 == NULL ||
        strcmp(l->account->api_url, l->cred->api_url) != 0)
        return 0;
    hash_sha256_hex(l->cred->token, strlen(l->cred->token), hex);
    return strcmp(hex, l->account->token_sha256) == 0;
}

/* Write down whose token it is, unless that stands there already.  Without room on the disk that is
 * tried again, and a log-in that is known goes on meanwhile. */
static int note_account(struct login_view *l, const char *id, const char *email)
{
    const struct timeval again = {.tv_sec = REOPEN_S};
    struct ct_err err;

    if (is_confirmed(l, id) && is_known_token(l) && strcmp(l->account->email, email) == 0)
        return 0;
    if (account_record_save(l->d->config->state_dir, l->cred->api_url, id, email, l->cred->token,
                            &err) == 0)
        return account_read(l);
    log_error("account-record-failed error=\"%s\"", err.msg);
    if (l->state != LOGIN_OK) {
        say(l, LOGIN_NO_BOOKS, &err);
        evtimer_add(l->reopen, &again);
    }
    return -1;
}

static void learnt(struct login_view *l, const char *id, const char *email)
{
    struct ct_err err = {0};

    if (l->account != NULL && !is_confirmed(l, id)) {
        err_set(&err, ERR_AUTH,
                "the credentials are now for %s at %s, but this machine's sessions went to %s at "
                "%s; to send them there from now on, run: ctctl login",
                email, l->cred->api_url, l->account->email, l->account->api_url);
        stop_uploads(l);
        say(l, LOGIN_CHANGED, &err);
        return;
    }
    if (note_account(l, id, email) == 0 && l->state != LOGIN_OK)
        accept_account(l);
}

static void try_again(struct login_view *l, const struct ct_err *err)
{
    uint32_t random;
    int64_t wait_ms;
    struct timeval tv;

    hash_random(&random, sizeof(random));
    wait_ms = backoff_ms(++l->failures, waiter_is_anybody(l->d), err->retry_after_s, random);
    tv.tv_sec = wait_ms / 1000;
    tv.tv_usec = wait_ms % 1000 * 1000;
    l->next_ms = now_mono_ms() + wait_ms;
    evtimer_add(l->retry, &tv);
    l->why = *err;
    if (l->failures == 1)
        log_warn("server-unreachable error=\"%s\"", err->msg);
    daemon_mind_network(l->d);
    waiter_check_all(l->d);
}

int login_view_has_answered(const struct login_view *l)
{
    return l->state == LOGIN_OK && l->has_answered;
}

unsigned login_view_features(const struct login_view *l)
{
    return login_view_has_answered(l) ? l->features : 0;
}

static void on_me(void *arg, const struct http_res *res, const struct ct_err *net_err)
{
    struct login_view *l = arg;
    struct json_object *answer = NULL;
    struct ct_err err = {0};
    const char *id, *email;

    l->call = NULL;
    if (res == NULL)
        err = *net_err;
    else if (api_answer(res, &answer, &err) == 0 && jdoc_str(answer, "id") == NULL)
        err_set(&err, ERR_RETRY, "the server does not say whose token this is");
    if (err.code == ERR_AUTH) {
        login_view_refused(l, &err);
    } else if (err.code != ERR_NONE) {
        try_again(l, &err);
    } else {
        id = jdoc_str(answer, "id");
        email = jdoc_str(answer, "email");
        l->failures = 0;
        l->d->last_contact_ms = now_wall_ms();
        l->features = api_features(answer);
        l->has_answered = 1;
        memset(&l->why, 0, sizeof(l->why));
        daemon_mind_network(l->d);
        learnt(l, id, email != NULL ? email : "");
        if (l->state == LOGIN_OK)
            login_view_answered(l, res);
        profile_touch_all(l->d);
    }
    json_object_put(answer);
    if (l->is_listed)
        login_view_listed(l);
    waiter_check_all(l->d);
}

/* Whose token is it?  Asked at every start, too: so a token that was revoked and a server that is
 * down are known before there is something to upload. */
static void ask(struct login_view *l)
{
    struct ct_err err;

    stop_check(l);
    api_request_new(l->cred->api_url, l->cred->token, "GET", "/auth/me", NULL, &l->request);
    if (api_start(l->d->engine, l->request, on_me, l, &l->call, &err) != 0) {
        l->call = NULL;
        stop_uploads(l);
        say(l, LOGIN_BROKEN, &err);
    }
}

static void on_retry(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    ask(arg);
}

/* A proxy's port is looked at with the configuration; beyond it the sandbox does not see. */
static int goes_through_proxy(const struct config *c, const char *url)
{
    static const char *const variables[] = {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"};

    if (http_url_is_loopback(url))
        return 0;
    if (c->proxy != NULL)
        return c->proxy[0] != '\0';
    for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
        if (getenv(variables[i]) != NULL)
            return 1;
    }
    return 0;
}

int login_check_port(const struct config *c, const struct cred *cred, struct ct_err *err)
{
    char *origin = http_url_origin(cred->api_url);
    const char *port = origin != NULL ? strrchr(origin, ':') + 1 : NULL;
    int rc = 0;

    if (port != NULL && !goes_through_proxy(c, cred->api_url) &&
        !config_allows_port(c, strtoll(port, NULL, 10)))
        rc = err_set(err, ERR_CONFIG,
                     "the server %s is at port %s, which allowed_ports in the configuration does "
                     "not name; add it, and restart the daemon",
                     origin, port);
    free(origin);
    return rc;
}

void login_view_refresh(struct login_view *l)
{
    struct cred *fresh = NULL;
    char hex[HASH_SHA256_HEX];
    struct ct_err err = {0};

    if (l->d->is_stopping || account_read(l) != 0)
        return;
    if (cred_load(l->path, &fresh, &err) == 0 && login_check_port(l->d->config, fresh, &err) != 0) {
        cred_free(fresh);
        fresh = NULL;
    }
    if (fresh == NULL) {
        stop_check(l);
        stop_uploads(l);
        cred_free(l->cred);
        l->cred = NULL;
        /* What was confirmed once goes on being bundled, for the day somebody logs in again. */
        if (l->account != NULL && open_account(l) != 0)
            return;
        say(l, err.code == ERR_AUTH ? LOGIN_NONE : LOGIN_BROKEN, &err);
        return;
    }
    if (l->cred != NULL && l->state == LOGIN_OK && strcmp(l->cred->token, fresh->token) == 0 &&
        strcmp(l->cred->api_url, fresh->api_url) == 0 &&
        strcmp(l->cred->device_name, fresh->device_name) == 0) {
        cred_free(fresh);
        return;
    }
    stop_uploads(l);
    cred_free(l->cred);
    l->cred = fresh;
    hash_sha256_hex(fresh->token, strlen(fresh->token), hex);
    snprintf(l->token_tag, sizeof(l->token_tag), "%.*s", STATE_TAG_SIZE - 1, hex);
    l->failures = 0;
    l->features = 0;
    l->has_answered = 0;
    if (is_known_token(l))
        accept_account(l);
    else
        say(l, LOGIN_CHECKING, NULL);
    if (l->state == LOGIN_OK || l->state == LOGIN_CHECKING)
        ask(l);
}

void login_view_try_now(struct login_view *l)
{
    if (evtimer_pending(l->reopen, NULL)) {
        evtimer_del(l->reopen);
        login_view_reopen(l);
        return;
    }
    if (!evtimer_pending(l->retry, NULL))
        return;
    l->failures = 1; /* still offline, but the back-off begins anew */
    ask(l);
}

void login_view_reopen(struct login_view *l)
{
    /* As at the start. */
    cred_free(l->cred);
    l->cred = NULL;
    login_view_refresh(l);
}

static void on_reopen(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    login_view_reopen(arg);
}

int login_view_is_offline(const struct login_view *l)
{
    return l->failures > 0;
}

int64_t login_view_next_ms(const struct login_view *l)
{
    return evtimer_pending(l->retry, NULL) ? l->next_ms : 0;
}

const struct ct_err *login_view_why(const struct login_view *l)
{
    return &l->why;
}

void login_view_refused(struct login_view *l, const struct ct_err *err)
{
    struct ct_err why = *err;

    stop_check(l);
    stop_uploads(l);
    err_set(&why, ERR_AUTH, "the server refuses the token (%.200s); run: ctctl login", err->msg);
    say(l, LOGIN_REFUSED, &why);
}

enum login_view_state login_view_look(const struct login_view *l, const char **ret_email,
                                      const char **ret_api_url, const char **ret_device,
                                      const char **ret_why)
{
    *ret_email = l->account != NULL ? l->account->email : "";
    *ret_api_url = l->cred != NULL      ? l->cred->api_url
                   : l->account != NULL ? l->account->api_url
                                        : "";
    *ret_device = l->d->config->device_name != NULL ? l->d->config->device_name
                  : l->cred != NULL                 ? l->cred->device_name
                                                    : "";
    *ret_why = l->why.msg;
    return l->state;
}

/* A note that can't be written costs a word, not the backup: the URL still tells most of it. */
void login_view_note_own_machine(struct login_view *l, int is_own)
{
    const char *value = is_own && l->cred != NULL ? l->cred->api_url : "";
    char *old = state_noted(l->d->books->state, OWN_MACHINE);
    int is_same = old != NULL ? strcmp(old, value) == 0 : !is_own;
    struct ct_err err;

    free(old);
    if (!is_same && state_note(l->d->books->state, OWN_MACHINE, value, &err) != 0)
        log_warn("own-machine-not-noted error=\"%s\"", err.msg);
}

void login_view_answered(struct login_view *l, const struct http_res *res)
{
    if (res != NULL && res->is_own_machine && l->d->books != NULL)
        login_view_note_own_machine(l, 1);
}

int login_view_is_own_machine(struct login_view *l)
{
    char *noted;
    int yes;

    if (l->cred != NULL && http_url_is_loopback(l->cred->api_url))
        return 1;
    /* After a log-out what is saved lies where it lay. */
    noted = l->d->books != NULL ? state_noted(l->d->books->state, OWN_MACHINE) : NULL;
    yes = noted != NULL && noted[0] != '\0' &&
          (l->cred == NULL || strcmp(noted, l->cred->api_url) == 0);
    free(noted);
    return yes;
}

const struct cred *login_view_cred(const struct login_view *l)
{
    return l->cred;
}

const char *login_view_token_tag(const struct login_view *l)
{
    return l->cred != NULL ? l->token_tag : "";
}

const char *login_view_credentials_path(const struct login_view *l)
{
    return l->path;
}

struct login_view *login_view_new(struct daemon *d)
{
    struct login_view *l = str_calloc(1, sizeof(*l));

    l->d = d;
    l->path = cred_path();
    l->retry = evtimer_new(d->base, on_retry, l);
    l->reopen = evtimer_new(d->base, on_reopen, l);
    if (l->retry == NULL || l->reopen == NULL)
        abort();
    return l;
}

void login_view_free(struct login_view *l)
{
    if (l == NULL)
        return;
    stop_check(l);
    event_free(l->retry);
    event_free(l->reopen);
    cred_free(l->cred);
    account_record_free(l->account);
    free(l->path);
    free(l);
}

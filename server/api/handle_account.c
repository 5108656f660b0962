#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/now.h"
#include "common/base/str.h"
#include "common/data/jdoc.h"

#include "server/api/call.h"
#include "server/auth/password.h"
#include "server/ledger/purge.h"

#define FRESH_S 600 /* how old a log-in may be that stands for a password */
#define DAY_MS (24LL * 3600 * 1000)
#define TRASH_MS (30 * DAY_MS)

/* What an account's holder does with it: every change wants a password once more, for a token that
 * was stolen is not its holder. */

static int refuse(struct call *c, const char *email, int status, const char *code,
                  const char *sentence)
{
    call_log_failure(c, email, 1, code);
    return call_error(c, status, code, sentence);
}

/* It was no wrong password. */
static void not_tried(struct call *c, const struct ledger_user *user)
{
    attempts_take_back(c->config->limits->holders, c->asker);
    if (c->who.token_id[0] != '\0')
        attempts_take_back(c->config->limits->tokens, user->id);
}

/* The password of the body, counted like a log-in's. */
static int check_password(struct call *c, const struct ledger_user *user)
{
    struct limits *limits = c->config->limits;
    const char *password = jdoc_str(c->body, "password");
    int64_t now_ms = now_mono_ms();
    int status, wait, by_token = c->who.token_id[0] != '\0', good;

    if (password == NULL)
        return call_error(c, 422, "password_required",
                          "The password of the account is needed once more.");
    /* Whoever stole a token or a log-in must not keep the holder from ending that. */
    wait = attempts_wait_s(limits->holders, c->asker, now_ms);
    if (wait == 0 && by_token)
        wait = attempts_wait_s(limits->tokens, user->id, now_ms);
    if (wait > 0)
        return call_too_many(c, wait);
    attempts_count(limits->holders, c->asker, now_ms);
    if (by_token)
        attempts_count(limits->tokens, user->id, now_ms);
    if ((status = call_bcrypt_begin(c)) != 0) {
        not_tried(c, user);
        return status;
    }
    good = strlen(password) <= PASSWORD_MAX_BYTES && password_verify(password, user->password);
    call_bcrypt_end(c);
    if (!good)
        return refuse(c, user->email, 403, "wrong_password", "The password is wrong.");
    not_tried(c, user);
    attempts_forget(limits->holders, c->asker);
    return 0;
}

/* Is it the holder?  0 with ${user}, or the status of the answer.  Who has no password signs in
 * anew. */
static int know_holder(struct call *c, struct ledger_user *user)
{
    struct ct_err err;
    int status = 0;

    if (ledger_user_by_id(c->config->ledger, c->who.user_id, user, &err) != 0)
        return call_fail(c, &err);
    if (user->password[0] != '\0')
        status = check_password(c, user);
    else if (c->login_s == 0 || c->login_s + FRESH_S < c->now_ms / 1000)
        status = call_error(c, 403, "sign_in_required",
                            "This account has no password; sign in once more, and ask within ten "
                            "minutes with that log-in.");
    if (status != 0)
        ledger_user_clear(user);
    return status;
}

int call_confirm_holder(struct call *c)
{
    struct ledger_user user = {0};
    int status = know_holder(c, &user);

    ledger_user_clear(&user);
    return status;
}

struct sums {
    int64_t confirmed, trash, shared, traces;
};

static void add_up(void *arg, const char *state, int64_t n, int64_t bytes)
{
    struct sums *s = arg;

    (void)n;
    if (strcmp(state, "confirmed") == 0)
        s->confirmed += bytes;
    else if (strcmp(state, "trash") == 0)
        s->trash += bytes;
    else if (strcmp(state, "shared") == 0)
        s->shared += bytes;
    else if (strcmp(state, "traces") == 0)
        s->traces += bytes;
}

int handle_account_show(struct call *c)
{
    struct ledger *l = c->config->ledger;
    int64_t sessions, devices, set_aside;
    struct ledger_user user = {0};
    struct sums sums = {0};
    struct ct_err err;
    char when[32];

    if (ledger_usage(l, c->who.user_id, &sessions, &devices, &err) != 0 ||
        ledger_user_usage(l, c->who.user_id, add_up, &sums, &err) != 0 ||
        ledger_user_set_aside(l, c->who.user_id, &set_aside, &err) != 0 ||
        ledger_user_by_id(l, c->who.user_id, &user, &err) != 0)
        return call_fail(c, &err);
    c->answer = json_object_new_object();
    jdoc_set_str(c->answer, "id", user.id);
    jdoc_set_str(c->answer, "email", user.email);
    jdoc_set_str(c->answer, "createdAt", now_rfc3339(user.created_ms, when));
    jdoc_set_bool(c->answer, "hasPassword", user.password[0] != '\0');
    if (ledger_user_comes_from(c->config->ledger, user.id, c->config->settings->oidc_issuer))
        jdoc_set_str(c->answer, "signIn", "oidc");
    jdoc_set_int(c->answer, "sessions", sessions);
    jdoc_set_int(c->answer, "devices", devices);
    jdoc_set_int(c->answer, "bytes", sums.confirmed);
    jdoc_set_int(c->answer, "trashBytes", sums.trash);
    jdoc_set_int(c->answer, "sharedBytes", sums.shared);
    jdoc_set_int(c->answer, "tracesBytes", sums.traces);
    if (c->config->settings->max_bytes_per_user > 0)
        jdoc_set_int(c->answer, "maxBytes", c->config->settings->max_bytes_per_user);
    jdoc_set_int(c->answer, "unprovenInTrash", set_aside);
    ledger_user_clear(&user);
    return 200;
}

/* The token that asks stays: the machine that it is of goes on saving. */
static int end_others(struct call *c, struct ct_err *err)
{
    return ledger_user_revoke_others(c->config->ledger, c->who.user_id, c->who.token_id, err);
}

static int set_password(struct call *c, const struct ledger_user *user, const char *password,
                        int ends_tokens)
{
    char *hash;
    struct ct_err err;
    int rc, status = call_hash_password(c, password, &hash);

    if (status != 0)
        return status;
    rc = call_act(c, &err);
    if (rc == 0) {
        rc = ledger_user_passwd(c->config->ledger, user->email, hash, &err);
        if (rc == 0 && ends_tokens)
            rc = end_others(c, &err);
        rc = call_acted(c, rc, &err, "password-changed",
                        ends_tokens ? "other tokens ended" : "tokens stay");
    }
    free(hash);
    return rc != 0 ? call_fail(c, &err) : 0;
}

int handle_account_password(struct call *c)
{
    const char *password = jdoc_str(c->body, "newPassword");
    struct ledger_user user = {0};
    struct ct_err err;
    int status;

    if (password == NULL)
        return call_error(c, 422, "invalid", "newPassword is needed, a string.");
    if (password_check(password, &err) != 0)
        return call_fail(c, &err);
    if ((status = know_holder(c, &user)) != 0)
        return status;
    status = set_password(c, &user, password, jdoc_bool(c->body, "endTokens", 0));
    ledger_user_clear(&user);
    return status != 0 ? status : call_ok(c);
}

int handle_account_logout(struct call *c)
{
    struct ct_err err;
    int status = call_confirm_holder(c);

    if (status != 0)
        return status;
    if (call_act(c, &err) != 0 || call_acted(c, end_others(c, &err), &err, "logged-out-everywhere",
                                             "all log-ins, and tokens but the one that asked") != 0)
        return call_fail(c, &err);
    return call_ok(c);
}

static void purge(struct call *c)
{
    struct purged done = {0};
    struct ct_err err;

    web_busy(c->web, 1);
    if (purge_due(c->config->ledger, c->config->store, c->now_ms, &done, &err) != 0)
        log_error("purge-failed error=\"%s\"", err.msg);
    web_busy(c->web, 0);
}

int handle_account_delete(struct call *c)
{
    int now = jdoc_bool(c->body, "now", 0), status, rc;
    struct ledger_user user = {0};
    struct ct_err err;

    if ((status = know_holder(c, &user)) != 0)
        return status;
    rc = call_act(c, &err);
    if (rc == 0) {
        rc = ledger_user_delete(c->config->ledger, user.email, c->now_ms,
                                now ? c->now_ms : c->now_ms + TRASH_MS, &err);
        c->trace_email = user.email;
        rc = call_acted(c, rc, &err, "account-deleted", "objects=%s", now ? "now" : "in 30 days");
        c->trace_email = NULL;
    }
    ledger_user_clear(&user);
    if (rc != 0)
        return call_fail(c, &err);
    if (now)
        purge(c);
    return call_ok(c);
}

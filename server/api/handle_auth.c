#include <stdlib.h>
#include <string.h>

#include "common/base/hash.h"
#include "common/data/jdoc.h"
#include "common/base/now.h"
#include "common/base/str.h"

#include "api/api.h"

#include "server/api/call.h"
#include "server/settings/email.h"
#include "server/auth/password.h"

/* What both calls begin with: an e-mail as we keep it and a password, borrowed from the body. */
static int read_request(struct call *c, char **ret_email, const char **ret_password)
{
    const char *email = jdoc_str(c->body, "email"), *password = jdoc_str(c->body, "password");
    struct ct_err err;

    if (email == NULL || password == NULL)
        return call_error(c, 422, "invalid", "email and password are needed, both strings.");
    if (email_normal(email, ret_email, &err) != 0)
        return call_fail(c, &err);
    *ret_password = password;
    return 0;
}

static int answer_login(struct call *c, int status, const char *user_id, int64_t generation,
                        const char *email)
{
    struct json_object *user;
    char *token, *half;

    token = call_login_token(c, user_id, generation, email, &status);
    if (token == NULL)
        return status;
    half = c->is_dashboard ? call_page_enter(c, token) : NULL;
    user = json_object_new_object();
    c->answer = json_object_new_object();
    jdoc_set_str(c->answer, c->is_dashboard ? "key" : "token", c->is_dashboard ? half : token);
    jdoc_set_str(user, "id", user_id);
    jdoc_set_str(user, "email", email);
    json_object_object_add(c->answer, "user", user);
    if (half != NULL)
        str_wipe(half, strlen(half));
    free(half);
    str_wipe(token, strlen(token));
    free(token);
    return status;
}

static int add_user(struct call *c, const char *invite, const struct ledger_new_user *u,
                    struct ct_err *err)
{
    struct ledger *l = c->config->ledger;
    int rc;

    if (call_act(c, err) != 0)
        return -1;
    rc = invite[0] != '\0' ? ledger_invite_redeem(l, invite, u, c->who.user_id, err)
                           : ledger_user_add(l, u, c->who.user_id, err);
    return call_acted(c, rc, err, "registered", "by=password%s", call_where(c));
}

static int register_user(struct call *c, const char *email, const char *password,
                         const char *invite)
{
    struct ledger_new_user u = {email, NULL, 0, c->now_ms};
    struct ct_err err;
    int rc, status;
    char *hash;

    if (password_check(password, &err) != 0)
        return call_fail(c, &err);
    if ((status = call_hash_password(c, password, &hash)) != 0)
        return status;
    u.password = hash;
    rc = add_user(c, invite, &u, &err);
    free(hash);
    if (rc != 0)
        return call_fail(c, &err);
    return answer_login(c, 201, c->who.user_id, 1, email);
}

/* May whoever asks register?  0, with the digest of the invitation if one is needed, or a status.
 */
static int may_register(struct call *c, char invite[HASH_SHA256_HEX])
{
    enum settings_registration registration = settings_registration(c->config->settings);
    const char *code = jdoc_str(c->body, "invite");
    struct ct_err err;

    if (registration == SETTINGS_OPEN)
        return 0;
    if (registration != SETTINGS_INVITE)
        return call_error(c, 403, "registration_closed",
                          "This server does not take registrations; ask whoever runs it for an "
                          "account.");
    if (code == NULL || code[0] == '\0')
        return call_error(c, 403, "invite_required",
                          "Registering here needs an invitation; ask whoever runs this server.");
    hash_sha256_hex(code, strlen(code), invite);
    if (ledger_invite_check(c->config->ledger, invite, c->now_ms, &err) != 0)
        return call_fail(c, &err);
    return 0;
}

int handle_auth_register(struct call *c)
{
    struct attempts *limit = c->config->limits->registrations;
    char *email, peer[WEB_ADDRESS_SIZE], invite[HASH_SHA256_HEX] = "";
    const char *password;
    struct ct_err err;
    int status, wait;

    call_peer(c, peer, sizeof(peer));
    wait = attempts_wait_s(limit, peer, now_mono_ms());
    if (wait > 0)
        return call_too_many(c, wait);
    /* Who may not register is told so first; that counts as an attempt, for a code can be guessed.
     */
    if ((status = may_register(c, invite)) != 0) {
        attempts_count(limit, peer, now_mono_ms());
        return status;
    }
    if ((status = read_request(c, &email, &password)) != 0)
        return status;
    attempts_count(limit, peer, now_mono_ms());
    status = email_check_new(email, &err) != 0 ? call_fail(c, &err)
                                               : register_user(c, email, password, invite);
    free(email);
    return status;
}

static int welcome(struct call *c, const struct ledger_user *user)
{
    memcpy(c->who.user_id, user->id, UUID_SIZE);
    call_audit(c, "log-in", "by=password%s", call_where(c));
    return answer_login(c, 200, user->id, user->generation, user->email);
}

/* One way through, whether or not there is such an account: the time tells nothing. */
static int log_in(struct call *c, const char *email, const char *password)
{
    struct ledger_user user = {0};
    struct ct_err err;
    const char *hash;
    int good, status;

    if (ledger_user_by_email(c->config->ledger, email, &user, &err) != 0 && err.code != ERR_GONE)
        return call_fail(c, &err);
    /* bcrypt would compare the first 72 bytes only, and no password is longer.  Who signs in
     * elsewhere has none. */
    hash = strlen(password) <= PASSWORD_MAX_BYTES ? user.password : NULL;
    if (hash != NULL && hash[0] == '\0')
        hash = NULL;
    if ((status = call_bcrypt_begin(c)) != 0) {
        ledger_user_clear(&user);
        return status;
    }
    good = password_verify(password, hash);
    call_bcrypt_end(c);
    if (!good || user.is_disabled)
        call_log_failure(c, email, user.id[0] != '\0',
                         good ? "account_disabled" : "invalid_credentials");
    if (good && user.is_disabled)
        status = call_error(c, 403, "account_disabled",
                            "This account is disabled; ask whoever runs the server.");
    else if (good)
        status = welcome(c, &user);
    else
        status = call_error(c, 401, "invalid_credentials", "The e-mail or the password is wrong.");
    ledger_user_clear(&user);
    return status;
}

/* What attempts are counted by.  A device that has logged in to this account before has a count of
 * its own, so that nobody who guesses elsewhere locks its owner out; the caller frees it. */
static char *counted_by(struct call *c, const char *email)
{
    const char *device = jdoc_str(c->body, "deviceId");

    if (device != NULL && api_device_id_is_valid(device) &&
        ledger_device_is_known(c->config->ledger, email, device)) {
        c->has_known_device = 1;
        return str_printf("%s %s", email, device);
    }
    return str_dup(email);
}

/* From where a log-in comes. */
struct origin {
    char network[WEB_ADDRESS_SIZE], neighbourhood[WEB_ADDRESS_SIZE];
};

static void find_origin(struct call *c, struct origin *ret)
{
    char client[WEB_ADDRESS_SIZE];

    call_client(c, client);
    web_network(client, ret->network, sizeof(ret->network));
    web_neighbourhood(client, ret->neighbourhood, sizeof(ret->neighbourhood));
}

static int wait_of(struct call *c, const char *name, const struct origin *from, int64_t now_ms)
{
    struct limits *limits = c->config->limits;
    int wait = attempts_wait_s(limits->by_account, name, now_ms);

    /* A known device is not its neighbours' fault either. */
    if (wait > 0 || c->has_known_device)
        return wait;
    wait = attempts_wait_s(limits->by_address, from->network, now_ms);
    return wait > 0 ? wait : attempts_wait_s(limits->by_neighbourhood, from->neighbourhood, now_ms);
}

static void count_failure(struct limits *limits, const struct origin *from, int64_t now_ms)
{
    attempts_count(limits->by_address, from->network, now_ms);
    attempts_count(limits->by_neighbourhood, from->neighbourhood, now_ms);
}

int handle_auth_login(struct call *c)
{
    struct limits *limits = c->config->limits;
    int64_t now_ms = now_mono_ms();
    char *email, *name;
    const char *password;
    struct origin from;
    int status, wait;

    if ((status = read_request(c, &email, &password)) != 0)
        return status;
    find_origin(c, &from);
    name = counted_by(c, email);
    wait = wait_of(c, name, &from, now_ms);
    if (wait > 0) {
        call_log_failure(c, email, 0, "too_many_attempts");
        status = call_too_many(c, wait);
        goto done;
    }
    /* Counted before the slow part: a hundred at once are a hundred. */
    attempts_count(limits->by_account, name, now_ms);
    status = log_in(c, email, password);
    if (status == 200)
        attempts_forget(limits->by_account, name);
    else if (status == 401 || status == 403)
        count_failure(limits, &from, now_ms);
    else
        attempts_take_back(limits->by_account, name);
done:
    free(name);
    free(email);
    return status;
}

int handle_auth_me(struct call *c)
{
    struct ledger_user user = {0};
    struct ct_err err;
    int64_t set_aside;
    char when[32];

    if (ledger_user_set_aside(c->config->ledger, c->who.user_id, &set_aside, &err) != 0 ||
        ledger_user_by_id(c->config->ledger, c->who.user_id, &user, &err) != 0)
        return call_fail(c, &err);
    c->answer = json_object_new_object();
    jdoc_set_str(c->answer, "id", user.id);
    jdoc_set_str(c->answer, "email", user.email);
    jdoc_set_str(c->answer, "plan", "unlimited");
    jdoc_set_str(c->answer, "createdAt", now_rfc3339(user.created_ms, when));
    json_object_object_add(c->answer, "features", call_features());
    if (set_aside > 0)
        jdoc_set_int(c->answer, "unprovenInTrash", set_aside);
    ledger_user_clear(&user);
    return 200;
}

#include "tests/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/data/jdoc.h"
#include "common/base/path.h"
#include "common/base/str.h"

#include "server/auth/signin.h"
#include "server/ledger/ledger.h"
#include "tests/server/ledger_place.h"

/* Who may have an account, and whose it is, on a clock of our own. */

#define MINUTE_MS (60 * 1000LL)
#define DAY_MS (24 * 60 * MINUTE_MS)
#define T0 1800000000000LL

static const struct ledger_new_token token = {
    .name = "t", .sha256 = "tok", .last4 = "last", .now_ms = T0};

struct room {
    char dir[64];
    struct ledger *l;
};

static int set_up(void **state)
{
    struct room *r = str_calloc(1, sizeof(*r));
    struct ct_err err;
    char *path;

    strcpy(r->dir, "/tmp/ct-accounts.XXXXXX");
    assert_non_null(mkdtemp(r->dir));
    path = path_join(r->dir, "server.db");
    assert_int_equal(ledger_place_wipe(&err), 0);
    assert_int_equal(ledger_place_open(path, &r->l, &err), 0);
    free(path);
    *state = r;
    return 0;
}

static int tear_down(void **state)
{
    struct room *r = *state;
    char *cmd = str_printf("rm -rf '%s'", r->dir);
    int rc;

    ledger_close(r->l);
    rc = system(cmd);
    free(cmd);
    free(r);
    return rc;
}

static void add_user(struct room *r, const char *email, int is_proven, char id[UUID_SIZE])
{
    const struct ledger_new_user u = {email, "hash", is_proven, T0};
    struct ct_err err;

    assert_int_equal(ledger_user_add(r->l, &u, id, &err), 0);
}

static enum ledger_arrival arrival;

/* Sign in from github.com: "" and ${ret_id}, or the reason why not. */
static const char *sign_in(struct room *r, const char *subject, const char *email, int may_create,
                           char ret_id[UUID_SIZE])
{
    const struct ledger_identity i = {"https://github.com", subject, email, 1, may_create};
    static struct ct_err err;

    err_set(&err, ERR_FAIL, "x");
    return ledger_identity_login(r->l, &i, T0, ret_id, &arrival, &err) == 0 ? "" : err.reason;
}

static void an_invitation_makes_one_account_until_it_expires(void **state)
{
    struct room *r = *state;
    struct ledger_new_user u = {"al@example.org", "hash", 0, T0 + DAY_MS - 1};
    char id[UUID_SIZE];
    struct ct_err err;

    assert_int_equal(ledger_invite_add(r->l, "one", T0, T0 + DAY_MS, &err), 0);
    assert_int_equal(ledger_invite_add(r->l, "two", T0, T0 + DAY_MS, &err), 0);
    assert_int_equal(ledger_invite_check(r->l, "one", T0 + DAY_MS - 1, &err), 0);
    assert_int_equal(ledger_invite_check(r->l, "three", T0, &err), -1);
    assert_int_equal(ledger_invite_redeem(r->l, "one", &u, id, &err), 0);
    u.email = "bo@example.org";
    assert_int_equal(ledger_invite_redeem(r->l, "one", &u, id, &err), -1);
    assert_string_equal(err.reason, "invite_invalid");
    u.now_ms = T0 + DAY_MS;
    assert_int_equal(ledger_invite_check(r->l, "two", u.now_ms, &err), -1);
    assert_int_equal(ledger_invite_redeem(r->l, "two", &u, id, &err), -1);
    assert_string_equal(err.reason, "invite_invalid");
}

static void an_invitation_survives_an_email_that_is_taken(void **state)
{
    struct room *r = *state;
    struct ledger_new_user u = {"al@example.org", "hash", 0, T0};
    char id[UUID_SIZE];
    struct ct_err err;

    add_user(r, "al@example.org", 0, id);
    assert_int_equal(ledger_invite_add(r->l, "one", T0, T0 + DAY_MS, &err), 0);
    assert_int_equal(ledger_invite_redeem(r->l, "one", &u, id, &err), -1);
    assert_string_equal(err.reason, "email_taken");
    u.email = "bo@example.org";
    assert_int_equal(ledger_invite_redeem(r->l, "one", &u, id, &err), 0);
}

static void a_sign_in_is_opened_by_the_server_and_site_that_sealed_it_for_ten_minutes(void **state)
{
    char secret[] = "0123456789abcdef", other[] = "0123456789abcdeg";
    const struct keys k = {.object_secret = secret}, o = {.object_secret = other};
    const struct signin cases[] = {{"se-cret_", 4321, "mi-n_e"}, {"x", 65535, ""}, {"", 1, "s"}};
    struct signin s;

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        char *c = signin_seal(&k, "github", &cases[i], T0);
        int is_whole = i < 2; /* nothing is sealed without a secret */

        assert_int_equal(signin_open(&k, "github", c, T0 + 10 * MINUTE_MS - 1, &s), is_whole - 1);
        assert_true(!is_whole ||
                    (s.port == cases[i].port && strcmp(s.secret, cases[i].secret) == 0 &&
                     strcmp(s.client_state, cases[i].client_state) == 0));
        assert_int_equal(signin_open(&k, "github", c, T0 + 10 * MINUTE_MS, &s), -1);
        assert_int_equal(signin_open(&k, "oidc", c, T0, &s), -1);
        assert_int_equal(signin_open(&o, "github", c, T0, &s), -1);
        for (size_t at = 0; at < strlen(c); at++) {
            c[at] ^= 1;
            assert_int_equal(signin_open(&k, "github", c, T0, &s), -1);
            c[at] ^= 1;
        }
        free(c);
    }
    assert_int_equal(signin_open(&k, "github", "", T0, &s), -1);
    assert_int_equal(signin_open(&k, "github", ".", T0, &s), -1);
}

static void remember(void *arg, const struct ledger_event *e)
{
    struct buf *b = arg;

    buf_printf(b, "%s %s %s,", e->event, e->email, e->detail);
}

static void count_event(void *arg, const struct ledger_event *e)
{
    (void)e;
    (*(int *)arg)++;
}

static int events(struct room *r)
{
    int n = 0;

    assert_int_equal(ledger_audit_each(r->l, 0, count_event, &n, NULL), 0);
    return n;
}

/* Whatever the clock says, the newest 400 days stay. */
static void traces_stay_in_their_order_for_four_hundred_days(void **state)
{
    struct room *r = *state;
    struct ledger_event e = {T0 - 500 * DAY_MS, "old", NULL, NULL, "uid=0", NULL, NULL};
    char id[UUID_SIZE];
    struct buf b = {0};
    struct ct_err err;

    add_user(r, "al@example.org", 0, id);
    assert_int_equal(ledger_audit(r->l, &e, &err), 0);
    e = (struct ledger_event){T0, "log-in", id, NULL, "::1", "by=password", NULL};
    assert_int_equal(ledger_audit(r->l, &e, &err), 0);
    e = (struct ledger_event){T0 - DAY_MS, "verb", id, "t", NULL, "gc", NULL};
    for (int i = 0; i < 600; i++)
        assert_int_equal(ledger_audit(r->l, &e, &err), 0);
    assert_int_equal(ledger_audit_each(r->l, T0, remember, &b, &err), 0);
    assert_string_equal(b.data, "log-in al@example.org by=password,");
    buf_reset(&b);
    assert_int_equal(ledger_audit_forget(r->l, T0, &err), 0);
    assert_int_equal(ledger_audit_forget(r->l, T0 + 1000 * DAY_MS, &err), 0);
    assert_int_equal(ledger_audit_each(r->l, 0, remember, &b, &err), 0);
    assert_memory_equal(b.data, "log-in al@example.org by=password,verb al@example.org gc,", 57);
    assert_int_equal(b.len, 34 + 600 * strlen("verb al@example.org gc,"));
    buf_free(&b);
}

static void an_identity_stays_whose_it_is_whatever_its_email_becomes(void **state)
{
    struct room *r = *state;
    char al[UUID_SIZE], bo[UUID_SIZE], id[UUID_SIZE];

    add_user(r, "bo@example.org", 1, bo);
    assert_string_equal(sign_in(r, "17", "al@example.org", 1, al), "");
    assert_string_equal(sign_in(r, "17", "al@example.org", 0, id), "");
    assert_string_equal(id, al);
    assert_string_equal(sign_in(r, "17", "bo@example.org", 0, id), "");
    assert_string_equal(id, al);
    assert_string_equal(sign_in(r, "17", NULL, 0, id), "");
    assert_string_equal(id, al);
}

static void who_is_new_needs_a_verified_email_and_leave(void **state)
{
    struct room *r = *state;
    char id[UUID_SIZE];

    assert_string_equal(sign_in(r, "17", NULL, 1, id), "email_not_verified");
    assert_string_equal(sign_in(r, "17", "al@example.org", 0, id), "registration_closed");
    assert_string_equal(sign_in(r, "17", "al@example.org", 1, id), "");
}

static void an_email_links_to_a_proven_account_and_leaves_it_as_it_is(void **state)
{
    struct room *r = *state;
    char al[UUID_SIZE], id[UUID_SIZE], device_id[UUID_SIZE];
    struct ledger_user u = {0};
    struct ledger_who who;
    struct ct_err err;

    add_user(r, "al@example.org", 1, al);
    assert_int_equal(ledger_token_add(r->l, al, &token, id, device_id, &err), 0);
    assert_string_equal(sign_in(r, "17", "al@example.org", 0, id), "");
    assert_string_equal(id, al);
    assert_int_equal(ledger_user_by_id(r->l, al, &u, &err), 0);
    assert_string_equal(u.password, "hash");
    assert_int_equal(u.generation, 1);
    ledger_user_clear(&u);
    assert_int_equal(ledger_token_find(r->l, "tok", T0, &who, &err), 0);
}

/* Somebody registered with an address that is not theirs, and waits for its owner to come. */
static void whoever_took_an_address_first_does_not_read_along(void **state)
{
    struct room *r = *state;
    char al[UUID_SIZE], id[UUID_SIZE], device_id[UUID_SIZE];
    struct ledger_user u = {0};
    struct ledger_who who;
    struct ct_err err;

    add_user(r, "al@example.org", 0, al);
    assert_int_equal(ledger_token_add(r->l, al, &token, id, device_id, &err), 0);
    assert_string_equal(sign_in(r, "17", "al@example.org", 0, id), "");
    assert_string_equal(id, al);
    assert_int_equal(ledger_user_by_id(r->l, al, &u, &err), 0);
    assert_string_equal(u.password, "");
    assert_int_equal(u.generation, 2);
    ledger_user_clear(&u);
    assert_int_equal(ledger_token_find(r->l, "tok", T0, &who, &err), -1);
}

/* An address that moved on to somebody else does not take the account along. */
static void a_second_identity_does_not_get_in_by_the_same_email(void **state)
{
    struct room *r = *state;
    char al[UUID_SIZE], id[UUID_SIZE];

    assert_string_equal(sign_in(r, "17", "al@example.org", 1, al), "");
    assert_string_equal(sign_in(r, "18", "al@example.org", 1, id), "email_in_use");
    assert_string_equal(sign_in(r, "17", NULL, 0, id), "");
    assert_string_equal(id, al);
}

static void a_deleted_account_takes_its_identity_along(void **state)
{
    struct room *r = *state;
    char al[UUID_SIZE], id[UUID_SIZE];
    struct ct_err err;

    assert_string_equal(sign_in(r, "17", "al@example.org", 1, al), "");
    assert_int_equal(ledger_user_delete(r->l, "al@example.org", T0, T0, &err), 0);
    assert_string_equal(sign_in(r, "17", "al@example.org", 0, id), "registration_closed");
    assert_string_equal(sign_in(r, "17", "al@example.org", 1, id), "");
    assert_string_not_equal(id, al);
}

/* While what the account left waits, whoever it was gets it back; nobody else, and not later. */
static void who_comes_back_in_time_is_who_it_was(void **state)
{
    struct room *r = *state;
    char al[UUID_SIZE], id[UUID_SIZE];
    struct ct_err err;

    assert_string_equal(sign_in(r, "17", "al@example.org", 1, al), "");
    assert_int_equal(ledger_user_delete(r->l, "al@example.org", T0, T0 + 30 * DAY_MS, &err), 0);
    assert_string_equal(sign_in(r, "17", "al@example.org", 0, id), "registration_closed");
    assert_string_equal(sign_in(r, "18", "al@example.org", 1, id), "");
    assert_string_not_equal(id, al);
    assert_string_equal(sign_in(r, "17", "al.new@example.org", 1, id), "");
    assert_string_equal(id, al);
    assert_int_equal(ledger_user_delete(r->l, "al.new@example.org", T0 - 30 * DAY_MS, T0, &err), 0);
    assert_string_equal(sign_in(r, "17", "al.new@example.org", 1, id), "");
    assert_string_not_equal(id, al);
}

/* Whoever registers the address meanwhile, which proves nothing, does not keep them from it. */
static void who_comes_back_finds_no_impostor(void **state)
{
    struct room *r = *state;
    struct ledger_user user = {0};
    char al[UUID_SIZE], other[UUID_SIZE], id[UUID_SIZE];
    struct ct_err err;

    assert_string_equal(sign_in(r, "17", "al@example.org", 1, al), "");
    assert_int_equal(ledger_user_delete(r->l, "al@example.org", T0, T0 + 30 * DAY_MS, &err), 0);
    add_user(r, "al@example.org", 0, other);
    assert_string_equal(sign_in(r, "17", "al@example.org", 1, id), "");
    assert_string_equal(id, al);
    assert_int_equal(ledger_user_by_id(r->l, other, &user, &err), -1);
    assert_int_equal(err.code, ERR_GONE);
    assert_int_equal(events(r), 1);
}

static void remember_all(void *arg, const struct ledger_event *e)
{
    struct buf *b = arg;

    buf_printf(b, "%s %s %s %s\n", e->event, e->email, e->client, e->detail);
}

/* Somebody floods the table to hide what else they do. */
static void no_flood_takes_a_row_from_what_destroys(void **state)
{
    struct room *r = *state;
    char id[UUID_SIZE];
    struct buf b = {0};
    struct ct_err err;

    add_user(r, "al@example.org", 0, id);
    for (int i = 0; i < 1500; i++) {
        char client[32];
        struct ledger_event e = {T0 + i, "log-in", id, NULL, client, "by=password", NULL};
        snprintf(client, sizeof(client), "10.0.0.%d", i / 10);
        assert_int_equal(ledger_audit(r->l, &e, &err), 0);
        e.event = "session-deleted";
        assert_int_equal(ledger_audit(r->l, &e, &err), 0);
    }
    assert_int_equal(events(r), 1000 + 1500);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(ledger_audit_floods(r->l, &err), 0);
        assert_int_equal(events(r), 1000 + 1500 + 1);
    }
    assert_int_equal(ledger_audit_each(r->l, T0, remember_all, &b, &err), 0);
    assert_non_null(strstr(b.data, "log-in al@example.org 10.0.0.149 500 more since "
                                   "2027-01-15T08:00:01Z, the last: by=password\n"));
    buf_free(&b);
    /* Another hour, and another user's. */
    for (int i = 0; i < 2; i++) {
        struct ledger_event e = {T0 + 3600 * 1000, "log-in", id, NULL, "::1", "by=password", NULL};
        if (i == 1)
            add_user(r, "bo@example.org", 0, id);
        assert_int_equal(ledger_audit(r->l, &e, &err), 0);
        assert_int_equal(events(r), 1000 + 1500 + 2 + i);
    }
}

/* An address that moves on does not take the traces of before along. */
static void traces_have_the_email_of_then(void **state)
{
    struct ledger_event e = {T0, "log-in", NULL, NULL, "::1", "by=github", NULL};
    struct room *r = *state;
    char al[UUID_SIZE], id[UUID_SIZE];
    struct buf b = {0};
    struct ct_err err;

    assert_string_equal(sign_in(r, "17", "al@example.org", 1, al), "");
    assert_int_equal(arrival, LEDGER_NEW);
    e.user_id = al;
    assert_int_equal(ledger_audit(r->l, &e, &err), 0);
    assert_int_equal(ledger_user_delete(r->l, "al@example.org", T0, T0 + DAY_MS, &err), 0);
    e.event = "account-deleted";
    assert_int_equal(ledger_audit(r->l, &e, &err), 0);
    assert_string_equal(sign_in(r, "17", "new@example.org", 1, id), "");
    assert_int_equal(arrival, LEDGER_BACK);
    e.event = "came-back";
    assert_int_equal(ledger_audit(r->l, &e, &err), 0);
    assert_string_equal(sign_in(r, "17", "new@example.org", 1, id), "");
    assert_int_equal(arrival, LEDGER_KNOWN);
    assert_int_equal(ledger_audit_each(r->l, T0, remember, &b, &err), 0);
    assert_string_equal(b.data, "log-in al@example.org by=github,account-deleted  by=github,"
                                "came-back new@example.org by=github,");
    buf_free(&b);
}

/* By whatever door: the sign-in, the e-mail by another one, registration, an invitation. */
static void whom_the_operator_removed_stays_away_until_let_in(void **state)
{
    const struct ledger_identity other = {"https://id.example.org", "al", "al@example.org", 1, 1};
    const struct ledger_new_user u = {"al@example.org", "hash", 0, T0};
    struct room *r = *state;
    char al[UUID_SIZE], id[UUID_SIZE];
    struct ct_err err;
    int was_there;

    assert_string_equal(sign_in(r, "17", "al@example.org", 1, al), "");
    assert_int_equal(ledger_invite_add(r->l, "code", T0, T0 + DAY_MS, &err), 0);
    assert_int_equal(ledger_user_disable(r->l, "al@example.org", T0, &err), 0);
    assert_int_equal(
        ledger_user_remove(r->l, "al@example.org", T0, T0 + 30 * DAY_MS, &was_there, &err), 0);
    assert_int_equal(was_there, 1);
    assert_string_equal(sign_in(r, "17", "al@example.org", 1, id), "account_removed");
    assert_string_equal(sign_in(r, "17", "al.new@example.org", 1, id), "account_removed");
    assert_string_equal(sign_in(r, "17", NULL, 1, id), "account_removed");
    assert_string_equal(sign_in(r, "18", "al@example.org", 1, id), "account_removed");
    assert_int_equal(ledger_identity_login(r->l, &other, T0, id, &arrival, &err), -1);
    assert_string_equal(err.reason, "account_removed");
    assert_int_equal(ledger_user_add(r->l, &u, id, &err), -1);
    assert_string_equal(err.reason, "account_removed");
    assert_int_equal(ledger_invite_redeem(r->l, "code", &u, id, &err), -1);
    assert_string_equal(err.reason, "account_removed");
    assert_string_equal(sign_in(r, "19", "bo@example.org", 1, id), "");
    /* And who is let in again in time is who it was. */
    assert_int_equal(ledger_user_allow(r->l, "bo@example.org", 1, &err), -1);
    assert_int_equal(err.code, ERR_GONE);
    assert_int_equal(ledger_user_allow(r->l, "al@example.org", 1, &err), 0);
    assert_string_equal(sign_in(r, "17", "al@example.org", 1, id), "");
    assert_string_equal(id, al);
    assert_int_equal(arrival, LEDGER_BACK);
}

/* The address is the next person's, the sign-in is not. */
static void a_removed_person_does_not_follow_the_address(void **state)
{
    struct room *r = *state;
    char old[UUID_SIZE], new[UUID_SIZE], id[UUID_SIZE];
    struct ct_err err;
    int was_there;

    assert_string_equal(sign_in(r, "17", "info@example.org", 1, old), "");
    assert_int_equal(
        ledger_user_remove(r->l, "info@example.org", T0, T0 + DAY_MS, &was_there, &err), 0);
    assert_int_equal(ledger_user_allow(r->l, "info@example.org", 0, &err), 0);
    add_user(r, "info@example.org", 1, new);
    assert_string_equal(sign_in(r, "17", "info@example.org", 1, id), "account_removed");
    assert_string_equal(sign_in(r, "17", "other@example.org", 1, id), "account_removed");
    assert_string_equal(sign_in(r, "18", "info@example.org", 1, id), "");
    assert_string_equal(id, new);
    assert_int_equal(ledger_user_allow(r->l, "info@example.org", 1, &err), 0);
    assert_string_equal(sign_in(r, "17", "other@example.org", 1, id), "");
    assert_string_equal(id, old);
}

/* Who deletes the own account first gains nothing by it, whatever the e-mail is afterwards. */
static void whoever_deletes_the_account_first_stays_away_too(void **state)
{
    struct room *r = *state;
    char al[UUID_SIZE], id[UUID_SIZE];
    struct ct_err err;
    int was_there;

    assert_string_equal(sign_in(r, "17", "al@example.org", 1, al), "");
    assert_int_equal(ledger_user_delete(r->l, "al@example.org", T0, T0 + DAY_MS, &err), 0);
    assert_int_equal(ledger_user_remove(r->l, "al@example.org", T0, T0 + DAY_MS, &was_there, &err),
                     0);
    assert_int_equal(was_there, 0);
    assert_string_equal(sign_in(r, "17", "al@example.org", 1, id), "account_removed");
    assert_string_equal(sign_in(r, "17", "al.new@example.org", 1, id), "account_removed");
    assert_int_equal(ledger_user_allow(r->l, "al@example.org", 1, &err), 0);
    /* Nor does an account that they register meanwhile, if that is disabled. */
    add_user(r, "al@example.org", 0, id);
    assert_int_equal(ledger_user_disable(r->l, "al@example.org", T0, &err), 0);
    assert_string_equal(sign_in(r, "17", "al@example.org", 1, id), "account_disabled");
    assert_int_equal(ledger_user_disable(r->l, "al@example.org", 0, &err), 0);
    assert_string_equal(sign_in(r, "17", "al@example.org", 1, id), "");
    assert_string_equal(id, al);
}

/* The operator gives an id, and the objects below it, to somebody else. */
static void nobody_comes_back_to_what_was_given_away(void **state)
{
    const struct ledger_new_user eve = {"eve@example.org", "", 1, T0};
    struct room *r = *state;
    char al[UUID_SIZE], id[UUID_SIZE];
    struct ct_err err;

    assert_string_equal(sign_in(r, "17", "al@example.org", 1, al), "");
    assert_int_equal(ledger_user_delete(r->l, "al@example.org", T0, T0 + DAY_MS, &err), 0);
    assert_int_equal(ledger_user_restore(r->l, al, &eve, &err), 0);
    assert_string_equal(sign_in(r, "18", "eve@example.org", 1, id), "");
    assert_string_equal(id, al);
    assert_int_equal(ledger_user_delete(r->l, "eve@example.org", T0, T0 + DAY_MS, &err), 0);
    assert_string_equal(sign_in(r, "17", "al@example.org", 1, id), "");
    assert_string_not_equal(id, al);
    assert_string_equal(sign_in(r, "18", "eve@example.org", 1, id), "");
    assert_string_equal(id, al);
}

static void an_act_is_there_with_its_trace_or_not_at_all(void **state)
{
    const struct ledger_new_user bo = {"bo@example.org", "hash", 0, T0};
    const struct ledger_event good = {.at_ms = T0, .event = "did"}, bad = {.at_ms = T0};
    struct room *r = *state;
    struct ledger_user u = {0};
    struct ct_err err;
    char id[UUID_SIZE];
    int rc;

    add_user(r, "al@example.org", 0, id);
    /* What was done is seen in it, and a part that fails undoes the rest. */
    assert_int_equal(ledger_act(r->l, &err), 0);
    assert_int_equal(ledger_user_add(r->l, &bo, id, &err), 0);
    assert_int_equal(ledger_user_by_email(r->l, "bo@example.org", &u, &err), 0);
    ledger_user_clear(&u);
    rc = ledger_user_disable(r->l, "cy@example.org", T0, &err);
    assert_int_equal(ledger_acted(r->l, rc, &good, &err), -1);
    assert_int_equal(err.code, ERR_GONE);
    assert_int_equal(ledger_user_is_there(r->l, id), 0);
    assert_int_equal(events(r), 0);
    /* So does a trace that can't be written. */
    assert_int_equal(ledger_act(r->l, &err), 0);
    assert_int_equal(ledger_user_add(r->l, &bo, id, &err), 0);
    assert_int_equal(ledger_acted(r->l, 0, &bad, &err), -1);
    assert_int_equal(ledger_user_is_there(r->l, id), 0);
    /* All of it, then, and what comes after is a transaction of its own. */
    assert_int_equal(ledger_act(r->l, &err), 0);
    assert_int_equal(ledger_user_add(r->l, &bo, id, &err), 0);
    assert_int_equal(ledger_acted(r->l, 0, &good, &err), 0);
    assert_int_equal(ledger_user_is_there(r->l, id), 1);
    assert_int_equal(events(r), 1);
    assert_int_equal(ledger_user_disable(r->l, "al@example.org", T0, &err), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_invitation_makes_one_account_until_it_expires),
        TEST(an_invitation_survives_an_email_that_is_taken),
        TEST(traces_stay_in_their_order_for_four_hundred_days),
        TEST(no_flood_takes_a_row_from_what_destroys),
        TEST(traces_have_the_email_of_then),
        TEST(whom_the_operator_removed_stays_away_until_let_in),
        TEST(a_removed_person_does_not_follow_the_address),
        TEST(whoever_deletes_the_account_first_stays_away_too),
        TEST(nobody_comes_back_to_what_was_given_away),
        TEST(an_act_is_there_with_its_trace_or_not_at_all),
        TEST(a_sign_in_is_opened_by_the_server_and_site_that_sealed_it_for_ten_minutes),
        TEST(an_identity_stays_whose_it_is_whatever_its_email_becomes),
        TEST(who_is_new_needs_a_verified_email_and_leave),
        TEST(an_email_links_to_a_proven_account_and_leaves_it_as_it_is),
        TEST(whoever_took_an_address_first_does_not_read_along),
        TEST(a_second_identity_does_not_get_in_by_the_same_email),
        TEST(a_deleted_account_takes_its_identity_along),
        TEST(who_comes_back_in_time_is_who_it_was),
        TEST(who_comes_back_finds_no_impostor),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

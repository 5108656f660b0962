#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/data/jdoc.h"
#include "server/ledger/ledger_share.h"
#include "server/store/store.h"
#include "tests/server/ledger_lab.h"

/* What is shared: whose it is, how long it lasts, and what ends it. */

#define SIZE 1000

static int add(struct ledger_lab *r, const struct ledger_who *who, const char *session_id,
               int64_t max_bytes, char id[UUID_SIZE])
{
    const struct ledger_new_share s = {session_id, SIZE, SUM, r->now + DAY_MS};
    const struct ledger_limits limits = {max_bytes, 0};
    struct ct_err err = {0};

    return ledger_share_add(r->l, who, &s, &limits, r->now, id, &err) == 0 ? 0 : (int)err.code;
}

/* One of al's that is open. */
static void share(struct ledger_lab *r, const char *session_id, char id[UUID_SIZE])
{
    struct ct_err err;

    assert_int_equal(add(r, &r->al, session_id, 0, id), 0);
    assert_int_equal(ledger_share_open(r->l, r->al.user_id, id, r->now, &err), 0);
}

static int is_live(struct ledger_lab *r, const char *id)
{
    return ledger_share_is_live(r->l, r->al.user_id, id, r->now);
}

/* For whoever has the link: is it open? */
static int is_open(struct ledger_lab *r, const char *id)
{
    struct ledger_share s = {0};

    return ledger_share_find(r->l, NULL, id, r->now, &s, NULL) == 0 && s.is_open;
}

static size_t listed(struct ledger_lab *r, const char *user_id)
{
    struct json_object *o;
    struct ct_err err;
    size_t n;

    assert_int_equal(ledger_shares(r->l, user_id, r->now, &o, &err), 0);
    n = json_object_array_length(jdoc_array(o, "shares"));
    json_object_put(o);
    return n;
}

struct sums {
    int64_t shared, all;
};

static void add_up(void *arg, const char *state, int64_t n, int64_t bytes)
{
    struct sums *s = arg;

    (void)n;
    if (strcmp(state, "traces") != 0)
        s->all += bytes;
    if (strcmp(state, "shared") == 0)
        s->shared += bytes;
}

static struct sums sums(struct ledger_lab *r)
{
    struct sums s = {0};
    struct ct_err err;

    assert_int_equal(ledger_user_usage(r->l, r->al.user_id, add_up, &s, &err), 0);
    return s;
}

/* All that is due is purged, as if its objects had been removed; how much was it? */
static int purge(struct ledger_lab *r)
{
    struct ledger_object o;
    struct ct_err err;
    int n = 0;

    for (; ledger_purge_next(r->l, r->now, &o, &err) == 1; n++) {
        assert_true(store_is_share(o.session_id));
        assert_false(o.is_lapsed);
        assert_int_equal(ledger_purged(r->l, &o, &err), 0);
    }
    return n;
}

static void it_is_open_until_its_end_and_then_goes(void **state)
{
    struct ledger_lab *r = *state;
    struct ledger_share s;
    char id[UUID_SIZE];
    struct ct_err err;

    assert_int_equal(add(r, &r->al, S, 0, id), 0);
    assert_int_equal(is_live(r, id), 1);
    assert_false(is_open(r, id)); /* its object is not there */
    assert_int_equal(listed(r, r->al.user_id), 0);
    assert_int_equal(ledger_share_open(r->l, r->al.user_id, id, r->now, &err), 0);
    assert_int_equal(ledger_share_open(r->l, r->al.user_id, id, r->now, &err), 0);
    assert_true(is_open(r, id));
    assert_int_equal(listed(r, r->al.user_id), 1);
    assert_int_equal(sums(r).shared, SIZE);
    assert_int_equal(purge(r), 0);
    r->now += DAY_MS - 1;
    assert_true(is_open(r, id));
    r->now += 1;
    assert_false(is_open(r, id));
    assert_int_equal(is_live(r, id), 0);
    assert_int_equal(ledger_share_find(r->l, r->al.user_id, id, r->now, &s, &err), -1);
    assert_int_equal(listed(r, r->al.user_id), 0);
    assert_int_equal(purge(r), 1);
    assert_int_equal(sums(r).all, 0);
    r->now -= DAY_MS; /* a clock that goes back brings nothing back */
    assert_false(is_open(r, id));
}

static void what_never_came_is_forgotten(void **state)
{
    struct ledger_lab *r = *state;
    char id[UUID_SIZE];

    assert_int_equal(add(r, &r->al, S, 0, id), 0);
    assert_int_equal(purge(r), 0);
    r->now += 2 * HOUR_MS;
    assert_int_equal(purge(r), 1);
    assert_int_equal(is_live(r, id), 0);
    assert_int_equal(sums(r).all, 0);
}

static void nobody_else_can_end_or_open_it(void **state)
{
    struct ledger_lab *r = *state;
    struct ledger_share s;
    char id[UUID_SIZE];
    struct ct_err err;
    int64_t n;

    share(r, S, id);
    assert_int_equal(ledger_share_end(r->l, r->bo.user_id, id, r->now, &err), -1);
    assert_int_equal(err.code, ERR_GONE);
    assert_int_equal(ledger_share_open(r->l, r->bo.user_id, id, r->now, &err), -1);
    assert_int_equal(ledger_share_find(r->l, r->bo.user_id, id, r->now, &s, &err), -1);
    assert_int_equal(ledger_shares_end(r->l, r->bo.user_id, S, r->now, &n, &err), 0);
    assert_int_equal(n, 0);
    assert_int_equal(ledger_share_is_live(r->l, r->bo.user_id, id, r->now), 0);
    assert_true(is_open(r, id));
    assert_int_equal(ledger_share_end(r->l, r->al.user_id, id, r->now, &err), 0);
    assert_false(is_open(r, id));
    assert_int_equal(ledger_share_end(r->l, r->al.user_id, id, r->now, &err), -1);
    assert_int_equal(purge(r), 1);
}

static void a_session_ends_its_own_only(void **state)
{
    struct ledger_lab *r = *state;
    char one[UUID_SIZE], two[UUID_SIZE], other[UUID_SIZE];
    struct ct_err err;
    int64_t n;

    share(r, S, one);
    share(r, S, two);
    share(r, "another", other);
    assert_int_equal(ledger_shares_end(r->l, r->al.user_id, S, r->now, &n, &err), 0);
    assert_int_equal(n, 2);
    assert_false(is_open(r, one) || is_open(r, two));
    assert_true(is_open(r, other));
    assert_int_equal(ledger_shares_end(r->l, r->al.user_id, NULL, r->now, &n, &err), 0);
    assert_int_equal(n, 1);
    assert_false(is_open(r, other));
}

static void who_is_disabled_or_gone_shares_nothing(void **state)
{
    struct ledger_lab *r = *state;
    char id[UUID_SIZE], coming[UUID_SIZE];
    struct ct_err err;

    share(r, S, id);
    assert_int_equal(ledger_user_disable(r->l, "al@example.org", r->now, &err), 0);
    assert_false(is_open(r, id));
    assert_int_equal(is_live(r, id), 0);
    assert_int_equal(ledger_user_disable(r->l, "al@example.org", 0, &err), 0);
    assert_true(is_open(r, id));
    assert_int_equal(add(r, &r->al, S, 0, coming), 0);
    assert_int_equal(ledger_user_delete(r->l, "al@example.org", r->now, r->now + 30 * DAY_MS, &err),
                     0);
    assert_false(is_open(r, id));
    assert_int_equal(is_live(r, coming), 0);
    /* At once, whatever else waits; what may still come in when its address is no good any more. */
    assert_int_equal(purge(r), 1);
    r->now += HOUR_MS;
    assert_int_equal(purge(r), 1);
}

static void whoever_proves_the_address_finds_nothing_shared(void **state)
{
    struct ledger_lab *r = *state;
    const struct ledger_new_user typed = {"cy@example.org", "hash", 0, T0};
    const struct ledger_identity i = {.issuer = "https://x",
                                      .subject = "1",
                                      .email = typed.email,
                                      .proves_email = 1,
                                      .may_create = 1};
    enum ledger_arrival arrival;
    char id[UUID_SIZE], same[UUID_SIZE];
    struct ledger_who cy = {0};
    struct ct_err err;

    assert_int_equal(ledger_user_add(r->l, &typed, cy.user_id, &err), 0);
    assert_int_equal(add(r, &cy, S, 0, id), 0);
    assert_int_equal(ledger_share_open(r->l, cy.user_id, id, r->now, &err), 0);
    assert_int_equal(ledger_identity_login(r->l, &i, r->now, same, &arrival, &err), 0);
    assert_int_equal(arrival, LEDGER_TOOK_OVER);
    assert_string_equal(same, cy.user_id);
    assert_false(is_open(r, id));
}

static void it_counts_and_there_are_only_so_many(void **state)
{
    struct ledger_lab *r = *state;
    char id[UUID_SIZE];
    int code = 0, n = 0;

    assert_int_equal(add(r, &r->al, S, SIZE, id), ERR_REFUSED); /* its row counts too */
    assert_int_equal(sums(r).all, 0);
    assert_int_equal(add(r, &r->al, S, SIZE + 600, id), 0);
    for (n = 1; n <= LEDGER_MAX_SHARES && code == 0; n++)
        code = add(r, &r->al, S, 0, id);
    assert_int_equal(code, ERR_REFUSED);
    assert_int_equal(n, LEDGER_MAX_SHARES + 1);
    assert_int_equal(add(r, &r->bo, S, 0, id), 0);
}

static void it_is_no_session(void **state)
{
    struct ledger_lab *r = *state;
    struct ledger_pending p;
    const struct api_confirm_req any = {0};
    char id[UUID_SIZE], session_id[STORE_SHARE_SIZE];
    struct ct_err err;

    assert_int_equal(add(r, &r->al, S, 0, id), 0);
    store_share_session(id, session_id);
    assert_int_equal(ledger_pending(r->l, &r->al, session_id, &any, r->now, &p, &err), -1);
    assert_int_equal(ledger_version_delete(r->l, &r->al, session_id, 1, r->now, &err), -1);
    assert_int_equal(ledger_session_delete(r->l, &r->al, session_id, r->now, &err), -1);
    assert_int_equal(lab_total(r, r->al.user_id), 0);
    assert_int_equal(is_live(r, id), 1);
    assert_false(api_session_id_is_valid(session_id));
}

static void visits_are_counted(void **state)
{
    struct ledger_lab *r = *state;
    struct json_object *o, *s;
    char id[UUID_SIZE];
    struct ct_err err;

    share(r, S, id);
    for (int i = 0; i < 3; i++)
        assert_int_equal(ledger_share_visited(r->l, id, r->now + i, &err), 0);
    assert_int_equal(ledger_shares(r->l, r->al.user_id, r->now, &o, &err), 0);
    s = json_object_array_get_idx(jdoc_array(o, "shares"), 0);
    assert_int_equal(jdoc_int(s, "visits", -1), 3);
    assert_string_equal(jdoc_str(s, "id"), id);
    assert_string_equal(jdoc_str(s, "sessionId"), S);
    assert_non_null(jdoc_str(s, "lastVisitAt"));
    json_object_put(o);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, lab_set_up, lab_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(it_is_open_until_its_end_and_then_goes),
        TEST(what_never_came_is_forgotten),
        TEST(nobody_else_can_end_or_open_it),
        TEST(a_session_ends_its_own_only),
        TEST(who_is_disabled_or_gone_shares_nothing),
        TEST(whoever_proves_the_address_finds_nothing_shared),
        TEST(it_counts_and_there_are_only_so_many),
        TEST(it_is_no_session),
        TEST(visits_are_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

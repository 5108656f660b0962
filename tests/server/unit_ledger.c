#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "server/ledger/ledger_impl.h"
#include "tests/server/ledger_lab.h"

/* The rules of versions: reservations, confirms, rotation, amending, quotas. */

static void a_reservation_is_never_listed(void **state)
{
    struct ledger_lab *r = *state;

    assert_int_equal(lab_reserve(r, &r->al), 1);
    assert_listed(r, "");
    assert_int_equal(lab_total(r, r->al.user_id), 0);
    assert_int_equal(lab_confirm(r, &r->al, 1, 20), 0);
    assert_listed(r, "1");
    assert_int_equal(lab_total(r, r->al.user_id), 1);
}

static void a_reservation_blocks_nothing_and_its_number_is_not_used_again(void **state)
{
    struct ledger_lab *r = *state;

    assert_int_equal(lab_reserve(r, &r->al), 1);
    assert_int_equal(lab_reserve(r, &r->al), 2);
    assert_int_equal(lab_confirm(r, &r->al, 2, 20), 0);
    assert_int_equal(lab_reserve(r, &r->al), 3);
    assert_listed(r, "2");
}

static void a_reservation_lives_a_day(void **state)
{
    struct ledger_lab *r = *state;
    struct ledger_object o;
    struct ct_err err;

    assert_int_equal(lab_reserve(r, &r->al), 1);
    r->now += DAY_MS - 1;
    assert_int_equal(ledger_purge_next(r->l, r->now, &o, &err), 0);
    assert_int_equal(lab_pending_code(r, &r->al, 1, SUM), 0);
    r->now += 1;
    assert_int_equal(lab_pending_code(r, &r->al, 1, SUM), ERR_CONFLICT);
    assert_int_equal(lab_confirm(r, &r->al, 1, 20), ERR_CONFLICT);
    /* What lies there goes no sooner than what was deleted, also if that was broken off. */
    assert_int_equal(ledger_purge_next(r->l, r->now, &o, &err), 1);
    assert_true(o.is_lapsed);
    assert_int_equal(ledger_purge_next(r->l, r->now, &o, &err), 0);
    assert_int_equal(ledger_purge_next(r->l, r->now + HOUR_MS, &o, &err), 1);
    assert_true(o.is_lapsed);
    assert_int_equal(ledger_purge_later(r->l, &o, r->now, &err), 0);
    assert_int_equal(ledger_purge_next(r->l, r->now + 30 * DAY_MS - 1, &o, &err), 0);
    assert_int_equal(ledger_purge_next(r->l, r->now + 30 * DAY_MS, &o, &err), 1);
    assert_false(o.is_lapsed);
    assert_int_equal(ledger_purged(r->l, &o, &err), 0);
    assert_int_equal(ledger_knows(r->l, r->al.user_id, S, 1), 0);
    assert_int_equal(lab_reserve(r, &r->al), 2);
}

static void a_number_whose_place_is_taken_is_left_behind(void **state)
{
    struct ledger_lab *r = *state;
    struct ledger_object o;
    struct ct_err err;

    lab_push(r, &r->al, 20);
    assert_int_equal(lab_reserve(r, &r->al), 2);
    assert_int_equal(ledger_skip(r->l, r->al.user_id, S, 2, &err), 0);
    assert_true(lab_reserve(r, &r->al) > 100);
    /* What lies there is nobody's to purge, and a version is none that can be skipped. */
    assert_int_equal(ledger_knows(r->l, r->al.user_id, S, 2), 0);
    assert_int_equal(ledger_skip(r->l, r->al.user_id, S, 1, &err), 0);
    assert_listed(r, "1");
    r->now += DAY_MS;
    assert_int_equal(ledger_purge_next(r->l, r->now, &o, &err), 1);
    assert_true(o.version > 100);
    assert_int_equal(ledger_purge_next(r->l, r->now, &o, &err), 0);
}

static void a_confirm_takes_exactly_what_it_names(void **state)
{
    struct ledger_lab *r = *state;

    assert_int_equal(lab_reserve(r, &r->al), 1);
    assert_int_equal(lab_pending_code(r, &r->al, 1, SUM), 0);
    assert_int_equal(lab_pending_code(r, &r->al, 1, SUM2), ERR_CONFLICT);
    assert_int_equal(lab_pending_code(r, &r->al, 2, SUM), ERR_CONFLICT);
    assert_int_equal(lab_pending_code(r, &r->bo, 1, SUM), ERR_GONE);
    assert_int_equal(lab_confirm(r, &r->al, 1, 20), 0);
    assert_int_equal(lab_confirm(r, &r->al, 1, 20), 0);
    assert_int_equal(lab_pending_code(r, &r->al, 1, SUM), 0);
    assert_listed(r, "1");
}

static void a_confirm_without_a_name_takes_the_newest_once(void **state)
{
    struct ledger_lab *r = *state;

    assert_int_equal(lab_newest(r, &r->al), 0);
    assert_int_equal(lab_reserve(r, &r->al), 1);
    assert_int_equal(lab_reserve(r, &r->al), 2);
    assert_int_equal(lab_newest(r, &r->al), 2);
    assert_int_equal(lab_confirm(r, &r->al, 2, 20), 0);
    /* Again: the older, abandoned reservation is not meant. */
    assert_int_equal(lab_newest(r, &r->al), -2);
}

static void a_confirm_without_a_name_takes_the_callers_own(void **state)
{
    struct ledger_lab *r = *state;

    assert_int_equal(lab_reserve(r, &r->al), 1);
    assert_int_equal(lab_reserve(r, &r->al2), 2);
    assert_int_equal(lab_newest(r, &r->al), 1);
    assert_int_equal(lab_newest(r, &r->al2), 2);
    assert_int_equal(lab_newest(r, &r->al_in), 2);
}

static void sql(struct ledger_lab *r, const char *text)
{
    struct ct_err err;

    assert_int_equal(sql_begin(r->l->db, &err), 0);
    assert_int_equal(sql_exec(r->l->db, &err, text, ""), 0);
    assert_int_equal(sql_commit(r->l->db, &err), 0);
}

static void a_query_that_fails_is_a_failure_and_not_another_version(void **state)
{
    struct ledger_lab *r = *state;
    const struct ledger_limits limits = {10000, 0};
    struct api_confirm_req q = {0};
    struct ledger_pending p;
    struct ct_err err = {0};

    lab_push(r, &r->al, 20);
    assert_int_equal(lab_reserve(r, &r->al), 2);
    assert_int_equal(lab_reserve(r, &r->al2), 3);
    /* Fails where the caller's own are looked for, and nowhere else. */
    sql(r, "ALTER TABLE versions RENAME COLUMN token_id TO lost");
    assert_int_equal(ledger_pending(r->l, &r->al, S, &q, r->now, &p, &err), -1);
    assert_int_not_equal(err.code, ERR_NONE);
    assert_int_not_equal(err.code, ERR_GONE);
    assert_int_not_equal(err.code, ERR_CONFLICT);
    sql(r, "ALTER TABLE versions RENAME COLUMN lost TO token_id");
    assert_int_equal(lab_newest(r, &r->al), 2);
    /* Nor is a quota without a sum one that is not used up. */
    sql(r, "ALTER TABLE versions RENAME COLUMN size_bytes TO lost");
    assert_int_equal(lab_confirm(r, &r->al, 2, 20), ERR_FAIL);
    assert_int_equal(lab_reserve_at(r, &r->al, lab_request(), &limits), -ERR_FAIL);
    sql(r, "ALTER TABLE versions RENAME COLUMN lost TO size_bytes");
    assert_listed(r, "1");
}

static void the_oldest_versions_go_and_the_count_is_kept(void **state)
{
    struct ledger_lab *r = *state;
    struct ledger_object o;
    struct ct_err err;

    for (int i = 0; i < 5; i++)
        lab_push(r, &r->al, 3);
    assert_listed(r, "5 4 3");
    /* Their objects when they have been in the trash as long as what was deleted. */
    r->now += 30 * DAY_MS - 2000;
    assert_int_equal(ledger_purge_next(r->l, r->now - 1001, &o, &err), 0);
    assert_int_equal(ledger_purge_next(r->l, r->now, &o, &err), 1);
    assert_int_equal(o.version, 1);
    assert_int_equal(ledger_purged(r->l, &o, &err), 0);
    assert_int_equal(ledger_purge_next(r->l, r->now, &o, &err), 0);
    assert_int_equal(ledger_purge_next(r->l, r->now + 1000, &o, &err), 1);
    assert_int_equal(o.version, 2);
}

static void a_pinned_version_outlives_the_rotation(void **state)
{
    struct ledger_lab *r = *state;
    struct api_upload_req q = lab_request();

    lab_push(r, &r->al, 2);
    q.pin = 1;
    assert_int_equal(lab_reserve_req(r, &r->al, q), 2);
    assert_int_equal(lab_confirm(r, &r->al, 2, 2), 0);
    for (int i = 0; i < 3; i++)
        lab_push(r, &r->al, 2);
    assert_listed(r, "5 4 1");
}

static void each_devices_newest_version_outlives_the_rotation(void **state)
{
    struct ledger_lab *r = *state;

    lab_push(r, &r->al2, 2);
    lab_push(r, &r->al2, 2);
    for (int i = 0; i < 4; i++)
        lab_push(r, &r->al, 2);
    assert_listed(r, "6 5 2");
    lab_push(r, &r->al2, 2);
    assert_listed(r, "7 6");
}

static int64_t amend(struct ledger_lab *r, const struct ledger_who *who, int64_t version)
{
    struct api_upload_req q = lab_request();
    int64_t v;

    q.amend = version;
    v = lab_reserve_req(r, who, q);
    assert_int_equal(lab_confirm(r, who, v, 20), 0);
    r->now += 1000;
    return v;
}

static void an_amended_version_is_dropped_at_the_confirm(void **state)
{
    struct ledger_lab *r = *state;
    struct api_upload_req q = lab_request();

    lab_push(r, &r->al, 20);
    lab_push(r, &r->al, 20);
    q.amend = 2;
    assert_int_equal(lab_reserve_req(r, &r->al, q), 3);
    assert_listed(r, "2 1");
    assert_int_equal(lab_confirm(r, &r->al, 3, 20), 0);
    assert_listed(r, "3 1");
}

static void only_the_newest_young_unpinned_own_version_is_amended(void **state)
{
    struct ledger_lab *r = *state;
    struct api_upload_req q = lab_request();

    lab_push(r, &r->al, 20);
    lab_push(r, &r->al, 20);
    assert_int_equal(amend(r, &r->al, 1), 3);
    assert_listed(r, "3 2 1");
    assert_int_equal(amend(r, &r->al2, 3), 4);
    assert_listed(r, "4 3 2 1");
    r->now += HOUR_MS;
    assert_int_equal(amend(r, &r->al2, 4), 5);
    assert_listed(r, "5 4 3 2 1");
    q.pin = 5;
    q.amend = 5;
    assert_int_equal(lab_reserve_req(r, &r->al2, q), 6);
    assert_int_equal(lab_confirm(r, &r->al2, 6, 20), 0);
    assert_listed(r, "6 5 4 3 2 1");
}

static struct api_upload_req sized(int64_t size_bytes, int64_t amend)
{
    struct api_upload_req q = lab_request();

    q.size_bytes = size_bytes;
    q.amend = amend;
    return q;
}

#define BIG 100000 /* beside it what the database needs for a row is little */

static void all_that_is_reserved_or_there_counts(void **state)
{
    const struct ledger_limits limits = {3 * BIG, 0}, all = {0, 3 * BIG};
    struct ledger_lab *r = *state;

    assert_int_equal(lab_reserve_at(r, &r->al, sized(BIG, 0), &limits), 1);
    assert_int_equal(lab_reserve_at(r, &r->al, sized(BIG, 0), &limits), 2);
    assert_int_equal(lab_reserve_at(r, &r->al, sized(BIG, 0), &limits), -ERR_REFUSED);
    assert_int_equal(lab_confirm(r, &r->al, 1, 20), 0);
    assert_int_equal(lab_confirm(r, &r->al, 2, 20), 0);
    assert_int_equal(lab_reserve_at(r, &r->al, sized(BIG, 0), &limits), -ERR_REFUSED);
    assert_int_equal(lab_reserve_at(r, &r->bo, sized(BIG, 0), &limits), 1);
    assert_int_equal(lab_reserve_at(r, &r->bo, sized(BIG, 0), &all), -ERR_NOSPACE);
}

static void nothing_that_goes_makes_room(void **state)
{
    const struct ledger_limits limits = {3 * BIG, 0};
    struct ledger_lab *r = *state;
    struct ct_err err;

    lab_reserve_at(r, &r->al, sized(BIG, 0), &limits);
    assert_int_equal(lab_confirm(r, &r->al, 1, 1), 0);
    /* It amends and rotates out what is there. */
    assert_int_equal(lab_reserve_at(r, &r->al, sized(BIG, 1), &limits), 2);
    assert_int_equal(lab_confirm(r, &r->al, 2, 1), 0);
    assert_listed(r, "2");
    assert_int_equal(lab_reserve_at(r, &r->al, sized(BIG, 2), &limits), -ERR_REFUSED);
    assert_int_equal(ledger_session_delete(r->l, &r->al, S, r->now, &err), 0);
    assert_int_equal(lab_reserve_at(r, &r->al, sized(BIG, 2), &limits), -ERR_CONFLICT);
    assert_int_equal(lab_reserve_at(r, &r->bo, sized(BIG, 0), &limits), 1);
    assert_int_equal(ledger_confirm_failed(r->l, r->bo.user_id, S, 1, r->now, &err), 0);
    assert_int_equal(lab_reserve_at(r, &r->bo, sized(2 * BIG, 0), &limits), -ERR_REFUSED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, lab_set_up, lab_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_reservation_is_never_listed),
        TEST(a_reservation_blocks_nothing_and_its_number_is_not_used_again),
        TEST(a_reservation_lives_a_day),
        TEST(a_number_whose_place_is_taken_is_left_behind),
        TEST(a_confirm_takes_exactly_what_it_names),
        TEST(a_confirm_without_a_name_takes_the_newest_once),
        TEST(a_confirm_without_a_name_takes_the_callers_own),
        TEST(a_query_that_fails_is_a_failure_and_not_another_version),
        TEST(the_oldest_versions_go_and_the_count_is_kept),
        TEST(a_pinned_version_outlives_the_rotation),
        TEST(each_devices_newest_version_outlives_the_rotation),
        TEST(an_amended_version_is_dropped_at_the_confirm),
        TEST(only_the_newest_young_unpinned_own_version_is_amended),
        TEST(all_that_is_reserved_or_there_counts),
        TEST(nothing_that_goes_makes_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

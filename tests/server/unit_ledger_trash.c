#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/str.h"
#include "common/data/jdoc.h"
#include "tests/server/ledger_lab.h"

/* What is deleted, and how it comes back or goes for good. */

static void a_deleted_session_stays_away_until_it_is_asked_for(void **state)
{
    struct ledger_lab *r = *state;
    struct api_upload_req q = lab_request();
    struct ct_err err;

    lab_push(r, &r->al, 20);
    assert_int_equal(lab_reserve(r, &r->al), 2);
    assert_int_equal(ledger_session_delete(r->l, &r->al, S, r->now, &err), 0);
    assert_int_equal(lab_total(r, r->al.user_id), 0);
    /* An upload under way does not bring it back. */
    assert_int_equal(lab_confirm(r, &r->al, 2, 20), ERR_CONFLICT);
    assert_int_equal(lab_reserve(r, &r->al), -ERR_CONFLICT);
    assert_int_equal(ledger_session_delete(r->l, &r->al, S, r->now, &err), -1);
    assert_int_equal(err.code, ERR_GONE);
    q.revive = 1;
    assert_int_equal(lab_reserve_req(r, &r->al, q), 3);
    assert_int_equal(lab_reserve(r, &r->al), -ERR_CONFLICT);
    assert_int_equal(lab_confirm(r, &r->al, 3, 20), 0);
    assert_listed(r, "3");
    assert_int_equal(lab_push(r, &r->al, 20), 4);
}

static void what_is_deleted_lies_in_the_trash_for_30_days(void **state)
{
    struct ledger_lab *r = *state;
    struct ledger_object o;
    struct ct_err err;

    lab_push(r, &r->al, 20);
    assert_int_equal(ledger_session_delete(r->l, &r->al, S, r->now, &err), 0);
    assert_int_equal(ledger_purge_next(r->l, r->now + 30 * DAY_MS - 1, &o, &err), 0);
    assert_int_equal(ledger_purge_next(r->l, r->now + 30 * DAY_MS, &o, &err), 1);
    assert_string_equal(o.session_id, S);
    assert_int_equal(o.version, 1);
}

/* What undeleting brings back: how many versions, or minus the error code. */
static int64_t undelete(struct ledger_lab *r, const char *user_id, int64_t version)
{
    struct ct_err err;
    int64_t n;

    if (ledger_undelete(r->l, user_id, S, version, r->now, &n, &err) != 0)
        return -(int64_t)err.code;
    return n;
}

static void undeleting_takes_back_the_last_deletion_and_no_reservation(void **state)
{
    struct ledger_lab *r = *state;
    struct ledger_object o;
    struct ct_err err;

    lab_push(r, &r->al, 20);
    lab_push(r, &r->al, 20);
    lab_push(r, &r->al, 20);
    assert_int_equal(ledger_version_delete(r->l, &r->al, S, 1, r->now, &err), 0);
    r->now += 1000;
    assert_int_equal(lab_reserve(r, &r->al), 4);
    assert_int_equal(ledger_session_delete(r->l, &r->al, S, r->now, &err), 0);
    assert_int_equal(undelete(r, r->bo.user_id, 0), -ERR_GONE);
    assert_int_equal(undelete(r, r->al.user_id, 4), -ERR_GONE);
    assert_int_equal(undelete(r, r->al.user_id, 0), 2);
    assert_listed(r, "3 2");
    assert_int_equal(lab_total(r, r->al.user_id), 1);
    assert_int_equal(undelete(r, r->al.user_id, 1), 1);
    assert_listed(r, "3 2 1");
    assert_int_equal(undelete(r, r->al.user_id, 0), -ERR_GONE);
    /* It is a session like any other again: uploads go on, nothing of it is purged. */
    assert_int_equal(lab_push(r, &r->al, 20), 5);
    assert_int_equal(ledger_purge_next(r->l, r->now + 31 * DAY_MS, &o, &err), 1);
    assert_int_equal(o.version, 4);
    assert_int_equal(ledger_purge_next(r->l, r->now + 31 * DAY_MS, &o, &err), 0);
}

static void undeleting_ends_with_the_trash(void **state)
{
    struct ledger_lab *r = *state;
    struct ledger_object o;
    struct ct_err err;

    lab_push(r, &r->al, 20);
    lab_push(r, &r->al, 20);
    assert_int_equal(ledger_version_delete(r->l, &r->al, S, 1, r->now, &err), 0);
    assert_int_equal(undelete(r, r->al.user_id, 1), 1);
    assert_int_equal(ledger_version_delete(r->l, &r->al, S, 1, r->now, &err), 0);
    r->now += 30 * DAY_MS;
    assert_int_equal(ledger_purge_next(r->l, r->now, &o, &err), 1);
    assert_int_equal(undelete(r, r->al.user_id, 1), -ERR_GONE);
}

static void the_trash_lists_what_can_be_undeleted(void **state)
{
    struct ledger_lab *r = *state;
    struct json_object *o, *item;
    struct ct_err err;

    lab_push(r, &r->al, 20);
    lab_push(r, &r->al, 20);
    lab_push(r, &r->bo, 20);
    assert_int_equal(lab_reserve(r, &r->al), 3);
    assert_int_equal(ledger_session_delete(r->l, &r->al, S, r->now, &err), 0);
    assert_int_equal(ledger_trash(r->l, r->al.user_id, 1, 1, &o, &err), 0);
    assert_int_equal(jdoc_int(o, "total", 0), 2);
    assert_int_equal(json_object_array_length(jdoc_array(o, "versions")), 1);
    item = json_object_array_get_idx(jdoc_array(o, "versions"), 0);
    assert_string_equal(jdoc_str(item, "sessionId"), S);
    assert_int_equal(jdoc_int(item, "version", 0), 1);
    assert_non_null(jdoc_str(item, "deletedAt"));
    json_object_put(o);
    assert_int_equal(ledger_trash(r->l, r->bo.user_id, 10, 0, &o, &err), 0);
    assert_int_equal(jdoc_int(o, "total", -1), 0);
    json_object_put(o);
}

static void a_purge_that_was_broken_off_is_taken_up_again(void **state)
{
    struct ledger_lab *r = *state;
    struct ledger_object o;
    struct ct_err err;

    lab_push(r, &r->al, 20);
    assert_int_equal(ledger_session_delete(r->l, &r->al, S, r->now, &err), 0);
    r->now += 30 * DAY_MS;
    assert_int_equal(ledger_purge_next(r->l, r->now, &o, &err), 1);
    assert_int_equal(ledger_purge_next(r->l, r->now, &o, &err), 0);
    r->now += HOUR_MS;
    assert_int_equal(ledger_purge_next(r->l, r->now, &o, &err), 1);
    assert_int_equal(ledger_knows(r->l, r->al.user_id, S, 1), 1);
    assert_int_equal(ledger_purged(r->l, &o, &err), 0);
    assert_int_equal(ledger_knows(r->l, r->al.user_id, S, 1), 0);
}

static void one_version_is_deleted_and_the_one_before_is_current(void **state)
{
    struct ledger_lab *r = *state;
    struct api_download_res d;
    struct ct_err err;

    lab_push(r, &r->al, 20);
    lab_push(r, &r->al, 20);
    assert_int_equal(ledger_version_delete(r->l, &r->al, S, 2, r->now, &err), 0);
    assert_listed(r, "1");
    assert_int_equal(ledger_download(r->l, r->al.user_id, S, 0, &d, &err), 0);
    assert_int_equal(d.version, 1);
    api_download_res_clear(&d);
    assert_int_equal(ledger_download(r->l, r->al.user_id, S, 2, &d, &err), -1);
    assert_int_equal(ledger_version_delete(r->l, &r->al, S, 1, r->now, &err), 0);
    assert_int_equal(lab_total(r, r->al.user_id), 0);
    assert_int_equal(lab_reserve(r, &r->al), -ERR_CONFLICT);
}

static void a_deleted_user_leaves_only_trash(void **state)
{
    struct ledger_lab *r = *state;
    struct ledger_who who;
    struct ledger_object o;
    struct ct_err err;

    lab_push(r, &r->al, 20);
    assert_int_equal(ledger_user_delete(r->l, "al@example.org", r->now, r->now + 30 * DAY_MS, &err),
                     0);
    assert_int_equal(ledger_token_find(r->l, "a1", r->now, &who, &err), -1);
    assert_listed(r, "");
    assert_int_equal(ledger_purge_next(r->l, r->now + 30 * DAY_MS, &o, &err), 1);
    assert_int_equal(ledger_token_find(r->l, "b1", r->now, &who, &err), 0);
}

/* "3 rotated, 2 amended": what is in the trash. */
static const char *trash(struct ledger_lab *r, char buf[256])
{
    struct json_object *o, *list;
    struct ct_err err;

    assert_int_equal(ledger_trash(r->l, r->al.user_id, 100, 0, &o, &err), 0);
    list = jdoc_array(o, "versions");
    buf[0] = '\0';
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        struct json_object *item = json_object_array_get_idx(list, i);
        sprintf(buf + strlen(buf), "%s%d %s", i > 0 ? ", " : "", (int)jdoc_int(item, "version", 0),
                jdoc_str(item, "why"));
    }
    json_object_put(o);
    return buf;
}

#define assert_trash(r, want) \
    do { \
        char trash_[256]; \
        assert_string_equal(trash(r, trash_), want); \
    } while (0)

static void what_is_rotated_out_lies_in_the_trash_too(void **state)
{
    struct ledger_lab *r = *state;
    struct ct_err err;

    for (int i = 0; i < 4; i++)
        lab_push(r, &r->al, 2);
    assert_listed(r, "4 3");
    assert_trash(r, "2 rotated, 1 rotated");
    assert_int_equal(ledger_version_delete(r->l, &r->al, S, 3, r->now, &err), 0);
    assert_trash(r, "3 deleted, 2 rotated, 1 rotated");
    /* Without a number that is what was deleted; by its number any comes back, as part of the line.
     */
    assert_int_equal(undelete(r, r->al.user_id, 0), 1);
    assert_listed(r, "4 3");
    assert_int_equal(undelete(r, r->al.user_id, 0), -ERR_GONE);
    assert_int_equal(undelete(r, r->al.user_id, 1), 1);
    assert_listed(r, "4 3 1");
    assert_trash(r, "2 rotated");
}

#define MACHINE "the-machine-of-al"

/* A token of al's machine, which is told apart by its id. */
static struct ledger_who at_machine(struct ledger_lab *r)
{
    const struct ledger_new_token t = {
        .name = "m", .sha256 = "a3", .last4 = "last", .device = MACHINE, .now_ms = r->now};
    char id[UUID_SIZE], device_id[UUID_SIZE];
    struct ledger_who who;
    struct ct_err err;

    assert_int_equal(ledger_token_add(r->l, r->al.user_id, &t, id, device_id, &err), 0);
    assert_int_equal(ledger_token_find(r->l, "a3", r->now, &who, &err), 0);
    return who;
}

/* One that amends ${v} (0: nothing), ten minutes after it; its number. */
static int64_t sit(struct ledger_lab *r, const struct ledger_who *who, int64_t v,
                   const char *device, int64_t size_bytes)
{
    struct api_upload_req q = lab_request();

    q.amend = v;
    q.bases = json_object_new_array();
    json_object_array_add(q.bases, json_object_new_int64(v > 0 ? v : 100));
    q.device_id = device != NULL ? str_dup(device) : NULL;
    q.size_bytes = size_bytes;
    v = lab_reserve_req(r, who, q);
    assert_int_equal(lab_confirm(r, who, v, 20), 0);
    r->now += 10 * 60 * 1000;
    return v;
}

static void of_what_is_amended_the_oldest_of_each_hour_is_kept(void **state)
{
    struct ledger_lab *r = *state;
    struct ledger_who who = at_machine(r);
    struct ledger_object o;
    struct ct_err err;
    int64_t v = 0;
    int n = 0;

    r->now = T0 - T0 % HOUR_MS;
    for (int i = 0; i < 8; i++)
        v = sit(r, &who, v, MACHINE, 10 + i);
    assert_listed(r, "8");
    assert_trash(r, "7 amended, 6 passing, 5 passing, 4 passing, 3 passing, 2 passing, 1 amended");
    while (ledger_purge_next(r->l, r->now + DAY_MS, &o, &err) == 1) {
        assert_in_range(o.version, 2, 6);
        n++;
    }
    assert_int_equal(n, 5);
    assert_int_equal(undelete(r, r->al.user_id, 7), 1);
    assert_listed(r, "8 7");
}

static void what_less_or_a_token_alone_pushes_out_is_kept(void **state)
{
    struct ledger_lab *r = *state;
    struct ledger_who who = at_machine(r);

    r->now = T0 - T0 % HOUR_MS;
    for (int64_t v = 0; v < 3;)
        v = sit(r, &who, v, MACHINE, 10 + v);
    assert_trash(r, "2 passing, 1 amended");
    sit(r, &who, 3, MACHINE, 9); /* less: 3 stays */
    assert_trash(r, "3 amended, 2 passing, 1 amended");
    sit(r, &who, 4, NULL, 90);          /* as thieves of a token do */
    sit(r, &who, 4, "another-one", 90); /* no other id will do */
    assert_trash(r, "3 amended, 2 passing, 1 amended");
    sit(r, &r->al, 0, NULL, 10);
    sit(r, &r->al, 7, NULL, 11); /* it has no machine */
    sit(r, &r->al, 8, NULL, 12);
    assert_trash(r, "8 amended, 7 amended, 3 amended, 2 passing, 1 amended");
}

static void what_was_let_go_within_seven_days_makes_no_room(void **state)
{
    struct ledger_lab *r = *state;
    struct ledger_object o;
    int64_t t = r->now;
    struct ct_err err;

    lab_push(r, &r->al, 1);
    lab_push(r, &r->al, 1);
    assert_int_equal(ledger_room_next(r->l, r->al.user_id, t + 7 * DAY_MS, &o, &err), 0);
    assert_int_equal(ledger_room_next(r->l, r->bo.user_id, t + 9 * DAY_MS, &o, &err), 0);
    assert_int_equal(ledger_room_next(r->l, r->al.user_id, t + 7 * DAY_MS + 1000, &o, &err), 1);
    assert_int_equal(o.version, 1);
    assert_int_equal(ledger_room_next(r->l, NULL, t + 9 * DAY_MS, &o, &err), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, lab_set_up, lab_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_deleted_session_stays_away_until_it_is_asked_for),
        TEST(what_is_deleted_lies_in_the_trash_for_30_days),
        TEST(undeleting_takes_back_the_last_deletion_and_no_reservation),
        TEST(undeleting_ends_with_the_trash),
        TEST(the_trash_lists_what_can_be_undeleted),
        TEST(a_purge_that_was_broken_off_is_taken_up_again),
        TEST(one_version_is_deleted_and_the_one_before_is_current),
        TEST(a_deleted_user_leaves_only_trash),
        TEST(what_is_rotated_out_lies_in_the_trash_too),
        TEST(of_what_is_amended_the_oldest_of_each_hour_is_kept),
        TEST(what_less_or_a_token_alone_pushes_out_is_kept),
        TEST(what_was_let_go_within_seven_days_makes_no_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/data/jdoc.h"
#include "common/base/str.h"
#include "tests/server/ledger_lab.h"

/* Which version is current, and what stands beside it. */

#define NOT_SAID (-1)

static struct json_object *list_of(const int *v)
{
    struct json_object *list;

    if (v[0] == NOT_SAID)
        return NULL;
    list = json_object_new_array();
    for (size_t i = 0; v[i] != 0; i++)
        json_object_array_add(list, json_object_new_int(v[i]));
    return list;
}

/* Reserve a version that builds on ${bases}, which end with 0. */
static int64_t reserve_on(struct ledger_lab *r, const struct ledger_who *who, const int *bases)
{
    struct api_upload_req q = lab_request();

    q.bases = list_of(bases);
    return lab_reserve_req(r, who, q);
}

static int64_t push_on(struct ledger_lab *r, const struct ledger_who *who, const int *bases)
{
    int64_t v = reserve_on(r, who, bases);

    assert_true(v > 0);
    assert_int_equal(lab_confirm(r, who, v, 20), 0);
    r->now += 1000;
    return v;
}

#define ON(...) ((const int[]){__VA_ARGS__, 0})
#define ON_NOTHING ((const int[]){0})

/* "4 beside 3 2": the current version, and what stands beside it. */
static const char *heads(struct ledger_lab *r, char buf[256])
{
    struct json_object *o, *list;
    struct ct_err err;

    if (ledger_versions(r->l, &r->al, S, 1000, 0, &o, &err) != 0)
        return strcpy(buf, "gone");
    sprintf(buf, "%d", (int)jdoc_int(o, "currentVersion", -1));
    list = jdoc_array(o, "heads");
    for (size_t i = 0; i < json_object_array_length(list); i++)
        sprintf(buf + strlen(buf), "%s %d", i == 0 ? " beside" : "",
                json_object_get_int(json_object_array_get_idx(list, i)));
    json_object_put(o);
    return buf;
}

#define assert_heads(r, want) \
    do { \
        char heads_[256]; \
        assert_string_equal(heads(r, heads_), want); \
    } while (0)

static void what_builds_on_the_current_one_takes_its_place(void **state)
{
    struct ledger_lab *r = *state;

    assert_int_equal(push_on(r, &r->al, ON_NOTHING), 1);
    assert_int_equal(push_on(r, &r->al2, ON(1)), 2);
    assert_heads(r, "2");
    assert_int_equal(push_on(r, &r->al, ON(1, 2)), 3);
    assert_heads(r, "3");
}

static void what_does_not_is_kept_beside_it(void **state)
{
    struct ledger_lab *r = *state;

    push_on(r, &r->al, ON_NOTHING);
    push_on(r, &r->al2, ON(1));
    assert_int_equal(push_on(r, &r->al, ON(1)), 3);
    assert_heads(r, "2 beside 3");
    assert_int_equal(push_on(r, &r->al, ON(3)), 4);
    assert_heads(r, "2 beside 4");
    assert_int_equal(push_on(r, &r->al, ON_NOTHING), 5);
    assert_heads(r, "2 beside 5 4");
    assert_int_equal(push_on(r, &r->al, ON(2, 4, 5)), 6);
    assert_heads(r, "6");
}

static void a_merge_that_races_an_upload_hides_nothing(void **state)
{
    struct ledger_lab *r = *state;
    int64_t merge, other;

    push_on(r, &r->al, ON_NOTHING);
    push_on(r, &r->al, ON(1));
    push_on(r, &r->al2, ON(1));
    merge = reserve_on(r, &r->al2, ON(2, 3));
    other = reserve_on(r, &r->al, ON(2));
    assert_int_equal(lab_confirm(r, &r->al, other, 20), 0);
    assert_int_equal(lab_confirm(r, &r->al2, merge, 20), 0);
    assert_heads(r, "5 beside 4");
}

static void a_base_that_was_never_confirmed_leads_on_to_its_own(void **state)
{
    struct ledger_lab *r = *state;

    push_on(r, &r->al, ON_NOTHING);
    assert_int_equal(reserve_on(r, &r->al, ON(1)), 2);
    assert_int_equal(push_on(r, &r->al, ON(2)), 3);
    assert_heads(r, "3");
}

static void numbers_that_nobody_knows_are_no_bases(void **state)
{
    struct ledger_lab *r = *state;

    push_on(r, &r->al, ON_NOTHING);
    assert_int_equal(push_on(r, &r->al2, ON(77, 2, 3)), 2);
    assert_heads(r, "1 beside 2");
    push_on(r, &r->al2, ON(1));
    assert_heads(r, "3 beside 2");
}

static void a_stock_upload_becomes_current_and_hides_no_other_devices(void **state)
{
    struct ledger_lab *r = *state;

    push_on(r, &r->al, ON_NOTHING);
    push_on(r, &r->al2, ON(NOT_SAID));
    assert_heads(r, "2 beside 1");
    push_on(r, &r->al2, ON(NOT_SAID));
    assert_heads(r, "3 beside 1");
    push_on(r, &r->al, ON(NOT_SAID));
    assert_heads(r, "4 beside 3");
    push_on(r, &r->al, ON(3, 4));
    assert_heads(r, "5");
}

static void a_late_confirm_of_a_stock_client_is_part_of_its_line(void **state)
{
    struct ledger_lab *r = *state;

    push_on(r, &r->al, ON(NOT_SAID));
    assert_int_equal(reserve_on(r, &r->al, ON(NOT_SAID)), 2);
    push_on(r, &r->al, ON(NOT_SAID));
    assert_int_equal(lab_confirm(r, &r->al, 2, 20), 0);
    assert_heads(r, "3");
    assert_listed(r, "3 2 1");
}

static void reservations_of_one_device_in_lockstep_are_one_line(void **state)
{
    struct ledger_lab *r = *state;
    int64_t v[9];

    for (int i = 0; i < 9; i += 3) {
        for (int j = i; j < i + 3; j++)
            v[j] = reserve_on(r, &r->al, (const int[]){NOT_SAID});
        for (int j = i; j < i + 3; j++)
            assert_int_equal(lab_confirm(r, &r->al, v[j], 20), 0);
    }
    assert_heads(r, "9");
}

static void a_pinned_version_is_offered_until_a_later_one_names_it(void **state)
{
    struct ledger_lab *r = *state;
    struct api_upload_req q = lab_request();

    push_on(r, &r->al, ON_NOTHING);
    q.pin = 1;
    q.bases = list_of(ON(1));
    assert_int_equal(lab_reserve_req(r, &r->al, q), 2);
    assert_int_equal(lab_confirm(r, &r->al, 2, 1), 0);
    assert_heads(r, "2 beside 1");
    push_on(r, &r->al, ON(2));
    assert_heads(r, "3 beside 1");
    push_on(r, &r->al, ON(1, 3));
    assert_heads(r, "4");
}

static void what_is_pinned_in_the_trash_is_offered_when_it_is_back(void **state)
{
    struct ledger_lab *r = *state;
    struct api_upload_req q = lab_request();
    struct ct_err err;
    int64_t n;

    push_on(r, &r->al, ON_NOTHING);
    assert_int_equal(ledger_session_delete(r->l, &r->al, S, r->now, &err), 0);
    q.pin = 1;
    q.revive = 1;
    q.bases = json_object_new_array();
    json_object_array_add(q.bases, json_object_new_int(1));
    assert_int_equal(lab_reserve_req(r, &r->al, q), 2);
    assert_int_equal(lab_confirm(r, &r->al, 2, 20), 0);
    assert_heads(r, "2");
    assert_int_equal(ledger_undelete(r->l, r->al.user_id, S, 1, r->now, &n, &err), 0);
    assert_heads(r, "2 beside 1");
}

static void a_session_pins_only_so_many(void **state)
{
    struct ledger_lab *r = *state;
    int pinned = 0;

    for (int i = 1; i <= 25; i++) {
        struct api_upload_req q = lab_request();
        struct ledger_reserved res;
        struct ct_err err;
        push_on(r, &r->al, ON(NOT_SAID));
        q.pin = i;
        assert_int_equal(ledger_reserve(r->l, &r->al, &q, &lab_no_limits, r->now, &res, &err), 0);
        assert_int_equal(lab_confirm(r, &r->al, res.version, 1000), 0);
        api_upload_req_clear(&q);
        pinned += res.pinned;
    }
    assert_int_equal(pinned, 20);
}

static void heads_outlive_the_rotation(void **state)
{
    struct ledger_lab *r = *state;

    push_on(r, &r->al, ON_NOTHING);
    push_on(r, &r->al2, ON_NOTHING);
    for (int i = 2; i < 8; i++) {
        int64_t v = reserve_on(r, &r->al, ON(i == 2 ? 1 : i));
        assert_int_equal(lab_confirm(r, &r->al, v, 2), 0);
    }
    assert_heads(r, "8 beside 2");
    assert_listed(r, "8 7 2");
}

static void only_an_own_head_that_is_a_base_is_amended(void **state)
{
    struct ledger_lab *r = *state;
    struct api_upload_req q;

    push_on(r, &r->al, ON_NOTHING);
    push_on(r, &r->al2, ON(1));
    /* Its own, but contained already. */
    q = lab_request();
    q.amend = 1;
    q.bases = list_of(ON(1));
    assert_int_equal(lab_reserve_req(r, &r->al, q), 3);
    assert_int_equal(lab_confirm(r, &r->al, 3, 20), 0);
    assert_listed(r, "3 2 1");
    assert_heads(r, "2 beside 3");
    /* A head of its own, but no base. */
    q = lab_request();
    q.amend = 3;
    q.bases = list_of(ON(2));
    assert_int_equal(lab_reserve_req(r, &r->al, q), 4);
    assert_int_equal(lab_confirm(r, &r->al, 4, 20), 0);
    assert_heads(r, "4 beside 3");
    /* Both, and not the current one. */
    q = lab_request();
    q.amend = 3;
    q.bases = list_of(ON(3));
    assert_int_equal(lab_reserve_req(r, &r->al, q), 5);
    assert_int_equal(lab_confirm(r, &r->al, 5, 20), 0);
    assert_heads(r, "4 beside 5");
    assert_listed(r, "5 4 2 1");
}

static void what_only_a_deleted_version_contained_is_a_head_again(void **state)
{
    struct ledger_lab *r = *state;
    struct ct_err err;
    int64_t n;

    push_on(r, &r->al, ON_NOTHING);
    push_on(r, &r->al2, ON_NOTHING);
    push_on(r, &r->al, ON(1, 2));
    assert_heads(r, "3");
    assert_int_equal(ledger_version_delete(r->l, &r->al, S, 3, r->now, &err), 0);
    assert_heads(r, "2 beside 1");
    assert_int_equal(ledger_undelete(r->l, r->al.user_id, S, 3, r->now, &n, &err), 0);
    assert_heads(r, "3");
    /* What another one still contains is none. */
    push_on(r, &r->al, ON(1));
    assert_int_equal(ledger_version_delete(r->l, &r->al, S, 3, r->now, &err), 0);
    assert_heads(r, "4 beside 2");
}

static void ancestry_leads_through_what_is_gone(void **state)
{
    struct ledger_lab *r = *state;
    struct ledger_object o;
    struct ct_err err;

    push_on(r, &r->al, ON_NOTHING);
    push_on(r, &r->al, ON(1));
    push_on(r, &r->al, ON(2));
    assert_int_equal(ledger_version_delete(r->l, &r->al, S, 2, r->now, &err), 0);
    r->now += 31 * DAY_MS;
    assert_int_equal(ledger_purge_next(r->l, r->now, &o, &err), 1);
    assert_int_equal(ledger_purged(r->l, &o, &err), 0);
    assert_heads(r, "3");
    assert_int_equal(ledger_version_delete(r->l, &r->al, S, 3, r->now, &err), 0);
    assert_heads(r, "1");
}

/* Until it is refused, ${who} adds heads that contain nothing; how many that were. */
static int fill_with_heads(struct ledger_lab *r, const struct ledger_who *who)
{
    int64_t last = 0;
    int n = 0;

    while (n < 300 && (last = reserve_on(r, who, ON_NOTHING)) > 0) {
        assert_int_equal(lab_confirm(r, who, last, 20), 0);
        n++;
    }
    assert_int_equal(last, -ERR_REFUSED);
    return n;
}

static void what_contains_a_head_is_never_one_too_many(void **state)
{
    struct ledger_lab *r = *state;
    int64_t mine = push_on(r, &r->al2, ON_NOTHING);

    assert_int_equal(fill_with_heads(r, &r->al), 25);
    mine = push_on(r, &r->al2, ON((int)mine));
    assert_true(push_on(r, &r->al, ON((int)mine - 1)) > mine);
    assert_int_equal(reserve_on(r, &r->al, ON_NOTHING), -ERR_REFUSED);
}

static void junk_of_one_token_shuts_no_other_out(void **state)
{
    struct ledger_lab *r = *state;
    int64_t v;

    push_on(r, &r->al2, ON_NOTHING);
    /* What was its head is none any more. */
    push_on(r, &r->al, ON(1));
    fill_with_heads(r, &r->al);
    v = push_on(r, &r->al2, ON(1));
    push_on(r, &r->al2, ON((int)v));
    /* A log-in is no device that could have a right of its own. */
    assert_int_equal(fill_with_heads(r, &r->al_in) + 25 + 1, 50);
    assert_true(push_on(r, &r->al2, ON((int)v + 1)) > 50);
}

/* Reserve on ${version}, of which the client says that it has ${sum}. */
static int64_t reserve_on_sum(struct ledger_lab *r, const struct ledger_who *who, int version,
                              const char *sum)
{
    struct api_upload_req q = lab_request();
    struct json_object *base = json_object_new_object();

    jdoc_set_int(base, "version", version);
    jdoc_set_str(base, "checksum", sum);
    q.bases = json_object_new_array();
    json_object_array_add(q.bases, base);
    return lab_reserve_req(r, who, q);
}

static void a_base_with_another_checksum_is_none(void **state)
{
    struct ledger_lab *r = *state;

    push_on(r, &r->al, ON_NOTHING);
    assert_int_equal(reserve_on_sum(r, &r->al2, 1, SUM2), 2);
    assert_int_equal(lab_confirm(r, &r->al2, 2, 20), 0);
    assert_heads(r, "1 beside 2");
    assert_int_equal(reserve_on_sum(r, &r->al2, 1, SUM), 3);
    assert_int_equal(lab_confirm(r, &r->al2, 3, 20), 0);
    assert_heads(r, "3 beside 2");
    /* Nor one of a version that nobody knows. */
    assert_int_equal(reserve_on_sum(r, &r->al2, 77, SUM), 4);
    assert_int_equal(lab_confirm(r, &r->al2, 4, 20), 0);
    assert_heads(r, "3 beside 4 2");
}

/* Two machines, a server that was put back from a snapshot, and numbers that are given out again.
 */
static void a_number_of_another_database_hides_nothing(void **state)
{
    struct ledger_lab *r = *state;
    struct api_upload_req q = lab_request();

    push_on(r, &r->al, ON_NOTHING);
    /* al has uploaded 2 and 3 with SUM; the database forgets them, and al2 uploads 2 and 3. */
    strcpy(q.checksum, SUM2);
    q.bases = list_of(ON(1));
    assert_int_equal(lab_reserve_req(r, &r->al2, q), 2);
    assert_int_equal(lab_confirm(r, &r->al2, 2, 20), 0);
    assert_int_equal(reserve_on_sum(r, &r->al, 2, SUM), 3);
    assert_int_equal(lab_confirm(r, &r->al, 3, 20), 0);
    assert_heads(r, "2 beside 3");
}

static void a_deleted_session_begins_anew_whatever_it_builds_on(void **state)
{
    struct ledger_lab *r = *state;
    struct api_upload_req q = lab_request();
    struct ct_err err;

    push_on(r, &r->al, ON_NOTHING);
    assert_int_equal(ledger_session_delete(r->l, &r->al2, S, r->now, &err), 0);
    q.revive = 1;
    q.bases = list_of(ON_NOTHING);
    assert_int_equal(lab_reserve_req(r, &r->al, q), 2);
    assert_int_equal(lab_confirm(r, &r->al, 2, 20), 0);
    assert_heads(r, "2");
}

static void a_cursor_tells_what_changed_and_who_deleted(void **state)
{
    struct ledger_lab *r = *state;
    struct ledger_filter all = {.limit = 100};
    struct json_object *o, *gone;
    int64_t cursor;
    struct ct_err err;

    lab_push(r, &r->al, 20);
    assert_int_equal(ledger_sessions(r->l, &r->al, &all, &o, &err), 0);
    cursor = atoll(jdoc_str(o, "cursor"));
    json_object_put(o);
    assert_int_equal(ledger_sessions_since(r->l, &r->al, cursor, 100, &o, &err), 0);
    assert_int_equal(ledger_sessions_since(r->l, &r->al, cursor + 1, 100, &o, &err), -1);
    assert_int_equal(err.code, ERR_GONE);
    lab_push(r, &r->al2, 20);
    assert_int_equal(ledger_sessions_since(r->l, &r->al, cursor, 100, &o, &err), 1);
    assert_int_equal(json_object_array_length(jdoc_array(o, "sessions")), 1);
    assert_int_equal(json_object_array_length(jdoc_array(o, "deleted")), 0);
    cursor = atoll(jdoc_str(o, "cursor"));
    json_object_put(o);
    assert_int_equal(ledger_token_find(r->l, "a2", r->now, &r->al2, &err), 0);
    assert_int_equal(ledger_session_delete(r->l, &r->al2, S, r->now, &err), 0);
    assert_int_equal(ledger_sessions_since(r->l, &r->al, cursor, 100, &o, &err), 1);
    gone = json_object_array_get_idx(jdoc_array(o, "deleted"), 0);
    assert_string_equal(jdoc_str(gone, "id"), S);
    assert_string_equal(jdoc_str(jdoc_obj(gone, "deletedBy"), "name"), "m");
    json_object_put(o);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, lab_set_up, lab_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_builds_on_the_current_one_takes_its_place),
        TEST(what_does_not_is_kept_beside_it),
        TEST(a_merge_that_races_an_upload_hides_nothing),
        TEST(a_base_that_was_never_confirmed_leads_on_to_its_own),
        TEST(numbers_that_nobody_knows_are_no_bases),
        TEST(a_stock_upload_becomes_current_and_hides_no_other_devices),
        TEST(a_late_confirm_of_a_stock_client_is_part_of_its_line),
        TEST(reservations_of_one_device_in_lockstep_are_one_line),
        TEST(a_pinned_version_is_offered_until_a_later_one_names_it),
        TEST(what_is_pinned_in_the_trash_is_offered_when_it_is_back),
        TEST(a_session_pins_only_so_many),
        TEST(heads_outlive_the_rotation),
        TEST(only_an_own_head_that_is_a_base_is_amended),
        TEST(what_only_a_deleted_version_contained_is_a_head_again),
        TEST(ancestry_leads_through_what_is_gone),
        TEST(what_contains_a_head_is_never_one_too_many),
        TEST(junk_of_one_token_shuts_no_other_out),
        TEST(a_base_with_another_checksum_is_none),
        TEST(a_number_of_another_database_hides_nothing),
        TEST(a_deleted_session_begins_anew_whatever_it_builds_on),
        TEST(a_cursor_tells_what_changed_and_who_deleted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/data/jdoc.h"
#include "common/base/str.h"
#include "tests/server/ledger_lab.h"

/* Users, devices and their tokens, and what each is shown. */

static void the_same_id_of_two_users_is_two_sessions(void **state)
{
    struct ledger_lab *r = *state;
    char buf[256];
    struct ct_err err;

    lab_push(r, &r->al, 20);
    lab_push(r, &r->al, 20);
    assert_int_equal(lab_push(r, &r->bo, 20), 1);
    assert_int_equal(ledger_session_delete(r->l, &r->bo, S, r->now, &err), 0);
    assert_listed(r, "2 1");
    assert_string_equal(lab_listed(r, r->bo.user_id, buf), "");
}

static int64_t log_in_push(struct ledger_lab *r, const char *machine, int64_t base, int64_t amend,
                           int64_t *ret_elsewhere)
{
    struct api_upload_req q = lab_request();
    struct ledger_reserved res;
    struct ct_err err;

    free(q.source_machine);
    q.source_machine = str_dup(machine);
    q.base_version = base;
    q.amend = amend;
    assert_int_equal(ledger_reserve(r->l, &r->al_in, &q, &lab_no_limits, r->now, &res, &err), 0);
    assert_int_equal(lab_confirm(r, &r->al_in, res.version, 20), 0);
    api_upload_req_clear(&q);
    *ret_elsewhere = res.elsewhere;
    return res.version;
}

static void two_machines_with_a_log_in_do_not_amend_each_other(void **state)
{
    struct ledger_lab *r = *state;
    int64_t elsewhere;

    assert_int_equal(log_in_push(r, "a", -1, 0, &elsewhere), 1);
    assert_int_equal(log_in_push(r, "b", 0, 1, &elsewhere), 2);
    assert_int_equal(elsewhere, 1);
    assert_listed(r, "2 1");
    assert_int_equal(log_in_push(r, "b", 1, 2, &elsewhere), 3);
    assert_int_equal(elsewhere, 0);
    assert_listed(r, "3 2 1");
}

static void a_token_ends_at_once_when_revoked_and_in_time_when_it_expires(void **state)
{
    struct ledger_lab *r = *state;
    const struct ledger_new_token t = {
        .name = "t", .sha256 = "x1", .last4 = "last", .now_ms = T0, .expires_ms = T0 + DAY_MS};
    struct ledger_who who;
    char id[UUID_SIZE], device_id[UUID_SIZE];
    struct ct_err err;

    assert_int_equal(ledger_token_add(r->l, r->al.user_id, &t, id, device_id, &err), 0);
    assert_int_equal(ledger_token_find(r->l, "x1", T0 + DAY_MS - 1, &who, &err), 0);
    assert_int_equal(ledger_token_find(r->l, "x1", T0 + DAY_MS, &who, &err), -1);
    assert_int_equal(err.code, ERR_AUTH);
    assert_int_equal(ledger_token_revoke(r->l, r->bo.user_id, r->al.token_id, &err), -1);
    assert_int_equal(err.code, ERR_GONE);
    assert_int_equal(ledger_token_find(r->l, "a1", T0, &who, &err), 0);
    assert_int_equal(ledger_token_revoke(r->l, r->al.user_id, r->al.token_id, &err), 0);
    assert_int_equal(ledger_token_find(r->l, "a1", T0, &who, &err), -1);
}

static void a_deleted_device_ends_its_token_and_keeps_its_uploads(void **state)
{
    struct ledger_lab *r = *state;
    struct json_object *o;
    struct ledger_who who;
    char *id;
    struct ct_err err;

    lab_push(r, &r->al, 20);
    assert_int_equal(ledger_devices(r->l, &r->al, &o, &err), 0);
    id = str_dup(jdoc_str(json_object_array_get_idx(jdoc_array(o, "devices"), 0), "id"));
    json_object_put(o);
    assert_int_equal(ledger_device_delete(r->l, r->bo.user_id, id, &err), -1);
    assert_int_equal(ledger_device_delete(r->l, r->al.user_id, id, &err), 0);
    assert_int_equal(ledger_token_find(r->l, "a1", r->now, &who, &err), -1);
    assert_int_equal(ledger_token_find(r->l, "a2", r->now, &who, &err), 0);
    assert_listed(r, "1");
    free(id);
}

static void filters_and_pages_tell_the_whole_number(void **state)
{
    struct ledger_lab *r = *state;
    struct ledger_filter f = {.limit = 2, .machine = "m1"};
    struct json_object *o;
    struct ct_err err;

    for (int i = 0; i < 6; i++) {
        struct api_upload_req q = lab_request();
        struct ledger_reserved res;
        free(q.session_id);
        free(q.source_machine);
        q.session_id = str_printf("s%d", i);
        q.source_machine = str_printf("m%d", i % 2);
        q.tags = json_object_new_array();
        json_object_array_add(q.tags, json_object_new_string(i == 5 ? "it's" : "t"));
        assert_int_equal(ledger_reserve(r->l, &r->al, &q, &lab_no_limits, r->now, &res, &err), 0);
        assert_int_equal(ledger_confirm(r->l, &r->al, q.session_id, 1, 20, r->now++, &err), 0);
        api_upload_req_clear(&q);
    }
    assert_int_equal(ledger_sessions(r->l, &r->al, &f, &o, &err), 0);
    assert_int_equal(jdoc_int(o, "total", 0), 3);
    assert_int_equal(json_object_array_length(jdoc_array(o, "sessions")), 2);
    assert_string_equal(jdoc_str(json_object_array_get_idx(jdoc_array(o, "sessions"), 0), "id"),
                        "s5");
    json_object_put(o);
    f.tag = "it's";
    f.agent = "claude-code";
    assert_int_equal(ledger_sessions(r->l, &r->al, &f, &o, &err), 0);
    assert_int_equal(jdoc_int(o, "total", 0), 1);
    json_object_put(o);
    f.machine = "' OR 1=1 --";
    assert_int_equal(ledger_sessions(r->l, &r->al, &f, &o, &err), 0);
    assert_int_equal(jdoc_int(o, "total", -1), 0);
    json_object_put(o);
}

/* The account, or the device that the token is of, goes while an upload is under way. */
static void who_is_removed_meanwhile_is_nobody(void **state)
{
    const struct ledger_new_token t = {
        .name = "t", .sha256 = "new", .last4 = "last", .device = "machine-1", .now_ms = T0};
    struct ledger_lab *r = *state;
    struct ledger_who who;
    struct ct_err err;

    memcpy(who.user_id, r->al.user_id, UUID_SIZE);
    assert_int_equal(ledger_token_add(r->l, who.user_id, &t, who.token_id, who.device_id, &err), 0);
    assert_int_equal(lab_reserve(r, &who), 1);
    assert_int_equal(ledger_device_delete(r->l, who.user_id, who.device_id, &err), 0);
    assert_int_equal(lab_reserve(r, &who), -ERR_AUTH);
    assert_int_equal(ledger_user_delete(r->l, "al@example.org", r->now, r->now, &err), 0);
    assert_int_equal(lab_reserve(r, &r->al), -ERR_AUTH);
    assert_int_equal(lab_reserve(r, &r->al_in), -ERR_AUTH);
    assert_int_equal(lab_confirm(r, &r->al, 1, 20), ERR_CONFLICT);
}

/* Who comes back by another site does not lose what was saved meanwhile under the same e-mail. */
static void what_was_saved_meanwhile_gives_no_way(void **state)
{
    const struct ledger_identity cy = {"https://github.com", "17", "cy@example.org", 1, 1};
    const struct ledger_new_user again = {"cy@example.org", "hash", 0, T0};
    struct ledger_lab *r = *state;
    enum ledger_arrival arrival;
    struct ledger_who who = {0};
    char id[UUID_SIZE];
    struct ct_err err;

    assert_int_equal(ledger_identity_login(r->l, &cy, r->now, id, &arrival, &err), 0);
    assert_int_equal(ledger_user_delete(r->l, cy.email, r->now, r->now + 30 * DAY_MS, &err), 0);
    assert_int_equal(ledger_user_add(r->l, &again, who.user_id, &err), 0);
    lab_push(r, &who, 20);
    assert_int_equal(ledger_identity_login(r->l, &cy, r->now, id, &arrival, &err), -1);
    assert_string_equal(err.reason, "email_in_use");
    assert_int_equal(lab_total(r, who.user_id), 1);
    /* It is theirs to end. */
    assert_int_equal(ledger_user_delete(r->l, cy.email, r->now, r->now, &err), 0);
    assert_int_equal(ledger_identity_login(r->l, &cy, r->now, id, &arrival, &err), 0);
    assert_int_equal(arrival, LEDGER_BACK);
}

/* A list is read by all of its owner's devices, or by none. */
static void what_is_nested_too_deep_spoils_no_list(void **state)
{
    static const char deep[] = "{\"messageCount\":2,\"summary\":[[[[[[[[[[[[1]]]]]]]]]]]],"
                               "\"filesModified\":[\"a\",{\"b\":[[1]]}]}";
    const struct ledger_filter f = {.limit = 10};
    struct ledger_lab *r = *state;
    struct api_upload_req q = lab_request();
    struct json_object *o;
    struct ct_err err;

    json_object_put(q.metadata);
    assert_int_equal(jdoc_parse(deep, strlen(deep), &q.metadata, &err), 0);
    lab_confirm(r, &r->al, lab_reserve_req(r, &r->al, q), 20);
    assert_int_equal(ledger_sessions(r->l, &r->al, &f, &o, &err), 0);
    assert_non_null(strstr(
        jdoc_text(o), "\"metadata\":{\"messageCount\":2,\"filesModified\":[\"a\",{\"b\":[[1]]}]}"));
    json_object_put(o);
    /* What a database holds by other ways is told as none. */
    assert_null(jdoc_new_raw("[[[[[[[[[1]]]]]]]]]", 19));
    assert_null(jdoc_new_raw("{},\"isHead\":true", 16));
    assert_null(jdoc_new_raw("{\"a\":1", 6));
    assert_null(jdoc_new_raw("", 0));
    o = jdoc_new_raw("[[[[[[[1]]]]]]]", 15);
    assert_non_null(o);
    json_object_put(o);
}

/* Metadata is passed on as it came, and only its number of messages is read. */
static void metadata_is_passed_on_and_its_messages_are_counted(void **state)
{
    static const struct {
        const char *metadata, *says;
    } t[] = {
        {"{\"messageCount\":12,\"summary\":\"a \\\"b\\\" / \\u0000\"}", "\"messages\":12"},
        {"{\"messageCount\":0}", "\"messages\":0"},
        {"{\"messageCount\":-3}", "\"messages\":null"},
        {"{\"messageCount\":1.5}", "\"messages\":null"},
        {"{\"messageCount\":1e3}", "\"messages\":null"},
        {"{\"messageCount\":\"7\"}", "\"messages\":null"},
        {"{\"summary\":\"messageCount\\\":9\",\"filesModified\":[{\"messageCount\":5}]}",
         "\"messages\":null"},
        {"{}", "\"messages\":null"},
    };
    struct ledger_lab *r = *state;
    struct json_object *o;
    struct ct_err err;

    for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        const struct ledger_filter f = {.limit = 10};
        struct api_upload_req q = lab_request();
        char *text;

        json_object_put(q.metadata);
        assert_int_equal(jdoc_parse(t[i].metadata, strlen(t[i].metadata), &q.metadata, &err), 0);
        lab_confirm(r, &r->al, lab_reserve_req(r, &r->al, q), 20);
        assert_int_equal(ledger_sessions(r->l, &r->al, &f, &o, &err), 0);
        text = str_printf("\"metadata\":%s", t[i].metadata);
        assert_non_null(strstr(jdoc_text(o), t[i].says));
        assert_non_null(strstr(jdoc_text(o), text));
        free(text);
        json_object_put(o);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, lab_set_up, lab_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_same_id_of_two_users_is_two_sessions),
        TEST(two_machines_with_a_log_in_do_not_amend_each_other),
        TEST(a_token_ends_at_once_when_revoked_and_in_time_when_it_expires),
        TEST(a_deleted_device_ends_its_token_and_keeps_its_uploads),
        TEST(who_is_removed_meanwhile_is_nobody),
        TEST(what_was_saved_meanwhile_gives_no_way),
        TEST(what_is_nested_too_deep_spoils_no_list),
        TEST(metadata_is_passed_on_and_its_messages_are_counted),
        TEST(filters_and_pages_tell_the_whole_number),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

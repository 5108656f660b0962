#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "common/base/str.h"
#include "server/ledger/ledger_impl.h"
#include "tests/server/ledger_lab.h"

/* What an upload costs, in steps of SQLite's virtual machine, whatever the session's history is. */

static int64_t steps;

static int on_statement(unsigned what, void *arg, void *st, void *x)
{
    (void)what;
    (void)arg;
    (void)x;
    steps += sqlite3_stmt_status(st, SQLITE_STMTSTATUS_VM_STEP, 1);
    return 0;
}

/* Every connection of this program is counted. */
static int on_open(sqlite3 *db, char **err, const struct sqlite3_api_routines *api)
{
    (void)err;
    (void)api;
    sqlite3_trace_v2(db, SQLITE_TRACE_PROFILE, on_statement, NULL);
    return SQLITE_OK;
}

static void sql(struct ledger_lab *r, const char *text, int64_t from, int64_t to)
{
    struct ct_err err;

    assert_int_equal(sql_begin(r->l->db, &err), 0);
    assert_int_equal(sql_exec(r->l->db, &err, text, "sii", r->al.user_id, from, to), 0);
    assert_int_equal(sql_commit(r->l->db, &err), 0);
}

#define NUMBERS "WITH RECURSIVE n(v) AS (SELECT ?2 UNION ALL SELECT v + 1 FROM n WHERE v < ?3) "

/* Versions ${from} to ${to} are there, each on the one before, in ${state}. */
static void make_history(struct ledger_lab *r, const char *state, int64_t from, int64_t to)
{
    char *text = str_printf(
        NUMBERS "INSERT INTO versions(user_id, session_id, version, state, size_bytes, checksum,"
                " created_ms, confirmed_ms, token_id, device_id, agent)"
                " SELECT ?1, '" S "', v, '%s', 10, '" SUM "', 1, 1, t.id, t.device_id, 'a'"
                " FROM n, (SELECT id, device_id FROM tokens WHERE sha256 = 'a1') t",
        state);

    sql(r, text, from, to);
    free(text);
    sql(r,
        NUMBERS "INSERT INTO descriptions(user_id, session_id, version, cwd, user_dir, metadata)"
                " SELECT ?1, '" S "', v, '/', '/', '{}' FROM n",
        from, to);
    sql(r,
        NUMBERS "INSERT INTO ancestry(user_id, session_id, version, base)"
                " SELECT ?1, '" S "', v, v - 1 FROM n",
        from, to);
    sql(r,
        "UPDATE sessions SET last_version = ?3, version_count = (SELECT count(*) FROM versions"
        " WHERE user_id = ?1 AND state = 'confirmed'), current_version = ?3 WHERE ?2 > 0",
        1, to);
    sql(r, "UPDATE versions SET is_head = (version = ?3 AND state = 'confirmed') WHERE ?2 > 0", 1,
        to);
}

/* The steps of a reservation and its confirm, after some to warm up. */
static int64_t cost(struct ledger_lab *r, int keep)
{
    const struct ledger_limits limits = {1LL << 40, 1LL << 50};
    struct ct_err err;
    int64_t v;

    for (int i = 0; i < 3; i++) {
        steps = 0;
        v = lab_reserve_at(r, &r->al, lab_request(), &limits);
        assert_true(v > 0);
        assert_int_equal(ledger_confirm(r->l, &r->al, S, v, keep, r->now, &err), 0);
        r->now += 1000;
    }
    assert_true(steps > 0);
    return steps;
}

static void ten_thousand_versions_cost_what_twenty_do(void **state)
{
    struct ledger_lab *r = *state;
    int64_t few, many;

    lab_push(r, &r->al, 20000);
    make_history(r, "confirmed", 2, 20);
    few = cost(r, 20000);
    make_history(r, "confirmed", 24, 10000);
    many = cost(r, 20000);
    print_message("%lld steps with 20 versions, %lld with 10,000\n", (long long)few,
                  (long long)many);
    assert_true(many <= 2 * few);
    /* Nor does it when one goes for each that comes. */
    many = cost(r, 10003);
    assert_true(many <= 2 * few);
}

static void a_lowered_limit_is_not_one_uploads_to_pay(void **state)
{
    struct ledger_lab *r = *state;
    int64_t one, many;

    lab_push(r, &r->al, 20000);
    make_history(r, "confirmed", 2, 20);
    one = cost(r, 20);
    make_history(r, "confirmed", 24, 10000);
    many = cost(r, 20);
    print_message("%lld steps with one that goes, %lld with thousands\n", (long long)one,
                  (long long)many);
    assert_true(many <= one + 50 * 400);
}

static void ten_thousand_that_are_gone_cost_nothing(void **state)
{
    struct ledger_lab *r = *state;
    int64_t few, many;

    lab_push(r, &r->al, 20);
    make_history(r, "confirmed", 2, 20);
    few = cost(r, 20);
    make_history(r, "dropped", 24, 10000);
    make_history(r, "confirmed", 10001, 10001);
    many = cost(r, 20);
    assert_true(many <= 2 * few);
}

static void sixty_devices_cost_what_their_heads_do(void **state)
{
    struct ledger_lab *r = *state;
    int64_t few, many;

    lab_push(r, &r->al, 20);
    few = cost(r, 2);
    for (int i = 0; i < 25; i++) {
        struct api_upload_req q = lab_request();
        int64_t v;
        q.bases = json_object_new_array();
        v = lab_reserve_req(r, &r->al2, q);
        assert_true(v > 0);
        assert_int_equal(lab_confirm(r, &r->al2, v, 2), 0);
    }
    many = cost(r, 2);
    print_message("%lld steps with one head, %lld with 26\n", (long long)few, (long long)many);
    assert_true(many <= few + 26 * 200);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, lab_set_up, lab_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(ten_thousand_versions_cost_what_twenty_do),
        TEST(a_lowered_limit_is_not_one_uploads_to_pay),
        TEST(ten_thousand_that_are_gone_cost_nothing),
        TEST(sixty_devices_cost_what_their_heads_do),
    };

    unsetenv("CT_LIBSQL_URL"); /* there the steps are another program's */
    sqlite3_auto_extension((void (*)(void))(uintptr_t)on_open);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "daemon/session/growth.h"

#include "tests/unit.h"

static void a_file_counts_what_it_has_more_than_before(void **state)
{
    struct growth g = {0};

    (void)state;
    assert_false(growth_knows(&g, 7));
    growth_note(&g, 7, 100, 130);
    assert_true(growth_knows(&g, 7));
    assert_int_equal(g.bytes, 30);
    growth_note(&g, 7, 100, 130);
    growth_note(&g, 7, 100, 145);
    assert_int_equal(g.bytes, 45);
    growth_note(&g, 0, 0, 5); /* any hash is fine */
    assert_int_equal(g.bytes, 50);
    growth_free(&g);
}

static void a_file_that_shrank_counts_whole(void **state)
{
    struct growth g = {0};

    (void)state;
    growth_note(&g, 7, 100, 130);
    growth_note(&g, 7, 0, 20);
    assert_int_equal(g.bytes, 20);
    growth_note(&g, 7, 0, 25);
    assert_int_equal(g.bytes, 25);
    growth_note(&g, 7, 0, 0);
    assert_int_equal(g.bytes, 0);
    growth_free(&g);
}

static void what_was_taken_counts_no_more(void **state)
{
    struct growth g = {0};

    (void)state;
    growth_note(&g, 7, 0, 10);
    growth_note(&g, 8, 0, 20);
    assert_int_equal(growth_take(&g), 30);
    assert_int_equal(growth_take(&g), 0);
    growth_note(&g, 7, 0, 11);
    assert_int_equal(g.bytes, 1);
    growth_free(&g);
}

static void many_files_are_kept_apart(void **state)
{
    struct growth g = {0};

    (void)state;
    for (int round = 1; round <= 2; round++) {
        for (uint64_t i = 0; i < 5000; i++)
            growth_note(&g, i * 0x10001, 0, round);
    }
    assert_int_equal(g.bytes, 10000);
    growth_free(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_counts_what_it_has_more_than_before),
        cmocka_unit_test(a_file_that_shrank_counts_whole),
        cmocka_unit_test(what_was_taken_counts_no_more),
        cmocka_unit_test(many_files_are_kept_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

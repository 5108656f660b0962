/* The folder of a machine's state, also when the host gets another name. */
#include "tests/unit.h"

#include "common/base/path.h"
#include "common/base/str.h"
#include "common/config/state_dir.h"

#include "tests/scratch.h"

static void assert_found(const char *want)
{
    char *dir = state_dir_find();

    assert_string_equal(dir, want);
    free(dir);
}

static void the_folder_goes_by_the_machine_and_not_by_the_name_of_its_host(void **state)
{
    static const char foreign[] = "0123456789abcdef0123456789abcdef\n";
    char *base = scratch_path(*state, "codeteleport"), *host = path_host_name();
    char *named = path_join(base, host), *other = path_join(base, "other"), *mark, *beside;
    struct ct_err err;

    setenv("XDG_STATE_HOME", *state, 1);
    assert_found(named); /* it need not exist */
    assert_int_equal(path_make_dirs(named, 0700, &err), 0);
    assert_found(named);
    assert_int_equal(path_make_dirs(other, 0700, &err), 0);
    assert_int_equal(state_dir_mark(other, &err), 0);
    mark = path_join(other, "machine");
    if (access(mark, F_OK) != 0) {
        print_message("this system has no machine id\n");
        skip();
    }
    assert_found(other); /* the host was called so before */
    assert_int_equal(state_dir_mark(named, &err), 0);
    assert_found(named);
    assert_int_equal(unlink(mark), 0);
    free(mark);
    mark = path_join(named, "machine");
    scratch_puts(mark, foreign);
    assert_int_equal(state_dir_mark(named, &err), 0); /* what is marked stays so */
    beside = state_dir_find();
    assert_int_equal(strncmp(beside, named, strlen(named)), 0);
    assert_int_equal(beside[strlen(named)], '-');
    free(beside);
    beside = state_dir_shared();
    assert_true(path_is_below(beside, base));
    free(beside);
    free(mark);
    free(other);
    free(named);
    free(host);
    free(base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            the_folder_goes_by_the_machine_and_not_by_the_name_of_its_host, unit_setup,
            unit_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Folders as people write them. */
#include "tests/unit.h"

#include "common/base/str.h"
#include "ctctl/ui/folder.h"

static void is(char *got, const char *want)
{
    assert_string_equal(got, want);
    free(got);
}

static void what_is_not_there_is_taken_by_its_letters(void **state)
{
    (void)state;
    is(folder_real("/nowhere/a/../b/./c//d/"), "/nowhere/b/c/d");
    is(folder_real("/nowhere/../.."), "/");
    is(folder_real("~/nowhere"), "/home/of/nowhere");
}

static void a_link_is_followed(void **state)
{
    char *real = str_printf("%s/real", (char *)*state), *link = str_printf("%s/ln", (char *)*state);

    assert_int_equal(mkdir(real, 0700), 0);
    assert_int_equal(symlink("real", link), 0);
    is(folder_real(link), real);
    free(real);
    free(link);
}

static void the_home_folder_is_a_tilde_and_its_namesakes_are_not(void **state)
{
    (void)state;
    is(folder_short("/home/of"), "~");
    is(folder_short("/home/of/x"), "~/x");
    is(folder_short("/home/office"), "/home/office");
    is(folder_short(NULL), "");
}

static void a_project_is_meant_by_its_name(void **state)
{
    (void)state;
    assert_true(folder_is_project("app", "app", "/srv/other"));
    assert_true(folder_is_project("app", NULL, "/srv/app"));
    assert_false(folder_is_project("app", "application", "/srv/application"));
    assert_false(folder_is_project("app", NULL, NULL));
    assert_false(folder_is_project("srv", "app", "/srv/app"));
}

static void a_folder_means_what_lies_in_it_and_below(void **state)
{
    (void)state;
    assert_true(folder_is_project("/srv/app", "x", "/srv/app"));
    assert_true(folder_is_project("/srv/app/", "x", "/srv/app/sub"));
    assert_true(folder_is_project("~", "x", "/home/of/app"));
    assert_true(folder_is_project("~/app", "x", "/home/of/app"));
    assert_false(folder_is_project("/srv/app", "x", "/srv/apple"));
    assert_false(folder_is_project("/srv/app/sub", "x", "/srv/app"));
    assert_false(folder_is_project("/srv/app", "x", NULL));
}

static void a_dot_means_the_current_folder(void **state)
{
    char was[4096], *here = folder_real(*state);

    assert_non_null(getcwd(was, sizeof(was)));
    assert_int_equal(chdir(here), 0);
    assert_true(folder_is_project(".", "x", here));
    assert_false(folder_is_project(".", "x", "/srv"));
    assert_int_equal(chdir(was), 0);
    free(here);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_there_is_taken_by_its_letters),
        cmocka_unit_test_setup_teardown(a_link_is_followed, unit_setup, unit_teardown),
        cmocka_unit_test(the_home_folder_is_a_tilde_and_its_namesakes_are_not),
        cmocka_unit_test(a_project_is_meant_by_its_name),
        cmocka_unit_test(a_folder_means_what_lies_in_it_and_below),
        cmocka_unit_test_setup_teardown(a_dot_means_the_current_folder, unit_setup, unit_teardown),
    };

    setenv("HOME", "/home/of", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

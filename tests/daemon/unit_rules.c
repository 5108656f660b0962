/* Which folders' sessions stay on this machine. */
#include "tests/unit.h"

#include "common/data/jdoc.h"
#include "common/base/str.h"
#include "daemon/session/rules.h"

#include "tests/scratch.h"

static void configure(struct config *c, const char *dir)
{
    memset(c, 0, sizeof(*c));
    c->state_dir = str_dup(dir);
    c->shared_dir = str_dup(dir);
}

static void clear(struct config *c)
{
    strlist_free(&c->exclude);
    strlist_free(&c->include);
    free(c->state_dir);
    free(c->shared_dir);
}

static struct rules *open_rules(const struct config *c)
{
    struct rules *e;
    struct ct_err err;

    assert_int_equal(rules_new(c, &e, &err), 0);
    return e;
}

static void say(struct rules *e, const char *path, int is_excluded, int changes)
{
    struct ct_err err;
    int changed = -1;

    assert_int_equal(rules_say(e, path, is_excluded, &changed, &err), 0);
    assert_int_equal(changed, changes);
}

static void the_longest_path_decides(void **state)
{
    struct config c;
    struct rules *e;

    configure(&c, *state);
    strlist_add(&c.exclude, "/home/al/secret");
    strlist_add(&c.include, "/home/al/secret/talk");
    strlist_add(&c.exclude, "/home/al/secret/talk/draft/");
    e = open_rules(&c);
    assert_null(rules_reason(e, NULL, "/home/al", NULL));
    assert_null(rules_reason(e, NULL, "/home/al/secrets", NULL));
    assert_non_null(rules_reason(e, NULL, "/home/al/secret", NULL));
    assert_non_null(rules_reason(e, NULL, "/home/al/secret/x/y", NULL));
    assert_null(rules_reason(e, NULL, "/home/al/secret/talk/slides", NULL));
    assert_non_null(rules_reason(e, NULL, "/home/al/secret/talk/draft", NULL));
    assert_non_null(strstr(rules_reason(e, NULL, "/home/al/secret/x", NULL), "/home/al/secret;"));
    rules_free(e);
    clear(&c);
}

static void what_was_said_beats_the_configuration_and_is_there_again(void **state)
{
    struct config c;
    struct rules *e;
    struct json_object *rules;

    configure(&c, *state);
    strlist_add(&c.exclude, "/srv/a");
    e = open_rules(&c);
    say(e, "/srv/a", 0, 1);
    say(e, "/srv/b", 1, 1);
    say(e, "/srv/b", 1, 0);
    rules_free(e);
    e = open_rules(&c);
    assert_null(rules_reason(e, NULL, "/srv/a/x", NULL));
    assert_non_null(rules_reason(e, NULL, "/srv/b", NULL));
    rules = rules_json(e);
    assert_int_equal(json_object_array_length(rules), 3);
    json_object_put(rules);
    say(e, "/srv/a", 1, 1);
    say(e, "/srv/b", 0, 1);
    assert_non_null(rules_reason(e, NULL, "/srv/a/x", NULL));
    assert_null(rules_reason(e, NULL, "/srv/b", NULL));
    rules_free(e);
    clear(&c);
}

static void what_was_said_holds_when_the_configuration_stops_saying_it(void **state)
{
    struct config c;
    struct rules *e;

    configure(&c, *state);
    strlist_add(&c.exclude, "/srv/a");
    e = open_rules(&c);
    say(e, "/srv/a", 1, 0);
    strlist_free(&c.exclude);
    rules_configure(e, &c);
    assert_non_null(rules_reason(e, NULL, "/srv/a", NULL));
    rules_free(e);
    clear(&c);
}

static void a_session_of_an_unknown_folder_counts_as_one_of_the_home_folder(void **state)
{
    struct config c;
    struct rules *e;

    configure(&c, *state);
    e = open_rules(&c);
    say(e, "/home/of", 1, 1);
    assert_non_null(rules_reason(e, NULL, NULL, NULL));
    assert_non_null(rules_reason(e, NULL, "", NULL));
    say(e, "/home/of", 0, 1);
    assert_null(rules_reason(e, NULL, NULL, NULL));
    rules_free(e);
    clear(&c);
}

static void until_its_folder_is_known_a_session_goes_by_the_name_of_its_project_folder(void **state)
{
    struct config c;
    struct rules *e;

    configure(&c, *state);
    e = open_rules(&c);
    say(e, "/srv/my.secret", 1, 1);
    say(e, "/srv/my.secret/talk", 0, 1);
    assert_non_null(rules_reason(e, NULL, NULL, "-srv-my-secret"));
    assert_non_null(rules_reason(e, NULL, "", "-srv-my-secret-x"));
    assert_null(rules_reason(e, NULL, NULL, "-srv-my-secret-talk"));
    assert_null(rules_reason(e, NULL, NULL, "-srv-my-secrets"));
    assert_null(rules_reason(e, NULL, NULL, "-srv-my"));
    assert_null(rules_reason(e, NULL, "/srv/my-secret/x", "-srv-my-secret-x"));
    rules_free(e);
    clear(&c);
}

static void a_folder_named_by_a_link_is_meant_by_its_real_name_too(void **state)
{
    struct config c;
    struct rules *e;
    char *real = str_printf("%s/real", (char *)*state), *link = str_printf("%s/ln", (char *)*state);

    configure(&c, *state);
    assert_int_equal(mkdir(real, 0700), 0);
    assert_int_equal(symlink(real, link), 0);
    strlist_add(&c.exclude, link);
    e = open_rules(&c);
    assert_non_null(rules_reason(e, NULL, real, NULL));
    assert_non_null(rules_reason(e, NULL, link, NULL));
    rules_free(e);
    clear(&c);
    free(real);
    free(link);
}

static void a_damaged_list_is_an_error_that_names_the_file(void **state)
{
    static const char *const bad[] = {"", "{", "[]", "{\"exclude\":[1],\"include\":[]}",
                                      "{\"exclude\":[\"relative\"],\"include\":[]}"};
    struct config c;
    struct rules *e;
    struct ct_err err;

    configure(&c, *state);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        free(unit_write(*state, "exclude.json", bad[i], 0600));
        assert_int_equal(rules_new(&c, &e, &err), -1);
        assert_int_equal(err.code, ERR_CONFIG);
        assert_non_null(strstr(err.msg, "exclude.json"));
    }
    clear(&c);
}

static void what_cant_be_written_does_not_hold(void **state)
{
    struct config c;
    struct rules *e;
    struct ct_err err;
    int changed;

    configure(&c, *state);
    free(c.shared_dir);
    c.shared_dir = str_printf("%s/missing", (char *)*state);
    e = open_rules(&c);
    assert_int_equal(rules_say(e, "/srv/a", 1, &changed, &err), -1);
    assert_null(rules_reason(e, NULL, "/srv/a", NULL));
    rules_free(e);
    clear(&c);
}

static void put(const char *dir, const char *path, const char *text)
{
    char *p = scratch_path(dir, "%s", path);

    scratch_puts(p, text);
    free(p);
}

/* One folder for each machine, as daemons of before had it, and one for all of them. */
static void configure_shared(struct config *c, const char *dir)
{
    memset(c, 0, sizeof(*c));
    c->state_dir = scratch_path(dir, "one");
    c->shared_dir = scratch_path(dir, "shared");
}

static void what_was_said_on_each_machine_of_before_is_taken_over_once(void **state)
{
    struct config c;
    struct rules *e;

    put(*state, "shared/x", "");
    put(*state, "one/exclude.json", "{\"exclude\":[\"/srv/a\"],\"include\":[\"/srv/b\"]}");
    put(*state, "two/exclude.json", "{\"exclude\":[\"/srv/b\"],\"include\":[\"/srv/a\"]}");
    configure_shared(&c, *state);
    e = open_rules(&c);
    /* What stays here anywhere stays here. */
    assert_non_null(rules_reason(e, NULL, "/srv/a", NULL));
    assert_non_null(rules_reason(e, NULL, "/srv/b", NULL));
    say(e, "/srv/a", 0, 1);
    rules_free(e);
    e = open_rules(&c);
    assert_null(rules_reason(e, NULL, "/srv/a", NULL));
    assert_non_null(rules_reason(e, NULL, "/srv/b", NULL));
    rules_free(e);
    /* A daemon of before goes on on one of them. */
    put(*state, "two/exclude.json", "{\"exclude\":[\"/srv/c\"],\"include\":[]}");
    e = open_rules(&c);
    assert_null(rules_reason(e, NULL, "/srv/a", NULL));
    assert_non_null(rules_reason(e, NULL, "/srv/c", NULL));
    rules_free(e);
    clear(&c);
}

static void a_session_is_excluded_by_its_id_whatever_its_folder(void **state)
{
    static const char id[] = "11111111-2222-4333-8444-555555555555";
    struct config c;
    struct rules *e, *other;
    struct ct_err err;

    configure(&c, *state);
    e = open_rules(&c);
    other = open_rules(&c);
    assert_int_equal(rules_say_id(e, id, 1, &err), 0);
    assert_non_null(rules_reason(e, id, "/srv/a", NULL));
    assert_null(rules_reason(e, NULL, "/srv/a", NULL));
    assert_true(rules_any(e));
    /* Another daemon of the same home hears of it, and loses nothing of it by speaking. */
    say(other, "/srv/x", 1, 1);
    assert_non_null(rules_reason(other, id, "/srv/a", NULL));
    assert_int_equal(rules_reload(e, &err), 0);
    assert_non_null(rules_reason(e, NULL, "/srv/x", NULL));
    assert_int_equal(rules_say_id(e, id, 0, &err), 0);
    assert_null(rules_reason(e, id, "/srv/a", NULL));
    rules_free(other);
    rules_free(e);
    clear(&c);
}

#define DIR_TEST(f) cmocka_unit_test_setup_teardown(f, unit_setup, unit_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        DIR_TEST(the_longest_path_decides),
        DIR_TEST(what_was_said_on_each_machine_of_before_is_taken_over_once),
        DIR_TEST(a_session_is_excluded_by_its_id_whatever_its_folder),
        DIR_TEST(what_was_said_beats_the_configuration_and_is_there_again),
        DIR_TEST(what_was_said_holds_when_the_configuration_stops_saying_it),
        DIR_TEST(a_session_of_an_unknown_folder_counts_as_one_of_the_home_folder),
        DIR_TEST(until_its_folder_is_known_a_session_goes_by_the_name_of_its_project_folder),
        DIR_TEST(a_folder_named_by_a_link_is_meant_by_its_real_name_too),
        DIR_TEST(a_damaged_list_is_an_error_that_names_the_file),
        DIR_TEST(what_cant_be_written_does_not_hold),
    };

    setenv("HOME", "/home/of", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

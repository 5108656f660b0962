#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agents/roots.h"
#include "common/base/str.h"

/* A configuration with the data folder /c of Claude Code, in which ${agents} were chosen. */
static struct config *chosen(const char *const *agents)
{
    struct config *c = str_calloc(1, sizeof(*c));

    c->state_dir = str_dup("/state");
    strlist_add(&c->roots, "/c");
    for (; *agents != NULL; agents++)
        strlist_add(&c->agents, *agents);
    return c;
}

static void what_is_chosen_is_watched(void **state)
{
    static const struct {
        const char *agents[3];
        const char *roots[2];
        const char *ids[2];
    } choices[] = {
        {{NULL}, {"/c"}, {"claude-code"}},
        {{"claude-code"}, {"/c"}, {"claude-code"}},
        {{"pi"}, {"/p"}, {"pi"}},
        {{"pi", "claude-code"}, {"/c", "/p"}, {"claude-code", "pi"}},
    };

    (void)state;
    setenv("PI_CODING_AGENT_SESSION_DIR", "/p", 1);
    for (size_t i = 0; i < sizeof(choices) / sizeof(choices[0]); i++) {
        struct config *c = chosen(choices[i].agents);
        size_t n = choices[i].roots[1] != NULL ? 2 : 1;
        assert_int_equal(roots_find(c, NULL), 0);
        assert_int_equal(roots_find(c, NULL), 0); /* once */
        assert_int_equal(c->roots.n, n);
        for (size_t k = 0; k < n; k++) {
            assert_string_equal(c->roots.v[k], choices[i].roots[k]);
            assert_string_equal(roots_agent(c, k)->id, choices[i].ids[k]);
        }
        assert_int_equal(roots_are_several(c), n > 1);
        config_free(c);
    }
}

static void auto_is_every_agent_that_is_known(void **state)
{
    struct config *c = chosen((const char *const[]){"auto", NULL});
    const struct agent *agent;
    size_t n = 0;

    (void)state;
    setenv("PI_CODING_AGENT_SESSION_DIR", "/p", 1);
    assert_int_equal(roots_find(c, NULL), 0);
    for (; (agent = agent_at(n)) != NULL; n++)
        assert_non_null(roots_of(c, agent));
    assert_int_equal(c->roots.n, n);
    assert_string_equal(roots_of(c, agent_find("pi")), "/p");
    assert_string_equal(roots_of(c, agent_find("claude-code")), "/c");
    config_free(c);
}

static void a_folder_is_where_the_agents_variables_say(void **state)
{
    static const struct {
        const char *dir, *sessions, *root;
    } places[] = {
        {NULL, NULL, "/home/x/.pi/agent/sessions"},
        {"/d", NULL, "/d/sessions"},
        {"/d", "/s", "/s"},
        {"", "", "/home/x/.pi/agent/sessions"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        char *root;
        unsetenv("PI_CODING_AGENT_DIR");
        unsetenv("PI_CODING_AGENT_SESSION_DIR");
        if (places[i].dir != NULL)
            setenv("PI_CODING_AGENT_DIR", places[i].dir, 1);
        if (places[i].sessions != NULL)
            setenv("PI_CODING_AGENT_SESSION_DIR", places[i].sessions, 1);
        root = agent_find("pi")->find_root();
        assert_string_equal(root, places[i].root);
        free(root);
    }
}

static void what_is_not_known_or_overlaps_is_refused(void **state)
{
    struct config *c = chosen((const char *const[]){"codx", NULL});
    struct ct_err err;

    (void)state;
    assert_int_equal(roots_find(c, &err), -1);
    assert_int_equal(err.code, ERR_CONFIG);
    assert_non_null(strstr(err.msg, "\"codx\""));
    assert_non_null(strstr(err.msg, "\"pi\""));
    config_free(c);
    setenv("PI_CODING_AGENT_SESSION_DIR", "/c/below", 1);
    c = chosen((const char *const[]){"auto", NULL});
    assert_int_equal(roots_find(c, &err), -1);
    assert_int_equal(err.code, ERR_CONFIG);
    assert_non_null(strstr(err.msg, "overlap"));
    config_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(auto_is_every_agent_that_is_known),
        cmocka_unit_test(a_folder_is_where_the_agents_variables_say),
        cmocka_unit_test(what_is_chosen_is_watched),
        cmocka_unit_test(what_is_not_known_or_overlaps_is_refused),
    };

    setenv("HOME", "/home/x", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

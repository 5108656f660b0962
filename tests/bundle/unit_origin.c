/* Whose a session was: what was noted of it. */
#include "tests/unit.h"

#include "bundle/install/origin.h"
#include "common/base/file.h"
#include "common/base/str.h"

#define ID "00000000-0000-4000-8000-000000000001"

static void write_to(const char *dir, const char *text)
{
    char *path = str_printf("%s/origins/" ID, dir);

    assert_int_equal(file_replace(path, text, strlen(text), 0600, NULL), 0);
    free(path);
}

static void what_was_noted_is_never_raised(void **state)
{
    static const enum trust steps[][2] = {
        /* noted, and what it is then */
        {TRUST_OWN, TRUST_OWN},          {TRUST_ACCOUNT, TRUST_ACCOUNT},
        {TRUST_OWN, TRUST_ACCOUNT},      {TRUST_STRANGER, TRUST_STRANGER},
        {TRUST_ACCOUNT, TRUST_STRANGER}, {TRUST_OWN, TRUST_STRANGER},
    };
    char *dir = *state;

    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        assert_int_equal(origin_note(dir, ID, steps[i][0], NULL), 0);
        assert_int_equal(origin_of(dir, &(struct strlist){0}, ID), steps[i][1]);
    }
}

static void what_can_not_be_read_is_a_strangers(void **state)
{
    static const char *const texts[] = {
        "",
        "own ",
        "Own",
        "account\n",
        "stranger",
        "x",
        "a much longer text than any word that is written there, and so refused"};
    char *dir = *state;

    assert_int_equal(origin_note(dir, ID, TRUST_ACCOUNT, NULL), 0);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        write_to(dir, texts[i]);
        assert_int_equal(origin_of(dir, &(struct strlist){0}, ID), TRUST_STRANGER);
    }
}

static void an_id_that_is_none_is_no_path(void **state)
{
    char *dir = *state;

    assert_int_equal(origin_note(dir, "../../x", TRUST_STRANGER, NULL), -1);
}

/* Either of the two folders may be lost, or damaged. */
static void what_lies_beside_the_session_outlives_the_state(void **state)
{
    char *dir = *state, *root = str_printf("%s/data", dir), *other = str_printf("%s/more", dir);
    char *beside = str_printf("%s/.codeteleport", root);
    char *const folders[] = {other, root};
    const struct strlist roots = {.v = (char **)folders, .n = 2};

    assert_int_equal(origin_note_beside(root, ID, TRUST_ACCOUNT, NULL), 0);
    assert_int_equal(origin_of(dir, &roots, ID), TRUST_ACCOUNT);
    assert_int_equal(origin_note(dir, ID, TRUST_STRANGER, NULL), 0);
    assert_int_equal(origin_of(dir, &roots, ID), TRUST_STRANGER);
    assert_int_equal(origin_note_beside(root, ID, TRUST_OWN, NULL), 0);
    assert_int_equal(origin_of(other, &roots, ID), TRUST_ACCOUNT);
    write_to(beside, "x");
    assert_int_equal(origin_of(other, &roots, ID), TRUST_STRANGER);
    free(beside);
    free(other);
    free(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(what_was_noted_is_never_raised),
        UNIT(what_can_not_be_read_is_a_strangers),
        UNIT(an_id_that_is_none_is_no_path),
        UNIT(what_lies_beside_the_session_outlives_the_state),
    };

    return cmocka_run_group_tests_name("origin", tests, NULL, NULL);
}

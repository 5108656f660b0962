/* Whose a session was: what was noted of it. */
#include <errno.h>

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
        assert_int_equal(origin_note(dir, NULL, ID, steps[i][0], NULL, NULL), 0);
        assert_int_equal(origin_of(dir, &(struct strlist){0}, ID), steps[i][1]);
    }
}

static void what_can_not_be_read_is_a_strangers(void **state)
{
    static const char *const texts[] = {
        "",          "own ",
        "Own",       "account \n",
        "\naccount", "stranger",
        "x",         "a much longer text than any word that is written there, and so refused"};
    char *dir = *state;

    assert_int_equal(origin_note(dir, NULL, ID, TRUST_ACCOUNT, NULL, NULL), 0);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        write_to(dir, texts[i]);
        assert_int_equal(origin_of(dir, &(struct strlist){0}, ID), TRUST_STRANGER);
    }
}

static void an_id_that_is_none_is_no_path(void **state)
{
    char *dir = *state;

    assert_int_equal(origin_note(dir, NULL, "../../x", TRUST_STRANGER, NULL, NULL), -1);
}

struct place {
    char *state, *root, *lost; /* ${lost}: a state folder that was lost and is empty */
    char *dirs[2];
    struct strlist roots;
};

static void make_place(const char *dir, struct place *p)
{
    p->state = str_printf("%s/state", dir);
    p->root = str_printf("%s/data", dir);
    p->lost = str_printf("%s/lost", dir);
    assert_int_equal(mkdir(p->root, 0700), 0);
    assert_int_equal(mkdir(p->lost, 0700), 0);
    p->dirs[0] = p->lost;
    p->dirs[1] = p->root;
    p->roots = (struct strlist){.v = p->dirs, .n = 2};
}

static void clear_place(struct place *p)
{
    free(p->state);
    free(p->root);
    free(p->lost);
}

static char *beside(const struct place *p, const char *rest)
{
    return str_printf("%s/.codeteleport%s", p->root, rest);
}

/* Either of the two folders may be lost, or damaged. */
static void what_lies_beside_the_session_outlives_the_state(void **state)
{
    struct place p;
    char *dir;

    make_place(*state, &p);
    assert_int_equal(origin_note(p.state, p.root, ID, TRUST_ACCOUNT, NULL, NULL), 0);
    assert_int_equal(origin_of(p.lost, &p.roots, ID), TRUST_ACCOUNT);
    assert_int_equal(origin_note(p.state, NULL, ID, TRUST_STRANGER, NULL, NULL), 0);
    assert_int_equal(origin_of(p.state, &p.roots, ID), TRUST_STRANGER);
    assert_int_equal(origin_note(p.lost, p.root, ID, TRUST_OWN, NULL, NULL), 0);
    assert_int_equal(origin_of(p.lost, &p.roots, ID), TRUST_ACCOUNT);
    dir = beside(&p, "");
    write_to(dir, "x");
    assert_int_equal(origin_of(p.lost, &p.roots, ID), TRUST_STRANGER);
    free(dir);
    clear_place(&p);
}

/* A link may lead to where nothing is, or to where somebody else writes. */
static void a_link_on_the_way_is_a_strangers_and_takes_no_note(void **state)
{
    static const char *const links[] = {"", "/origins", ("/origins/" ID)};
    struct place p;
    char *elsewhere = str_printf("%s/elsewhere", (char *)*state), *cmd;
    struct ct_err err;

    make_place(*state, &p);
    for (size_t i = 0; i < 6; i++) {
        char *link = beside(&p, links[i % 3]);
        cmd =
            str_printf("rm -rf '%s' '%s/.codeteleport' '%s' && mkdir -p -m 700 \"$(dirname '%s')\" "
                       "&& ln -s '%s' '%s'",
                       p.state, p.root, elsewhere, link, elsewhere, link);
        assert_int_equal(system(cmd), 0);
        if (i >= 3) /* else it dangles */
            assert_int_equal(mkdir(elsewhere, 0700), 0);
        assert_int_equal(origin_of(p.lost, &p.roots, ID), TRUST_STRANGER);
        if (i % 3 != 2) {
            assert_int_equal(origin_note(p.state, p.root, ID, TRUST_STRANGER, NULL, &err), -1);
            /* Of what is refused nothing stays. */
            assert_int_equal(origin_of(p.state, &(struct strlist){0}, ID), TRUST_OWN);
        }
        free(cmd);
        free(link);
    }
    free(elsewhere);
    clear_place(&p);
}

#define FORK "00000000-0000-4000-8000-000000000002"
#define FIRST "00000000-0000-4000-8000-00000000000a"
#define LATER "00000000-0000-4000-8000-00000000000b"
#define OTHER "00000000-0000-4000-8000-00000000000c"

static void a_fork_is_whose_that_is_which_it_is_a_fork_of(void **state)
{
    static const struct {
        const char *begins;
        enum trust trust;
    } cases[] = {{FIRST, TRUST_ACCOUNT}, {LATER, TRUST_ACCOUNT}, {OTHER, TRUST_OWN}};
    struct strlist begins = {0};
    struct place p;

    make_place(*state, &p);
    strlist_add(&begins, FIRST);
    assert_int_equal(origin_note(p.state, p.root, ID, TRUST_ACCOUNT, &begins, NULL), 0);
    strlist_free(&begins);
    strlist_add(&begins, LATER); /* as after a compaction */
    assert_int_equal(origin_note(p.state, p.root, ID, TRUST_OWN, &begins, NULL), 0);
    strlist_free(&begins);
    for (int is_lost = 0; is_lost < 2; is_lost++) {
        for (size_t i = 0; i < 3; i++) {
            const char *at = is_lost ? p.lost : p.state;
            char *note = str_printf("%s/origins/" FORK, at);
            strlist_add(&begins, cases[i].begins);
            (void)unlink(note);
            assert_int_equal(origin_inherit(at, &p.roots, FORK, &begins, NULL), 0);
            assert_int_equal(origin_of(at, &p.roots, FORK), cases[i].trust);
            strlist_free(&begins);
            free(note);
        }
    }
    clear_place(&p);
}

static void a_note_stays_small_and_readable(void **state)
{
    struct strlist begins = {0};
    char id[64];

    for (int i = 0; i < 40000; i++) {
        snprintf(id, sizeof(id), "00000000-0000-4000-8000-%012x", (unsigned)i);
        strlist_add(&begins, id);
    }
    assert_int_equal(origin_note(*state, NULL, ID, TRUST_ACCOUNT, &begins, NULL), 0);
    assert_int_equal(origin_of(*state, &(struct strlist){0}, ID), TRUST_ACCOUNT);
    strlist_free(&begins);
}

static void what_is_noted_of_one_agents_says_nothing_of_anothers(void **state)
{
    struct strlist none = {0};
    char key[ORIGIN_KEY_SIZE];

    assert_string_equal(origin_key(NULL, ID, key), ID);
    assert_string_equal(origin_key("claude-code", ID, key), ID);
    assert_string_equal(origin_key("../x", ID, key), ID);
    assert_string_equal(origin_key("pi", ID, key), ID ".pi");
    assert_int_equal(origin_note(*state, NULL, key, TRUST_STRANGER, NULL, NULL), 0);
    assert_int_equal(origin_of(*state, &none, key), TRUST_STRANGER);
    assert_int_equal(origin_of(*state, &none, ID), TRUST_OWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT(what_was_noted_is_never_raised),
        UNIT(what_can_not_be_read_is_a_strangers),
        UNIT(an_id_that_is_none_is_no_path),
        UNIT(what_lies_beside_the_session_outlives_the_state),
        UNIT(a_link_on_the_way_is_a_strangers_and_takes_no_note),
        UNIT(a_fork_is_whose_that_is_which_it_is_a_fork_of),
        UNIT(what_is_noted_of_one_agents_says_nothing_of_anothers),
        UNIT(a_note_stays_small_and_readable),
    };

    return cmocka_run_group_tests_name("origin", tests, NULL, NULL);
}

#include <sys/stat.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "agents/agent.h"
#include "agents/inventory.h"
#include "common/base/path.h"
#include "common/base/str.h"

#include "tests/scratch.h"

#define A "11111111-2222-4333-8444-555555555555"
#define B "22222222-2222-4333-8444-555555555555"
#define C "33333333-2222-4333-8444-555555555555"

static struct inventory look(const char *root)
{
    struct ct_err err = {0};
    struct inventory inv;

    assert_int_equal(inventory_take(agent_unnamed(), root, &inv, &err), 0);
    return inv;
}

static void make(const char *root, const char *name)
{
    char *path = scratch_path(root, "%s", name);

    if (name[strlen(name) - 1] == '/')
        assert_int_equal(path_make_dirs(path, 0700, NULL), 0);
    else
        scratch_puts(path, "x");
    free(path);
}

/* Names as that version of Claude Code left them, one a line. */
static void make_version(const char *root, const char *version)
{
    char *list =
             str_printf("%s/tests/fixtures/names/claude-code-%s.names", getenv("CT_SRC"), version),
         line[1024];
    FILE *f = fopen(list, "r");

    if (f == NULL)
        fail_msg("no %s", list);
    while (fgets(line, sizeof(line), f) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        make(root, line);
    }
    fclose(f);
    free(list);
}

static void no_version_has_left_a_name_that_is_unknown(void **state)
{
    static const char *const versions[] = {"1.0.60", "2.0.1", "2.1.197", "2.1.332"};

    (void)state;
    if (getenv("CT_SRC") == NULL)
        skip();
    for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
        char *root = scratch_new();
        struct inventory inv;
        make_version(root, versions[i]);
        inv = look(root);
        for (size_t k = 0; k < inv.n; k++)
            print_message("%s: %s\n", versions[i], inv.folders[k].example);
        assert_int_equal(inv.files, 0);
        inventory_clear(&inv);
        scratch_free(root);
    }
}

static void what_is_unknown_is_counted_by_folder(void **state)
{
    static const char *const files[] = {
        "jobs/0a1b2c3d/state.json",
        "jobs/0a1b2c3d/deep/er/log",
        "jobs/x.json",
        "notes.txt",
        "projects/-home-u/" A ".jsonl",
        "projects/-home-u/" A ".precompact.json",
        "projects/-home-u/" A "/anything/at/all",
        "projects/-home-u/other/x.jsonl",
        "debug/" A ".txt",
        "plugins/store/x/y",
        "history.jsonl.lock/lease",
        "projects/-home-u/memory/MEMORY.md.lock",
        "settings.local.json",
    };
    char *root = scratch_new();
    struct inventory inv;

    (void)state;
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        make(root, files[i]);
    inv = look(root);
    assert_int_equal(inv.n, 4);
    assert_string_equal(inv.folders[0].path, "");
    assert_string_equal(inv.folders[0].example, "notes.txt");
    assert_string_equal(inv.folders[1].path, "jobs");
    assert_int_equal(inv.folders[1].files, 3);
    assert_string_equal(inv.folders[2].path, "projects/-home-u");
    assert_string_equal(inv.folders[2].example, "projects/-home-u/" A ".precompact.json");
    assert_string_equal(inv.folders[3].path, "projects/-home-u/other");
    assert_int_equal(inv.files, 6);
    inventory_clear(&inv);
    scratch_free(root);
}

static void what_is_known_is_not_entered(void **state)
{
    char *root = scratch_new(), *debug;
    struct inventory inv;

    (void)state;
    make(root, "debug/deep/x.txt");
    debug = scratch_path(root, "debug");
    assert_int_equal(chmod(debug, 0), 0); /* whoever is root enters it all the same */
    inv = look(root);
    assert_int_equal(inv.files, 0);
    assert_int_equal(chmod(debug, 0700), 0);
    free(debug);
    inventory_clear(&inv);
    scratch_free(root);
}

static void many_unknown_files_are_not_counted_to_the_end(void **state)
{
    char *root = scratch_new(), name[64];
    struct inventory inv;

    (void)state;
    for (int i = 0; i < INVENTORY_MAX + 10; i++) {
        snprintf(name, sizeof(name), "jobs/%d/x", i % 7);
        if (i < 7)
            make(root, name);
        snprintf(name, sizeof(name), "%s/jobs/%d/%d", root, i % 7, i);
        if (symlink("nowhere", name) != 0)
            fail_msg("can't make %s", name);
    }
    inv = look(root);
    assert_int_equal(inv.n, 1);
    assert_int_equal(inv.folders[0].files, INVENTORY_MAX);
    assert_true(inv.folders[0].is_cut);
    inventory_clear(&inv);
    scratch_free(root);
}

static void what_has_no_transcript_is_named(void **state)
{
    char *root = scratch_new();
    struct inventory inv;

    (void)state;
    make(root, "projects/-a/" A ".jsonl");
    make(root, "projects/-b/" A "/subagents/agent-1.jsonl");
    make(root, "file-history/" A "/0123456789abcdef@v1");
    make(root, "projects/-a/" B "/subagents/agent-1.jsonl");
    make(root, "projects/-a/" B "/subagents/agent-2.jsonl");
    make(root, "tasks/" C "/.lock");
    inv = look(root);
    assert_int_equal(inv.n_orphans, 1);
    assert_string_equal(inv.orphans[0].session_id, B);
    assert_string_equal(inv.orphans[0].path, "projects/-a/" B);
    assert_int_equal(inv.orphans[0].files, 2);
    assert_int_equal(inv.files, 0);
    inventory_clear(&inv);
    scratch_free(root);
}

static void no_data_folder_has_nothing_unknown(void **state)
{
    struct inventory inv = look("/nonexistent/data/folder");

    (void)state;
    assert_int_equal(inv.files, 0);
    inventory_clear(&inv);
}

/* Whoever takes a file must know its name, and nobody takes what is no session's. */
static void the_table_agrees_with_who_takes_what(void **state)
{
    static const char *const files[] = {
        "projects/-home-u/" A ".jsonl",
        "projects/-home-u/" A "/x/y",
        "projects/-home-u/agent-12.jsonl",
        "projects/-home-u/memory/MEMORY.md",
        "projects/-home-u/memory/a/b.md",
        "projects/-home-u/sessions-index.json",
        "projects/-home-u/" A ".precompact.json",
        "projects/-home-u/x.jsonl",
        "projects/x",
        "file-history/" A "/0123456789abcdef@v2",
        "file-history/x/0123456789abcdef@v2",
        "tasks/" A "/1.json",
        "tasks/" A "/.lock",
        "todos/" A "-agent-" A ".json",
        "todos/x.json",
        "plans/quiet-fox.md",
        "plans/x/y.md",
        "paste-cache/0123.txt",
        "history.jsonl",
        "settings.json",
        ".credentials.json",
        "CLAUDE.md",
        "skills/x/SKILL.md",
        ("session-env/" A "/hook.sh"),
        "shell-snapshots/x.sh",
        "debug/x",
        "jobs/x",
        "notes.txt",
        "sessions/12.key",
        ("projects/-home-u/" A),
        "plans/x.tmp",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        struct agent_path place;
        int is_taken;
        agent_unnamed()->classify(files[i], &place);
        is_taken = place.kind != AGENT_NOTHING && place.kind != AGENT_LIVE;
        if (is_taken != (agent_unnamed()->fate(files[i]) == AGENT_OF_SESSION))
            fail_msg("%s: %s, but the table says otherwise", files[i],
                     is_taken ? "taken" : "not taken");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_version_has_left_a_name_that_is_unknown),
        cmocka_unit_test(what_is_unknown_is_counted_by_folder),
        cmocka_unit_test(what_is_known_is_not_entered),
        cmocka_unit_test(many_unknown_files_are_not_counted_to_the_end),
        cmocka_unit_test(what_has_no_transcript_is_named),
        cmocka_unit_test(no_data_folder_has_nothing_unknown),
        cmocka_unit_test(the_table_agrees_with_who_takes_what),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

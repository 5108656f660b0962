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

#include "bundle/pack/manifest.h"
#include "common/base/str.h"

#include "tests/bundle/bundle_lab.h"
#include "tests/scratch.h"

/* Does a bundle hold all that an earlier one held?  One file of each kind, and all that can happen
 * to one. */

#define SLUGGED \
    "{\"type\":\"user\",\"slug\":\"calm-fox\",\"cwd\":\"/home/alice/" \
    "app\",\"message\":{\"content\":" \
    "\"hello\"}}\n"
#define OTHER_COPY \
    "{\"type\":\"user\",\"cwd\":\"/home/alice/app\",\"message\":{\"content\":\"only there\"}}\n"
#define PROMPT(text) \
    "{\"display\":\"" text "\",\"sessionId\":\"" A "\",\"project\":\"/home/alice/app\"}\n"

static const struct {
    const char *path, *text;
} files[] = {
    {TRANSCRIPT, SLUGGED SLUGGED},
    {"projects/-home-alice-app/" A "/subagents/agent-1.jsonl", LINE LINE},
    {"projects/-home-alice-app/" A "/tool-results/x.txt", "result one\n"},
    {"projects/-home-alice-app/memory/MEMORY.md", "- learnt one\n"},
    {"file-history/" A "/0123456789abcdef@v1", "a version\n"},
    {"tasks/" A "/1.json", "{\"id\":\"1\",\"subject\":\"work\"}\n"},
    {"todos/" A "-agent-" A ".json", "[\"work and that\"]\n"},
    {"plans/calm-fox.md", "a plan of some length\n"},
    {"plans/calm-fox-agent-a1.md", "an agent's plan, some words\n"},
    {"uploads/" A "/deep/notes.txt", "something uploaded\n"},
    {"tasks/session-11111111/1.json", "{\"id\":\"1\",\"subject\":\"of the team\"}\n"},
    {"projects/-home-alice-other/" A ".jsonl", OTHER_COPY},
    {"history.jsonl", PROMPT("first") PROMPT("second")},
};

enum what { NOTHING, APPEND, OTHER, LONGER, SHORTER, EMPTY, GONE };

static char *changed(const char *text, enum what what)
{
    size_t n = strlen(text);
    char *s = what == LONGER || what == APPEND ? str_printf("%s%s", text, text) : str_dup(text);
    char *other = strpbrk(s, "or"); /* a letter within a text, so that JSON stays JSON */

    if (what == OTHER || what == LONGER)
        *other = *other == 'o' ? 'u' : 's';
    if (what == SHORTER)
        s[strcspn(s, "\n") == n - 1 ? n / 2 : strcspn(s, "\n") + 1] = '\0';
    if (what == EMPTY)
        s[0] = '\0';
    return s;
}

/* Make the second bundle and say whether it contains the first one. */
static int contains(size_t file, enum what what)
{
    struct lab *l = lab_new();
    struct buf stored = {0};
    char *path, *text;
    int yes;

    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        lab_put(l, files[i].path, files[i].text);
    lab_must_pack(l);
    assert_false(l->r.contains_stored); /* of nothing */
    buf_add(&stored, l->r.manifest.data, l->r.manifest.len);
    l->opts.stored = stored.data;
    l->opts.stored_bytes = stored.len;
    path = scratch_path(l->root, "%s", files[file].path);
    text = changed(files[file].text, what);
    if (what == GONE)
        assert_int_equal(unlink(path), 0);
    else if (what != NOTHING)
        lab_put(l, files[file].path, text);
    lab_put(l, "projects/-home-alice-app/" A "/tool-results/new.txt", "more");
    lab_must_pack(l);
    yes = l->r.contains_stored;
    free(text);
    free(path);
    buf_free(&stored);
    lab_free(l);
    return yes;
}

static void an_entry_is_contained_in_what_begins_with_it_and_in_nothing_else(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        for (int what = NOTHING; what <= GONE; what++) {
            if (i == 0 && what == GONE)
                continue; /* then there is no session */
            if (contains(i, (enum what)what) != (what == NOTHING || what == APPEND))
                fail_msg("%s, change %d", files[i].path, what);
        }
    }
}

/* Lengths around the blocks in which contents are digested. */
static void a_prefix_is_found_wherever_it_ends(void **state)
{
    static const size_t lengths[] = {1, MIB - 1, MIB, MIB + 1, 2 * MIB, 2 * MIB + 77};
    struct buf b = {0};

    (void)state;
    for (size_t i = 0; i < 3 * MIB; i++)
        buf_addc(&b, (char)('a' + i * 7 % 26 + i / MIB));
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        struct lab *l = lab_new();
        char *path = scratch_path(l->root, "projects/-home-alice-app/" A "/tool-results/big");
        struct buf stored = {0};
        lab_put(l, TRANSCRIPT, LINE);
        scratch_write(path, b.data, lengths[i]);
        lab_must_pack(l);
        buf_add(&stored, l->r.manifest.data, l->r.manifest.len);
        l->opts.stored = stored.data;
        l->opts.stored_bytes = stored.len;
        scratch_write(path, b.data, b.len);
        lab_must_pack(l);
        assert_true(l->r.contains_stored);
        b.data[lengths[i] - 1] ^= 1;
        scratch_write(path, b.data, b.len);
        lab_must_pack(l);
        assert_false(l->r.contains_stored);
        b.data[lengths[i] - 1] ^= 1;
        buf_free(&stored);
        free(path);
        lab_free(l);
    }
    buf_free(&b);
}

static void what_is_no_manifest_contains_nothing(void **state)
{
    (void)state;
    assert_null(manifest_load("", 0));
    assert_null(manifest_load("12345", 5));
    assert_false(manifest_is_met(NULL));
    assert_int_equal(manifest_length(NULL, "x"), -1);
    manifest_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_entry_is_contained_in_what_begins_with_it_and_in_nothing_else),
        cmocka_unit_test(a_prefix_is_found_wherever_it_ends),
        cmocka_unit_test(what_is_no_manifest_contains_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

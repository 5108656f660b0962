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

#include "bundle/pack/pack.h"
#include "bundle/pack/pack_meta.h"
#include "bundle/pack/snapshot.h"
#include "common/base/buf.h"
#include "common/data/jdoc.h"
#include "common/base/str.h"
#include "tests/scratch.h"

#include "tests/bundle/bundle_lab.h"

static void note_pair(void *arg, const char *path, const char *reason)
{
    buf_printf(arg, "%s: %s\n", path, reason);
}

static void note_path(void *arg, const char *path)
{
    buf_printf(arg, "%s\n", path);
}

static void note_file(void *arg, const struct snapshot_file *f)
{
    buf_printf(arg, "%s %lld %d\n", f->path, (long long)f->size_bytes, f->is_attachment);
}

/* ---- what goes in -------------------------------------------------------------------------------
 */

static void everything_of_the_session_is_in_and_nothing_else(void **state)
{
    struct lab *l = lab_new();

    (void)state;
    lab_put(l, TRANSCRIPT,
            "{\"type\":\"user\",\"slug\":\"quiet-fox\",\"pasted\":{\"contentHash\":\"beef\"}}\n");
    lab_put(l, "projects/-home-alice-app/" A "/subagents/agent-1.jsonl", "{}\n");
    lab_put(l, "projects/-home-alice-app/" A "/tool-results/deep/x", "x");
    lab_put(l, "projects/-home-alice-app/agent-2.jsonl", "{\"sessionId\":\"" A "\"}\n");
    lab_put(l, "projects/-home-alice-app/agent-3.jsonl", "{\"sessionId\":\"" B "\"}\n");
    lab_put(l, "projects/-home-alice-app/memory/MEMORY.md", "remember");
    lab_put(l, "projects/-home-alice-app/sessions-index.json", "no");
    lab_put(l, "projects/-home-alice-app/" B ".jsonl", "no\n");
    lab_put(l, "file-history/" A "/0123456789abcdef@v1", "old");
    lab_put(l, "file-history/" B "/0123456789abcdef@v1", "no");
    lab_put(l, "tasks/" A "/1.json", "{}");
    lab_put(l, "tasks/" A "/.lock", "no");
    lab_put(l, "todos/" A "-agent-" A ".json", "[]");
    lab_put(l, "todos/" B "-agent-" A ".json", "no");
    lab_put(l, "plans/quiet-fox.md", "plan");
    lab_put(l, "plans/other.md", "no");
    lab_put(l, "paste-cache/beef.txt", "of the transcript");
    lab_put(l, "paste-cache/feed.txt", "of the history");
    lab_put(l, "paste-cache/other.txt", "no");
    lab_put(
        l, "history.jsonl",
        "{\"sessionId\":\"" B "\",\"display\":\"" A "\"}\n"
        "{\"display\":\"1\",\"sessionId\":\"" A "\"}\n"
        "{\"display\":\"2\",\"pastedContents\":{\"1\":{\"contentHash\":\"feed\"}},\"sessionId\":"
        "\"" A "\"}\n"
        "{\"sessionId\":\"" B "\"}\n"
        "{\"display\":\"3\",\"sessionId\":\"" A "\"}\n"
        "{\"display\":\"torn\",\"sessionId\":\"" A "\"");
    lab_put(l, "session-env/" A "/hook.sh", "no");
    lab_put(l, ".credentials.json", "no");
    lab_put(l, "debug/" A ".txt", "no");
    lab_must_pack(l);
    lab_names(l, "session.jsonl 67\n"
                 "file-history/0123456789abcdef@v1 3\n"
                 "history.jsonl 247\n"
                 "memory/MEMORY.md 8\n"
                 "paste-cache/beef.txt 17\n"
                 "paste-cache/feed.txt 14\n"
                 "plans/quiet-fox.md 4\n"
                 "session-subdir/subagents/agent-1.jsonl 3\n"
                 "session-subdir/subagents/agent-2.jsonl 53\n"
                 "session-subdir/tool-results/deep/x 1\n"
                 "tasks/1.json 2\n"
                 "todos/" A "-agent-" A ".json 2\n");
    lab_has(l, "history.jsonl",
            "{\"display\":\"1\",\"sessionId\":\"" A "\"}\n"
            "{\"display\":\"2\",\"pastedContents\":{\"1\":{\"contentHash\":\"feed\"}},"
            "\"sessionId\":\"" A "\"}\n"
            "{\"display\":\"3\",\"sessionId\":\"" A "\"}\n");
    assert_int_equal(jdoc_int(l->r.metadata, "subagentCount", -1), 2);
    assert_int_equal(jdoc_int(l->r.metadata, "memoryFileCount", -1), 1);
    assert_true(jdoc_bool(l->r.metadata, "hasFileHistory", 0));
    assert_true(jdoc_bool(l->r.metadata, "hasPasteCache", 0));
    assert_true(jdoc_bool(l->r.metadata, "hasMemory", 0));
    lab_free(l);
}

static void the_transcript_ends_at_its_last_newline(void **state)
{
    struct lab *l = lab_new();
    struct snapshot *s;

    (void)state;
    lab_put(l, TRANSCRIPT, LINE "{\"torn\":");
    s = lab_take(l);
    assert_int_equal(snapshot_transcript_bytes(s), sizeof(LINE) - 1);
    assert_string_equal(snapshot_project(s), "-home-alice-app");
    snapshot_free(s);
    lab_must_pack(l);
    lab_has(l, "session.jsonl", LINE);
    assert_int_equal(jdoc_int(l->r.metadata, "jsonlSizeBytes", -1), sizeof(LINE) - 1);
    lab_free(l);
}

static void a_transcript_without_a_complete_line_is_a_session(void **state)
{
    struct lab *l = lab_new();

    (void)state;
    lab_put(l, TRANSCRIPT, "");
    lab_must_pack(l);
    lab_names(l, "session.jsonl 0\n");
    lab_put(l, TRANSCRIPT, "{\"type\":");
    lab_must_pack(l);
    lab_names(l, "session.jsonl 0\n");
    assert_string_equal(jdoc_str(l->r.metadata, "cwd"), "/home/alice");
    assert_null(jdoc_str(l->r.metadata, "projectName"));
    lab_free(l);
}

static void strange_names_go_in_byte_for_byte(void **state)
{
    static const char *const names[] = {
        "new\nline",    "tab\tname",      "latin1-\xe4",      "utf8-\xc3\xa4\xe2\x98\x83",
        "\x01\x7f\x80", "back\\slash",    " lead and trail ", "quote\"'",
        "-dash",        "a=b\n17 path=x",
    };
    struct lab *l = lab_new();

    (void)state;
    lab_put(l, TRANSCRIPT, LINE);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char *p = scratch_path(l->root, "projects/-home-alice-app/%s/%s", A, names[i]);
        scratch_puts(p, names[i]);
        free(p);
    }
    lab_must_pack(l);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char *entry = str_printf("session-subdir/%s", names[i]);
        lab_has(l, entry, names[i]);
        free(entry);
    }
    lab_free(l);
}

static void a_name_that_no_reader_would_take_is_reported(void **state)
{
    struct lab *l = lab_new();
    struct buf path = {0}, skipped = {0};
    struct snapshot *s;

    (void)state;
    lab_put(l, TRANSCRIPT, LINE);
    buf_addstr(&path, "projects/-home-alice-app/" A);
    for (int i = 0; i < 6; i++) {
        buf_addc(&path, '/');
        for (int k = 0; k < 200; k++)
            buf_addc(&path, 'n');
    }
    lab_put(l, path.data, "x");
    s = lab_take(l);
    snapshot_each_skipped(s, note_pair, &skipped);
    assert_non_null(strstr(skipped.data, "too long"));
    snapshot_free(s);
    buf_free(&path);
    buf_free(&skipped);
    lab_free(l);
}

static void links_fifos_and_files_of_others_are_left_out_and_named(void **state)
{
    struct lab *l = lab_new();
    struct buf skipped = {0};
    char *secret = scratch_path(l->dir, "secret/id_rsa"), *p;
    struct snapshot *s;

    (void)state;
    scratch_puts(secret, "secret");
    lab_put(l, TRANSCRIPT, LINE);
    lab_put(l, "projects/-home-alice-app/" A "/tool-results/ok", "ok");
    p = scratch_path(l->root, "projects/-home-alice-app/" A "/link");
    assert_int_equal(symlink(secret, p), 0);
    free(p);
    p = scratch_path(l->root, "projects/-home-alice-app/" A "/folder");
    assert_int_equal(symlink("../../../../secret", p), 0);
    free(p);
    p = scratch_path(l->root, "projects/-home-alice-app/" A "/fifo");
    assert_int_equal(mkfifo(p, 0600), 0);
    free(p);
    p = scratch_path(l->root, "file-history");
    assert_int_equal(symlink("../secret", p), 0);
    free(p);
    if (geteuid() == 0) {
        lab_put(l, "projects/-home-alice-app/" A "/theirs", "theirs");
        p = scratch_path(l->root, "projects/-home-alice-app/" A "/theirs");
        assert_int_equal(chown(p, 12345, 12345), 0);
        free(p);
    }
    p = scratch_path(l->root, "projects/-home-alice-app/" A "/hard");
    assert_int_equal(link(secret, p), 0); /* hard links are fine */
    free(p);
    s = lab_take(l);
    snapshot_each_skipped(s, note_pair, &skipped);
    assert_non_null(strstr(skipped.data, A "/link: symbolic link\n"));
    assert_non_null(strstr(skipped.data, A "/folder: symbolic link\n"));
    assert_non_null(strstr(skipped.data, A "/fifo: not a regular file\n"));
    assert_non_null(strstr(skipped.data, "file-history/" A ": symbolic link\n"));
    if (geteuid() == 0)
        assert_non_null(strstr(skipped.data, A "/theirs: belongs to another user\n"));
    assert_int_equal(lab_pack(l, s), 0);
    snapshot_free(s);
    lab_names(l, "session.jsonl 70\nsession-subdir/hard 6\nsession-subdir/tool-results/ok 2\n");
    buf_free(&skipped);
    free(secret);
    lab_free(l);
}

static void a_transcript_that_is_a_link_fails_with_the_reason(void **state)
{
    struct lab *l = lab_new();
    struct snapshot *s;
    char *p;

    (void)state;
    assert_int_equal(snapshot_take(&l->take, &s, &l->err), -1);
    assert_int_equal(l->err.code, ERR_GONE);
    lab_put(l, "elsewhere", LINE);
    lab_put(l, "projects/-home-alice-app/x", "");
    p = scratch_path(l->root, TRANSCRIPT);
    assert_int_equal(symlink("../../elsewhere", p), 0);
    assert_int_equal(snapshot_take(&l->take, &s, &l->err), -1);
    assert_int_equal(l->err.code, ERR_FAIL);
    assert_non_null(strstr(l->err.msg, "symbolic link"));
    assert_int_equal(unlink(p), 0);
    assert_int_equal(mkfifo(p, 0600), 0);
    assert_int_equal(snapshot_take(&l->take, &s, &l->err), -1);
    assert_int_equal(l->err.code, ERR_FAIL);
    free(p);
    lab_free(l);
}

static void the_root_itself_may_be_a_link(void **state)
{
    struct lab *l = lab_new();
    char *link = scratch_path(l->dir, "link");

    (void)state;
    lab_put(l, TRANSCRIPT, LINE);
    assert_int_equal(symlink("root", link), 0);
    l->take.root = link;
    lab_must_pack(l);
    lab_has(l, "session.jsonl", LINE);
    free(link);
    lab_free(l);
}

static void the_longest_of_two_transcripts_counts(void **state)
{
    struct lab *l = lab_new();
    struct buf duplicates = {0}, skipped = {0};
    struct snapshot *s;

    (void)state;
    lab_put(l, TRANSCRIPT, LINE);
    lab_put(l, "projects/-moved/" A ".jsonl", LINE LINE);
    lab_put(l, "projects/-home-alice-app/" A "/tool-results/old", "old");
    lab_put(l, "projects/-home-alice-app/" A "/tool-results/both", "long");
    lab_put(l, "projects/-moved/" A "/tool-results/both", "short one");
    lab_put(l, "projects/-moved/" A "/tool-results/new", "new");
    lab_put(l, "projects/-home-alice-app/memory/m", "no");
    s = lab_take(l);
    assert_string_equal(snapshot_project(s), "-moved");
    snapshot_each_duplicate(s, note_path, &duplicates);
    assert_string_equal(duplicates.data, TRANSCRIPT "\n");
    snapshot_each_skipped(s, note_pair, &skipped);
    assert_int_equal(skipped.len, 0);
    assert_int_equal(lab_pack(l, s), 0);
    snapshot_free(s);
    lab_names(l, "session.jsonl 140\n"
                 "session-subdir/codeteleport-other/324a54fd5841c7ba034ee937a9e7c91e 4\n"
                 "session-subdir/tool-results/both 9\n"
                 "session-subdir/tool-results/new 3\nsession-subdir/tool-results/old 3\n");
    buf_free(&duplicates);
    buf_free(&skipped);
    lab_free(l);
}

static void files_that_went_in_are_listed_with_what_their_loss_means(void **state)
{
    struct lab *l = lab_new();
    struct buf files = {0};
    struct snapshot *s;

    (void)state;
    lab_put(l, TRANSCRIPT, "{\"slug\":\"quiet-fox\"}\ntorn");
    lab_put(l, "plans/quiet-fox.md", "plan");
    lab_put(l, "projects/-home-alice-app/memory/m", "mm");
    lab_put(l, "file-history/" A "/f@v1", "f");
    lab_put(l, "history.jsonl", "{\"sessionId\":\"" A "\"}\n");
    s = lab_take(l);
    assert_int_equal(lab_pack(l, s), 0);
    snapshot_each_file(s, note_file, &files);
    assert_string_equal(files.data, "file-history/" A "/f@v1 1 1\n"
                                    "projects/-home-alice-app/memory/m 2 0\n"
                                    "plans/quiet-fox.md 4 1\n" TRANSCRIPT " 25 0\n");
    snapshot_free(s);
    buf_free(&files);
    lab_free(l);
}

static void the_cwd_comes_from_whoever_knows_it(void **state)
{
    struct lab *l = lab_new();

    (void)state;
    lab_put(l, TRANSCRIPT, "{\"type\":\"summary\"}\n");
    lab_put(l, "history.jsonl", "{\"project\":\"/home/alice/typed\",\"sessionId\":\"" A "\"}\n");
    lab_must_pack(l);
    assert_string_equal(jdoc_str(l->r.metadata, "cwd"), "/home/alice/typed");
    lab_put(l, "projects/-home-alice-app/agent-9.jsonl",
            "{\"sessionId\":\"" A "\",\"cwd\":\"/home/alice/side\"}\n");
    lab_must_pack(l);
    assert_string_equal(jdoc_str(l->r.metadata, "cwd"), "/home/alice/side");
    lab_append(l, TRANSCRIPT, "{\"cwd\":\"/home/alice/app\"}\n{\"cwd\":\"/later\"}\n");
    lab_must_pack(l);
    assert_string_equal(jdoc_str(l->r.metadata, "cwd"), "/home/alice/app");
    assert_string_equal(jdoc_str(l->r.metadata, "projectName"), "app");
    lab_free(l);
}

static void nothing_from_prompts_leaves_in_basic_metadata(void **state)
{
    static const char *const never[] = {"title", "cwd", "gitBranch", "slug"};
    struct lab *l = lab_new();
    struct json_object *basic, *full;

    (void)state;
    lab_put(l, TRANSCRIPT,
            "{\"type\":\"user\",\"cwd\":\"/home/alice/"
            "app\",\"gitBranch\":\"secret-branch\",\"slug\":\"fox\","
            "\"message\":{\"content\":\"secret prompt\"}}\n"
            "{\"type\":\"assistant\",\"message\":{\"id\":\"1\",\"content\":[{\"type\":\"tool_use\","
            "\"name\":"
            "\"Edit\",\"input\":{\"file_path\":\"/secret/file\"}}]}}\n");
    lab_must_pack(l);
    assert_string_equal(jdoc_str(l->r.metadata, "title"), "secret prompt");
    assert_string_equal(jdoc_str(l->r.metadata, "gitBranch"), "secret-branch");
    basic = pack_meta_public(l->r.metadata, 0);
    full = pack_meta_public(l->r.metadata, 1);
    assert_null(strstr(jdoc_text(basic), "secret"));
    assert_int_equal(jdoc_int(basic, "messageCount", -1), 2);
    assert_int_equal(jdoc_int(basic, "filesModifiedCount", -1), 1);
    assert_string_equal(jdoc_str(full, "summary"), "secret prompt");
    assert_non_null(jdoc_array(full, "filesModified"));
    for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
        assert_false(jdoc_has(basic, never[i]));
        assert_false(jdoc_has(full, never[i]));
    }
    json_object_put(basic);
    json_object_put(full);
    lab_free(l);
}

/* ---- the same content ---------------------------------------------------------------------------
 */

static void same_content_has_one_id_anywhere_and_the_same_bytes_here(void **state)
{
    struct lab *l = lab_new(), *m = lab_new();
    struct buf x, y;

    (void)state;
    lab_put(l, TRANSCRIPT, LINE);
    lab_put(l, "projects/-home-alice-app/" A "/b", "b");
    lab_put(l, "projects/-home-alice-app/" A "/a", "a");
    lab_put(m, "projects/other-name/" A "/a", "a");
    lab_put(m, "projects/other-name/" A "/b", "b");
    lab_put(m, "projects/other-name/" A ".jsonl", LINE "torn");
    lab_must_pack(l);
    lab_must_pack(m); /* meta.json says where it was */
    assert_string_equal(l->r.content_id, m->r.content_id);
    x = scratch_read(l->bundle);
    assert_int_equal(l->r.size_bytes, x.len);
    lab_put(l, "projects/-home-alice-app/" A "/a", "a");
    lab_put(l, TRANSCRIPT, LINE "torn");
    lab_must_pack(l);
    y = scratch_read(l->bundle);
    assert_int_equal(x.len, y.len);
    assert_memory_equal(x.data, y.data, x.len);
    buf_free(&x);
    buf_free(&y);
    m->take.user_dir = "/Users/alice";
    lab_must_pack(m);
    assert_string_equal(l->r.content_id, m->r.content_id);
    lab_put(m, "projects/other-name/" A "/a", "A");
    lab_must_pack(m);
    assert_string_not_equal(l->r.content_id, m->r.content_id);
    lab_free(l);
    lab_free(m);
}

static void a_known_id_writes_nothing(void **state)
{
    struct lab *l = lab_new();
    char known[HASH_SHA256_HEX];

    (void)state;
    lab_put(l, TRANSCRIPT, LINE);
    lab_must_pack(l);
    assert_false(l->r.is_same);
    memcpy(known, l->r.content_id, sizeof(known));
    l->opts.known_id = known;
    assert_int_equal(unlink(l->bundle), 0);
    lab_append(l, TRANSCRIPT, "only half a line");
    lab_must_pack(l);
    assert_true(l->r.is_same);
    assert_int_equal(lab_files_in(l->spool), 0);
    assert_int_equal(jdoc_int(l->r.metadata, "messageCount", -1), 1);
    lab_append(l, TRANSCRIPT, "\n");
    lab_must_pack(l);
    assert_false(l->r.is_same);
    assert_int_equal(lab_files_in(l->spool), 1);
    lab_free(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_of_the_session_is_in_and_nothing_else),
        cmocka_unit_test(the_transcript_ends_at_its_last_newline),
        cmocka_unit_test(a_transcript_without_a_complete_line_is_a_session),
        cmocka_unit_test(strange_names_go_in_byte_for_byte),
        cmocka_unit_test(a_name_that_no_reader_would_take_is_reported),
        cmocka_unit_test(links_fifos_and_files_of_others_are_left_out_and_named),
        cmocka_unit_test(a_transcript_that_is_a_link_fails_with_the_reason),
        cmocka_unit_test(the_root_itself_may_be_a_link),
        cmocka_unit_test(the_longest_of_two_transcripts_counts),
        cmocka_unit_test(files_that_went_in_are_listed_with_what_their_loss_means),
        cmocka_unit_test(the_cwd_comes_from_whoever_knows_it),
        cmocka_unit_test(nothing_from_prompts_leaves_in_basic_metadata),
        cmocka_unit_test(same_content_has_one_id_anywhere_and_the_same_bytes_here),
        cmocka_unit_test(a_known_id_writes_nothing),
    };

    return cmocka_run_group_tests_name("bundle", tests, NULL, NULL);
}

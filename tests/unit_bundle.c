#include <sys/stat.h>

#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "bundle/pack.h"
#include "bundle/snapshot.h"
#include "common/buf.h"
#include "common/jdoc.h"
#include "common/str.h"

#include "tests/scratch.h"

#define A "11111111-2222-4333-8444-555555555555"
#define B "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
#define MIB (1 << 20)

/* One data folder, one spool, one cache. */
struct lab {
    char *dir, *root, *spool, *cache, *bundle;
    _Atomic int cancel;
    struct snapshot_opts take;
    struct pack_opts opts;
    struct pack_result r;
    struct ct_err err;
};

static struct lab *lab_new(void)
{
    struct lab *l = str_calloc(1, sizeof(*l));

    l->dir = scratch_new();
    l->root = scratch_path(l->dir, "root");
    l->spool = scratch_path(l->dir, "spool");
    l->cache = scratch_path(l->dir, "cache");
    l->bundle = scratch_path(l->spool, "bundle");
    assert_int_equal(mkdir(l->root, 0700), 0);
    assert_int_equal(mkdir(l->spool, 0700), 0);
    l->take.root = l->root;
    l->take.session_id = A;
    l->take.user_dir = "/home/alice";
    l->take.cancel = &l->cancel;
    l->opts.cache_bytes = 64 * MIB;
    l->opts.spool_path = l->bundle;
    l->opts.cancel = &l->cancel;
    return l;
}

static void lab_free(struct lab *l)
{
    json_object_put(l->r.metadata);
    free(l->root);
    free(l->spool);
    free(l->cache);
    free(l->bundle);
    scratch_free(l->dir);
    free(l);
}

static void put(struct lab *l, const char *path, const char *text)
{
    char *p = scratch_path(l->root, "%s", path);

    scratch_puts(p, text);
    free(p);
}

static void append(struct lab *l, const char *path, const char *text)
{
    char *p = scratch_path(l->root, "%s", path);

    scratch_append(p, text);
    free(p);
}

static struct snapshot *take(struct lab *l)
{
    struct snapshot *s = NULL;

    if (snapshot_take(&l->take, &s, &l->err) != 0)
        fail_msg("snapshot: %s", l->err.msg);
    return s;
}

static int pack_it(struct lab *l, struct snapshot *s)
{
    json_object_put(l->r.metadata);
    l->r.metadata = NULL;
    return pack_write(s, &l->opts, &l->r, &l->err);
}

static void must_pack(struct lab *l)
{
    struct snapshot *s = take(l);

    if (pack_it(l, s) != 0)
        fail_msg("pack: %s", l->err.msg);
    snapshot_free(s);
}

/* The bundle's entries as lines "name length", and the content of one of them. */
static struct buf read_bundle(const struct lab *l, const char *wanted, struct buf *ret_content)
{
    struct archive *a = archive_read_new();
    struct archive_entry *e;
    struct buf names = {0};

    assert_int_equal(archive_read_support_filter_gzip(a), ARCHIVE_OK);
    assert_int_equal(archive_read_support_format_tar(a), ARCHIVE_OK);
    assert_int_equal(archive_read_open_filename(a, l->bundle, 65536), ARCHIVE_OK);
    while (archive_read_next_header(a, &e) == ARCHIVE_OK) {
        char piece[4096];
        la_ssize_t n;
        buf_printf(&names, "%s %lld\n", archive_entry_pathname(e),
                   (long long)archive_entry_size(e));
        assert_int_equal(archive_entry_filetype(e), AE_IFREG);
        assert_int_equal(archive_entry_perm(e), 0600);
        while ((n = archive_read_data(a, piece, sizeof(piece))) > 0) {
            if (wanted != NULL && strcmp(wanted, archive_entry_pathname(e)) == 0)
                buf_add(ret_content, piece, (size_t)n);
        }
        assert_int_equal(n, 0);
    }
    assert_int_equal(archive_read_free(a), ARCHIVE_OK);
    return names;
}

static void assert_has(const struct lab *l, const char *entry, const char *text)
{
    struct buf content = {0}, names = read_bundle(l, entry, &content);

    buf_add(&content, "", 0);
    if (strcmp(content.data, text) != 0)
        fail_msg("%s is not in as expected; there are:\n%s", entry, names.data);
    buf_free(&content);
    buf_free(&names);
}

/* All entries but meta.json. */
static void assert_names(const struct lab *l, const char *want)
{
    struct buf names = read_bundle(l, NULL, NULL);
    const char *rest = strchr(names.data, '\n') + 1;

    assert_int_equal(strncmp(names.data, "meta.json ", 10), 0);
    assert_string_equal(rest, want);
    buf_free(&names);
}

static int files_in(const char *dir)
{
    DIR *d = opendir(dir);
    int n = 0;

    if (d == NULL)
        return 0;
    while (readdir(d) != NULL)
        n++;
    closedir(d);
    return n - 2;
}

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

/* A transcript of about ${n} bytes that differ with ${seed}, line by line. */
static struct buf transcript(size_t n, unsigned int seed)
{
    struct buf b = {0};

    for (int i = 0; b.len < n; i++) {
        seed = seed * 1103515245U + 12345U;
        buf_printf(&b,
                   "{\"type\":\"%s\",\"uuid\":\"%08x\",\"cwd\":\"/home/alice/app\",\"timestamp\":"
                   "\"2026-01-01T%02d:%02d:%02d.000Z\",\"message\":{\"id\":\"m%d\",\"content\":\"",
                   i % 2 == 0 ? "user" : "assistant", seed, i / 3600 % 24, i / 60 % 60, i % 60, i);
        for (int k = 0; k < 40; k++) {
            seed = seed * 1103515245U + 12345U;
            buf_printf(&b, "%x ", seed >> 16);
        }
        buf_addstr(&b, "\"}}\n");
    }
    return b;
}

#define LINE "{\"type\":\"user\",\"cwd\":\"/home/alice/app\",\"message\":{\"content\":\"hello\"}}\n"
#define TRANSCRIPT "projects/-home-alice-app/" A ".jsonl"

/* ---- what goes in -------------------------------------------------------------------------------
 */

static void everything_of_the_session_is_in_and_nothing_else(void **state)
{
    struct lab *l = lab_new();

    (void)state;
    put(l, TRANSCRIPT,
        "{\"type\":\"user\",\"slug\":\"quiet-fox\",\"pasted\":{\"contentHash\":\"beef\"}}\n");
    put(l, "projects/-home-alice-app/" A "/subagents/agent-1.jsonl", "{}\n");
    put(l, "projects/-home-alice-app/" A "/tool-results/deep/x", "x");
    put(l, "projects/-home-alice-app/agent-2.jsonl", "{\"sessionId\":\"" A "\"}\n");
    put(l, "projects/-home-alice-app/agent-3.jsonl", "{\"sessionId\":\"" B "\"}\n");
    put(l, "projects/-home-alice-app/memory/MEMORY.md", "remember");
    put(l, "projects/-home-alice-app/sessions-index.json", "no");
    put(l, "projects/-home-alice-app/" B ".jsonl", "no\n");
    put(l, "file-history/" A "/0123456789abcdef@v1", "old");
    put(l, "file-history/" B "/0123456789abcdef@v1", "no");
    put(l, "tasks/" A "/1.json", "{}");
    put(l, "tasks/" A "/.lock", "no");
    put(l, "todos/" A "-agent-" A ".json", "[]");
    put(l, "todos/" B "-agent-" A ".json", "no");
    put(l, "plans/quiet-fox.md", "plan");
    put(l, "plans/other.md", "no");
    put(l, "paste-cache/beef.txt", "of the transcript");
    put(l, "paste-cache/feed.txt", "of the history");
    put(l, "paste-cache/other.txt", "no");
    put(l, "history.jsonl",
        "{\"sessionId\":\"" B "\",\"display\":\"" A "\"}\n"
        "{\"display\":\"1\",\"sessionId\":\"" A "\"}\n"
        "{\"display\":\"2\",\"pastedContents\":{\"1\":{\"contentHash\":\"feed\"}},\"sessionId\":"
        "\"" A "\"}\n"
        "{\"sessionId\":\"" B "\"}\n"
        "{\"display\":\"3\",\"sessionId\":\"" A "\"}\n"
        "{\"display\":\"torn\",\"sessionId\":\"" A "\"");
    put(l, "session-env/" A "/hook.sh", "no");
    put(l, ".credentials.json", "no");
    put(l, "debug/" A ".txt", "no");
    must_pack(l);
    assert_names(l, "session.jsonl 67\n"
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
    assert_has(l, "history.jsonl",
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
    put(l, TRANSCRIPT, LINE "{\"torn\":");
    s = take(l);
    assert_int_equal(snapshot_transcript_bytes(s), sizeof(LINE) - 1);
    assert_string_equal(snapshot_project(s), "-home-alice-app");
    snapshot_free(s);
    must_pack(l);
    assert_has(l, "session.jsonl", LINE);
    assert_int_equal(jdoc_int(l->r.metadata, "jsonlSizeBytes", -1), sizeof(LINE) - 1);
    lab_free(l);
}

static void a_transcript_without_a_complete_line_is_a_session(void **state)
{
    struct lab *l = lab_new();

    (void)state;
    put(l, TRANSCRIPT, "");
    must_pack(l);
    assert_names(l, "session.jsonl 0\n");
    put(l, TRANSCRIPT, "{\"type\":");
    must_pack(l);
    assert_names(l, "session.jsonl 0\n");
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
    put(l, TRANSCRIPT, LINE);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char *p = scratch_path(l->root, "projects/-home-alice-app/%s/%s", A, names[i]);
        scratch_puts(p, names[i]);
        free(p);
    }
    must_pack(l);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char *entry = str_printf("session-subdir/%s", names[i]);
        assert_has(l, entry, names[i]);
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
    put(l, TRANSCRIPT, LINE);
    buf_addstr(&path, "projects/-home-alice-app/" A);
    for (int i = 0; i < 6; i++) {
        buf_addc(&path, '/');
        for (int k = 0; k < 200; k++)
            buf_addc(&path, 'n');
    }
    put(l, path.data, "x");
    s = take(l);
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
    put(l, TRANSCRIPT, LINE);
    put(l, "projects/-home-alice-app/" A "/tool-results/ok", "ok");
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
        put(l, "projects/-home-alice-app/" A "/theirs", "theirs");
        p = scratch_path(l->root, "projects/-home-alice-app/" A "/theirs");
        assert_int_equal(chown(p, 12345, 12345), 0);
        free(p);
    }
    p = scratch_path(l->root, "projects/-home-alice-app/" A "/hard");
    assert_int_equal(link(secret, p), 0); /* hard links are fine */
    free(p);
    s = take(l);
    snapshot_each_skipped(s, note_pair, &skipped);
    assert_non_null(strstr(skipped.data, A "/link: symbolic link\n"));
    assert_non_null(strstr(skipped.data, A "/folder: symbolic link\n"));
    assert_non_null(strstr(skipped.data, A "/fifo: not a regular file\n"));
    assert_non_null(strstr(skipped.data, "file-history/" A ": symbolic link\n"));
    if (geteuid() == 0)
        assert_non_null(strstr(skipped.data, A "/theirs: belongs to another user\n"));
    assert_int_equal(pack_it(l, s), 0);
    snapshot_free(s);
    assert_names(l, "session.jsonl 70\nsession-subdir/hard 6\nsession-subdir/tool-results/ok 2\n");
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
    put(l, "elsewhere", LINE);
    put(l, "projects/-home-alice-app/x", "");
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
    put(l, TRANSCRIPT, LINE);
    assert_int_equal(symlink("root", link), 0);
    l->take.root = link;
    must_pack(l);
    assert_has(l, "session.jsonl", LINE);
    free(link);
    lab_free(l);
}

static void the_longest_of_two_transcripts_counts(void **state)
{
    struct lab *l = lab_new();
    struct buf duplicates = {0}, skipped = {0};
    struct snapshot *s;

    (void)state;
    put(l, TRANSCRIPT, LINE);
    put(l, "projects/-moved/" A ".jsonl", LINE LINE);
    put(l, "projects/-home-alice-app/" A "/tool-results/old", "old");
    put(l, "projects/-home-alice-app/" A "/tool-results/both", "long");
    put(l, "projects/-moved/" A "/tool-results/both", "short one");
    put(l, "projects/-moved/" A "/tool-results/new", "new");
    put(l, "projects/-home-alice-app/memory/m", "no");
    s = take(l);
    assert_string_equal(snapshot_project(s), "-moved");
    snapshot_each_duplicate(s, note_path, &duplicates);
    assert_string_equal(duplicates.data, TRANSCRIPT "\n");
    snapshot_each_skipped(s, note_pair, &skipped);
    assert_non_null(strstr(skipped.data, "-home-alice-app/" A "/tool-results/both: "));
    assert_int_equal(pack_it(l, s), 0);
    snapshot_free(s);
    assert_names(l, "session.jsonl 140\nsession-subdir/tool-results/both 9\n"
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
    put(l, TRANSCRIPT, "{\"slug\":\"quiet-fox\"}\ntorn");
    put(l, "plans/quiet-fox.md", "plan");
    put(l, "projects/-home-alice-app/memory/m", "mm");
    put(l, "file-history/" A "/f@v1", "f");
    put(l, "history.jsonl", "{\"sessionId\":\"" A "\"}\n");
    s = take(l);
    assert_int_equal(pack_it(l, s), 0);
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
    put(l, TRANSCRIPT, "{\"type\":\"summary\"}\n");
    put(l, "history.jsonl", "{\"project\":\"/home/alice/typed\",\"sessionId\":\"" A "\"}\n");
    must_pack(l);
    assert_string_equal(jdoc_str(l->r.metadata, "cwd"), "/home/alice/typed");
    put(l, "projects/-home-alice-app/agent-9.jsonl",
        "{\"sessionId\":\"" A "\",\"cwd\":\"/home/alice/side\"}\n");
    must_pack(l);
    assert_string_equal(jdoc_str(l->r.metadata, "cwd"), "/home/alice/side");
    append(l, TRANSCRIPT, "{\"cwd\":\"/home/alice/app\"}\n{\"cwd\":\"/later\"}\n");
    must_pack(l);
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
    put(l, TRANSCRIPT,
        "{\"type\":\"user\",\"cwd\":\"/home/alice/"
        "app\",\"gitBranch\":\"secret-branch\",\"slug\":\"fox\","
        "\"message\":{\"content\":\"secret prompt\"}}\n"
        "{\"type\":\"assistant\",\"message\":{\"id\":\"1\",\"content\":[{\"type\":\"tool_use\","
        "\"name\":"
        "\"Edit\",\"input\":{\"file_path\":\"/secret/file\"}}]}}\n");
    must_pack(l);
    assert_string_equal(jdoc_str(l->r.metadata, "title"), "secret prompt");
    assert_string_equal(jdoc_str(l->r.metadata, "gitBranch"), "secret-branch");
    basic = pack_public_metadata(l->r.metadata, 0);
    full = pack_public_metadata(l->r.metadata, 1);
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

static void same_content_is_the_same_bytes_anywhere(void **state)
{
    struct lab *l = lab_new(), *m = lab_new();
    struct buf x, y;

    (void)state;
    put(l, TRANSCRIPT, LINE);
    put(l, "projects/-home-alice-app/" A "/b", "b");
    put(l, "projects/-home-alice-app/" A "/a", "a");
    put(m, "projects/other-name/" A "/a", "a");
    put(m, "projects/other-name/" A "/b", "b");
    put(m, "projects/other-name/" A ".jsonl", LINE "torn");
    must_pack(l);
    must_pack(m);
    assert_string_equal(l->r.content_id, m->r.content_id);
    assert_string_equal(l->r.sha256, m->r.sha256);
    x = scratch_read(l->bundle);
    y = scratch_read(m->bundle);
    assert_int_equal(x.len, y.len);
    assert_memory_equal(x.data, y.data, x.len);
    assert_int_equal(l->r.size_bytes, x.len);
    buf_free(&x);
    buf_free(&y);
    m->take.user_dir = "/Users/alice";
    must_pack(m);
    assert_string_equal(l->r.content_id, m->r.content_id);
    put(m, "projects/other-name/" A "/a", "A");
    must_pack(m);
    assert_string_not_equal(l->r.content_id, m->r.content_id);
    lab_free(l);
    lab_free(m);
}

static void a_known_id_writes_nothing(void **state)
{
    struct lab *l = lab_new();
    char known[HASH_SHA256_HEX];

    (void)state;
    put(l, TRANSCRIPT, LINE);
    must_pack(l);
    assert_false(l->r.is_same);
    memcpy(known, l->r.content_id, sizeof(known));
    l->opts.known_id = known;
    assert_int_equal(unlink(l->bundle), 0);
    append(l, TRANSCRIPT, "only half a line");
    must_pack(l);
    assert_true(l->r.is_same);
    assert_int_equal(files_in(l->spool), 0);
    assert_int_equal(jdoc_int(l->r.metadata, "messageCount", -1), 1);
    append(l, TRANSCRIPT, "\n");
    must_pack(l);
    assert_false(l->r.is_same);
    assert_int_equal(files_in(l->spool), 1);
    lab_free(l);
}

/* ---- incremental --------------------------------------------------------------------------------
 */

static void put_transcript(struct lab *l, const struct buf *b, size_t n)
{
    char *p = scratch_path(l->root, TRANSCRIPT);

    scratch_write(p, b->data, n);
    scratch_age(p, 60);
    free(p);
}

/* The same session packed without a cache gives the same bundle and the same metadata. */
static void assert_as_without_cache(struct lab *l)
{
    const char *cache = l->opts.cache_dir;
    char sha256[HASH_SHA256_HEX], id[HASH_SHA256_HEX];
    char *metadata = str_dup(jdoc_text(l->r.metadata));

    memcpy(sha256, l->r.sha256, sizeof(sha256));
    memcpy(id, l->r.content_id, sizeof(id));
    l->opts.cache_dir = NULL;
    must_pack(l);
    assert_string_equal(l->r.content_id, id);
    assert_string_equal(l->r.sha256, sha256);
    assert_string_equal(jdoc_text(l->r.metadata), metadata);
    l->opts.cache_dir = cache;
    free(metadata);
}

static void an_append_costs_what_is_new(void **state)
{
    struct lab *l = lab_new();
    struct buf b = transcript(5 * MIB + 300000, 1);

    (void)state;
    l->opts.cache_dir = l->cache;
    put_transcript(l, &b, 4 * MIB + 12345);
    must_pack(l);
    assert_int_equal(l->r.reused_bytes, 0);
    assert_as_without_cache(l);
    put_transcript(l, &b, 4 * MIB + 99999);
    must_pack(l);
    assert_int_equal(l->r.reused_bytes, 4 * MIB);
    /* Every byte is read and checked, but only once. */
    assert_true(l->r.read_bytes < 5 * MIB);
    assert_as_without_cache(l);
    put_transcript(l, &b, b.len);
    must_pack(l);
    assert_int_equal(l->r.reused_bytes, 4 * MIB);
    assert_as_without_cache(l);
    must_pack(l);
    assert_int_equal(l->r.reused_bytes, 5 * MIB);
    buf_free(&b);
    lab_free(l);
}

static void a_transcript_of_whole_blocks_goes_on_as_well(void **state)
{
    struct lab *l = lab_new();
    struct buf b = {0};

    (void)state;
    /* Lines of 64 bytes, so that a block ends with one. */
    while (b.len < 3 * MIB)
        buf_addstr(&b,
                   "{\"type\":\"user\",\"message\":{\"content\":\"0123456789abcdef0123456\"}}\n");
    assert_int_equal(strchr(b.data, '\n') - b.data + 1, 64);
    l->opts.cache_dir = l->cache;
    put_transcript(l, &b, 2 * MIB);
    must_pack(l);
    assert_as_without_cache(l);
    must_pack(l);
    assert_int_equal(l->r.reused_bytes, 2 * MIB);
    assert_as_without_cache(l);
    put_transcript(l, &b, 3 * MIB);
    must_pack(l);
    assert_int_equal(jdoc_int(l->r.metadata, "messageCount", -1), 3 * MIB / 64);
    assert_as_without_cache(l);
    buf_free(&b);
    lab_free(l);
}

static void a_rewritten_transcript_starts_over(void **state)
{
    struct lab *l = lab_new();
    struct buf b = transcript(3 * MIB, 1), c = transcript(3 * MIB, 2);

    (void)state;
    l->opts.cache_dir = l->cache;
    put_transcript(l, &b, b.len);
    must_pack(l);
    memcpy(b.data + 100, c.data + 100, 40); /* within the first line's text */
    b.data[100] = b.data[100] == 'x' ? 'y' : 'x';
    put_transcript(l, &b, b.len);
    must_pack(l);
    assert_as_without_cache(l);
    put_transcript(l, &c, c.len);
    must_pack(l);
    assert_int_equal(l->r.reused_bytes, 0);
    assert_as_without_cache(l);
    must_pack(l); /* and from there it goes on as any other */
    assert_int_equal(l->r.reused_bytes, 3 * MIB);
    assert_true(l->r.read_bytes < 4 * MIB);
    assert_as_without_cache(l);
    put_transcript(l, &c, MIB / 2);
    must_pack(l);
    assert_as_without_cache(l);
    buf_free(&b);
    buf_free(&c);
    lab_free(l);
}

static void a_shrunken_or_changed_past_is_rewritten(void **state)
{
    struct lab *l = lab_new();
    struct buf b = transcript(2 * MIB + 5000, 3);
    char digest[HASH_SHA256_HEX];

    (void)state;
    put_transcript(l, &b, MIB + 777);
    must_pack(l);
    assert_false(l->r.is_rewritten);
    assert_true(l->r.transcript_bytes <= MIB + 777);
    memcpy(digest, l->r.transcript_digest, sizeof(digest));
    l->opts.previous_bytes = l->r.transcript_bytes;
    l->opts.previous_digest = digest;
    must_pack(l); /* the same */
    assert_false(l->r.is_rewritten);
    put_transcript(l, &b, b.len); /* longer */
    must_pack(l);
    assert_false(l->r.is_rewritten);
    assert_false(jdoc_has(l->r.metadata, "rewritten"));
    put_transcript(l, &b, MIB + 5); /* shorter */
    must_pack(l);
    assert_true(l->r.is_rewritten);
    assert_true(jdoc_bool(l->r.metadata, "rewritten", 0));
    b.data[MIB + 100] = b.data[MIB + 100] == 'x' ? 'y' : 'x'; /* other */
    put_transcript(l, &b, b.len);
    must_pack(l);
    assert_true(l->r.is_rewritten);
    buf_free(&b);
    lab_free(l);
}

/* Flip one byte of every file in the cache, at a place that goes with ${round}. */
static void damage_cache(const struct lab *l, int round)
{
    DIR *d = opendir(l->cache);
    const struct dirent *e;

    assert_non_null(d);
    while ((e = readdir(d)) != NULL) {
        char *p = scratch_path(l->cache, "%s", e->d_name);
        struct stat st;
        if (e->d_name[0] != '.' && stat(p, &st) == 0 && st.st_size > 0) {
            struct buf b = scratch_read(p);
            size_t at = (size_t)round * 7919 % b.len;
            if (round % 5 == 4)
                b.len = at; /* or cut it off */
            else
                b.data[at] = (char)(b.data[at] ^ 0x40);
            scratch_write(p, b.data, b.len);
            buf_free(&b);
        }
        free(p);
    }
    closedir(d);
}

static void a_damaged_cache_costs_time_only(void **state)
{
    struct lab *l = lab_new();
    struct buf b = transcript(2 * MIB + 5000, 4);
    char sha256[HASH_SHA256_HEX];

    (void)state;
    put_transcript(l, &b, b.len);
    must_pack(l);
    memcpy(sha256, l->r.sha256, sizeof(sha256));
    l->opts.cache_dir = l->cache;
    for (int round = 0; round < 60; round++) {
        must_pack(l);
        assert_string_equal(l->r.sha256, sha256);
        damage_cache(l, round * 31 + 1);
    }
    must_pack(l);
    assert_string_equal(l->r.sha256, sha256);
    must_pack(l);
    assert_int_equal(l->r.reused_bytes, 2 * MIB);
    pack_forget_cache(l->cache, A);
    must_pack(l);
    assert_int_equal(l->r.reused_bytes, 0);
    assert_string_equal(l->r.sha256, sha256);
    buf_free(&b);
    lab_free(l);
}

static void large_attachments_are_kept_too(void **state)
{
    struct lab *l = lab_new();
    struct buf b = transcript(MIB + MIB / 2, 5);
    char *p = scratch_path(l->root, "projects/-home-alice-app/" A "/tool-results/big");

    (void)state;
    l->opts.cache_dir = l->cache;
    put(l, TRANSCRIPT, LINE);
    scratch_write(p, b.data, b.len);
    must_pack(l);
    append(l, TRANSCRIPT, LINE);
    must_pack(l);
    assert_int_equal(l->r.reused_bytes, b.len);
    assert_as_without_cache(l);
    free(p);
    buf_free(&b);
    lab_free(l);
}

static int64_t bytes_in(const char *dir)
{
    DIR *d = opendir(dir);
    const struct dirent *e;
    struct stat st;
    int64_t n = 0;

    assert_non_null(d);
    while ((e = readdir(d)) != NULL) {
        if (fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode))
            n += (int64_t)st.st_size;
    }
    closedir(d);
    return n;
}

static void the_cache_keeps_its_limit_and_drops_the_oldest(void **state)
{
    struct lab *l = lab_new();
    struct buf b = transcript(2 * MIB + 100, 6);
    int64_t limit;
    char id[UUID_SIZE] = "00000000-2222-4333-8444-555555555555";

    (void)state;
    l->opts.cache_dir = l->cache;
    l->take.session_id = id;
    for (int i = 0; i < 6; i++) {
        char *p, *index;
        id[7] = (char)('0' + i);
        p = scratch_path(l->root, "projects/p/%s.jsonl", id);
        b.data[50] = (char)('0' + i); /* within the cwd, so that no two are the same */
        scratch_write(p, b.data, b.len);
        must_pack(l);
        free(p);
        index = scratch_path(l->cache, "%s.index", id);
        if (i == 0)
            l->opts.cache_bytes = limit = bytes_in(l->cache) * 3 + 1000;
        assert_true(bytes_in(l->cache) <= l->opts.cache_bytes + 100);
        scratch_age(index, 1000 - i);
        free(index);
    }
    must_pack(l); /* the last one was kept */
    assert_int_equal(l->r.reused_bytes, 2 * MIB);
    memcpy(id, "00000000", 8); /* the first one went */
    must_pack(l);
    assert_int_equal(l->r.reused_bytes, 0);
    assert_true(bytes_in(l->cache) <= limit + 100);
    buf_free(&b);
    lab_free(l);
}

static void a_cache_that_is_too_small_is_no_obstacle(void **state)
{
    struct lab *l = lab_new();
    struct buf b = transcript(3 * MIB, 7);

    (void)state;
    l->opts.cache_dir = l->cache;
    l->opts.cache_bytes = MIB;
    put_transcript(l, &b, b.len);
    must_pack(l);
    assert_as_without_cache(l);
    l->opts.cache_bytes = 1;
    must_pack(l);
    assert_as_without_cache(l);
    buf_free(&b);
    lab_free(l);
}

/* ---- limits and things that change -------------------------------------------------------------
 */

static void a_full_spool_is_an_error_that_leaves_nothing(void **state)
{
    struct lab *l = lab_new();
    struct buf b = transcript(3 * MIB, 8);
    struct snapshot *s;

    (void)state;
    put_transcript(l, &b, b.len);
    l->opts.spool_room_bytes = 500000;
    s = take(l);
    assert_int_equal(pack_it(l, s), -1);
    assert_int_equal(l->err.code, ERR_NOSPACE);
    assert_int_equal(files_in(l->spool), 0);
    l->opts.spool_room_bytes = 4 * MIB;
    assert_int_equal(pack_it(l, s), 0);
    assert_int_equal(files_in(l->spool), 1);
    snapshot_free(s);
    buf_free(&b);
    lab_free(l);
}

static void a_cancelled_pack_leaves_nothing(void **state)
{
    struct lab *l = lab_new();
    struct snapshot *s;

    (void)state;
    put(l, TRANSCRIPT, LINE);
    s = take(l);
    atomic_store(&l->cancel, 1);
    assert_int_equal(pack_it(l, s), -1);
    assert_int_equal(l->err.code, ERR_CANCELLED);
    assert_int_equal(files_in(l->spool), 0);
    snapshot_free(s);
    assert_int_equal(snapshot_take(&l->take, &s, &l->err), -1);
    assert_int_equal(l->err.code, ERR_CANCELLED);
    lab_free(l);
}

static void what_a_crash_left_in_the_spool_is_overwritten(void **state)
{
    struct lab *l = lab_new();
    char *tmp = str_printf("%s.tmp", l->bundle);

    (void)state;
    put(l, TRANSCRIPT, LINE);
    scratch_puts(tmp, "half a bundle, much longer than it will be..........................");
    must_pack(l);
    assert_int_equal(files_in(l->spool), 1);
    assert_has(l, "session.jsonl", LINE);
    free(tmp);
    lab_free(l);
}

static void growth_is_fine_and_goes_into_the_next_bundle(void **state)
{
    struct lab *l = lab_new();
    struct snapshot *s;

    (void)state;
    put(l, TRANSCRIPT, LINE);
    put(l, "projects/-home-alice-app/" A "/subagents/agent-1.jsonl", "{}\n");
    put(l, "history.jsonl", "{\"sessionId\":\"" A "\"}\n");
    s = take(l);
    append(l, TRANSCRIPT, LINE);
    append(l, "projects/-home-alice-app/" A "/subagents/agent-1.jsonl", "{}\n");
    append(l, "history.jsonl", "{\"sessionId\":\"" A "\"}\n");
    assert_int_equal(pack_it(l, s), 0);
    snapshot_free(s);
    assert_names(l,
                 "session.jsonl 70\nhistory.jsonl 53\nsession-subdir/subagents/agent-1.jsonl 3\n");
    lab_free(l);
}

static void expect_retry(struct lab *l, struct snapshot *s)
{
    assert_int_equal(pack_it(l, s), -1);
    assert_int_equal(l->err.code, ERR_RETRY);
    assert_int_equal(files_in(l->spool), 0);
    snapshot_free(s);
}

static void a_file_that_shrank_or_was_replaced_needs_a_new_snapshot(void **state)
{
    static const char *const attachment = "projects/-home-alice-app/" A "/x";
    struct lab *l = lab_new();
    struct snapshot *s;
    char *path = scratch_path(l->root, "%s", attachment), *other = scratch_path(l->root, "other");

    (void)state;
    put(l, TRANSCRIPT, LINE LINE);
    put(l, attachment, "attachment");
    s = take(l);
    put(l, TRANSCRIPT, LINE); /* shrank */
    expect_retry(l, s);
    s = take(l);
    put(l, attachment, "short");
    expect_retry(l, s);
    s = take(l);
    scratch_puts(other, "short"); /* replaced by its equal */
    assert_int_equal(rename(other, path), 0);
    expect_retry(l, s);
    s = take(l);
    assert_int_equal(unlink(path), 0);
    expect_retry(l, s);
    s = take(l);
    assert_int_equal(pack_it(l, s), 0);
    snapshot_free(s);
    free(path);
    free(other);
    lab_free(l);
}

static void a_transcript_rewritten_at_full_length_is_not_cut_in_a_line(void **state)
{
    struct lab *l = lab_new();
    struct snapshot *s;

    (void)state;
    put(l, TRANSCRIPT, LINE);
    s = take(l);
    put(l, TRANSCRIPT,
        "{\"type\":\"user\",\"message\":{\"content\":\"a much longer line than before, so that "
        "the old length falls into its middle\"}}\n");
    expect_retry(l, s);
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
        cmocka_unit_test(same_content_is_the_same_bytes_anywhere),
        cmocka_unit_test(a_known_id_writes_nothing),
        cmocka_unit_test(an_append_costs_what_is_new),
        cmocka_unit_test(a_transcript_of_whole_blocks_goes_on_as_well),
        cmocka_unit_test(a_rewritten_transcript_starts_over),
        cmocka_unit_test(a_shrunken_or_changed_past_is_rewritten),
        cmocka_unit_test(a_damaged_cache_costs_time_only),
        cmocka_unit_test(large_attachments_are_kept_too),
        cmocka_unit_test(the_cache_keeps_its_limit_and_drops_the_oldest),
        cmocka_unit_test(a_cache_that_is_too_small_is_no_obstacle),
        cmocka_unit_test(a_full_spool_is_an_error_that_leaves_nothing),
        cmocka_unit_test(a_cancelled_pack_leaves_nothing),
        cmocka_unit_test(what_a_crash_left_in_the_spool_is_overwritten),
        cmocka_unit_test(growth_is_fine_and_goes_into_the_next_bundle),
        cmocka_unit_test(a_file_that_shrank_or_was_replaced_needs_a_new_snapshot),
        cmocka_unit_test(a_transcript_rewritten_at_full_length_is_not_cut_in_a_line),
    };

    return cmocka_run_group_tests_name("bundle", tests, NULL, NULL);
}

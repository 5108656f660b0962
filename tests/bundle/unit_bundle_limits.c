#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "bundle/pack/snapshot.h"
#include "common/base/buf.h"
#include "common/base/str.h"
#include "tests/scratch.h"

#include "tests/bundle/bundle_lab.h"

static void a_full_spool_is_an_error_that_leaves_nothing(void **state)
{
    struct lab *l = lab_new();
    struct buf b = lab_transcript(3 * MIB, 8);
    struct snapshot *s;

    (void)state;
    lab_put_transcript(l, &b, b.len);
    l->opts.spool_room_bytes = 500000;
    s = lab_take(l);
    assert_int_equal(lab_pack(l, s), -1);
    assert_int_equal(l->err.code, ERR_NOSPACE);
    assert_int_equal(lab_files_in(l->spool), 0);
    l->opts.spool_room_bytes = 4 * MIB;
    assert_int_equal(lab_pack(l, s), 0);
    assert_int_equal(lab_files_in(l->spool), 1);
    snapshot_free(s);
    buf_free(&b);
    lab_free(l);
}

static void a_cancelled_pack_leaves_nothing(void **state)
{
    struct lab *l = lab_new();
    struct snapshot *s;

    (void)state;
    lab_put(l, TRANSCRIPT, LINE);
    s = lab_take(l);
    atomic_store(&l->cancel, 1);
    assert_int_equal(lab_pack(l, s), -1);
    assert_int_equal(l->err.code, ERR_CANCELLED);
    assert_int_equal(lab_files_in(l->spool), 0);
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
    lab_put(l, TRANSCRIPT, LINE);
    scratch_puts(tmp, "half a bundle, much longer than it will be..........................");
    lab_must_pack(l);
    assert_int_equal(lab_files_in(l->spool), 1);
    lab_has(l, "session.jsonl", LINE);
    free(tmp);
    lab_free(l);
}

static void growth_is_fine_and_goes_into_the_next_bundle(void **state)
{
    struct lab *l = lab_new();
    struct snapshot *s;

    (void)state;
    lab_put(l, TRANSCRIPT, LINE);
    lab_put(l, "projects/-home-alice-app/" A "/subagents/agent-1.jsonl", "{}\n");
    lab_put(l, "history.jsonl", "{\"sessionId\":\"" A "\"}\n");
    s = lab_take(l);
    lab_append(l, TRANSCRIPT, LINE);
    lab_append(l, "projects/-home-alice-app/" A "/subagents/agent-1.jsonl", "{}\n");
    lab_append(l, "history.jsonl", "{\"sessionId\":\"" A "\"}\n");
    assert_int_equal(lab_pack(l, s), 0);
    snapshot_free(s);
    lab_names(l, "session.jsonl 70\nhistory.jsonl 53\nsession-subdir/subagents/agent-1.jsonl 3\n");
    lab_free(l);
}

static void expect_retry(struct lab *l, struct snapshot *s)
{
    assert_int_equal(lab_pack(l, s), -1);
    assert_int_equal(l->err.code, ERR_RETRY);
    assert_int_equal(lab_files_in(l->spool), 0);
    snapshot_free(s);
}

static void a_file_that_shrank_or_was_replaced_needs_a_new_snapshot(void **state)
{
    static const char *const attachment = "projects/-home-alice-app/" A "/x";
    struct lab *l = lab_new();
    struct snapshot *s;
    char *path = scratch_path(l->root, "%s", attachment), *other = scratch_path(l->root, "other");

    (void)state;
    lab_put(l, TRANSCRIPT, LINE LINE);
    lab_put(l, attachment, "attachment");
    s = lab_take(l);
    lab_put(l, TRANSCRIPT, LINE); /* shrank */
    expect_retry(l, s);
    s = lab_take(l);
    lab_put(l, attachment, "short");
    expect_retry(l, s);
    s = lab_take(l);
    scratch_puts(other, "short"); /* replaced by its equal */
    assert_int_equal(rename(other, path), 0);
    expect_retry(l, s);
    s = lab_take(l);
    assert_int_equal(unlink(path), 0);
    expect_retry(l, s);
    s = lab_take(l);
    assert_int_equal(lab_pack(l, s), 0);
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
    lab_put(l, TRANSCRIPT, LINE);
    s = lab_take(l);
    lab_put(l, TRANSCRIPT,
            "{\"type\":\"user\",\"message\":{\"content\":\"a much longer line than before, so that "
            "the old length falls into its middle\"}}\n");
    expect_retry(l, s);
    lab_free(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_spool_is_an_error_that_leaves_nothing),
        cmocka_unit_test(a_cancelled_pack_leaves_nothing),
        cmocka_unit_test(what_a_crash_left_in_the_spool_is_overwritten),
        cmocka_unit_test(growth_is_fine_and_goes_into_the_next_bundle),
        cmocka_unit_test(a_file_that_shrank_or_was_replaced_needs_a_new_snapshot),
        cmocka_unit_test(a_transcript_rewritten_at_full_length_is_not_cut_in_a_line),
    };

    return cmocka_run_group_tests_name("bundle limits", tests, NULL, NULL);
}

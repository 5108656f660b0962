#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agents/agent.h"
#include "agents/transcript.h"
#include "common/base/buf.h"
#include "common/base/str.h"

#include "tests/scratch.h"

/* Records of every kind, and the damage that has been seen in real files. */
static const char sample[] =
    "{\"type\":\"user\",\"cwd\":\"/home/u/my.app\",\"timestamp\":\"2026-01-02T03:04:05.678Z\","
    "\"gitBranch\":\"main\",\"slug\":\"quiet-fox\",\"message\":{\"content\":\"H\\u00e4llo "
    "\\ud83d\\ude00"
    " \xe2\x98\x83\"}}\n"
    "{\"message\":{\"id\":\"m1\",\"model\":\"claude-a\",\"content\":[{\"type\":\"tool_use\","
    "\"name\":"
    "\"Edit\",\"input\":{\"file_path\":\"/a\"}}]},\"type\":\"assistant\"}\n"
    "{\"\\u0074ype\":\"assistant\",\"message\":{\"content\":[{\"input\":{\"notebook_path\":\"/b\"},"
    "\"name\":\"NotebookEdit\",\"type\":\"tool_use\"}],\"id\":\"m1\",\"model\":\"<synthetic>\"}}\n"
    "{\"type\":\"user\",\"message\":{\"content\":\"torn\n"
    "{\"type\":\"user\"}{\"type\":\"user\"}\n"
    "\0\0\0\0{\"type\":\"user\"}\n"
    "// {\"type\":\"user\"}\n"
    "{\"type\":\"user\",\"message\":{\"content\":\"\xff\"}}\n"
    "[{\"type\":\"user\"}]\n"
    "\r\n"
    "{\"type\":\"user\",\"isMeta\":true,\"message\":{\"content\":\"no\"}}\n"
    "{\"type\":\"user\",\"message\":{\"content\":[{\"type\":\"tool_result\"}]}}\n"
    "{\"type\":\"user\",\"message\":{\"content\":\"<command-name>/x\"}}\n"
    "{\"type\":\"user\",\"type\":\"summary\",\"summary\":\"old\"}\n"
    "{\"type\":\"ai-title\",\"aiTitle\":\"new\",\"x\":{\"contentHash\":\"feed\"}}\n"
    "{\"type\":\"user\",\"message\":{\"content\":\"not complete yet\"}}";

static void check_sample(const struct transcript *t)
{
    struct transcript_facts f;

    transcript_facts(t, &f);
    assert_int_equal(f.lines, 8);
    assert_int_equal(f.bad_lines, 6);
    assert_int_equal(f.user_messages, 1);
    assert_int_equal(f.assistant_messages, 1);
    assert_int_equal(f.tool_calls, 2);
    assert_int_equal(f.files_modified, 2);
    assert_true(f.has_times);
    assert_int_equal(f.started_ms, f.ended_ms);
    assert_string_equal(f.model, "claude-a");
    assert_string_equal(f.title, "new");
    assert_string_equal(f.cwd, "/home/u/my.app");
    assert_string_equal(f.git_branch, "main");
    assert_string_equal(f.slug, "quiet-fox");
    assert_null(f.session_id);
    assert_int_equal(transcript_files(t)->n, 2);
    assert_string_equal(transcript_files(t)->v[0], "/a");
    assert_string_equal(transcript_files(t)->v[1], "/b");
    assert_int_equal(transcript_slugs(t)->n, 1);
    assert_int_equal(transcript_pastes(t)->n, 1);
    assert_string_equal(transcript_pastes(t)->v[0], "feed");
}

static void damaged_lines_count_for_nothing(void **state)
{
    struct transcript *t = transcript_new(agent_unnamed());

    (void)state;
    transcript_feed(t, sample, sizeof(sample) - 1);
    check_sample(t);
    transcript_free(t);
}

static void pieces_of_any_size_give_the_same(void **state)
{
    (void)state;
    for (size_t at = 0; at <= sizeof(sample) - 1; at++) {
        struct transcript *t = transcript_new(agent_unnamed());
        transcript_feed(t, sample, at);
        transcript_feed(t, sample + at, sizeof(sample) - 1 - at);
        check_sample(t);
        transcript_free(t);
    }
    for (size_t piece = 1; piece < 20; piece++) {
        struct transcript *t = transcript_new(agent_unnamed());
        for (size_t at = 0; at < sizeof(sample) - 1; at += piece) {
            size_t left = sizeof(sample) - 1 - at;
            transcript_feed(t, sample + at, piece < left ? piece : left);
        }
        check_sample(t);
        transcript_free(t);
    }
}

static void a_saved_scan_goes_on_at_any_byte(void **state)
{
    (void)state;
    for (size_t at = 0; at <= sizeof(sample) - 1; at++) {
        struct transcript *t = transcript_new(agent_unnamed());
        struct buf b = {0};
        transcript_feed(t, sample, at);
        transcript_save(t, &b);
        transcript_free(t);
        t = transcript_load(agent_unnamed(), b.data, b.len);
        assert_non_null(t);
        buf_free(&b);
        transcript_feed(t, sample + at, sizeof(sample) - 1 - at);
        check_sample(t);
        transcript_free(t);
    }
}

static void a_state_cut_short_is_refused(void **state)
{
    struct transcript *t = transcript_new(agent_unnamed());
    struct buf b = {0};

    (void)state;
    transcript_feed(t, sample, sizeof(sample) - 1);
    transcript_save(t, &b);
    transcript_free(t);
    for (size_t n = 0; n < b.len; n += n < b.len - 600 ? 97 : 1) {
        /* A copy of exactly that length, so that a sanitizer sees a byte too many. */
        char *copy = str_calloc(n + 1, 1);
        memcpy(copy, b.data, n);
        t = transcript_load(agent_unnamed(), copy, n);
        assert_null(t);
        free(copy);
    }
    buf_free(&b);
}

static void feed_line(struct transcript *t, const char *line)
{
    transcript_feed(t, line, strlen(line));
    transcript_feed(t, "\n", 1);
}

static void a_title_is_cut_between_characters(void **state)
{
    struct transcript *t = transcript_new(agent_unnamed());
    struct transcript_facts f;
    struct buf b = {0};

    (void)state;
    buf_addstr(&b, "{\"type\":\"custom-title\",\"customTitle\":\"");
    for (int i = 0; i < 500; i++)
        buf_addstr(&b, "\xf0\x9f\x98\x80");
    buf_addstr(&b, "\"}");
    feed_line(t, b.data);
    transcript_facts(t, &f);
    assert_int_equal(strlen(f.title), 800);
    assert_true(str_is_utf8(f.title, strlen(f.title)));
    buf_free(&b);
    transcript_free(t);
}

static void titles_win_in_their_order(void **state)
{
    struct transcript *t = transcript_new(agent_unnamed());
    struct transcript_facts f;

    (void)state;
    transcript_facts(t, &f);
    assert_null(f.title);
    feed_line(
        t,
        "{\"type\":\"user\",\"message\":{\"content\":[{\"type\":\"text\",\"text\":\"prompt\"}]}}");
    transcript_facts(t, &f);
    assert_string_equal(f.title, "prompt");
    feed_line(t, "{\"type\":\"summary\",\"summary\":\"sum\"}");
    transcript_facts(t, &f);
    assert_string_equal(f.title, "sum");
    feed_line(t, "{\"type\":\"last-prompt\",\"lastPrompt\":\"last\"}");
    transcript_facts(t, &f);
    assert_string_equal(f.title, "last");
    feed_line(t, "{\"type\":\"ai-title\",\"aiTitle\":\"ai\"}");
    transcript_facts(t, &f);
    assert_string_equal(f.title, "ai");
    feed_line(t, "{\"type\":\"custom-title\",\"customTitle\":\"mine\"}");
    feed_line(t, "{\"type\":\"ai-title\",\"aiTitle\":\"ai again\"}");
    feed_line(t, "{\"type\":\"system\",\"customTitle\":\"of another kind\"}");
    transcript_facts(t, &f);
    assert_string_equal(f.title, "mine");
    transcript_free(t);
}

static void a_line_of_many_megabytes_takes_no_memory(void **state)
{
    struct transcript *t = transcript_new(agent_unnamed());
    struct transcript_facts f;
    struct buf saved = {0};
    static const char head[] = "{\"type\":\"user\",\"message\":{\"content\":\"";
    static const char tail[] = "\"},\"cwd\":\"/x\"}\n";
    char *piece = str_calloc(1 << 20, 1);

    (void)state;
    memset(piece, 'x', 1 << 20);
    transcript_feed(t, head, sizeof(head) - 1);
    for (int i = 0; i < 64; i++)
        transcript_feed(t, piece, 1 << 20);
    transcript_feed(t, tail, sizeof(tail) - 1);
    transcript_facts(t, &f);
    assert_int_equal(f.lines, 1);
    assert_int_equal(f.user_messages, 1);
    assert_string_equal(f.cwd, "/x");
    transcript_save(t, &saved);
    assert_true(saved.len < 100000);
    buf_free(&saved);
    free(piece);
    transcript_free(t);
}

static void nesting_has_a_limit_and_no_stack(void **state)
{
    struct transcript *t = transcript_new(agent_unnamed());
    struct transcript_facts f;
    struct buf b = {0};

    (void)state;
    buf_addstr(&b, "{\"type\":\"user\",\"deep\":");
    for (int i = 0; i < 100000; i++)
        buf_addc(&b, '[');
    for (int i = 0; i < 100000; i++)
        buf_addc(&b, ']');
    buf_addc(&b, '}');
    feed_line(t, b.data);
    feed_line(t, "{\"type\":\"user\",\"deep\":[[[[[[[[[[]]]]]]]]]]}");
    transcript_facts(t, &f);
    assert_int_equal(f.lines, 1);
    assert_int_equal(f.bad_lines, 1);
    buf_free(&b);
    transcript_free(t);
}

static void a_member_that_comes_twice_counts_once(void **state)
{
    struct transcript *t = transcript_new(agent_unnamed());
    struct transcript_facts f;

    (void)state;
    feed_line(t, "{\"type\":\"assistant\",\"message\":{\"id\":\"a\",\"model\":\"x\",\"content\":["
                 "{\"type\":\"tool_use\"}]},\"message\":{\"content\":[{\"type\":\"tool_use\"}],"
                 "\"content\":[]}}");
    feed_line(t, "{\"type\":\"assistant\",\"message\":{\"id\":\"a\"},\"message\":7}");
    transcript_facts(t, &f);
    assert_int_equal(f.lines, 2);
    assert_int_equal(f.tool_calls, 0);
    assert_int_equal(f.assistant_messages, 0);
    assert_null(f.model);
    transcript_free(t);
}

/* A record of a message, with its counts. */
#define SAID(id, more, model, in, out) \
    "{\"type\":\"assistant\"" more ",\"message\":{\"id\":\"" id "\",\"model\":\"" model \
    "\",\"usage\":{\"input_tokens\":" #in ",\"output_tokens\":" #out \
    ",\"cache_read_input_tokens\":7,\"iterations\":[{\"input_tokens\":9}]}}}\n"
#define COST(start, usd) \
    "{\"type\":\"cost-state\",\"startTime\":" #start ",\"totalCostUSD\":" #usd "}\n"

static void a_message_is_counted_once_and_as_it_came_last(void **state)
{
    static const char main_lines[] =
        SAID("a", "", "opus", 10, 1) SAID("b", "", "haiku", 5, 2) SAID("a", "", "opus", 10, 30)
            SAID("c", ",\"forkedFrom\":{\"sessionId\":\"x\"}", "opus", 1000, 1000)
                SAID("d", "", "<synthetic>", 1000, 1000) COST(1, 0.5) COST(1, 0.75) COST(2, 0.25)
                    COST(1, 0.8);
    static const char beside_lines[] = SAID("a", "", "opus", 10, 30) SAID("e", "", "opus", 1, 1);
    struct transcript *t = transcript_new(agent_unnamed()), *beside;
    struct transcript_facts f, g;
    struct json_object *o;

    (void)state;
    transcript_feed(t, main_lines, strlen(main_lines));
    beside = transcript_beside(t);
    transcript_feed(beside, beside_lines, strlen(beside_lines));
    transcript_facts(t, &f);
    transcript_facts(beside, &g);
    usage_add(&f.usage, &g.usage);
    o = usage_json(&f.usage);
    assert_string_equal(
        json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN),
        "{\"models\":[{\"model\":\"haiku\",\"inputTokens\":5,\"outputTokens\":2,"
        "\"cacheReadTokens\":7,\"cacheWriteTokens\":0},{\"model\":\"opus\",\"inputTokens\":11,"
        "\"outputTokens\":31,\"cacheReadTokens\":14,\"cacheWriteTokens\":0}],"
        "\"costUSD\":1.050000}");
    json_object_put(o);
    transcript_free(beside);
    transcript_free(t);
}

static void the_project_is_the_last_part_of_the_path(void **state)
{
    char name[64];

    (void)state;
    assert_string_equal(transcript_project_name("/home/u/my.app", name, sizeof(name)), "my.app");
    assert_string_equal(transcript_project_name("/home/u/my.app//", name, sizeof(name)), "my.app");
    assert_string_equal(transcript_project_name("/", name, sizeof(name)), "/");
    assert_string_equal(transcript_project_name("/a\\b", name, sizeof(name)), "a\\b");
    assert_string_equal(transcript_project_name("C:\\Users\\a\\app", name, sizeof(name)), "app");
    assert_string_equal(transcript_project_name("", name, sizeof(name)), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(damaged_lines_count_for_nothing),
        cmocka_unit_test(pieces_of_any_size_give_the_same),
        cmocka_unit_test(a_saved_scan_goes_on_at_any_byte),
        cmocka_unit_test(a_state_cut_short_is_refused),
        cmocka_unit_test(a_title_is_cut_between_characters),
        cmocka_unit_test(titles_win_in_their_order),
        cmocka_unit_test(a_line_of_many_megabytes_takes_no_memory),
        cmocka_unit_test(nesting_has_a_limit_and_no_stack),
        cmocka_unit_test(a_member_that_comes_twice_counts_once),
        cmocka_unit_test(a_message_is_counted_once_and_as_it_came_last),
        cmocka_unit_test(the_project_is_the_last_part_of_the_path),
    };

    return cmocka_run_group_tests_name("transcript", tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agents/agent.h"
#include "agents/turns.h"
#include "common/base/buf.h"
#include "common/base/str.h"

static void add(void *arg, const struct turn *t)
{
    struct buf *b = arg;

    buf_printf(b, "%s%s%s%s%s%s|%s;", t->is_aside ? "*" : "", turns_word(t->kind),
               t->tool != NULL ? " " : "", t->tool != NULL ? t->tool : "",
               t->brief != NULL ? " " : "", t->brief != NULL ? t->brief : "",
               t->kind == TURN_CALL ? "" : t->text);
}

/* The turns of ${lines}, fed in pieces of ${step} bytes; the caller frees them. */
static char *turns_of(const char *lines, size_t n, size_t step, int64_t *ret_unread)
{
    struct buf b = {0};
    struct turns *t = turns_new(agent_unnamed(), add, &b);

    for (size_t at = 0; at < n; at += step)
        turns_feed(t, lines + at, n - at < step ? n - at : step);
    turns_end(t);
    *ret_unread = turns_unread(t);
    turns_free(t);
    return buf_steal(&b);
}

#define USER(content) "{\"type\":\"user\",\"uuid\":\"u\",\"message\":{\"content\":" content "}}"
#define MODEL(content) "{\"type\":\"assistant\",\"message\":{\"content\":" content "}}"

static void each_shape_of_a_record_becomes_what_a_person_read(void **state)
{
    static const struct {
        const char *line, *turns;
        int unread;
    } shapes[] = {
        {USER("\"hello\""), "prompt|hello;", 0},
        {USER("[{\"type\":\"text\",\"text\":\"a\"},{\"type\":\"image\"}]"),
         "prompt|a;prompt|[image];", 0},
        {USER("[{\"type\":\"tool_result\",\"content\":\"out\"}]"), "result|out;", 0},
        {USER("[{\"type\":\"tool_result\",\"content\":[{\"type\":\"text\",\"text\":\"x\"},"
              "{\"type\":\"image\"}]}]"),
         "result|x\n[image];", 0},
        {USER("[{\"type\":\"tool_result\"}]"), "result|;", 0},
        {USER("\"<command-name>/model</command-name>\\n<command-args></command-args>\""),
         "prompt|/model;", 0},
        {USER("\"<command-message>go</command-message><command-name>/go</command-name>"
              "<command-args>now, please</command-args>\""),
         "prompt|/go now, please;", 0},
        {USER("\"<local-command-stdout>done</local-command-stdout>\""), "result|done;", 0},
        {USER("\"<local-command-caveat>x</local-command-caveat>\""), "note|x;", 0},
        /* What looks like an element and has more beside it is shown as it is. */
        {USER("\"<local-command-caveat>x</local-command-caveat> E\""),
         "prompt|<local-command-caveat>x</local-command-caveat> E;", 0},
        {USER("\"<command-name>/m</command-name> E\""), "prompt|<command-name>/m</command-name> E;",
         0},
        {USER("\"<command-name>/m</command-name><command-name>E</command-name>\""),
         "prompt|<command-name>/m</command-name><command-name>E</command-name>;", 0},
        {USER("\"<command-message>E</command-message><command-name>/m</command-name>\""),
         "prompt|/m;prompt|E;", 0},
        {USER("\"<local-command-stdout></local-command-stdout>E\""),
         "prompt|<local-command-stdout></local-command-stdout>E;", 0},
        {USER("\"benign\\u0000 E\""), "prompt|benign\xef\xbf\xbd E;", 0},
        {USER("\"a\\\\u0000\""), "prompt|a\\u0000;", 0},
        {USER("[\"E\"]"), "prompt|E;", 0},
        {USER("[{\"type\":\"tool_result\",\"content\":[\"E\",{\"type\":\"x\",\"y\":\"F\"}]}]"),
         "result|E\n{\"type\":\"x\",\"y\":\"F\"};", 0},
        {MODEL("\"plain\""), "answer|plain;", 0},
        {MODEL(
             "[{\"type\":\"thinking\",\"thinking\":\"hm\"},{\"type\":\"text\",\"text\":\"yes\"}]"),
         "thinking|hm;answer|yes;", 0},
        {MODEL("[{\"type\":\"redacted_thinking\",\"data\":\"x\"}]"), "thinking|[redacted];", 0},
        {MODEL("[{\"type\":\"tool_use\",\"name\":\"Bash\",\"input\":{\"command\":\"make\","
               "\"description\":\"d\"}}]"),
         "call Bash make|;", 0},
        {MODEL(
             "[{\"type\":\"server_tool_use\",\"name\":\"web_search\",\"input\":{\"query\":\"q\"}},"
             "{\"type\":\"web_search_tool_result\",\"content\":[]}]"),
         "call web_search q|;result|;", 0},
        {MODEL("[{\"type\":\"tool_use\"}]"), "call ?|;", 0},
        {MODEL("[{\"type\":\"hologram\"}]"), "note|{\"type\":\"hologram\"};", 0},
        {MODEL("[7,null,[],{}]"), "note|7;note|[];note|{};", 0},
        {"{\"type\":\"user\",\"isSidechain\":true,\"message\":{\"content\":\"sub\"}}",
         "*prompt|sub;", 0},
        {"{\"type\":\"user\",\"isMeta\":true,\"message\":{\"content\":\"meta\"}}", "note|meta;", 0},
        {"{\"type\":\"user\",\"isCompactSummary\":true,\"message\":{\"content\":\"short\"}}",
         "summary|short;", 0},
        {"{\"type\":\"attachment\",\"attachment\":{\"type\":\"queued_command\",\"prompt\":\"q\"}}",
         "prompt|q;", 0},
        {"{\"type\":\"attachment\",\"attachment\":{\"type\":\"queued_command\",\"prompt\":"
         "[{\"type\":\"text\",\"text\":\"q\"}]}}",
         "prompt|q;", 0},
        {"{\"type\":\"attachment\",\"attachment\":{\"type\":\"skill_listing\"}}",
         "note|{\"type\":\"skill_listing\"};", 0},
        {"{\"type\":\"system\",\"content\":\"E\"}", "note|E;", 0},
        {"{\"type\":\"system\",\"subtype\":\"turn_duration\"}", "", 0},
        {"{\"type\":\"queue-operation\",\"content\":\"E\"}",
         "note|{\"type\":\"queue-operation\",\"content\":\"E\"};", 0},
        {"{\"type\":\"mode\",\"mode\":\"normal\"}", "", 0},
        {"{\"type\":\"attachment\"}", "note|{\"type\":\"attachment\"};", 0},
        {"{\"type\":\"summary\",\"summary\":\"s\"}", "", 0},
        {"{\"type\":\"user\"}", "note|{\"type\":\"user\"};", 0},
        {"{\"type\":\"user\",\"message\":\"x\"}", "note|{\"type\":\"user\",\"message\":\"x\"};", 0},
        {"{\"message\":{\"content\":\"x\"}}", "note|{\"message\":{\"content\":\"x\"}};", 0},
        {"{}", "note|{};", 0},
        {" \r", "", 0},
        {"[]", "", 1},
        {"{\"type\":\"user\",\"message\":{\"content\":\"torn", "", 1},
        {"{\"type\":\"user\",\"message\":{\"content\":\"\xff\"}}", "", 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        int64_t unread;
        char *got = turns_of(shapes[i].line, strlen(shapes[i].line), 1000, &unread);
        assert_string_equal(got, shapes[i].turns);
        assert_int_equal(unread, shapes[i].unread);
        free(got);
    }
}

static void pieces_of_any_size_make_the_same_turns(void **state)
{
    static const char lines[] = USER("\"one\"") "\n\n" MODEL("\"two\"") "\ngarbage\n" USER("\"3\"");
    int64_t unread;

    (void)state;
    for (size_t step = 1; step <= sizeof(lines); step++) {
        char *got = turns_of(lines, sizeof(lines) - 1, step, &unread);
        assert_string_equal(got, "prompt|one;answer|two;prompt|3;");
        assert_int_equal(unread, 1);
        free(got);
    }
}

/* What costs much more memory than it has bytes is not read, and the next line is. */
static void a_line_that_is_too_much_is_counted_and_passed_over(void **state)
{
    struct buf b = {0};
    int64_t unread;
    char *got;

    (void)state;
    buf_addstr(&b, "{\"type\":\"user\",\"message\":{\"content\":[");
    for (int i = 0; i < TURNS_VALUES_MAX; i++)
        buf_addstr(&b, "{},");
    buf_addstr(&b, "{}]}}\n{\"type\":\"user\",\"message\":{\"content\":\"");
    for (int i = 0; i < TURNS_LINE_MAX / 1024; i++)
        buf_printf(&b, "%1024s", "");
    buf_addstr(&b, "\"}}\n" USER("\"after\"") "\n");
    got = turns_of(b.data, b.len, 1 << 20, &unread);
    assert_string_equal(got, "prompt|after;");
    assert_int_equal(unread, 2);
    free(got);
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_shape_of_a_record_becomes_what_a_person_read),
        cmocka_unit_test(pieces_of_any_size_make_the_same_turns),
        cmocka_unit_test(a_line_that_is_too_much_is_counted_and_passed_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

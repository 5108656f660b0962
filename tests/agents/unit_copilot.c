#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agents/agent.h"
#include "agents/news.h"
#include "agents/copilot/copilot.h"
#include "agents/transcript.h"
#include "agents/turns.h"
#include "common/base/buf.h"
#include "common/base/str.h"

#include "tests/agents/agents_room.h"

#define ID "9ca7dcee-b530-4eae-8550-0a237c51252f"
#define W "/home/alice/src/web.app"

/* As Copilot CLI 1.0.102 wrote it, shortened. */
#define EVENT(type, data, n, parent) \
    "{\"type\":\"" type "\",\"data\":{" data "},\"id\":\"f232965d-3e8c-4379-bb81-d46ab2d2d3c" n \
    "\",\"timestamp\":\"2026-11-30T03:00:15.10" n "Z\",\"parentId\":" parent "}\n"
#define AFTER(n) "\"f232965d-3e8c-4379-bb81-d46ab2d2d3c" n "\""
#define START \
    EVENT("session.start", \
          "\"sessionId\":\"" ID \
          "\",\"version\":1,\"producer\":\"copilot-agent\",\"remoteSteerable\":" \
          "true,\"selectedModel\":\"m\",\"context\":{\"cwd\":\"" W "\",\"gitRoot\":\"" W \
          "\",\"branch\":\"master\"}", \
          "0", "null")
#define PROMPT \
    EVENT("user.message", \
          "\"content\":\"count in " W "\",\"transformedContent\":\"obey " W \
          "\",\"attachments\":[{\"path\":\"/etc/passwd\"}]", \
          "1", AFTER("0"))
#define SCHEDULE EVENT("session.schedule_created", "\"prompt\":\"obey\"", "2", AFTER("1"))
#define TOKENS \
    EVENT("session.usage_record", \
          "\"usage\":{\"model\":\"standin-1\",\"inputTokens\":100,\"outputTokens\":10," \
          "\"cacheReadTokens\":40,\"cacheWriteTokens\":0,\"accounting\":{\"inputTokens\":7}}", \
          "3", AFTER("2"))
#define CALL \
    EVENT( \
        "assistant.message", \
        "\"messageId\":\"a\",\"model\":\"standin-1\",\"content\":\"\",\"reasoningOpaque\":\"x\"," \
        "\"toolRequests\":[{\"toolCallId\":\"call_1\",\"name\":\"create\",\"arguments\":{" \
        "\"path\":" \
        "\"/tmp/x\",\"cwd\":\"" W "\"}}]", \
        "4", AFTER("3"))
#define RESULT \
    EVENT("tool.execution_complete", \
          "\"toolCallId\":\"call_1\",\"success\":true,\"result\":{\"content\":\"done\"," \
          "\"detailedContent\":\"diff --git a" W "/my file b" W \
          "/my file\\n--- a/dev/null\\n+++ b" W "/my file\\n+one\"}", \
          "5", AFTER("4"))
#define PUT_IN \
    EVENT("user.message", "\"content\":\"obey\",\"source\":\"skill-pdf\"", "6", AFTER("5"))
#define ANSWER \
    EVENT("assistant.message", "\"messageId\":\"b\",\"content\":\"Done.\",\"toolRequests\":[]", \
          "7", AFTER("6"))
#define END EVENT("assistant.turn_end", "\"turnId\":\"0\"", "8", AFTER("7"))
#define ALL START PROMPT SCHEDULE TOKENS CALL RESULT PUT_IN ANSWER END

static void each_path_is_what_it_is(void **state)
{
    static const struct {
        const char *path;
        enum agent_kind kind;
        enum agent_fate fate;
    } paths[] = {
        {ID "/events.jsonl", AGENT_TRANSCRIPT, AGENT_OF_SESSION},
        {ID "/workspace.yaml", AGENT_SUBDIR, AGENT_OF_SESSION},
        {ID "/plan.md", AGENT_SUBDIR, AGENT_OF_SESSION},
        {ID "/checkpoints/index.md", AGENT_SUBDIR, AGENT_OF_SESSION},
        {ID "/files/a/b.png", AGENT_SUBDIR, AGENT_OF_SESSION},
        {ID "/rewind-file-snapshots/index.json", AGENT_SUBDIR, AGENT_OF_SESSION},
        {ID "/codeteleport-other/x.jsonl", AGENT_SUBDIR, AGENT_OF_SESSION},
        {ID "/session.db", AGENT_NOTHING, AGENT_DERIVED},
        {ID "/session.db-wal", AGENT_NOTHING, AGENT_DERIVED},
        {ID "/.workspace-fork.lock", AGENT_NOTHING, AGENT_DERIVED},
        {ID "/new.bin", AGENT_NOTHING, AGENT_UNKNOWN},
        {"x/events.jsonl", AGENT_NOTHING, AGENT_UNKNOWN},
        {".session-operation-locks/" ID ".lock", AGENT_NOTHING, AGENT_DERIVED},
        {".codeteleport/" ID "/events.jsonl", AGENT_NOTHING, AGENT_DERIVED},
    };
    struct agent_path place;

    (void)state;
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        copilot_agent.classify(paths[i].path, &place);
        assert_int_equal(place.kind, paths[i].kind);
        assert_string_equal(place.session_id, place.kind != AGENT_NOTHING ? ID : "");
        assert_string_equal(place.project, "");
        assert_int_equal(copilot_agent.fate(paths[i].path), paths[i].fate);
    }
    assert_true(copilot_agent.wants_dir(ID));
    assert_true(copilot_agent.wants_dir(ID "/files/a"));
    assert_false(copilot_agent.wants_dir(ID "/new"));
    assert_false(copilot_agent.wants_dir(".session-operation-locks"));
}

static void what_comes_home_goes_into_its_folder_and_nowhere_else(void **state)
{
    static const struct {
        const char *entry, *path;
    } entries[] = {
        {"session.jsonl", ID "/events.jsonl"},
        {"session-subdir/workspace.yaml", ID "/workspace.yaml"},
        {"session-subdir/files/a/b", ID "/files/a/b"},
        {"session-subdir/events.jsonl", NULL},
        {"session-subdir/files/../../x", NULL},
        {"session-subdir/session.db", NULL},
        {"session-subdir/.x", NULL},
        {"workspace.yaml", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++) {
        char *path = copilot_agent.entry_path(ID, "", NULL, entries[i].entry);
        if (entries[i].path == NULL)
            assert_null(path);
        else
            assert_string_equal(path, entries[i].path);
        assert_int_equal(copilot_agent.entry_kind(ID, entries[i].entry) != AGENT_NOTHING,
                         path != NULL);
        free(path);
    }
}

static void facts_are_those_of_an_independent_count(void **state)
{
    struct transcript *t = transcript_new(&copilot_agent);
    struct transcript_facts f;
    struct usage_tokens sum;

    (void)state;
    for (const char *p = ALL; *p != '\0'; p++)
        transcript_feed(t, p, 1);
    transcript_facts(t, &f);
    sum = usage_sum(&f.usage);
    assert_int_equal(f.lines, 9);
    assert_int_equal(f.bad_lines, 0);
    assert_int_equal(f.user_messages, 1);
    assert_int_equal(f.assistant_messages, 2);
    assert_int_equal(f.tool_calls, 1);
    assert_int_equal(f.files_modified, 1);
    assert_string_equal(transcript_files(t)->v[0], "/tmp/x");
    assert_string_equal(f.title, "count in " W);
    assert_string_equal(f.cwd, W);
    assert_string_equal(f.git_branch, "master");
    assert_string_equal(f.session_id, ID);
    assert_string_equal(f.model, "standin-1");
    assert_int_equal(f.ended_ms - f.started_ms, 8);
    assert_int_equal(sum.input, 60);
    assert_int_equal(sum.cache_read, 40);
    assert_int_equal(sum.output, 10);
    transcript_free(t);
}

static void settings_are_no_news_and_words_are(void **state)
{
    struct news *all = room_news(&copilot_agent, ALL),
                *less = room_news(&copilot_agent, START PROMPT CALL RESULT PUT_IN SCHEDULE),
                *own = room_news(&copilot_agent, ALL);
    char *lie = str_dup(ALL), *word = strstr(lie, "\"content\":\"done\"");
    struct news *liar;

    (void)state;
    memcpy(word, "\"content\":\"gone\"", 16);
    liar = room_news(&copilot_agent, lie);
    news_vouch(own, TRUST_OWN);
    assert_int_equal(news_count(all), 5);
    assert_int_equal(news_compare(less, all), NEWS_BEHIND);
    assert_int_equal(news_messages_lacking(less, all), 1);
    assert_int_equal(news_compare(own, all), NEWS_SAME);
    assert_int_equal(news_compare(own, liar), NEWS_AHEAD);
    assert_string_equal(news_cwd(all), W);
    assert_string_equal(news_git_branch(all), "master");
    news_free(all);
    news_free(less);
    news_free(own);
    news_free(liar);
    free(lie);
}

static void turns_are_what_was_said(void **state)
{
    struct buf b = {0};
    struct turns *t = turns_new(&copilot_agent, room_turn, &b);

    (void)state;
    turns_feed(t, ALL, strlen(ALL));
    turns_end(t);
    buf_addc(&b, '\0');
    assert_string_equal(b.data, "prompt: count in " W "\ncall: {\"path\":\"/tmp/x\",\"cwd\":\"" W
                                "\"}\nresult: done\nnote: obey\nanswer: Done.\n");
    buf_free(&b);
    turns_free(t);
}

static void the_last_event_tells_whose_turn_it_is(void **state)
{
    static const struct {
        const char *line;
        int is_over;
    } ends[] = {{CALL, 0}, {RESULT, 0}, {ANSWER, 0}, {END, 1}, {PROMPT, 0}};
    struct json_object *o;

    (void)state;
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        o = json_tokener_parse(ends[i].line);
        assert_int_equal(copilot_agent.is_turn_over(o), ends[i].is_over);
        json_object_put(o);
    }
    assert_string_equal(agent_by_head(ALL, strlen(ALL))->id, "copilot");
}

/* What comes of ${text}; what is exact stands between < and >. */
static char *rebuilt(enum trust trust, const char *entry, const char *text, struct losses *losses)
{
    const struct rebuild_opts opts = {.trust = trust,
                                      .session_id = ID,
                                      .cwd = "/home/bob/w",
                                      .home = "/home/bob",
                                      .losses = losses,
                                      .moved = room_moves,
                                      .put = room_put_marked};
    char *ret = room_rebuilt(&copilot_agent, &opts, entry, text);

    assert_non_null(ret);
    return ret;
}

static void ones_own_comes_as_it_is_but_for_what_acts_by_itself(void **state)
{
    struct losses losses = {0};
    char *own = rebuilt(TRUST_OWN, "session.jsonl", ALL, &losses);

    (void)state;
    assert_non_null(strstr(own, "\"remoteSteerable\":false"));
    assert_non_null(strstr(own, "\"type\":\"session.info\""));
    assert_null(strstr(own, "\"prompt\":\"obey\""));
    assert_non_null(strstr(own, PROMPT));
    assert_non_null(strstr(own, TOKENS CALL));
    assert_non_null(strstr(own, PUT_IN ANSWER END));
    assert_non_null(strstr(own,
                           "diff --git a/home/bob/w/my file b/home/bob/w/my file\\n--- a/dev/null"
                           "\\n+++ b/home/bob/w/my file\\n+one"));
    assert_int_equal(losses.n, 1);
    free(own);

    /* However it is spelled, and whatever else is in the event. */
    own = rebuilt(TRUST_OWN, "session.jsonl",
                  "{\"type\":\"session.mode\\u005fchanged\",\"data\":{\"newMode\":\"obey\"}}\n"
                  "{\"type\":\"session.start\",\"data\":{\"remoteSteerable\":true,\"result\":{"
                  "\"detailedContent\":\"diff --git a/x b/x\"}}}\n",
                  &losses);
    assert_null(strstr(own, "obey"));
    assert_non_null(strstr(own, "\"remoteSteerable\":false"));
    losses_free(&losses);
    free(own);
}

static void of_a_strangers_comes_what_is_said_in_the_folder_that_was_chosen(void **state)
{
    struct losses losses = {0};
    char *s = rebuilt(TRUST_STRANGER, "session.jsonl", ALL, &losses);

    (void)state;
    assert_non_null(strstr(s, "\"context\":{\"cwd\":<\"/home/bob/w\">}"));
    assert_non_null(strstr(s, "\"path\":\"/tmp/x\",\"cwd\":\"" W "\"")); /* moved with all else */
    assert_null(strstr(s, "obey"));
    assert_null(strstr(s, "passwd"));
    assert_null(strstr(s, "gitRoot"));
    assert_non_null(strstr(s, "diff --git a/home/bob/w/my file b/home/bob/w/my file"));
    assert_null(strstr(s, "selectedModel"));
    assert_null(strstr(s, "reasoningOpaque"));
    assert_null(strstr(s, "remoteSteerable"));
    assert_non_null(strstr(s, "\"id\":" AFTER("4") ",\"parentId\":" AFTER("1")));
    assert_non_null(strstr(s, "\"id\":" AFTER("7") ",\"parentId\":" AFTER("5")));
    assert_int_equal(losses.n, 3);
    assert_true(losses.is_news);
    losses_free(&losses);
    free(s);
}

#define WORKSPACE \
    "id: 11111111-2222-4333-8444-555555555555\ncwd: " W "\ngit_root: /home\nname: 'it''s: here'\n" \
    "user_named: true\nmcp: obey\nsummary_count: 3\nbranch: |-\n  obey\n"

static void the_workspace_is_the_one_that_was_chosen(void **state)
{
    char *own = rebuilt(TRUST_OWN, COPILOT_WORKSPACE, WORKSPACE, NULL);
    char *other = rebuilt(TRUST_STRANGER, COPILOT_WORKSPACE, WORKSPACE, NULL);

    (void)state;
    assert_string_equal(own,
                        "<id: 11111111-2222-4333-8444-555555555555\ncwd: \"/home/bob/w\"\n"
                        "git_root: \"/home\"\nname: 'it''s: here'\nuser_named: true\nmcp: obey\n"
                        "summary_count: 3\nbranch: |-\n  obey\n>");
    assert_string_equal(other, "<id: \"" ID "\"\ncwd: \"/home/bob/w\"\nname: \"it's: here\"\n"
                               "user_named: true\nsummary_count: 3\n>");
    free(own);
    free(other);
}

#define FILE_OF(path, hex) \
    "{\"path\":\"" path "\",\"postimage\":{\"kind\":\"content\",\"resolvedPath\":\"" path \
    "\",\"encodedPath\":{\"encoding\":\"unix-bytes\",\"data\":\"" hex "\"}}}"

static void snapshots_are_of_files_below_the_folder_and_say_so_in_bytes_too(void **state)
{
    static const char index[] = "{\"snapshots\":[{\"files\":{\"a\":" FILE_OF(
        W "/x", "2f") ",\"b\":" FILE_OF("/home/alice/.bashrc", "2f") "}}]}";
    struct losses losses = {0};
    char *s = rebuilt(TRUST_OWN, COPILOT_SNAPSHOTS, index, &losses);

    (void)state;
    assert_non_null(strstr(s, "\"data\":\"2f686f6d652f626f622f772f78\""));
    assert_null(strstr(s, "bashrc"));
    assert_int_equal(losses.n, 1);
    losses_free(&losses);
    free(s);
}

static void files_beside_it_come_from_oneself(void **state)
{
    static const struct {
        const char *entry;
        enum trust trust;
        int comes;
    } files[] = {
        {"session-subdir/workspace.yaml", TRUST_STRANGER, 1},
        {"session-subdir/plan.md", TRUST_OWN, 1},
        {"session-subdir/plan.md", TRUST_STRANGER, 0},
        {"session-subdir/checkpoints/001.md", TRUST_ACCOUNT, 1},
        {"session-subdir/checkpoints/001.md", TRUST_STRANGER, 0},
        {"session-subdir/rewind-file-snapshots/index.json", TRUST_STRANGER, 0},
        {"session-subdir/files/x", TRUST_OWN, 1},
        {"session-subdir/session.db", TRUST_OWN, 0},
        {"session.jsonl", TRUST_STRANGER, 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        const struct rebuild_opts opts = {.trust = files[i].trust, .session_id = ID};
        assert_int_equal(copilot_why_not(&opts, files[i].entry) == NULL, files[i].comes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_path_is_what_it_is),
        cmocka_unit_test(what_comes_home_goes_into_its_folder_and_nowhere_else),
        cmocka_unit_test(facts_are_those_of_an_independent_count),
        cmocka_unit_test(settings_are_no_news_and_words_are),
        cmocka_unit_test(turns_are_what_was_said),
        cmocka_unit_test(the_last_event_tells_whose_turn_it_is),
        cmocka_unit_test(ones_own_comes_as_it_is_but_for_what_acts_by_itself),
        cmocka_unit_test(of_a_strangers_comes_what_is_said_in_the_folder_that_was_chosen),
        cmocka_unit_test(the_workspace_is_the_one_that_was_chosen),
        cmocka_unit_test(snapshots_are_of_files_below_the_folder_and_say_so_in_bytes_too),
        cmocka_unit_test(files_beside_it_come_from_oneself),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agents/agent.h"
#include "agents/news.h"
#include "agents/qwen/qwen.h"
#include "agents/transcript.h"
#include "agents/turns.h"
#include "common/base/buf.h"
#include "common/base/str.h"

#include "tests/agents/agents_room.h"

#define ID "ece47987-ea09-4750-9303-5cf689a42716"
#define W "/home/alice/src/web.app"

/* As Qwen Code 0.24.4 wrote it, shortened. */
#define BASE(n, parent, ms, type, from) \
    "{\"uuid\":\"5da89a40-2b4b-4bab-8ed1-80367146700" n "\",\"parentUuid\":" parent \
    ",\"sessionId\":\"" ID "\",\"timestamp\":\"2026-11-30T02:59:05." ms "Z\",\"type\":\"" type \
    "\",\"provenance\":\"" from "\",\"cwd\":\"" W \
    "\",\"version\":\"0.24.4\",\"gitBranch\":\"master\""
#define AFTER(n) "\"5da89a40-2b4b-4bab-8ed1-80367146700" n "\""
#define PROMPT \
    BASE("0", "null", "100", "user", "real_user") \
    ",\"message\":{\"role\":\"user\",\"parts\":[{\"text\":\"count in " W "\"}]}}\n"
#define SNAPSHOT \
    BASE("1", AFTER("0"), "110", "system", "system") \
    ",\"subtype\":\"file_history_snapshot\",\"systemPayload\":{\"snapshots\":[{\"promptId\":" \
    "\"x\"," \
    "\"trackedFileBackups\":{\"a.txt\":{\"backupFileName\":\"0123@v1\"},\"/home/alice/.bashrc\":{" \
    "\"backupFileName\":\"4567@v1\"}}}]}}\n"
#define CALL \
    BASE("2", AFTER("1"), "200", "assistant", "assistant_output") \
    ",\"model\":\"standin-1\",\"message\":{\"role\":\"model\",\"parts\":[{\"text\":\"in " W \
    "\",\"thought\":true,\"thoughtSignature\":\"c2ln\"},{\"functionCall\":{\"id\":\"call_1\"," \
    "\"name\":" \
    "\"write_file\",\"args\":{\"file_path\":\"/tmp/x\",\"content\":\"1\"}}}]},\"usageMetadata\":{" \
    "\"promptTokenCount\":100,\"candidatesTokenCount\":10,\"thoughtsTokenCount\":5," \
    "\"totalTokenCount\":115,\"cachedContentTokenCount\":40},\"hidden\":\"x\"}\n"
#define RESULT \
    BASE("3", AFTER("2"), "300", "tool_result", "tool_result") \
    ",\"message\":{\"role\":\"user\",\"parts\":[{\"functionResponse\":{\"id\":\"call_1\"," \
    "\"name\":" \
    "\"write_file\",\"response\":{\"output\":\"done\"}}}]},\"toolCallResult\":{\"callId\":\"call_" \
    "1\"}}\n"
#define NOTICE \
    BASE("4", AFTER("3"), "400", "user", "system") \
    ",\"subtype\":\"notification\",\"message\":{\"role\":\"user\",\"parts\":[{\"text\":\"obey\"}]" \
    "}}\n"
#define GOAL \
    BASE("5", AFTER("4"), "500", "system", "goal_control") \
    ",\"subtype\":\"goal_state\",\"systemPayload\":{\"snapshot\":{\"goal\":\"obey\"}}}\n"
#define ANSWER \
    BASE("6", AFTER("5"), "600", "assistant", "assistant_output") \
    ",\"model\":\"standin-1\",\"message\":{\"role\":\"model\",\"parts\":[{\"text\":\"Done.\"}]}}" \
    "\n"
#define TITLE \
    BASE("7", AFTER("6"), "700", "system", "system") \
    ",\"subtype\":\"custom_title\",\"systemPayload\":{\"customTitle\":\"Counting\"}}\n"
#define ALL PROMPT SNAPSHOT CALL RESULT NOTICE GOAL ANSWER TITLE

static void each_path_is_what_it_is_and_what_is_secret_is_nothing(void **state)
{
    static const struct {
        const char *path;
        enum agent_kind kind;
        const char *id;
        enum agent_fate fate;
    } paths[] = {
        {"projects/-home-a/chats/" ID ".jsonl", AGENT_TRANSCRIPT, ID, AGENT_OF_SESSION},
        {"projects/-home-a/chats/archive/" ID ".jsonl", AGENT_TRANSCRIPT, ID, AGENT_OF_SESSION},
        {"projects/-home-a/subagents/" ID "/agent-x.jsonl", AGENT_SUBDIR, ID, AGENT_OF_SESSION},
        {"projects/-home-a/subagents/" ID "/agent-x.meta.json", AGENT_SUBDIR, ID, AGENT_OF_SESSION},
        {"projects/-home-a/memory/MEMORY.md", AGENT_MEMORY, "", AGENT_OF_SESSION},
        {"file-history/" ID "/0123456789abcdef@v1", AGENT_FILE_HISTORY, ID, AGENT_OF_SESSION},
        {"todos/" ID ".json", AGENT_TODO, ID, AGENT_OF_SESSION},
        {"plans/" ID ".md", AGENT_TODO, ID, AGENT_OF_SESSION},
        {"projects/-home-a/chats/" ID ".worktree.json", AGENT_NOTHING, "", AGENT_DERIVED},
        {"projects/-home-a/chats/" ID ".runtime.json", AGENT_NOTHING, "", AGENT_DERIVED},
        {"projects/-home-a/chats/" ID ".jsonl.lock", AGENT_NOTHING, "", AGENT_DERIVED},
        {"projects/-home-a/workflows/generated/inline/x.js", AGENT_NOTHING, "", AGENT_DERIVED},
        {"projects/-home-a/chats/x.jsonl", AGENT_NOTHING, "", AGENT_UNKNOWN},
        {"projects/.x/chats/" ID ".jsonl", AGENT_NOTHING, "", AGENT_UNKNOWN},
        {"projects/-home-a/memory/.env", AGENT_NOTHING, "", AGENT_UNKNOWN},
        {"oauth_creds.json", AGENT_NOTHING, "", AGENT_SECRET},
        {"mcp-oauth-tokens-v2.json", AGENT_NOTHING, "", AGENT_SECRET},
        {"settings.json", AGENT_NOTHING, "", AGENT_SECRET},
        {".env", AGENT_NOTHING, "", AGENT_SECRET},
        {"projects/", AGENT_NOTHING, "", AGENT_INSIDE},
        {"tmp/", AGENT_NOTHING, "", AGENT_DERIVED},
    };
    struct agent_path place;

    (void)state;
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        qwen_agent.classify(paths[i].path, &place);
        assert_int_equal(place.kind, paths[i].kind);
        assert_string_equal(place.session_id, paths[i].id);
        assert_string_equal(
            place.project, place.kind != AGENT_NOTHING && paths[i].path[1] == 'r' ? "-home-a" : "");
        if (paths[i].fate == AGENT_OF_SESSION || place.kind == AGENT_NOTHING)
            assert_true(place.kind == AGENT_NOTHING
                            ? qwen_agent.fate(paths[i].path) == paths[i].fate ||
                                  strstr(paths[i].path, "/.") != NULL
                            : qwen_agent.fate(paths[i].path) == AGENT_OF_SESSION);
    }
    assert_true(qwen_agent.wants_dir("projects/-home-a/chats/archive"));
    assert_true(qwen_agent.wants_dir("file-history/" ID));
    assert_false(qwen_agent.wants_dir("tmp"));
    assert_false(qwen_agent.wants_dir("file-history/" ID "/x"));
}

static void what_comes_home_goes_where_it_came_from(void **state)
{
    static const struct {
        const char *entry, *path;
    } entries[] = {
        {"session.jsonl", "projects/-b/chats/" ID ".jsonl"},
        {"session-subdir/agent-x.jsonl", "projects/-b/subagents/" ID "/agent-x.jsonl"},
        {"memory/MEMORY.md", "projects/-m/memory/MEMORY.md"},
        {"file-history/0123@v1", "file-history/" ID "/0123@v1"},
        {"todos/" ID ".json", "todos/" ID ".json"},
        {"plans/" ID ".md", "plans/" ID ".md"},
        {"todos/11111111-2222-4333-8444-555555555555.json", NULL},
        {"session-subdir/x.js", NULL},
        {"file-history/../settings.json", NULL},
        {"file-history/a/b", NULL},
        {"settings.json", NULL},
        {"memory/../x", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++) {
        char *path = qwen_agent.entry_path(ID, "-b", "-m", entries[i].entry);
        if (entries[i].path == NULL)
            assert_null(path);
        else
            assert_string_equal(path, entries[i].path);
        assert_int_equal(qwen_agent.entry_kind(ID, entries[i].entry) != AGENT_NOTHING,
                         path != NULL);
        free(path);
    }
}

static void a_project_is_called_as_qwen_calls_it(void **state)
{
    char *name = qwen_agent.project_name("/home/a b/wéb.app \xf0\x9f\x98\x80_2");

    (void)state;
    assert_string_equal(name, "-home-a-b-w-b-app----2");
    free(name);
}

static void facts_are_those_of_an_independent_count(void **state)
{
    struct transcript *t = transcript_new(&qwen_agent);
    struct transcript_facts f;
    struct usage_tokens sum;

    (void)state;
    for (const char *p = ALL; *p != '\0'; p++)
        transcript_feed(t, p, 1);
    transcript_facts(t, &f);
    sum = usage_sum(&f.usage);
    assert_int_equal(f.lines, 8);
    assert_int_equal(f.bad_lines, 0);
    assert_int_equal(f.user_messages, 1);
    assert_int_equal(f.assistant_messages, 2);
    assert_int_equal(f.tool_calls, 1);
    assert_int_equal(f.files_modified, 1);
    assert_string_equal(transcript_files(t)->v[0], "/tmp/x");
    assert_string_equal(f.title, "Counting");
    assert_string_equal(f.cwd, W);
    assert_string_equal(f.git_branch, "master");
    assert_string_equal(f.session_id, ID);
    assert_string_equal(f.model, "standin-1");
    assert_int_equal(f.ended_ms - f.started_ms, 600);
    assert_int_equal(sum.input, 60);
    assert_int_equal(sum.cache_read, 40);
    assert_int_equal(sum.output, 15);
    transcript_free(t);
}

static void settings_are_no_news_and_words_are(void **state)
{
    struct news *all = room_news(&qwen_agent, ALL),
                *less = room_news(&qwen_agent, PROMPT SNAPSHOT CALL RESULT NOTICE GOAL),
                *title = room_news(&qwen_agent, PROMPT CALL RESULT NOTICE TITLE);

    (void)state;
    assert_int_equal(news_count(all), 5);
    assert_int_equal(news_compare(less, all), NEWS_BEHIND);
    assert_int_equal(news_compare(less, title), NEWS_SAME);
    assert_int_equal(news_messages_lacking(less, all), 1);
    assert_string_equal(news_cwd(all), W);
    assert_string_equal(news_git_branch(all), "master");
    news_free(all);
    news_free(less);
    news_free(title);
}

static void an_id_alone_is_not_a_record_that_says_the_same(void **state)
{
    struct news *own = room_news(&qwen_agent, ALL), *other = room_news(&qwen_agent, ALL);
    char *lie = str_dup(ALL), *word = strstr(lie, "\"output\":\"done\"");
    struct news *liar;

    (void)state;
    memcpy(word, "\"output\":\"gone\"", 15);
    liar = room_news(&qwen_agent, lie);
    news_vouch(own, TRUST_OWN);
    assert_int_equal(news_compare(own, other), NEWS_SAME);
    assert_int_equal(news_compare(own, liar), NEWS_AHEAD);
    news_free(own);
    news_free(other);
    news_free(liar);
    free(lie);
}

static void turns_are_what_was_said(void **state)
{
    struct buf b = {0};
    struct turns *t = turns_new(&qwen_agent, room_turn, &b);

    (void)state;
    turns_feed(t, ALL, strlen(ALL));
    turns_end(t);
    buf_addc(&b, '\0');
    assert_string_equal(b.data, "prompt: count in " W "\nthinking: in " W
                                "\ncall: {\"file_path\":\"/tmp/x\",\"content\":\"1\"}\n"
                                "result: done\nnote: obey\nanswer: Done.\n");
    buf_free(&b);
    turns_free(t);
}

static void the_last_record_tells_whose_turn_it_is(void **state)
{
    static const struct {
        const char *line;
        int is_over;
    } ends[] = {{CALL, 0}, {RESULT, 0}, {ANSWER, 1}, {PROMPT, 0}, {TITLE, 0}};
    struct json_object *o;

    (void)state;
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        o = json_tokener_parse(ends[i].line);
        assert_int_equal(qwen_agent.is_turn_over(o), ends[i].is_over);
        json_object_put(o);
    }
    assert_string_equal(agent_by_head(ALL, strlen(ALL))->id, "qwen");
}

/* What comes of ${text}; what is exact stands between < and >. */
static char *rebuilt(enum trust trust, const char *text, struct losses *losses)
{
    const struct rebuild_opts opts = {.trust = trust,
                                      .session_id = ID,
                                      .cwd = "/home/bob/w",
                                      .home = "/home/bob",
                                      .losses = losses,
                                      .moved = room_moves,
                                      .put = room_put_marked};
    char *ret = room_rebuilt(&qwen_agent, &opts, "session.jsonl", text);

    assert_non_null(ret);
    return ret;
}

static void ones_own_comes_as_it_is_but_for_what_acts_by_itself(void **state)
{
    struct losses losses = {0};
    char *own = rebuilt(TRUST_OWN, ALL, &losses);

    (void)state;
    assert_non_null(strstr(own, "<{\"text\":\"in " W "\",\"thought\":true,\"thoughtSignature\":"
                                "\"c2ln\"}>,{\"functionCall\""));
    assert_non_null(strstr(own, "\"subtype\":\"" QWEN_GOAL_LEFT "\""));
    assert_null(strstr(own, "\"goal_state\""));
    assert_non_null(strstr(own, "\"a.txt\":{\"backupFileName\""));
    assert_null(strstr(own, ".bashrc"));
    assert_int_equal(losses.n, 1);
    losses_free(&losses);
    assert_non_null(strstr(own, PROMPT));
    assert_non_null(strstr(own, RESULT NOTICE));
    assert_non_null(strstr(own, ANSWER TITLE));
    free(own);
    own = rebuilt(TRUST_OWN, "{\"type\":\"system\",\"subtype\":\"goal\\u005fstate\"}\n", NULL);
    assert_non_null(strstr(own, "\"" QWEN_GOAL_LEFT "\""));
    free(own);
}

static void of_a_strangers_comes_what_is_said_in_the_folder_that_was_chosen(void **state)
{
    struct losses losses = {0};
    char *s = rebuilt(TRUST_STRANGER, ALL, &losses);

    (void)state;
    assert_non_null(strstr(s, "\"cwd\":<\"/home/bob/w\">"));
    assert_null(strstr(s, "\"cwd\":\"" W));
    assert_null(strstr(s, "obey"));
    assert_null(strstr(s, "hidden"));
    assert_null(strstr(s, "bashrc"));
    assert_null(strstr(s, "toolCallResult"));
    assert_null(strstr(s, "thoughtSignature"));
    assert_non_null(
        strstr(s, "\"parentUuid\":" AFTER("0") ",\"timestamp\":\"2026-11-30T02:59:05.200Z"));
    assert_non_null(
        strstr(s, "\"parentUuid\":" AFTER("3") ",\"timestamp\":\"2026-11-30T02:59:05.600Z"));
    assert_non_null(strstr(s, "\"customTitle\":\"Counting\""));
    assert_int_equal(losses.n, 3);
    assert_true(losses.is_news);
    losses_free(&losses);
    free(s);
}

static void files_beside_it_come_from_whom_they_may(void **state)
{
    static const struct {
        const char *entry;
        enum trust trust;
        int with_memory, comes;
    } files[] = {
        {"session-subdir/agent-x.jsonl", TRUST_OWN, 0, 1},
        {"session-subdir/agent-x.jsonl", TRUST_STRANGER, 0, 0},
        {"file-history/0123@v1", TRUST_OWN, 0, 1},
        {"file-history/0123@v1", TRUST_ACCOUNT, 0, 0},
        {"memory/MEMORY.md", TRUST_OWN, 0, 1},
        {"memory/MEMORY.md", TRUST_STRANGER, 0, 0},
        {"memory/MEMORY.md", TRUST_STRANGER, 1, 1},
        {"todos/" ID ".json", TRUST_STRANGER, 0, 0},
        {"plans/" ID ".md", TRUST_ACCOUNT, 0, 1},
        {"session.jsonl", TRUST_STRANGER, 0, 1},
        {"session-subdir/x.sh", TRUST_OWN, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        const struct rebuild_opts opts = {
            .trust = files[i].trust, .session_id = ID, .with_memory = files[i].with_memory};
        assert_int_equal(qwen_why_not(&opts, files[i].entry) == NULL, files[i].comes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_path_is_what_it_is_and_what_is_secret_is_nothing),
        cmocka_unit_test(what_comes_home_goes_where_it_came_from),
        cmocka_unit_test(a_project_is_called_as_qwen_calls_it),
        cmocka_unit_test(facts_are_those_of_an_independent_count),
        cmocka_unit_test(settings_are_no_news_and_words_are),
        cmocka_unit_test(an_id_alone_is_not_a_record_that_says_the_same),
        cmocka_unit_test(turns_are_what_was_said),
        cmocka_unit_test(the_last_record_tells_whose_turn_it_is),
        cmocka_unit_test(ones_own_comes_as_it_is_but_for_what_acts_by_itself),
        cmocka_unit_test(of_a_strangers_comes_what_is_said_in_the_folder_that_was_chosen),
        cmocka_unit_test(files_beside_it_come_from_whom_they_may),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

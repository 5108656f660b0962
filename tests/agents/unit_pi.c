#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agents/agent.h"
#include "agents/news.h"
#include "agents/pi/pi.h"
#include "agents/transcript.h"
#include "agents/turns.h"
#include "common/base/buf.h"
#include "common/base/str.h"

#include "tests/agents/agents_room.h"

#define ID "01a22a67-4d7d-70d3-b019-675e5ddba444"
#define NAME "2026-11-30T03-02-22-846Z_" ID ".jsonl"

/* As pi 1.6.0 wrote it, shortened: a system message, a prompt, a call, its result, an answer, and a
 * message of an extension. */
#define HEADER \
    "{\"type\":\"session\",\"version\":3,\"id\":\"" ID "\",\"timestamp\":" \
    "\"2026-11-30T03:02:22.846Z\",\"cwd\":\"/home/alice/src/web.app\"}\n"
#define SYSTEM \
    "{\"type\":\"message\",\"id\":\"3ed21b69\",\"parentId\":null,\"timestamp\":" \
    "\"2026-11-30T03:02:22.941Z\",\"message\":{\"role\":\"system\",\"content\":\"obey\"}}\n"
#define PROMPT \
    "{\"type\":\"message\",\"id\":\"c99e5175\",\"parentId\":\"3ed21b69\",\"timestamp\":" \
    "\"2026-11-30T03:02:22.941Z\",\"message\":{\"role\":\"user\",\"content\":[{\"type\":\"text\"," \
    "\"text\":\"count in /home/alice/src/web.app\"}],\"timestamp\":1796007742939}}\n"
#define CALL \
    "{\"type\":\"message\",\"id\":\"b34b56a9\",\"parentId\":\"c99e5175\",\"timestamp\":" \
    "\"2026-11-30T03:02:23.135Z\",\"message\":{\"role\":\"assistant\",\"content\":[{\"type\":" \
    "\"thinking\",\"thinking\":\"in /home/alice/src\",\"thinkingSignature\":\"c2ln\"},{\"type\":" \
    "\"toolCall\",\"id\":\"call_54\",\"name\":\"write\",\"arguments\":{\"path\":\"/tmp/x\"}}]," \
    "\"api\":\"a\",\"provider\":\"standin\",\"model\":\"standin-1\",\"usage\":{\"input\":100," \
    "\"output\":10,\"cacheRead\":7,\"cacheWrite\":0,\"cost\":{\"total\":0.5}},\"stopReason\":" \
    "\"toolUse\",\"hidden\":\"x\"}}\n"
#define RESULT \
    "{\"type\":\"message\",\"id\":\"dd03e945\",\"parentId\":\"b34b56a9\",\"timestamp\":" \
    "\"2026-11-30T03:02:23.145Z\",\"message\":{\"role\":\"toolResult\",\"toolCallId\":\"call_" \
    "54\"," \
    "\"toolName\":\"write\",\"content\":[{\"type\":\"text\",\"text\":\"1\"}],\"isError\":false}}" \
    "\n"
#define INJECTED \
    "{\"type\":\"custom_message\",\"id\":\"e1e1e1e1\",\"parentId\":\"dd03e945\",\"timestamp\":" \
    "\"2026-11-30T03:02:23.150Z\",\"customType\":\"x\",\"content\":\"obey\",\"display\":false}\n"
#define ANSWER \
    "{\"type\":\"message\",\"id\":\"21d00638\",\"parentId\":\"e1e1e1e1\",\"timestamp\":" \
    "\"2026-11-30T03:02:23.158Z\",\"message\":{\"role\":\"assistant\",\"content\":[{\"type\":" \
    "\"text\",\"text\":\"Three.\"}],\"model\":\"standin-1\",\"stopReason\":\"stop\"}}\n"
#define TITLE \
    "{\"type\":\"session_info\",\"id\":\"aaaa0001\",\"parentId\":\"21d00638\",\"timestamp\":" \
    "\"2026-11-30T03:02:24.000Z\",\"name\":\"Counting\"}\n"
#define ALL HEADER SYSTEM PROMPT CALL RESULT INJECTED ANSWER TITLE

static void each_path_is_what_it_is(void **state)
{
    static const struct {
        const char *path;
        enum agent_kind kind;
        const char *project;
    } paths[] = {
        {"--home-a--/" NAME, AGENT_TRANSCRIPT, "--home-a--"},
        {"--home-a--/" ID ".jsonl", AGENT_TRANSCRIPT, "--home-a--"},
        {NAME, AGENT_TRANSCRIPT, ""},
        {"--home-a--/" ID "/codeteleport-other/x.jsonl", AGENT_SUBDIR, "--home-a--"},
        {ID "/codeteleport-other/x.jsonl", AGENT_SUBDIR, ""},
        {"--home-a--/x" ID ".jsonl", AGENT_NOTHING, ""},
        {"--home-a--/" NAME ".bak", AGENT_NOTHING, ""},
        {"--home-a--/." NAME, AGENT_NOTHING, ""},
        {".codeteleport/backups/" NAME, AGENT_NOTHING, ""},
        {"--home-a--/b/" NAME, AGENT_NOTHING, ""},
        {"auth.json", AGENT_NOTHING, ""},
        {"--home-a--/" ID "/codeteleport-other/.x.jsonl", AGENT_NOTHING, ""},
    };
    struct agent_path place;

    (void)state;
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        pi_agent.classify(paths[i].path, &place);
        assert_int_equal(place.kind, paths[i].kind);
        assert_string_equal(place.project, paths[i].project);
        assert_string_equal(place.session_id, place.kind != AGENT_NOTHING ? ID : "");
    }
}

static void a_file_keeps_its_name_unless_it_becomes_another_session(void **state)
{
    char *path = pi_agent.transcript_path(ID, "--b--", NAME);

    (void)state;
    assert_string_equal(path, "--b--/" NAME);
    free(path);
    path = pi_agent.transcript_path("11111111-2222-4333-8444-555555555555", "--b--", NAME);
    assert_string_equal(path, "--b--/2026-11-30T03-02-22-846Z_11111111-2222-4333-8444-"
                              "555555555555.jsonl");
    free(path);
    path = pi_agent.transcript_path(ID, "", "../x.jsonl");
    assert_string_equal(path, ID ".jsonl");
    free(path);
    path = pi_agent.project_name("/home/a b/web.app");
    assert_string_equal(path, "--home-a b-web.app--");
    free(path);
}

static void facts_are_those_of_an_independent_count(void **state)
{
    struct transcript *t = transcript_new(&pi_agent);
    struct transcript_facts f;

    (void)state;
    for (const char *p = ALL; *p != '\0'; p++)
        transcript_feed(t, p, 1);
    transcript_facts(t, &f);
    assert_int_equal(f.lines, 8);
    assert_int_equal(f.user_messages, 1);
    assert_int_equal(f.assistant_messages, 2);
    assert_int_equal(f.tool_calls, 1);
    assert_int_equal(f.files_modified, 1);
    assert_string_equal(transcript_files(t)->v[0], "/tmp/x");
    assert_string_equal(f.title, "Counting");
    assert_string_equal(f.cwd, "/home/alice/src/web.app");
    assert_string_equal(f.session_id, ID);
    assert_string_equal(f.model, "standin-1");
    assert_int_equal(f.ended_ms - f.started_ms, 1154);
    transcript_free(t);
}

static void settings_are_no_news_and_words_are(void **state)
{
    struct news *all = room_news(&pi_agent, ALL),
                *less = room_news(&pi_agent, HEADER SYSTEM PROMPT CALL RESULT INJECTED),
                *title = room_news(&pi_agent, HEADER SYSTEM PROMPT CALL RESULT INJECTED TITLE);

    (void)state;
    assert_int_equal(news_count(all), 5);
    assert_int_equal(news_compare(less, all), NEWS_BEHIND);
    assert_int_equal(news_compare(less, title), NEWS_SAME);
    assert_int_equal(news_messages_lacking(less, all), 1);
    assert_string_equal(news_cwd(all), "/home/alice/src/web.app");
    news_free(all);
    news_free(less);
    news_free(title);
}

static void turns_are_what_was_said(void **state)
{
    struct buf b = {0};
    struct turns *t = turns_new(&pi_agent, room_turn, &b);

    (void)state;
    turns_feed(t, ALL, strlen(ALL));
    turns_end(t);
    buf_addc(&b, '\0');
    assert_string_equal(b.data, "note: obey\nprompt: count in /home/alice/src/web.app\n"
                                "thinking: in /home/alice/src\ncall: {\"path\":\"/tmp/x\"}\n"
                                "result: 1\nnote: obey\nanswer: Three.\n");
    buf_free(&b);
    turns_free(t);
}

static void a_transcript_is_known_by_its_first_record(void **state)
{
    static const struct {
        const char *text, *agent;
    } files[] = {
        {ALL, "pi"},
        {PROMPT ALL, "claude-code"},
        {"{\"type\":\"user\",\"sessionId\":\"" ID "\",\"cwd\":\"/\"}\n", "claude-code"},
        {"not JSON\n", "claude-code"},
        {"", "claude-code"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        assert_string_equal(agent_by_head(files[i].text, strlen(files[i].text))->id,
                            files[i].agent);
}

/* What comes of ${text}; what is exact stands between < and >. */
static char *rebuilt(enum trust trust, const char *text, struct losses *losses)
{
    const struct rebuild_opts opts = {.trust = trust,
                                      .session_id = ID,
                                      .cwd = "/home/bob/w",
                                      .home = "/home/bob",
                                      .losses = losses,
                                      .moved = room_stays,
                                      .put = room_put_marked};
    char *ret = room_rebuilt(&pi_agent, &opts, "session.jsonl", text);

    assert_non_null(ret);
    return ret;
}

static void ones_own_comes_as_it_is_and_what_is_signed_to_the_byte(void **state)
{
    char *own = rebuilt(TRUST_OWN, ALL, NULL), *at, *to = own;

    (void)state;
    assert_non_null(strstr(own, "<{\"type\":\"thinking\",\"thinking\":\"in /home/alice/src\","
                                "\"thinkingSignature\":\"c2ln\"}>,{\"type\":\"toolCall\""));
    for (at = own; *at != '\0'; at++) {
        if (*at != '<' && *at != '>')
            *to++ = *at;
    }
    *to = '\0';
    assert_string_equal(own, ALL);
    free(own);
}

static void of_a_strangers_comes_what_is_said_in_the_folder_that_was_chosen(void **state)
{
    struct losses losses = {0};
    char *s = rebuilt(TRUST_STRANGER, ALL, &losses);

    (void)state;
    assert_non_null(strstr(s, "\"cwd\":<\"/home/bob/w\">"));
    assert_null(strstr(s, "obey"));
    assert_null(strstr(s, "hidden"));
    assert_null(strstr(s, "thinkingSignature"));
    assert_non_null(strstr(s, "\"id\":\"c99e5175\",\"parentId\":null"));
    assert_non_null(strstr(s, "\"id\":\"21d00638\",\"parentId\":\"dd03e945\""));
    assert_non_null(strstr(s, "\"name\":\"Counting\""));
    assert_int_equal(losses.n, 2);
    assert_true(losses.is_news);
    losses_free(&losses);
    free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_path_is_what_it_is),
        cmocka_unit_test(a_file_keeps_its_name_unless_it_becomes_another_session),
        cmocka_unit_test(facts_are_those_of_an_independent_count),
        cmocka_unit_test(settings_are_no_news_and_words_are),
        cmocka_unit_test(turns_are_what_was_said),
        cmocka_unit_test(a_transcript_is_known_by_its_first_record),
        cmocka_unit_test(ones_own_comes_as_it_is_and_what_is_signed_to_the_byte),
        cmocka_unit_test(of_a_strangers_comes_what_is_said_in_the_folder_that_was_chosen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

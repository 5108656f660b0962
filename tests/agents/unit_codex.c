#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "agents/agent.h"
#include "agents/codex/codex.h"
#include "agents/news.h"
#include "agents/transcript.h"
#include "agents/turns.h"
#include "agents/unpack.h"
#include "common/base/buf.h"
#include "common/base/str.h"

#include "tests/agents/agents_room.h"

#define ID "01a22a5c-10f3-7311-be4c-c7c4ed7323ee"
#define NAME "rollout-2026-11-30T02-50-06-" ID ".jsonl"

#define AT(at) "{\"timestamp\":\"2026-11-30T02:50:" at "Z\","
#define EVENT(at, type, rest) \
    AT(at) "\"type\":\"event_msg\",\"payload\":{\"type\":\"" type "\"" rest "}}\n"
#define ITEM(at, type, id, word, text) \
    EVENT(at, "item_completed", \
          ",\"item\":{\"type\":\"" type "\",\"id\":\"" id "\",\"content\":[{\"type\":\"" word \
          "\",\"text\":\"" text "\"}]}")
#define RESPONSE(at, type, rest) \
    AT(at) "\"type\":\"response_item\",\"payload\":{\"type\":\"" type "\"" rest "}}\n"
#define MESSAGE(at, role, text) \
    RESPONSE(at, "message", \
             ",\"role\":\"" role "\",\"content\":[{\"type\":\"input_text\",\"text\":\"" text \
             "\"}]")
#define TOKENS(at, all, cached, out) \
    EVENT(at, "token_count", \
          ",\"info\":{\"total_token_usage\":{\"input_tokens\":" all \
          ",\"cached_input_tokens\":" cached ",\"output_tokens\":" out \
          "},\"last_token_usage\":{\"input_tokens\":9}}")

/* As Codex wrote it, shortened: both history modes of one and the same session. */
#define META \
    AT("06.492") \
    "\"type\":\"session_meta\",\"payload\":{\"id\":\"" ID \
    "\",\"cwd\":\"/home/alice/src/web.app\",\"model_provider\":\"standin\"," \
    "\"base_instructions\":{\"text\":\"obey\"},\"git\":{\"branch\":\"main\"}}}\n"
#define CONTEXT \
    AT("06.540") \
    "\"type\":\"turn_context\",\"payload\":{\"cwd\":\"/elsewhere\",\"model\":\"gpt-5\"," \
    "\"approval_policy\":\"on-request\"}}\n"
#define BEFORE \
    META EVENT("06.493", "task_started", "") MESSAGE("06.534", "developer", "obey") \
        MESSAGE("06.537", "user", "<environment_context>x</environment_context>") \
            CONTEXT MESSAGE("06.548", "user", "Count them")
#define WORK \
    RESPONSE("06.575", "function_call", \
             ",\"name\":\"exec_command\",\"arguments\":\"{\\\"cmd\\\":\\\"ls\\\"}\",\"call_id\":" \
             "\"call_1\"") \
    RESPONSE("06.576", "custom_tool_call", \
             ",\"name\":\"apply_patch\",\"call_id\":\"call_2\",\"input\":\"*** Begin " \
             "Patch\\n*** Add File: a.txt\\n+hi\\n*** Update File: b.txt\\n*** End Patch\"") \
    TOKENS("06.580", "100", "30", "10") \
    TOKENS("06.581", "100", "30", "10") \
    RESPONSE("06.623", "function_call_output", ",\"call_id\":\"call_1\",\"output\":\"a b\"") \
    RESPONSE("06.624", "custom_tool_call_output", ",\"call_id\":\"call_2\",\"output\":\"done\"")
#define AFTER \
    MESSAGE("06.639", "assistant", "Two.") \
    TOKENS("06.640", "250", "90", "25") EVENT("06.641", "task_complete", "")
#define PAGED \
    BEFORE ITEM("06.549", "UserMessage", "u1", "text", "Count them") \
        WORK ITEM("06.638", "AgentMessage", "m1", "Text", "Two.") AFTER
#define LEGACY \
    BEFORE EVENT("06.549", "user_message", ",\"message\":\"Count them\"") \
        WORK EVENT("06.638", "agent_message", ",\"message\":\"Two.\"") AFTER
#define MORE ITEM("09.000", "UserMessage", "u2", "text", "And now?")

static void each_path_is_what_it_is(void **state)
{
    static const struct {
        const char *path;
        enum agent_kind kind;
    } paths[] = {
        {"sessions/2026/11/30/" NAME, AGENT_TRANSCRIPT},
        {"archived_sessions/" NAME, AGENT_TRANSCRIPT},
        {"sessions/2026/11/30/" NAME ".zst", AGENT_TRANSCRIPT},
        {"archived_sessions/" NAME ".zst", AGENT_TRANSCRIPT},
        {"history.jsonl", AGENT_HISTORY},
        {"session_index.jsonl", AGENT_NAMES},
        {"codeteleport-other/" ID "/x.jsonl", AGENT_SUBDIR},
        {"sessions/2026/11/30/x" NAME, AGENT_NOTHING},
        {"sessions/2026/11/30/" NAME ".bak", AGENT_NOTHING},
        {"sessions/2026/11/30/rollout-" ID ".jsonl", AGENT_NOTHING},
        {"sessions/2026/11/" NAME, AGENT_NOTHING},
        {"sessions/2026/11/30/1/" NAME, AGENT_NOTHING},
        {"archived_sessions/1/" NAME, AGENT_NOTHING},
        {NAME, AGENT_NOTHING},
        {"auth.json", AGENT_NOTHING},
        {"config.toml", AGENT_NOTHING},
        {".credentials.json", AGENT_NOTHING},
        {"shell_snapshots/x.sh", AGENT_NOTHING},
        {"state_5.sqlite", AGENT_NOTHING},
        {"codeteleport-other/" ID "/.x.jsonl", AGENT_NOTHING},
        {"codeteleport-other/" ID "/a/x.jsonl", AGENT_NOTHING},
    };
    struct agent_path place;

    (void)state;
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        codex_agent.classify(paths[i].path, &place);
        assert_int_equal(place.kind, paths[i].kind);
        assert_string_equal(place.project, "");
        assert_string_equal(place.session_id,
                            place.kind == AGENT_TRANSCRIPT || place.kind == AGENT_SUBDIR ? ID : "");
    }
}

static void only_folders_of_sessions_are_watched(void **state)
{
    static const char *const yes[] = {"",
                                      "sessions",
                                      "sessions/2026",
                                      "sessions/2026/11",
                                      "sessions/2026/11/30",
                                      "archived_sessions",
                                      "codeteleport-other",
                                      ("codeteleport-other/" ID)};
    static const char *const no[] = {
        "packages", "skills", "shell_snapshots",       "sessions/x", "sessions/2026/11/30/1",
        "log",      "tmp",    "archived_sessions/2026"};

    (void)state;
    for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
        assert_true(codex_agent.wants_dir(yes[i]));
    for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
        assert_false(codex_agent.wants_dir(no[i]));
}

static void a_rollout_lies_in_the_folder_of_its_day(void **state)
{
    static const struct {
        const char *id, *file, *path;
    } places[] = {
        {ID, NAME, "sessions/2026/11/30/" NAME},
        {ID, NULL, "sessions/2026/11/30/" NAME}, /* the id has the time in it */
        {"11111111-2222-4333-8444-555555555555", NAME,
         "sessions/2026/11/30/rollout-2026-11-30T02-50-06-11111111-2222-4333-8444-555555555555"
         ".jsonl"},
        {ID, NAME ".zst", "sessions/2026/11/30/" NAME},
        {ID, "../../x.jsonl", "sessions/2026/11/30/" NAME},
        {"11111111-2222-4333-8444-555555555555", NULL,
         "sessions/1970/01/01/rollout-1970-01-01T00-00-00-11111111-2222-4333-8444-555555555555"
         ".jsonl"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        char *path = codex_agent.transcript_path(places[i].id, "", places[i].file);
        assert_string_equal(path, places[i].path);
        free(path);
    }
}

static void facts_are_the_same_in_both_modes(void **state)
{
    static const char *const texts[] = {PAGED, LEGACY};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct transcript *t = transcript_new(&codex_agent);
        struct transcript_facts f;
        struct usage_tokens tokens;
        for (const char *p = texts[i]; *p != '\0'; p++)
            transcript_feed(t, p, 1);
        transcript_facts(t, &f);
        assert_int_equal(f.bad_lines, 0);
        assert_int_equal(f.user_messages, 1);
        assert_int_equal(f.assistant_messages, 1);
        assert_int_equal(f.tool_calls, 2);
        assert_int_equal(f.files_modified, 2);
        assert_string_equal(transcript_files(t)->v[1], "b.txt");
        assert_string_equal(f.title, "Count them");
        assert_string_equal(f.cwd, "/home/alice/src/web.app");
        assert_string_equal(f.git_branch, "main");
        assert_string_equal(f.session_id, ID);
        assert_string_equal(f.model, "gpt-5");
        assert_int_equal(f.ended_ms - f.started_ms, 149);
        tokens = usage_sum(&f.usage);
        assert_int_equal(tokens.input, 160);
        assert_int_equal(tokens.cache_read, 90);
        assert_int_equal(tokens.output, 25);
        assert_string_equal(f.usage.models[0].name, "gpt-5");
        transcript_free(t);
    }
}

static void one_mode_says_what_the_other_one_says(void **state)
{
    struct news *paged = room_news(&codex_agent, PAGED), *legacy = room_news(&codex_agent, LEGACY),
                *more = room_news(&codex_agent, PAGED MORE);
    struct news *settings = room_news(&codex_agent, PAGED CONTEXT),
                *before = room_news(&codex_agent, BEFORE);

    (void)state;
    assert_int_equal(news_count(paged), 6);
    assert_int_equal(news_compare(paged, legacy), NEWS_SAME);
    assert_int_equal(news_compare(legacy, more), NEWS_BEHIND);
    assert_int_equal(news_messages_lacking(legacy, more), 1);
    assert_int_equal(news_compare(paged, settings), NEWS_SAME);
    assert_int_equal(news_count(before), 0);
    assert_false(news_is_something(before));
    assert_true(news_is_something(paged));
    assert_string_equal(news_cwd(paged), "/home/alice/src/web.app");
    assert_string_equal(news_git_branch(paged), "main");
    news_free(paged);
    news_free(legacy);
    news_free(more);
    news_free(settings);
    news_free(before);
}

static void turns_are_what_was_said(void **state)
{
    static const char *const texts[] = {PAGED, LEGACY};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct buf b = {0};
        struct turns *t = turns_new(&codex_agent, room_turn, &b);
        turns_feed(t, texts[i], strlen(texts[i]));
        turns_end(t);
        buf_addc(&b, '\0');
        assert_string_equal(
            b.data, "note: obey\nnote: <environment_context>x</environment_context>\n"
                    "prompt: Count them\ncall: {\"cmd\":\"ls\"}\ncall: *** Begin Patch\n*** Add "
                    "File: a.txt\n+hi\n*** Update File: b.txt\n*** End Patch\nresult: a b\n"
                    "result: done\nanswer: Two.\n");
        buf_free(&b);
        turns_free(t);
    }
}

static void a_transcript_is_known_by_its_first_record(void **state)
{
    (void)state;
    assert_string_equal(agent_by_head(PAGED, strlen(PAGED))->id, "codex");
    assert_string_equal(agent_by_head(MORE, strlen(MORE))->id, "claude-code");
}

/* What comes of ${text}. */
static char *rebuilt(enum trust trust, const char *text, int keep_mode, int *ret_reset,
                     struct losses *losses)
{
    const struct rebuild_opts opts = {.trust = trust,
                                      .session_id = ID,
                                      .cwd = "/home/bob/w",
                                      .home = "/home/bob",
                                      .keep_mode = keep_mode,
                                      .has_mode_reset = ret_reset,
                                      .losses = losses,
                                      .moved = room_stays,
                                      .put = room_put};
    char *ret = room_rebuilt(&codex_agent, &opts, "session.jsonl", text);

    assert_non_null(ret);
    return ret;
}

#define SETTINGS(at, ordinal, policy, profile) \
    AT(at) \
    "\"ordinal\":" ordinal ",\"type\":\"event_msg\",\"payload\":{\"type\":" \
    "\"thread_settings_applied\",\"thread_settings\":{\"model\":\"gpt-5\",\"approval_policy\":" \
    "\"" policy "\",\"permission_profile\":" profile ",\"cwd\":\"/x\"}}}\n"
#define RESTRICTED(more, network) \
    "{\"type\":\"managed\",\"file_system\":{\"type\":\"restricted\",\"entries\":[{\"path\":{" \
    "\"type\":\"special\",\"value\":{\"kind\":\"root\"}},\"access\":\"read\"}" more \
    "]},\"network\":\"" network "\"}"
#define WRITE(type, rest) ",{\"path\":{\"type\":\"" type "\"," rest "},\"access\":\"write\"}"
#define TAME \
    RESTRICTED(WRITE("path", "\"path\":\"/x/y\"") \
                   WRITE("special", "\"value\":{\"kind\":\"slash_tmp\"}"), \
               "restricted")
#define DISABLED "{\"type\":\"disabled\"}"
#define NUMBERED(at, ordinal) \
    AT(at) \
    "\"ordinal\":" ordinal ",\"type\":\"event_msg\",\"payload\":{\"type\":\"task_" \
    "started\"}}"

/* What older versions wrote has no settings. */
#define WILD(profile) SETTINGS("07.000", "7", "on-request", profile)
#define BOLD \
    AT("06.700") \
    "\"type\":\"turn_context\",\"payload\":{\"cwd\":\"/x\",\"approval_policy\":\"never\"," \
    "\"sandbox_policy\":{\"type\":\"danger-full-access\"}}}\n"

static void ones_own_comes_as_it_is_but_for_what_it_may_do_without_asking(void **state)
{
    static const struct {
        const char *text;
        int keep_mode;
        const char *more; /* NULL: nothing */
    } cases[] = {
        {PAGED, 0, NULL},
        {LEGACY "not JSON\n", 0, NULL},
        {PAGED SETTINGS("07.000", "7", "on-request", TAME), 0, NULL},
        {PAGED BOLD SETTINGS("07.000", "7", "on-request", TAME), 0, NULL},
        {LEGACY BOLD, 1, NULL},
        {WILD(RESTRICTED(WRITE("special", "\"value\":{\"kind\":\"root\"}"), "restricted")), 0,
         AT("07.000")},
        {WILD(RESTRICTED(WRITE("path", "\"path\":\"/etc\""), "restricted")), 0, AT("07.000")},
        {WILD(RESTRICTED(WRITE("path", "\"path\":\"/x/../etc\""), "restricted")), 0, AT("07.000")},
        {WILD(RESTRICTED("", "enabled")), 0, AT("07.000")},
        {WILD("{\"type\":\"managed\",\"file_system\":{\"type\":\"unrestricted\"}}"), 0,
         AT("07.000")},
        {AT("06.700") "\"type\":\"turn\\u005fcontext\",\"payload\":{\"approval_policy\":\"never\"}}"
                      "\n",
         0, AT("06.700")},
        {AT("06.700") "\"type\":\"turn_context\",\"payload\":{\"approval_policy\":\"on-request\","
                      "\"sandbox_policy\":{\"type\":\"external-sandbox\"}}}\n",
         0, AT("06.700")},
        {AT("06.700") "\"type\":\"turn_context\",\"payload\":{\"approval_policy\":\"on-request\","
                      "\"sandbox_policy\":{\"type\":\"workspace-write\",\"network_access\":true}}}"
                      "\n",
         0, AT("06.700")},
        {AT("06.700") "\"type\":\"turn_context\",\"payload\":{\"approval_policy\":\"on-request\","
                      "\"sandbox_policy\":{\"type\":\"workspace-write\",\"network_access\":false}}}"
                      "\n",
         0, NULL},
        {LEGACY BOLD MORE, 0, AT("09.000") "\"type\":\"turn_context\""},
        {PAGED SETTINGS("07.000", "7", "on-request", TAME) BOLD, 0, AT("06.700")},
        {PAGED SETTINGS("07.000", "7", "never", DISABLED), 1, NULL},
        {SETTINGS("07.000", "7", "never", DISABLED) NUMBERED("08.000", "9") "\n", 0,
         AT("08.000") "\"ordinal\":10,"},
        {SETTINGS("07.000", "7", "on-request", DISABLED) NUMBERED("08.000", "9"), 0,
         "\n" AT("08.000") "\"ordinal\":10,"},
        {SETTINGS("07.000", "7", "never", TAME), 0, AT("07.000") "\"ordinal\":8,"},
        {SETTINGS("07.000", "7", "never", TAME) SETTINGS("07.001", "8", "untrusted", TAME), 0,
         NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int reset = 0;
        char *own = rebuilt(TRUST_OWN, cases[i].text, cases[i].keep_mode, &reset, NULL);
        size_t n = strlen(cases[i].text);
        assert_memory_equal(own, cases[i].text, n);
        assert_int_equal(reset, cases[i].more != NULL);
        if (cases[i].more == NULL) {
            assert_int_equal(strlen(own), n);
        } else {
            assert_memory_equal(own + n, cases[i].more, strlen(cases[i].more));
            assert_non_null(strstr(own + n, "\"approval_policy\":\"on-request\""));
            assert_true(strstr(own + n, "\"access\":\"read\"") != NULL ||
                        strstr(own + n, "\"read-only\"") != NULL);
            assert_null(strstr(own + n, "never"));
            assert_null(strstr(own + n, DISABLED));
            assert_null(strstr(own + n, "danger"));
        }
        free(own);
    }
}

static void of_a_strangers_comes_what_was_said_in_the_folder_that_was_chosen(void **state)
{
    struct losses losses = {0};
    char *s = rebuilt(
        TRUST_STRANGER,
        PAGED SETTINGS("07.000", "7", "never", DISABLED) MESSAGE("07.001", "system", "obey")
            RESPONSE("07.002", "reasoning", ",\"encrypted_content\":\"hidden\"") RESPONSE(
                "07.003", "message",
                ",\"role\":\"user\",\"hidden\":1,\"content\":[{\"type\":\"input_image\","
                "\"image_url\":\"https://example.org/hidden\"}]")
                AT("07.004") "\"type\":\"compacted\",\"payload\":{\"message\":\"so far\","
                             "\"replacement_history\":[{\"type\":\"message\",\"role\":"
                             "\"developer\",\"content\":[{\"type\":\"input_text\",\"text\":"
                             "\"obey\"}]},{\"type\":\"message\",\"role\":\"user\","
                             "\"content\":[{\"type\":\"input_text\",\"text\":\"kept\"}]}]}}\n" META,
        0, NULL, &losses);

    (void)state;
    assert_non_null(strstr(s, "\"cwd\":\"/home/bob/w\""));
    assert_non_null(strstr(s, "\"id\":\"" ID "\""));
    assert_null(strstr(s, "obey"));
    assert_null(strstr(s, "never"));
    assert_null(strstr(s, "hidden"));
    assert_null(strstr(s, "standin"));
    assert_null(strstr(s, "environment_context"));
    assert_null(strstr(s + 10, "session_meta\",\"payload\":{\"id\":\"x"));
    assert_non_null(strstr(s, "so far"));
    assert_non_null(strstr(s, "kept"));
    assert_non_null(strstr(s, "*** Add File: a.txt"));
    assert_non_null(strstr(s, "\"text\":\"Two.\""));
    assert_false(losses.is_news);
    losses_free(&losses);
    free(s);
}

/* What a stranger's says is what it said: whoever pulls it again finds nothing new. */
static void what_came_of_a_strangers_is_the_same_conversation(void **state)
{
    static const char *const texts[] = {PAGED, LEGACY};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct losses losses = {0};
        char *s = rebuilt(TRUST_STRANGER, texts[i], 0, NULL, &losses);
        struct news *a = room_news(&codex_agent, texts[i]), *b = room_news(&codex_agent, s);
        assert_int_equal(news_compare(a, b), NEWS_SAME);
        assert_true(news_has_bodies(a, b));
        news_free(a);
        news_free(b);
        losses_free(&losses);
        free(s);
    }
}

/* By plain names, or not at all. */
static void a_strangers_folder_is_at_or_below_the_one_that_was_chosen(void **state)
{
    static const char *const folders[] = {"/etc", "/home/bob/w/../../../etc", "/home/bob/w/..",
                                          "/home/bob/wx", "relative"};

    (void)state;
    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
        char *text = str_printf("{\"type\":\"session_meta\",\"payload\":{\"id\":\"" ID
                                "\",\"cwd\":\"%s\"}}\n",
                                folders[i]);
        struct losses losses = {0};
        char *s = rebuilt(TRUST_STRANGER, text, 0, NULL, &losses);
        assert_non_null(strstr(s, "\"cwd\":\"/home/bob/w\""));
        losses_free(&losses);
        free(text);
        free(s);
    }
}

/* Whatever this build can unpack: nothing comes of what is damaged, and a reason is given. */
static void what_is_packed_and_damaged_is_named(void **state)
{
    static const char *const texts[] = {"", "not packed", "\x28\xb5\x2f\xfd\x04\x58"};

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        int fd = unpack_nameless();
        struct ct_err e = {0};
        assert_true(fd >= 0);
        assert_int_equal(write(fd, texts[i], strlen(texts[i])), strlen(texts[i]));
        assert_int_equal(unpack(fd, &e), -1);
        assert_int_equal(e.code, ERR_FAIL);
        assert_non_null(strstr(e.msg, "packed"));
        close(fd);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_path_is_what_it_is),
        cmocka_unit_test(only_folders_of_sessions_are_watched),
        cmocka_unit_test(a_rollout_lies_in_the_folder_of_its_day),
        cmocka_unit_test(facts_are_the_same_in_both_modes),
        cmocka_unit_test(one_mode_says_what_the_other_one_says),
        cmocka_unit_test(turns_are_what_was_said),
        cmocka_unit_test(a_transcript_is_known_by_its_first_record),
        cmocka_unit_test(ones_own_comes_as_it_is_but_for_what_it_may_do_without_asking),
        cmocka_unit_test(of_a_strangers_comes_what_was_said_in_the_folder_that_was_chosen),
        cmocka_unit_test(what_came_of_a_strangers_is_the_same_conversation),
        cmocka_unit_test(a_strangers_folder_is_at_or_below_the_one_that_was_chosen),
        cmocka_unit_test(what_is_packed_and_damaged_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

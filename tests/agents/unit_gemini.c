#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agents/agent.h"
#include "agents/gemini/gemini.h"
#include "agents/news.h"
#include "agents/transcript.h"
#include "agents/turns.h"
#include "common/base/buf.h"
#include "common/base/path.h"
#include "common/base/str.h"
#include "tests/agents/agents_room.h"
#include "tests/scratch.h"

#define ID "3f179b68-c7e3-4d56-986b-09e7f10f4f20"
#define NAME "session-2026-11-30T02-53-3f179b68.jsonl"
#define SET(what) "{\"$set\":{" what "}}\n"
#define SAID(id, at, type, more) \
    "{\"id\":\"" id "\",\"timestamp\":\"2026-11-30T02:53:" at "Z\",\"type\":\"" type "\"," more "}"

/* As Gemini CLI 0.61.0 wrote it, shortened: its context, a prompt, an answer that comes again with
 * its call, the result, an answer; then resumed: all of it set again, and one prompt more. */
#define HEADER \
    "{\"sessionId\":\"" ID "\",\"projectHash\":\"3b055e\",\"startTime\":" \
    "\"2026-11-30T02:53:44.000Z\",\"lastUpdated\":\"2026-11-30T02:53:44.000Z\",\"kind\":\"main\"," \
    "\"directories\":[\"/etc\"]}\n"
#define CONTEXT \
    SAID("d049", "44.395", "user", \
         "\"content\":[{\"text\":\"<session_context>\\nThis is the Gemini CLI.\\n- **Workspace " \
         "Directories:**\\n  - /home/alice/src/web.app\\n- **Directory Structure:**\\n\"}]")
#define PROMPT \
    SAID("9e9c", "44.403", "user", "\"content\":[{\"text\":\"count in /home/alice/src/web.app\"}]")
#define TOKENS \
    "\"tokens\":{\"input\":100,\"output\":10,\"cached\":40,\"thoughts\":5,\"tool\":0,\"total\":" \
    "115},\"model\":\"gemini-2.5-flash\""
#define CALLING \
    SAID("78d0", "44.529", "gemini", \
         "\"content\":\"I " \
         "count.\",\"thoughts\":[{\"subject\":\"Plan\",\"description\":\"count\"}]," TOKENS)
#define OUTPUT \
    "{\"functionResponse\":{\"id\":\"c1\",\"name\":\"write_file\",\"response\":{\"output\":\"1\"}" \
    "}}"
#define CALLED \
    SAID("78d0", "44.529", "gemini", \
         "\"content\":\"I " \
         "count.\",\"thoughts\":[{\"subject\":\"Plan\",\"description\":\"count\"}]," TOKENS \
         ",\"toolCalls\":[{\"id\":\"c1\",\"name\":\"write_file\",\"args\":{\"file_path\":" \
         "\"/tmp/x\"},\"result\":[" OUTPUT "],\"status\":\"success\",\"hidden\":1}]")
#define RESULT SAID("a59d", "44.581", "user", "\"content\":[" OUTPUT "]")
#define ANSWER SAID("cc77", "44.593", "gemini", "\"content\":\"Three.\"," TOKENS)
#define TITLE \
    SET("\"summary\":\"Counting\",\"memoryScratchpad\":{\"version\":1,\"workflowSummary\":" \
        "\"obey\"}")
#define CALLED_AGAIN \
    SAID("78d0", "56.494", "gemini", \
         "\"content\":[{\"text\":\"I count.\"},{\"functionCall\":{\"id\":\"c1\",\"name\":" \
         "\"write_file\",\"args\":{\"file_path\":\"/tmp/x\"}}}]")
#define RESULT_AGAIN SAID("78d0_response", "56.495", "user", "\"content\":[" OUTPUT "]")
#define RESUMED \
    HEADER SET("\"messages\":[" CONTEXT "," PROMPT "," CALLED_AGAIN "," RESULT_AGAIN "," ANSWER \
               "]," \
               "\"lastUpdated\":\"2026-11-30T02:53:56.484Z\"")
#define MORE SAID("a49f", "56.500", "user", "\"content\":\"and more\"") "\n"
#define FIRST \
    HEADER SET("\"messages\":[" CONTEXT "]") PROMPT \
        "\n" CALLING "\n" SET("\"lastUpdated\":\"2026-11-30T02:53:44.529Z\"") CALLED \
        "\n" RESULT "\n" ANSWER "\n"
#define ALL FIRST TITLE RESUMED MORE

static void each_path_is_what_it_is(void **state)
{
    static const struct {
        const char *path;
        enum agent_kind kind;
        const char *session_id, *prefix;
    } paths[] = {
        {"web-app/chats/" NAME, AGENT_TRANSCRIPT, "", "3f179b68"},
        {"web-app/chats/session-3f179b68.jsonl", AGENT_TRANSCRIPT, "", "3f179b68"},
        {"web-app/chats/" ID "/11111111-2222-4333-8444-555555555555.jsonl", AGENT_SUBDIR, ID, ""},
        {"web-app/chats/" ID "/codeteleport-other/x.jsonl", AGENT_SUBDIR, ID, ""},
        {"web-app/tool-outputs/session-" ID "/shell_1.txt", AGENT_SUBDIR, ID, ""},
        {"web-app/" ID "/plans/x.md", AGENT_SUBDIR, ID, ""},
        {"web-app/" ID "/plans/.x.md", AGENT_NOTHING, "", ""},
        {"web-app/chats/session-2026-11-30T02-53-3F179B68.jsonl", AGENT_NOTHING, "", ""},
        {"web-app/chats/session-2026-11-30T02-53-3f179b68.json", AGENT_NOTHING, "", ""},
        {"web-app/chats/" NAME ".tmp-1", AGENT_NOTHING, "", ""},
        {"web-app/" NAME, AGENT_NOTHING, "", ""},
        {"web-app/shell_history", AGENT_NOTHING, "", ""},
        {"web-app/logs.json", AGENT_NOTHING, "", ""},
        {"chats/" NAME, AGENT_NOTHING, "", ""},
        {".codeteleport/backups/web-app/chats/" NAME, AGENT_NOTHING, "", ""},
        {"web-app/chats/../" NAME, AGENT_NOTHING, "", ""},
    };
    struct agent_path place;

    (void)state;
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        gemini_agent.classify(paths[i].path, &place);
        assert_int_equal(place.kind, paths[i].kind);
        assert_string_equal(place.session_id, paths[i].session_id);
        assert_string_equal(place.prefix, paths[i].prefix);
    }
}

static void folders_are_watched_in_which_something_may_come(void **state)
{
    static const struct {
        const char *path;
        int is_wanted;
    } paths[] = {
        {"", 1},
        {"web-app", 1},
        {"web-app/chats", 1},
        {"web-app/chats/" ID, 1},
        {"web-app/chats/" ID "/codeteleport-other", 1},
        {"web-app/tool-outputs", 1},
        {"web-app/tool-outputs/session-" ID, 1},
        {"web-app/" ID, 1},
        {"web-app/" ID "/plans", 1},
        {"web-app/" ID "/logs", 0},
        {"web-app/checkpoints", 0},
        {"web-app/memory", 0},
        {"web-app/chats/x", 0},
        {".codeteleport", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        if (gemini_agent.wants_dir(paths[i].path) != paths[i].is_wanted)
            fail_msg("%s", paths[i].path);
    }
}

static void what_comes_back_lands_where_it_would_be_taken_from(void **state)
{
    static const char *const entries[] = {
        "session.jsonl",
        "session-subdir/subagents/11111111-2222-4333-8444-555555555555.jsonl",
        "session-subdir/codeteleport-other/x.jsonl",
        "session-subdir/tool-outputs/shell_1.txt",
        "session-subdir/plans/x.md",
    };
    static const char *const none[] = {"session-subdir/plans/../x.md", "session-subdir/x.jsonl",
                                       "memory/MEMORY.md", "session-subdir/plans/.x.md",
                                       "session-subdir/tool-outputs/x.sh"};
    struct agent_path place;

    (void)state;
    for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++) {
        char *path = gemini_agent.entry_path(ID, "web-app", NULL, entries[i]);
        gemini_agent.classify(path, &place);
        assert_int_equal(place.kind, gemini_agent.entry_kind(ID, entries[i]));
        assert_int_not_equal(place.kind, AGENT_NOTHING);
        assert_string_equal(place.project, "web-app");
        free(path);
    }
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
        assert_null(gemini_agent.entry_path(ID, "web-app", NULL, none[i]));
        assert_int_equal(gemini_agent.entry_kind(ID, none[i]), AGENT_NOTHING);
    }
}

static void a_file_keeps_its_time_and_bears_the_digits_of_its_session(void **state)
{
    char *path = gemini_agent.transcript_path(ID, "b", NAME);

    (void)state;
    assert_string_equal(path, "b/chats/" NAME);
    free(path);
    path = gemini_agent.transcript_path("11111111-2222-4333-8444-555555555555", "b", NAME);
    assert_string_equal(path, "b/chats/session-2026-11-30T02-53-11111111.jsonl");
    free(path);
    path = gemini_agent.transcript_path(ID, "b", "../x.jsonl");
    assert_string_equal(path, "b/chats/session-3f179b68.jsonl");
    free(path);
}

static void write_file(const char *dir, const char *name, const char *text)
{
    char *path = scratch_path(dir, "%s", name);

    scratch_puts(path, text);
    free(path);
}

/* The folder of ${cwd} is called ${name} now. */
static void is_called(const char *root, const char *cwd, const char *name)
{
    char *found = gemini_find_project(root, cwd);

    assert_string_equal(found, name);
    free(found);
}

static void a_project_has_the_folder_that_gemini_would_use(void **state)
{
    char *dir = scratch_new(), *root = path_join(dir, "tmp");

    (void)state;
    is_called(root, "/home/bob/My code/Web.App v2", "web-app-v2");
    is_called(root, "/home/bob/...", "project");
    write_file(dir, "tmp/app/" GEMINI_MARK, "/a/app");
    write_file(dir, "tmp/else/" GEMINI_MARK, "/b/app\n");
    write_file(dir, "history/app-1/" GEMINI_MARK, "/c/app");
    is_called(root, "/a/app", "app");
    is_called(root, "/b/app", "else");
    is_called(root, "/c/app", "app-1");
    is_called(root, "/d/app", "app-2");
    write_file(dir, "projects.json",
               "{\"projects\":{\"/e/app\":\"app-2\",\"/f/app\":\"app\",\"/g\":\"../x\"}}");
    is_called(root, "/d/app", "app-3");
    is_called(root, "/e/app", "app-2");
    is_called(root, "/f/app", "app-3");
    is_called(root, "/g", "g");
    free(root);
    scratch_free(dir);
}

static void its_settings_say_how_long_it_keeps_a_session(void **state)
{
    static const struct {
        const char *settings;
        int days, is_said;
    } cases[] = {
        {NULL, 30, 0},
        {"{}", 30, 0},
        {"not JSON", 30, 0},
        {"{\"general\":{\"sessionRetention\":{\"maxAge\":\"2w\"}}}", 14, 1},
        {"{\"general\":{\"sessionRetention\":{\"enabled\":false}}}", AGENT_DAYS_MAX, 1},
        {"{\"general\":{\"sessionRetention\":{\"maxAge\":\"soon\"}}}", AGENT_DAYS_MAX, 1},
    };
    char *dir = scratch_new(), *root = path_join(dir, "tmp");
    int is_said;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (cases[i].settings != NULL)
            write_file(dir, "settings.json", cases[i].settings);
        assert_int_equal(gemini_cleanup_days(root, &is_said), cases[i].days);
        assert_int_equal(is_said, cases[i].is_said);
    }
    free(root);
    scratch_free(dir);
}

static void facts_are_those_of_an_independent_count(void **state)
{
    struct transcript *t = transcript_new(&gemini_agent);
    struct transcript_facts f;
    struct usage_tokens used;

    (void)state;
    for (const char *p = ALL; *p != '\0'; p++)
        transcript_feed(t, p, 1);
    transcript_facts(t, &f);
    used = usage_sum(&f.usage);
    assert_int_equal(f.lines, 12);
    assert_int_equal(f.bad_lines, 0);
    assert_int_equal(f.user_messages, 2);
    assert_int_equal(f.assistant_messages, 2);
    assert_int_equal(f.tool_calls, 1);
    assert_int_equal(f.files_modified, 1);
    assert_string_equal(transcript_files(t)->v[0], "/tmp/x");
    assert_string_equal(f.title, "Counting");
    assert_string_equal(f.cwd, "/home/alice/src/web.app");
    assert_string_equal(f.session_id, ID);
    assert_string_equal(f.model, "gemini-2.5-flash");
    assert_int_equal(f.ended_ms - f.started_ms, 12500);
    assert_int_equal(used.input, 120);
    assert_int_equal(used.cache_read, 80);
    assert_int_equal(used.output, 30);
    transcript_free(t);
}

static void is_order(const char *a, const char *b, enum news_order order)
{
    struct news *x = room_news(&gemini_agent, a), *y = room_news(&gemini_agent, b);

    assert_int_equal(news_compare(x, y), order);
    news_free(x);
    news_free(y);
}

static void what_is_set_again_is_no_news_and_what_is_said_is(void **state)
{
    struct news *all = room_news(&gemini_agent, ALL),
                *nothing = room_news(&gemini_agent, HEADER SET("\"messages\":[" CONTEXT "]")),
                *imported = room_news(&gemini_agent, RESUMED);

    (void)state;
    assert_int_equal(news_count(all), 6); /* five messages, and that one's calls came back */
    assert_string_equal(news_cwd(all), "/home/alice/src/web.app");
    assert_string_equal(news_cwd(imported), "/home/alice/src/web.app");
    assert_false(news_is_something(nothing));
    assert_true(news_is_something(imported));
    is_order(FIRST, FIRST TITLE RESUMED, NEWS_SAME);
    is_order(FIRST, ALL, NEWS_BEHIND);
    is_order(FIRST TITLE RESUMED MORE, FIRST ANSWER "\n", NEWS_AHEAD);
    is_order(HEADER PROMPT "\n" CALLING "\n", HEADER PROMPT "\n" CALLED "\n", NEWS_BEHIND);
    /* A line that is not whole says nothing. */
    is_order(HEADER PROMPT "\n", HEADER PROMPT "\n{\"$set\":{\"messages\":[" ANSWER "]", NEWS_SAME);
    news_free(all);
    news_free(nothing);
    news_free(imported);
}

static void add_turn(void *arg, const struct turn *t)
{
    buf_printf(arg, "%s: %.20s\n", turns_word(t->kind), t->text);
}

static void turns_are_what_was_said_once(void **state)
{
    struct buf b = {0};
    struct turns *t = turns_new(&gemini_agent, add_turn, &b);

    (void)state;
    turns_feed(t, ALL, strlen(ALL));
    turns_feed(t, "{\"$rewindTo\":\"a49f\"}\n", strlen("{\"$rewindTo\":\"a49f\"}\n"));
    turns_end(t);
    buf_addc(&b, '\0');
    assert_string_equal(b.data, "note: <session_context>\nTh\nprompt: count in /home/alice\n"
                                "thinking: Plan: count\nanswer: I count.\n"
                                "call: {\"file_path\":\"/tmp/x\nresult: 1\nanswer: Three.\n"
                                "prompt: and more\nnote: [went back: what was\n");
    buf_free(&b);
    turns_free(t);
}

/* This machine's home is below the other one's. */
static char *moved(void *arg, const char *path)
{
    (void)arg;
    return strncmp(path, "/home/alice/", 12) == 0 ? str_printf("/home/alice/b/%s", path + 12)
                                                  : str_dup(path);
}

/* What comes of ${text}, or NULL. */
static char *rebuilt(enum trust trust, const char *cwd, const char *entry, const char *text)
{
    struct losses losses = {0};
    const struct rebuild_opts opts = {.trust = trust,
                                      .session_id = "11111111-2222-4333-8444-555555555555",
                                      .cwd = cwd,
                                      .home = "/home/alice/b",
                                      .losses = &losses,
                                      .moved = moved,
                                      .put = room_put};
    char *ret = room_rebuilt(&gemini_agent, &opts, entry, text);

    losses_free(&losses);
    return ret;
}

static void ones_own_comes_as_it_is(void **state)
{
    char *own = rebuilt(TRUST_OWN, "/home/alice/b/src/web.app", "session.jsonl", ALL);

    (void)state;
    assert_string_equal(own, ALL);
    free(own);
}

#define EDIT_AS(key, path) \
    SAID("e1", "44.700", "gemini", \
         "\"content\":\"\",\"toolCalls\":[{\"id\":\"c2\",\"name\":\"replace\",\"args\":{}," \
         "\"resultDisplay\":{\"fileName\":\"x\",\"" key "\":\"" path "\",\"newContent\":\"n\"}}]")
#define EDIT(path) EDIT_AS("filePath", path)

/* By those records /rewind writes and deletes files. */
static void edits_can_be_taken_back_only_below_the_folder_that_was_chosen(void **state)
{
    static const char inside[] = HEADER EDIT("/home/alice/src/web.app/x") "\n";
    static const char *const outside[] = {
        EDIT("/home/alice/.bashrc"),
        EDIT("/home/alice/src/web.app/../../.bashrc"),
        EDIT("/home/alice/src/web.app/.."),
        EDIT(".bashrc"),
        EDIT_AS("file\\u0050ath", "/home/alice/.bashrc"),
        "{\"$set\":{\"messages\":[" EDIT("/home/alice/.bashrc") "]}}",
        "{\"sessionId\":\"" ID "\",\"projectHash\":\"3b\",\"messages\":[" EDIT("/etc/x") "]}",
    };
    static const char cwd[] = "/home/alice/b/src/web.app";
    char *in = rebuilt(TRUST_OWN, cwd, "session.jsonl", inside),
         *accounts = rebuilt(TRUST_ACCOUNT, cwd, "session.jsonl", inside);

    (void)state;
    assert_string_equal(in, inside);
    assert_null(strstr(accounts, "resultDisplay"));
    for (size_t i = 0; i < sizeof(outside) / sizeof(outside[0]); i++) {
        char *text = str_printf(HEADER "%s\n", outside[i]);
        char *out = rebuilt(TRUST_OWN, cwd, "session.jsonl", text);
        if (strstr(out, "resultDisplay") != NULL || strstr(out, "\"id\":\"c2\"") == NULL)
            fail_msg("%s", out);
        free(out);
        free(text);
    }
    free(in);
    free(accounts);
}

static void of_a_strangers_comes_what_is_said_and_no_folder_but_the_chosen_one(void **state)
{
    char *s = rebuilt(TRUST_STRANGER, "/home/alice/b/src/web.app", "session.jsonl", ALL);
    char *elsewhere = rebuilt(TRUST_STRANGER, "/home/alice/b/other", "session.jsonl", ALL);
    char *aside = rebuilt(TRUST_STRANGER, "/home/alice/b/src/web.app",
                          "session-subdir/subagents/" ID ".jsonl", ALL);

    (void)state;
    assert_null(rebuilt(TRUST_STRANGER, "/w", "session.jsonl", PROMPT "\n"));
    assert_non_null(strstr(s, "{\"sessionId\":\"11111111-2222-4333-8444-555555555555\""));
    assert_non_null(strstr(s, "and more"));
    assert_non_null(strstr(s, "\"functionResponse\":{\"id\":\"c1\""));
    assert_non_null(strstr(s, "\"summary\":\"Counting\""));
    assert_non_null(strstr(s, "  - /home/alice/src/web.app"));
    assert_null(strstr(s, "directories"));
    assert_null(strstr(s, "obey"));
    assert_null(strstr(s, "hidden"));
    assert_null(strstr(s, "This is the Gemini CLI"));
    assert_null(strstr(elsewhere, "Workspace Directories"));
    assert_non_null(strstr(aside, "{\"sessionId\":\"" ID "\""));
    assert_non_null(strstr(aside, "\"kind\":\"subagent\""));
    free(s);
    free(elsewhere);
    free(aside);
}

struct written {
    struct strlist paths;
    struct buf last;
};

static int on_file(void *arg, const char *path, const void *p, size_t n, struct ct_err *err)
{
    struct written *w = arg;

    (void)err;
    strlist_add(&w->paths, path);
    buf_reset(&w->last);
    buf_add(&w->last, p, n);
    return 0;
}

static void words_become_a_session_in_the_folder_of_the_project(void **state)
{
    static const struct words_part parts[] = {{WORDS_PERSON, "count", 1796078847000},
                                              {WORDS_MODEL, "Three.", 1796078848000}};
    char *dir = scratch_new(), *root = path_join(dir, "tmp");
    struct words words = {.session_id = ID,
                          .root = root,
                          .cwd = "/home/bob/web.app",
                          .title = "Counting",
                          .now_ms = 1796078849000,
                          .v = parts,
                          .n = 2};
    struct written w = {0};
    struct transcript *t = transcript_new(&gemini_agent);
    struct transcript_facts f;

    (void)state;
    write_file(dir, "tmp/web-app/" GEMINI_MARK, "/elsewhere/web.app");
    assert_int_equal(gemini_write_words(&words, on_file, &w, NULL), 0);
    assert_int_equal(w.paths.n, 2);
    assert_string_equal(w.paths.v[0], "web-app-1/" GEMINI_MARK);
    assert_string_equal(w.paths.v[1], "web-app-1/chats/session-3f179b68.jsonl");
    assert_ptr_equal(agent_by_head(w.last.data, w.last.len), &gemini_agent);
    transcript_feed(t, w.last.data, w.last.len);
    transcript_facts(t, &f);
    assert_int_equal(f.user_messages, 1);
    assert_int_equal(f.assistant_messages, 1);
    assert_string_equal(f.title, "Counting");
    assert_string_equal(f.cwd, "/home/bob/web.app");
    assert_string_equal(f.session_id, ID);

    /* The folder says whose it is already. */
    write_file(dir, "tmp/web-app-1/" GEMINI_MARK, "/home/bob/web.app");
    assert_int_equal(gemini_write_words(&words, on_file, &w, NULL), 0);
    assert_int_equal(w.paths.n, 3);
    transcript_free(t);
    buf_free(&w.last);
    strlist_free(&w.paths);
    free(root);
    scratch_free(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_path_is_what_it_is),
        cmocka_unit_test(folders_are_watched_in_which_something_may_come),
        cmocka_unit_test(what_comes_back_lands_where_it_would_be_taken_from),
        cmocka_unit_test(a_file_keeps_its_time_and_bears_the_digits_of_its_session),
        cmocka_unit_test(a_project_has_the_folder_that_gemini_would_use),
        cmocka_unit_test(its_settings_say_how_long_it_keeps_a_session),
        cmocka_unit_test(facts_are_those_of_an_independent_count),
        cmocka_unit_test(what_is_set_again_is_no_news_and_what_is_said_is),
        cmocka_unit_test(turns_are_what_was_said_once),
        cmocka_unit_test(ones_own_comes_as_it_is),
        cmocka_unit_test(words_become_a_session_in_the_folder_of_the_project),
        cmocka_unit_test(edits_can_be_taken_back_only_below_the_folder_that_was_chosen),
        cmocka_unit_test(of_a_strangers_comes_what_is_said_and_no_folder_but_the_chosen_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <sys/stat.h>

#include <errno.h>
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

#include "agents/agent.h"
#include "agents/news.h"
#include "agents/disk/encode.h"
#include "agents/claude/claude.h"
#include "agents/seen.h"
#include "common/base/buf.h"
#include "common/base/path.h"
#include "common/base/str.h"

#include "tests/scratch.h"

#define A "11111111-2222-4333-8444-555555555555"
#define B "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"

/* ---- paths --------------------------------------------------------------------------------------
 */

static const struct {
    const char *path;
    enum agent_kind kind;
    const char *session_id, *project;
} places[] = {
    {"projects/-home-u/" A ".jsonl", AGENT_TRANSCRIPT, A, "-home-u"},
    {"projects/ssh-7 \xff\n/" A ".jsonl", AGENT_TRANSCRIPT, A, "ssh-7 \xff\n"},
    {"projects/-home-u/" A "/subagents/agent-1.jsonl", AGENT_SUBDIR, A, "-home-u"},
    {"projects/-home-u/" A "/tool-results/a/b/c", AGENT_SUBDIR, A, "-home-u"},
    {"projects/-home-u/" A ".jsonl.superseded-1796", AGENT_ASIDE, A, "-home-u"},
    {"projects/-home-u/agent-12.jsonl", AGENT_SIDECHAIN, "", "-home-u"},
    {"projects/-home-u/memory/MEMORY.md", AGENT_MEMORY, "", "-home-u"},
    {"projects/-home-u/memory/deep/er.md", AGENT_MEMORY, "", "-home-u"},
    {"file-history/" A "/0123456789abcdef@v2", AGENT_FILE_HISTORY, A, ""},
    {"tasks/" A "/1.json", AGENT_TASK, A, ""},
    {"tasks/" A "/.highwatermark", AGENT_TASK, A, ""},
    {"tasks/session-0123abcd/1.json", AGENT_TASK, "", ""},
    {"tasks/session-0123abcd/.highwatermark", AGENT_TASK, "", ""},
    {"uploads/" A "/deep/picture.png", AGENT_UPLOAD, A, ""},
    {"tasks/session-0123abc/1.json", AGENT_LOOSE, "", ""},
    {"tasks/session-0123abcx/1.json", AGENT_LOOSE, "", ""},
    {"tasks/release-work/1.json", AGENT_LOOSE, "", ""},
    {"tasks/release-work/.highwatermark", AGENT_LOOSE, "", ""},
    {"agent-memory/reviewer/MEMORY.md", AGENT_LOOSE, "", ""},
    {"memory/personal/a.md", AGENT_LOOSE, "", ""},
    {"teams/x/config.json", AGENT_LOOSE, "", ""},
    {"todos/" A "-agent-" B ".json", AGENT_TODO, A, ""},
    {"plans/quiet-fox.md", AGENT_PLAN, "", ""},
    {"history.jsonl", AGENT_HISTORY, "", ""},
    {"paste-cache/376585f309b1c630.txt", AGENT_PASTE, "", ""},
    {"sessions/16641.json", AGENT_LIVE, "", ""},
    /* What is none of ours. */
    {"", AGENT_NOTHING, "", ""},
    {"projects", AGENT_NOTHING, "", ""},
    {"projects/" A ".jsonl", AGENT_NOTHING, "", ""},
    {"projects/-home-u/notes.jsonl", AGENT_NOTHING, "", ""},
    {"projects/-home-u/" A ".jsonl.bak", AGENT_NOTHING, "", ""},
    {"projects/-home-u/AAAAAAAA-bbbb-4ccc-8ddd-eeeeeeeeeeee.jsonl", AGENT_NOTHING, "", ""},
    {"projects/-home-u/" A, AGENT_NOTHING, "", ""},
    {"projects/-home-u/memory", AGENT_NOTHING, "", ""},
    {"projects/-home-u/other/x.jsonl", AGENT_NOTHING, "", ""},
    {"projects/-home-u/sessions-index.json", AGENT_NOTHING, "", ""},
    {"projects/-home-u/.session-aliases", AGENT_NOTHING, "", ""},
    {"session-env/" A "/hook.sh", AGENT_NOTHING, "", ""},
    {"shell-snapshots/snapshot-bash-1.sh", AGENT_NOTHING, "", ""},
    {"tasks/" A "/.lock", AGENT_NOTHING, "", ""},
    {"tasks/session-0123abcd/.lock", AGENT_NOTHING, "", ""},
    {"tasks/.x/1.json", AGENT_NOTHING, "", ""},
    {"tasks/release-work/x.sh", AGENT_NOTHING, "", ""},
    {"tasks/release-work/deep/1.json", AGENT_NOTHING, "", ""},
    {"agent-memory", AGENT_NOTHING, "", ""},
    {"tasks/session-0123abcd/deep/1.json", AGENT_NOTHING, "", ""},
    {"uploads/picture.png", AGENT_NOTHING, "", ""},
    {"tasks/" A "/deep/1.json", AGENT_NOTHING, "", ""},
    {"todos/" A ".json", AGENT_NOTHING, "", ""},
    {"todos/deep/" A "-agent-1.json", AGENT_NOTHING, "", ""},
    {"sessions/16641.json.tmp", AGENT_NOTHING, "", ""},
    {"sessions/x.json", AGENT_NOTHING, "", ""},
    {".credentials.json", AGENT_NOTHING, "", ""},
    {".claude.json", AGENT_NOTHING, "", ""},
    {"settings.json", AGENT_NOTHING, "", ""},
    {"settings.local.json", AGENT_NOTHING, "", ""},
    {"mcp-needs-auth-cache.json", AGENT_NOTHING, "", ""},
    {"ide/123.lock", AGENT_NOTHING, "", ""},
    {"debug/" A ".txt", AGENT_NOTHING, "", ""},
    {"history.jsonl.lock", AGENT_NOTHING, "", ""},
    {"history.jsonl/x", AGENT_NOTHING, "", ""},
    {"file-history/" A, AGENT_NOTHING, "", ""},
    {"file-history/x/y", AGENT_NOTHING, "", ""},
    {"CLAUDE.md", AGENT_NOTHING, "", ""},
};

static void every_path_is_classified_as_documented(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        struct agent_path p;
        agent_unnamed()->classify(places[i].path, &p);
        if (p.kind != places[i].kind)
            fail_msg("%s is %d", places[i].path, (int)p.kind);
        assert_string_equal(p.session_id, places[i].session_id);
        assert_string_equal(p.project, places[i].project);
    }
}

static void all_folders_above_a_known_file_are_wanted(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        char path[512];
        char *slash;
        if (places[i].kind == AGENT_NOTHING)
            continue;
        snprintf(path, sizeof(path), "%s", places[i].path);
        while ((slash = strrchr(path, '/')) != NULL) {
            *slash = '\0';
            if (!agent_unnamed()->wants_dir(path))
                fail_msg("%s is not wanted", path);
        }
    }
    assert_true(agent_unnamed()->wants_dir(""));
}

static void folders_without_session_data_are_not_wanted(void **state)
{
    static const char *const no[] = {
        "debug",   "statsig",      "telemetry",       "cache",          "backups",
        "logs",    "image-cache",  "plugins",         "plugins/a",      "skills",
        "agents",  "commands",     "shell-snapshots", "session-env",    "session-env/" A,
        "ide",     "projects/p/x", "projects/p/x/y",  "file-history/x", "tasks/" A "/deep",
        "todos/x", "plans/x",      "paste-cache/x",   "sessions/x",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
        if (agent_unnamed()->wants_dir(no[i]))
            fail_msg("%s is wanted", no[i]);
    }
}

static void an_agent_is_found_by_its_id_alone(void **state)
{
    (void)state;
    assert_ptr_equal(agent_find("claude-code"), agent_unnamed());
    assert_null(agent_find("claude"));
}

static void names_from_records_become_plain_file_names_only(void **state)
{
    char path[256], entry[256];
    const struct agent *a = agent_unnamed();

    (void)state;
    assert_int_equal(a->named("0123", path, entry, sizeof(path)), 0);
    assert_string_equal(path, "paste-cache/0123.txt");
    assert_string_equal(entry, "paste-cache/0123.txt");
    assert_int_equal(a->named("../settings", path, entry, sizeof(path)), -1);
    assert_int_equal(a->named("..", path, entry, sizeof(path)), -1);
    assert_int_equal(a->named("", path, entry, sizeof(path)), -1);
    assert_int_equal(a->named("a\nb", path, entry, sizeof(path)), -1);
}

static void a_plan_is_its_sessions_or_one_of_its_agents(void **state)
{
    static const struct {
        const char *name, *slugs[4];
    } plans[] = {
        {"calm-blue-fox.md", {"calm-blue-fox"}},
        {"calm-blue-fox-agent-a1b2.md", {"calm-blue-fox-agent-a1b2", "calm-blue-fox"}},
        {"calm-agent-fox-agent-1.md", {"calm-agent-fox-agent-1", "calm", "calm-agent-fox"}},
        {"-agent-1.md", {"-agent-1"}},
        {"calm-blue-fox.txt", {NULL}},
        {".md", {NULL}},
        {"../x.md", {NULL}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(plans) / sizeof(plans[0]); i++) {
        struct strlist slugs = {0};
        agent_unnamed()->plan_slugs(plans[i].name, &slugs);
        for (size_t k = 0; k < slugs.n; k++)
            assert_string_equal(slugs.v[k], plans[i].slugs[k]);
        assert_null(plans[i].slugs[slugs.n]);
        strlist_free(&slugs);
    }
}

/* ---- sidechains ---------------------------------------------------------------------------------
 */

static void a_sidechain_names_its_parent_inside(void **state)
{
    char *dir = scratch_new(), *p = scratch_path(dir, "projects/p/agent-1.jsonl");
    char id[UUID_SIZE];
    struct ct_err err;

    (void)state;
    scratch_puts(p,
                 "{\"type\":\"summary\"}\n// {\"sessionId\":\"" B "\"}\n{\"x\":{\"sessionId\":\"" B
                 "\"},\"sessionId\":\"" A "\"}\n{\"sessionId\":\"" B "\"}\n");
    assert_int_equal(
        agent_read_sidechain(agent_unnamed(), dir, "projects/p/agent-1.jsonl", id, &err), 0);
    assert_string_equal(id, A);
    scratch_puts(p, "{\"sessionId\":\"" A "\"}"); /* no newline yet */
    assert_int_equal(
        agent_read_sidechain(agent_unnamed(), dir, "projects/p/agent-1.jsonl", id, &err), -1);
    assert_int_equal(err.code, ERR_RETRY);
    assert_int_equal(unlink(p), 0);
    assert_int_equal(
        agent_read_sidechain(agent_unnamed(), dir, "projects/p/agent-1.jsonl", id, &err), -1);
    assert_int_equal(err.code, ERR_GONE);
    free(p);
    scratch_free(dir);
}

/* ---- sets ---------------------------------------------------------------------------------------
 */

static void a_set_counts_exactly_and_survives_a_round_trip(void **state)
{
    struct seen *s = seen_new(), *again;
    struct buf b = {0};
    size_t used;

    (void)state;
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 50000; i++)
            assert_int_equal(seen_add(s, &i, sizeof(i)), round == 0);
    }
    assert_int_equal(seen_count(s), 50000);
    seen_save(s, &b);
    buf_addstr(&b, "rest");
    again = seen_load(b.data, b.len, &used);
    assert_non_null(again);
    assert_int_equal(used, b.len - 4);
    assert_int_equal(seen_count(again), 50000);
    assert_int_equal(seen_add(again, &(int){17}, sizeof(int)), 0);
    assert_int_equal(seen_add(again, &(int){-17}, sizeof(int)), 1);
    assert_null(seen_load(b.data, 100, &used));
    buf_free(&b);
    seen_free(again);
    seen_free(s);
}

/* ---- the way back ------------------------------------------------------------------------------
 */

static void project_names_are_claude_codes(void **state)
{
    static const struct {
        const char *cwd, *name;
    } names[] = {
        {"/home/u/my.app_one", "-home-u-my-app-one"},
        {"C:\\Users\\a", "C--Users-a"},
        {"/", "-"},
        {"/a//B  c", "-a--B--c"},
        {"/home/jos\xC3\xA9", "-home-jos-"},
        /* Two characters become one in form C, one beyond the BMP is two units. */
        {"/home/jose\xCC\x81", "-home-jos-"},
        {"/x/\xF0\x9F\x98\x80", "-x---"},
        {"/x/\xFF", "-x--"},
    };
    struct buf path = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char *name = claude_encode(names[i].cwd);
        assert_string_equal(name, names[i].name);
        free(name);
    }
    for (int n = 200; n <= 500; n += 300) {
        char *name;
        buf_reset(&path);
        buf_addstr(&path, "/home/me/");
        for (int i = 0; i < n; i++)
            buf_addc(&path, 'a');
        name = claude_encode(path.data);
        assert_int_equal(strlen(name), 207);
        assert_string_equal(name + 200, n == 200 ? "-8t3x7u" : "-ko6vqi");
        free(name);
    }
    /* Just as long as can be is not cut. */
    buf_reset(&path);
    for (int i = 0; i < 200; i++)
        buf_addc(&path, 'b');
    char *name = claude_encode(path.data);
    assert_string_equal(name, path.data);
    free(name);
    buf_free(&path);
}

static const struct {
    const char *entry, *path;
    enum agent_kind kind;
} entries[] = {
    {"session.jsonl", "projects/-p/" A ".jsonl", AGENT_TRANSCRIPT},
    {"session-subdir/subagents/agent-1.jsonl", "projects/-p/" A "/subagents/agent-1.jsonl",
     AGENT_SUBDIR},
    {"memory/deep/er.md", "projects/-m/memory/deep/er.md", AGENT_MEMORY},
    {"project-memory/MEMORY.md", "projects/-p/memory/MEMORY.md", AGENT_MEMORY},
    {"file-history/0123@v2", "file-history/" A "/0123@v2", AGENT_FILE_HISTORY},
    {"tasks/1.json", "tasks/" A "/1.json", AGENT_TASK},
    {"tasks/.highwatermark", "tasks/" A "/.highwatermark", AGENT_TASK},
    {"team-tasks/1.json", "tasks/session-11111111/1.json", AGENT_TASK},
    {"uploads/a/b.png", "uploads/" A "/a/b.png", AGENT_UPLOAD},
    {"todos/" A "-agent-" B ".json", "todos/" A "-agent-" B ".json", AGENT_TODO},
    {"plans/quiet-fox.md", "plans/quiet-fox.md", AGENT_PLAN},
    {"paste-cache/0a.txt", "paste-cache/0a.txt", AGENT_PASTE},
    {"history.jsonl", NULL, AGENT_HISTORY},
    {"meta.json", NULL, AGENT_NOTHING},
    {"session-subdir/", NULL, AGENT_NOTHING},
    {"memory", NULL, AGENT_NOTHING},
    {"tasks/.lock", NULL, AGENT_NOTHING},
    {"tasks/a/1.json", NULL, AGENT_NOTHING},
    {"team-tasks/a/1.json", NULL, AGENT_NOTHING},
    {"team-tasks/x.sh", NULL, AGENT_NOTHING},
    {"uploads/", NULL, AGENT_NOTHING},
    {"todos/" B "-agent-" B ".json", NULL, AGENT_NOTHING}, /* of another session */
    {"plans/a/b.md", NULL, AGENT_NOTHING},
    {"paste-cache/run.sh", NULL, AGENT_NOTHING},
    {"Session.jsonl", NULL, AGENT_NOTHING},
    {"session-env/x.sh", NULL, AGENT_NOTHING},
    {"shell-snapshots/x.sh", NULL, AGENT_NOTHING},
    {"settings.json", NULL, AGENT_NOTHING},
};

static void entries_go_back_where_they_came_from(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++) {
        char *path = agent_unnamed()->entry_path(A, "-p", "-m", entries[i].entry);
        assert_int_equal(agent_unnamed()->entry_kind(A, entries[i].entry), entries[i].kind);
        if (entries[i].path == NULL)
            assert_null(path);
        else
            assert_string_equal(path, entries[i].path);
        free(path);
    }
}

/* Of a record that is idle the session it stands in alone is none, and one that is no news stays
 * unsaved while another machine is ahead: no word may get lost by that.  A row for each shape that
 * Claude Code's records of a person, a command or an attachment have. */
static void what_holds_words_is_not_idle_and_is_news(void **state)
{
#define USER(content) "{\"type\":\"user\",\"message\":{\"role\":\"user\",\"content\":" content "}}"
#define ATTACHED(content) "{\"type\":\"attachment\",\"attachment\":{" content "}}"
#define TEN(x) x x x x x x x x x x
#define LONG TEN(TEN("of six "))
#define BLANK TEN(TEN("       "))
    static const struct {
        int is_something, is_news;
        const char *line;
    } cases[] = {
        {0, 0, "{\"type\":\"custom-title\",\"customTitle\":\"x\"}"},
        {0, 0, "{\"type\":\"last-prompt\",\"lastPrompt\":\"/exit\"}"},
        {1, 0, "{\"type\":\"last-prompt\",\"lastPrompt\":\"mend it\"}"},
        {1, 0, "{\"type\":\"last-prompt\",\"lastPrompt\":\"/review the parser\"}"},
        {1, 0, "{\"type\":\"last-prompt\",\"lastPrompt\":\"/home/al/notes.txt\"}"},
        {0, 0, "{\"type\":\"queue-operation\",\"operation\":\"dequeue\"}"},
        {1, 0, "{\"type\":\"queue-operation\",\"operation\":\"enqueue\",\"content\":\"do it\"}"},
        {1, 0,
         "{\"type\":\"queue-operation\",\"operation\":\"enqueue\",\"content\":[{\"type\":"
         "\"image\"}]}"},
        {0, 0,
         USER("\"<command-name>/exit</command-name>\\n <command-message>exit</command-message>\\n "
              "<command-args></command-args>\"")},
        {0, 0, USER("\"<local-command-stdout>See ya!</local-command-stdout>\"")},
        {0, 0, USER("\"<local-command-caveat>Caveat: ...</local-command-caveat>\"")},
        {1, 1, USER("\"<command-name>/x</command-name><command-args>words</command-args>\"")},
        {1, 1, USER("\"<command-name>/x</command-name><command-args></command-args>words\"")},
        {1, 1,
         USER("\"<command-name>/x</command-name><command-args></command-args>"
              "<command-args>words</command-args>\"")},
        {1, 1, USER("\"<local-command-stdout> is what I see, please explain\"")},
        {1, 1,
         USER("\"Caveat: The messages below were generated by the user while running local "
              "commands. And my words\"")},
        {1, 1,
         USER("[{\"type\":\"text\",\"text\":\"<command-name>/x</command-name>\"},"
              "{\"type\":\"text\",\"text\":\"words\"}]")},
        {1, 1,
         USER("[{\"type\":\"text\",\"text\":\"<command-name>/x</command-name>\"},"
              "{\"type\":\"image\"}]")},
        {1, 0, "{\"type\":\"user\",\"isMeta\":true,\"message\":{\"content\":\"of a skill\"}}"},
        {1, 0,
         "{\"type\":\"user\",\"isMeta\":true,\"message\":{\"content\":[{\"type\":\"tool_"
         "result\"}]}}"},
        {0, 0,
         "{\"type\":\"system\",\"subtype\":\"local_command\",\"content\":\"<command-name>/x</"
         "command-name>"
         "<command-args></command-args>\"}"},
        {1, 1,
         "{\"type\":\"system\",\"subtype\":\"local_command\",\"content\":\"<command-name>/x</"
         "command-name>"
         "<command-args>words</command-args>\"}"},
        {1, 0,
         "{\"type\":\"system\",\"subtype\":\"local_command\",\"content\":\"words of the agent\"}"},
        {1, 0,
         USER("\"<command-name>/rename</command-name><command-message>rename</command-message>"
              "<command-args>a name</command-args>\"")},
        {1, 0, USER("\"<command-name>model</command-name><command-args>opus</command-args>\"")},
        {1, 1,
         USER(
             "\"<command-name>/compact</command-name><command-args>keep the API</command-args>\"")},
        {0, 1,
         USER("\"<command-message>init is "
              "analyzing</command-message><command-name>/init</command-name>\"")},
        {0, 0, USER("[{\"type\":\"text\",\"text\":\"<command-name>/exit</command-name>\"}]")},
        {1, 1, USER("[{\"text\":\"<command-name>/x</command-name>\",\"type\":\"document\"}]")},
        {1, 1,
         USER("[\"words\",{\"type\":\"text\",\"text\":\"<command-name>/x</command-name>\"}]")},
        {1, 1,
         USER("[{\"type\":\"text\",\"text\":\"<ide_opened_file>a</ide_opened_file>\"},"
              "{\"type\":\"text\",\"text\":\"words\"}]")},
        {1, 1, USER("[{\"type\":\"text\",\"text\":\"[Request interrupted by user]\"}]")},
        {1, 1,
         USER("[{\"type\":\"tool_result\",\"content\":[{\"type\":\"text\",\"text\":\"<command-name>"
              "\"}]}]")},
        {1, 1, USER("\"<bash-input>ls</bash-input>\"")},
        {1, 1, USER("\"<bash-stdout>a</bash-stdout>\"")},
        {1, 1, USER("\"words\"")},
        {1, 0, USER("\"<local-command-stdout>" LONG "</local-command-stdout>\"")},
        {1, 1, USER("\"<command-name>/x</command-name><command-args>" LONG "</command-args>\"")},
        {1, 1, USER("\"<command-name>/x</command-name>" BLANK "words\"")},
        {1, 1, ATTACHED("\"type\":\"queued_command\",\"prompt\":\"words\"")},
        {1, 1, ATTACHED("\"type\":\"poll_events\",\"envelopes\":[\"words\"]")},
        {0, 0, ATTACHED("\"type\":\"prompt_snapshot\"")},
        {1, 0, ATTACHED("\"type\":\"skill_listing\"")},
        {1, 0, ATTACHED("\"type\":\"hook_success\"")},
        {1, 0, ATTACHED("\"type\":\"task_reminder\"")},
        {1, 0,
         "{\"type\":\"user\",\"isCompactSummary\":true,\"message\":{\"content\":\"of all\"}}"},
        {1, 0, "{\"type\":\"assistant\",\"message\":{\"model\":\"<synthetic>\",\"content\":[]}}"},
        {1, 1, "{\"type\":\"assistant\",\"message\":{\"model\":\"claude\",\"content\":[]}}"},
        {1, 0, "{\"type\":\"of-tomorrow\"}"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct news *n = news_new(agent_unnamed());
        news_feed(n, cases[i].line, strlen(cases[i].line));
        news_feed(n, "\n", 1);
        if (news_is_something(n) != cases[i].is_something)
            fail_msg("something? %s", cases[i].line);
        if ((news_count(n) > 0) != cases[i].is_news)
            fail_msg("news? %s", cases[i].line);
        news_free(n);
    }
    assert_true(claude_prompt_is_command("/exit"));
    assert_true(claude_prompt_is_command("/mcp__a:b \n"));
    assert_false(claude_prompt_is_command("/review all of it"));
    assert_false(claude_prompt_is_command("exit"));
}

static void the_clean_up_is_as_the_settings_say(void **state)
{
    static const struct {
        const char *settings;
        int days, is_said;
    } cases[] = {
        {"{\"cleanupPeriodDays\":9}", 9, 1},
        {"{\"cleanupPeriodDays\":0}", 0, 1},
        {"{\"cleanupPeriodDays\":100000000}", AGENT_DAYS_MAX, 1},
        {"{\"cleanupPeriodDays\":-1}", 30, 0},
        {"{\"cleanupPeriodDays\":\"x\"}", 30, 0},
        {"{}", 30, 0},
        {"", 30, 0},
    };
    char *dir = scratch_new(), *p = scratch_path(dir, "settings.json");
    int is_said;

    (void)state;
    if (access("/etc/claude-code/managed-settings.json", F_OK) == 0)
        skip(); /* an administrator's word goes before */
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        scratch_puts(p, cases[i].settings);
        if (claude_cleanup_days(dir, &is_said) != cases[i].days || is_said != cases[i].is_said)
            fail_msg("%s", cases[i].settings);
    }
    free(p);
    scratch_free(dir);
}

/* ---- what is true of every row ------------------------------------------------------------------
 */

/* What is called without a look whether it is there. */
static void every_row_is_whole(void **state)
{
    const struct agent *a;

    (void)state;
    for (size_t i = 0; (a = agent_at(i)) != NULL; i++) {
        const void *const texts[] = {a->id,
                                     a->name,
                                     a->resume,
                                     a->usual_root,
                                     a->projects,
                                     a->transcript_places,
                                     a->record_ops,
                                     a->record_names.id,
                                     a->record_names.parent,
                                     a->record_names.content};
        void (*const calls[])(void) = {
#define CALL(member) (void (*)(void))(a->member)
            CALL(find_root),      CALL(classify),         CALL(wants_dir),
            CALL(fate),           CALL(list_transcripts), CALL(list_asides),
            CALL(list_rest),      CALL(list_plans),       CALL(cites),
            CALL(cited),          CALL(memory_may_be),    CALL(sidechain_session),
            CALL(named),          CALL(plan_slugs),       CALL(record_news),
            CALL(record_is_idle), CALL(record_turns),     CALL(prompt_is_command),
            CALL(entry_kind),     CALL(entry_path),       CALL(transcript_path),
            CALL(why_not),        CALL(arrival),          CALL(rebuild_new),
            CALL(rebuild_free),   CALL(rebuild_feed),     CALL(rebuild_end),
            CALL(project_name),   CALL(project_names),
#undef CALL
        };
        for (size_t k = 0; k < sizeof(texts) / sizeof(texts[0]); k++)
            assert_non_null(texts[k]);
        for (size_t k = 0; k < sizeof(calls) / sizeof(calls[0]); k++)
            assert_true(calls[k] != NULL);
        assert_true(strlen(a->id) < AGENT_ID_SIZE);
        assert_non_null(strstr(a->resume, "%s"));
        assert_ptr_equal(agent_find(a->id), a);
        assert_true(a->unite == NULL || a->is_turn_over != NULL || a->live_dir != NULL);
    }
}

/* Wherever an entry of a bundle leads, it is a place that is this session's and whose name says
 * so: no way out of the data folder, no hidden file, no secret. */
static void no_entry_leads_out_of_a_session(void **state)
{
    static const char id[] = "9ca7dcee-b530-4eae-8550-0a237c51252f";
    static const char *const folders[] = {"",
                                          "session-subdir/",
                                          "file-history/",
                                          "plans/",
                                          "todos/",
                                          "tasks/",
                                          "memory/",
                                          "uploads/",
                                          "cited/",
                                          "checkpoints/",
                                          "session-subdir/files/"};
    static const char *const names[] = {"../x",
                                        "a/../../x.jsonl",
                                        "../../x.jsonl",
                                        ".x.jsonl",
                                        "..",
                                        ".",
                                        "a//../x",
                                        "/etc/passwd",
                                        ".git/config",
                                        "settings.json",
                                        "config.toml",
                                        "auth.json",
                                        "x/.env",
                                        "oauth_creds.json",
                                        "mcp-config.json",
                                        "session.db",
                                        "11111111-2222-4333-8444-555555555555.jsonl",
                                        ""};
    const struct agent *a;

    (void)state;
    for (size_t i = 0; (a = agent_at(i)) != NULL; i++) {
        for (size_t k = 0; k < sizeof(folders) / sizeof(folders[0]); k++) {
            for (size_t n = 0; n < sizeof(names) / sizeof(names[0]); n++) {
                char *entry = str_printf("%s%s", folders[k], names[n]);
                char *path = a->entry_path(id, "p", NULL, entry);
                struct agent_path place = {0};
                /* Claude Code's row is only asked for names that are plain (open_name.c). */
                int is_asked = a != agent_unnamed() || strstr(entry, "..") == NULL;
                if (path != NULL && is_asked) {
                    a->classify(path, &place);
                    assert_int_not_equal(place.kind, AGENT_NOTHING);
                    assert_true(place.session_id[0] == '\0' || strcmp(place.session_id, id) == 0 ||
                                strncmp(entry, "cited/", 6) == 0);
                    assert_true(path[0] != '/' && path[0] != '.');
                    assert_null(strstr(path, "/../"));
                    assert_int_not_equal(a->fate(path), AGENT_SECRET);
                }
                free(path);
                free(entry);
            }
        }
    }
}

static int put(void *arg, const void *p, size_t n, int is_exact, struct ct_err *err)
{
    (void)is_exact;
    (void)err;
    buf_add(arg, p, n);
    return 0;
}

static char *moved(void *arg, const char *path)
{
    (void)arg;
    return strncmp(path, "/old", 4) == 0 ? str_printf("/new/chosen%s", path + 4) : str_dup(path);
}

/* What a stranger says of where the session was leads into the folder that was chosen, or nowhere
 * but there. */
static void no_working_folder_of_a_strangers_is_elsewhere(void **state)
{
    static const char *const folders[] = {"/old/../../../etc",
                                          "/old/..",
                                          "/old/a/../../..",
                                          "/old/./x",
                                          "/old/.",
                                          "/old/../old2/x",
                                          "/new/chosen/..",
                                          "/new/chosen/../x",
                                          "/new/chosenx",
                                          "../x",
                                          "/",
                                          "/etc"};
    /* A beginning of each agent's, with %s for the folder; two lines where one tells nothing. */
    static const struct {
        const char *agent, *head, *way;
    } heads[] = {
        {"pi", "{\"type\":\"session\",\"version\":3,\"id\":\"x\",\"cwd\":\"%s\"}\n", "\"cwd\":"},
        {"qwen",
         "{\"uuid\":\"a1\",\"parentUuid\":null,\"sessionId\":\"x\",\"type\":\"user\","
         "\"provenance\":"
         "\"real_user\",\"cwd\":\"%s\",\"message\":{\"role\":\"user\",\"parts\":[{\"text\":\"x\"}]}"
         "}\n",
         "\"cwd\":"},
        {"copilot",
         "{\"type\":\"session.start\",\"data\":{\"sessionId\":\"x\",\"version\":1,\"context\":{"
         "\"cwd\":"
         "\"%s\"}},\"id\":\"11111111-2222-4333-8444-555555555555\",\"timestamp\":"
         "\"2026-11-30T03:00:15.131Z\",\"parentId\":null}\n",
         "\"cwd\":"},
        {"codex",
         "{\"timestamp\":\"2026-11-30T02:50:06.492Z\",\"ordinal\":0,\"type\":\"session_meta\","
         "\"payload\":{\"id\":\"x\",\"cwd\":\"%s\"}}\n",
         "\"cwd\":"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
        for (size_t k = 0; k < sizeof(folders) / sizeof(folders[0]); k++) {
            const struct agent *a = agent_find(heads[i].agent);
            struct buf b = {0}, text = {0};
            const struct rebuild_opts opts = {.trust = k % 2 == 0 ? TRUST_STRANGER : TRUST_ACCOUNT,
                                              .session_id = "9ca7dcee-b530-4eae-8550-0a237c51252f",
                                              .cwd = "/new/chosen",
                                              .home = "/new",
                                              .moved = moved,
                                              .put = put,
                                              .arg = &b};
            struct rebuild *r = a->rebuild_new(&opts, "session.jsonl");
            const char *at = strstr(heads[i].head, "%s");
            buf_add(&text, heads[i].head, (size_t)(at - heads[i].head));
            buf_addstr(&text, folders[k]);
            buf_addstr(&text, at + 2);
            assert_int_equal(a->rebuild_feed(r, text.data, text.len, NULL), 0);
            assert_int_equal(a->rebuild_end(r, NULL), 0);
            a->rebuild_free(r);
            buf_addc(&b, '\0');
            at = strstr(b.data, heads[i].way);
            assert_non_null(at);
            if (strncmp(at + strlen(heads[i].way), "\"/new/chosen\"", 13) != 0)
                fail_msg("%s, %s: %s", a->id, folders[k], b.data);
            buf_free(&text);
            buf_free(&b);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_working_folder_of_a_strangers_is_elsewhere),
        cmocka_unit_test(every_row_is_whole),
        cmocka_unit_test(no_entry_leads_out_of_a_session),
        cmocka_unit_test(every_path_is_classified_as_documented),
        cmocka_unit_test(all_folders_above_a_known_file_are_wanted),
        cmocka_unit_test(folders_without_session_data_are_not_wanted),
        cmocka_unit_test(an_agent_is_found_by_its_id_alone),
        cmocka_unit_test(names_from_records_become_plain_file_names_only),
        cmocka_unit_test(a_plan_is_its_sessions_or_one_of_its_agents),
        cmocka_unit_test(a_sidechain_names_its_parent_inside),
        cmocka_unit_test(project_names_are_claude_codes),
        cmocka_unit_test(entries_go_back_where_they_came_from),
        cmocka_unit_test(a_set_counts_exactly_and_survives_a_round_trip),
        cmocka_unit_test(what_holds_words_is_not_idle_and_is_news),
        cmocka_unit_test(the_clean_up_is_as_the_settings_say),
    };

    return cmocka_run_group_tests_name("agents", tests, NULL, NULL);
}

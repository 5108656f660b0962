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
#include "agents/beneath.h"
#include "agents/encode.h"
#include "agents/linked.h"
#include "agents/claude/claude.h"
#include "agents/claude/history.h"
#include "agents/seen.h"
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
        agent_default()->classify(places[i].path, &p);
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
            if (!agent_default()->wants_dir(path))
                fail_msg("%s is not wanted", path);
        }
    }
    assert_true(agent_default()->wants_dir(""));
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
        if (agent_default()->wants_dir(no[i]))
            fail_msg("%s is wanted", no[i]);
    }
}

static void an_agent_is_found_by_its_id_alone(void **state)
{
    (void)state;
    assert_ptr_equal(agent_find("claude-code"), agent_default());
    assert_null(agent_find("claude"));
}

static void names_from_records_become_plain_file_names_only(void **state)
{
    char path[256], entry[256];
    const struct agent *a = agent_default();

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
        agent_default()->plan_slugs(plans[i].name, &slugs);
        for (size_t k = 0; k < slugs.n; k++)
            assert_string_equal(slugs.v[k], plans[i].slugs[k]);
        assert_null(plans[i].slugs[slugs.n]);
        strlist_free(&slugs);
    }
}

/* ---- opening ------------------------------------------------------------------------------------
 */

typedef int (*open_fn)(int, const char *, int);

static void refuse(open_fn f, int root_fd, const char *path, int flags, int e)
{
    int fd = f(root_fd, path, flags);

    if (fd >= 0)
        fail_msg("%s was opened", path);
    if (e != 0 && errno != e)
        fail_msg("%s: %s", path, strerror(errno));
}

static void no_symbolic_link_below_the_root_is_followed(void **state)
{
    static const open_fn both[] = {beneath_open, beneath_walk};
    char *dir = scratch_new(), *root = scratch_path(dir, "root"), *link = scratch_path(dir, "link");
    char *p;

    (void)state;
    p = scratch_path(root, "a/b/file");
    scratch_puts(p, "inside");
    free(p);
    p = scratch_path(dir, "secret/file");
    scratch_puts(p, "outside");
    free(p);
    p = scratch_path(root, "a/out");
    assert_int_equal(symlink("../../secret", p), 0);
    free(p);
    p = scratch_path(root, "a/in");
    assert_int_equal(symlink("b/file", p), 0);
    free(p);
    assert_int_equal(symlink("root", link), 0);
    for (int i = 0; i < 2; i++) {
        int root_fd = beneath_open_root(link), fd;
        assert_true(root_fd >= 0);
        fd = both[i](root_fd, "a/b/file", 0);
        assert_true(fd >= 0);
        close(fd);
        fd = both[i](root_fd, "a/b", O_DIRECTORY);
        assert_true(fd >= 0);
        close(fd);
        refuse(both[i], root_fd, "a/in", 0, ELOOP);
        refuse(both[i], root_fd, "a/out", O_DIRECTORY, ELOOP);
        refuse(both[i], root_fd, "a/out/file", 0, ELOOP);
        refuse(both[i], root_fd, "../secret/file", 0, 0);
        refuse(both[i], root_fd, "a/../../secret/file", 0, 0);
        refuse(both[i], root_fd, "/etc/passwd", 0, 0);
        refuse(both[i], root_fd, "a/none", 0, ENOENT);
        refuse(both[i], root_fd, "a/b/file/x", 0, ENOTDIR);
        refuse(both[i], root_fd, "", 0, 0);
        close(root_fd);
    }
    free(link);
    free(root);
    scratch_free(dir);
}

/* ---- links that are followed --------------------------------------------------------------------
 */

static const char *linked_word(enum linked linked)
{
    return linked == LINKED_FOLLOWED  ? "followed"
           : linked == LINKED_WATCHED ? "watched"
                                      : "refused";
}

/* A data folder of a home of its own: where a link may be, and where it may lead to. */
static void links_are_followed_where_and_whither_they_may(void **state)
{
    static const struct {
        const char *path, *target;
        enum linked linked;
        const char *why;
    } t[] = {
        {"projects/x", "disk/x", LINKED_FOLLOWED, ""},
        {"projects/ssh", "home/.ssh", LINKED_REFUSED, "credentials"},
        {"projects/below", "home/.ssh/deep", LINKED_REFUSED, "credentials"},
        {"projects/aws", "disk/aws", LINKED_REFUSED, "credentials"}, /* ~/.aws is a link to it */
        {"projects/ours", "home/.codeteleport", LINKED_REFUSED, "credentials"},
        {"projects/holds", "home/.config", LINKED_REFUSED, "credentials"},
        {"projects/home", "home", LINKED_REFUSED, "data folder"},
        {"projects/above", "", LINKED_REFUSED, "data folder"},
        {"projects/root", "home/.claude", LINKED_REFUSED, "data folder"},
        {"projects/env", "home/.claude/session-env", LINKED_REFUSED, "data folder"},
        {"projects/alias", "home/.claude/projects/own", LINKED_WATCHED, ""},
        {"projects/none", "disk/none", LINKED_REFUSED, "nothing"},
        {"projects/file", "disk/x/f", LINKED_REFUSED, "no folder"},
        {"projects/own/s", "disk/x", LINKED_REFUSED, "not followed there"},
        {"file-history", "disk/x", LINKED_REFUSED, "not followed there"},
    };
    char *dir = scratch_new(), *root = scratch_path(dir, "home/.claude"), *p, *q, why[256];
    char *was = str_dup(path_home());
    struct stat st;
    int root_fd, fd;

    (void)state;
    for (const char *const *f =
             (const char *const[]){"disk/x/f", "disk/aws/f", "home/.ssh/deep/f",
                                   "home/.config/gcloud/f", "home/.codeteleport/f",
                                   "home/.claude/projects/own/f", "home/.claude/session-env/f",
                                   NULL};
         *f != NULL; f++) {
        p = scratch_path(dir, "%s", *f);
        scratch_puts(p, "x");
        free(p);
    }
    p = scratch_path(dir, "home/.aws");
    q = scratch_path(dir, "disk/aws");
    assert_int_equal(symlink(q, p), 0);
    free(p);
    free(q);
    p = scratch_path(dir, "home");
    setenv("HOME", p, 1);
    free(p);
    root_fd = beneath_open_root(root);
    for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        enum linked linked;
        p = scratch_path(root, "%s", t[i].path);
        q = t[i].target[0] != '\0' ? scratch_path(dir, "%s", t[i].target) : str_dup(dir);
        assert_int_equal(symlink(q, p), 0);
        linked = linked_judge(&claude_agent, root_fd, t[i].path, &st, why, sizeof(why));
        if (linked != t[i].linked)
            fail_msg("%s -> %s: %s (%s)", t[i].path, t[i].target, linked_word(linked), why);
        if (linked == LINKED_REFUSED && strstr(why, t[i].why) == NULL)
            fail_msg("%s -> %s: %s", t[i].path, t[i].target, why);
        assert_int_equal(st.st_ino != 0, linked == LINKED_FOLLOWED);
        fd = linked_open(&claude_agent, root_fd, t[i].path, O_DIRECTORY);
        assert_int_equal(fd >= 0, linked == LINKED_FOLLOWED);
        if (fd >= 0)
            close(fd);
        free(p);
        free(q);
    }
    fd = linked_open(&claude_agent, root_fd, "projects/x/f", 0);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(linked_open(&claude_agent, root_fd, "projects/ssh/deep/f", 0), -1);
    assert_int_equal(errno, ELOOP);
    fd = linked_make(&claude_agent, root_fd, "projects/x/new/deep");
    assert_true(fd >= 0);
    close(fd);
    p = scratch_path(dir, "disk/x/new/deep");
    assert_int_equal(access(p, F_OK), 0);
    free(p);
    assert_int_equal(linked_make(&claude_agent, root_fd, "projects/ssh/new"), -1);
    p = scratch_path(dir, "home/.ssh/new");
    assert_int_equal(access(p, F_OK), -1);
    free(p);
    /* A link within what a link leads to. */
    p = scratch_path(dir, "disk/x/out");
    assert_int_equal(symlink("/etc", p), 0);
    free(p);
    assert_int_equal(linked_open(&claude_agent, root_fd, "projects/x/out/passwd", 0), -1);
    close(root_fd);
    setenv("HOME", was, 1);
    free(was);
    free(root);
    scratch_free(dir);
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
    assert_int_equal(agent_read_sidechain(dir, "projects/p/agent-1.jsonl", id, &err), 0);
    assert_string_equal(id, A);
    scratch_puts(p, "{\"sessionId\":\"" A "\"}"); /* no newline yet */
    assert_int_equal(agent_read_sidechain(dir, "projects/p/agent-1.jsonl", id, &err), -1);
    assert_int_equal(err.code, ERR_RETRY);
    assert_int_equal(unlink(p), 0);
    assert_int_equal(agent_read_sidechain(dir, "projects/p/agent-1.jsonl", id, &err), -1);
    assert_int_equal(err.code, ERR_GONE);
    free(p);
    scratch_free(dir);
}

/* ---- live sessions ------------------------------------------------------------------------------
 */

static int parse_live(const char *text, struct agent_live *live)
{
    return agent_parse_live(text, strlen(text), live);
}

static void a_live_file_that_cant_be_parsed_is_no_signal(void **state)
{
    static const char whole[] =
        "{\"pid\":16641,\"sessionId\":\"" A "\",\"procStart\":\"199764\",\"status\":\"idle\","
        "\"updatedAt\":1795464038406}";
    struct agent_live live;

    (void)state;
    for (size_t n = 0; n < sizeof(whole) - 1; n++)
        assert_int_equal(agent_parse_live(whole, n, &live), -1);
    assert_int_equal(parse_live(whole, &live), 0);
    assert_int_equal(live.pid, 16641);
    assert_string_equal(live.session_id, A);
    assert_string_equal(live.status, "idle");
    assert_string_equal(live.proc_start, "199764");
    assert_int_equal(live.updated_ms, 1795464038406);
    assert_int_equal(parse_live("{\"pid\":1,\"sessionId\":\"" A "\"}", &live), 0);
    assert_string_equal(live.status, "");
    assert_int_equal(parse_live("{\"pid\":0,\"sessionId\":\"" A "\"}", &live), -1);
    assert_int_equal(parse_live("{\"pid\":1,\"sessionId\":\"x\"}", &live), -1);
    assert_int_equal(parse_live("{\"sessionId\":\"" A "\"}", &live), -1);
    assert_int_equal(parse_live("[]", &live), -1);
}

static void what_is_no_process_is_not_alive(void **state)
{
    struct agent_live live = {.pid = getpid()};

    (void)state;
    assert_true(agent_is_alive(&live));
    live.pid = INT32_MAX;
    assert_false(agent_is_alive(&live));
    live.pid = 0;
    assert_false(agent_is_alive(&live));
    live.pid = -1;
    assert_false(agent_is_alive(&live));
}

/* ---- the prompt history -------------------------------------------------------------------------
 */

static void note_session(void *arg, const char *session_id)
{
    buf_printf(arg, "%c", session_id[0] != '\0' ? session_id[0] : '-');
}

#define PROMPT(id) "{\"display\":\"x\",\"pastedContents\":{},\"sessionId\":\"" id "\"}\n"

static void the_history_is_read_on_from_where_it_ended(void **state)
{
    char *dir = scratch_new(), *p = scratch_path(dir, "history.jsonl");
    struct buf seen = {0};
    int64_t next = -1;

    (void)state;
    assert_int_equal(agent_read_history(agent_default(), dir, 0, note_session, &seen, &next, NULL),
                     0);
    assert_int_equal(next, 0);
    scratch_puts(p, PROMPT(A) PROMPT(A) "garbage\n" PROMPT(B) PROMPT(A) "{\"sessionId\":\"" B);
    assert_int_equal(agent_read_history(agent_default(), dir, 0, note_session, &seen, &next, NULL),
                     0);
    assert_string_equal(seen.data, "1a1");
    buf_reset(&seen);
    scratch_append(p, "\"}\n");
    assert_int_equal(
        agent_read_history(agent_default(), dir, next, note_session, &seen, &next, NULL), 0);
    assert_string_equal(seen.data, "a");
    buf_reset(&seen);
    assert_int_equal(
        agent_read_history(agent_default(), dir, next, note_session, &seen, &next, NULL), 0);
    assert_int_equal(seen.len, 0);
    scratch_puts(p, PROMPT(A)); /* replaced by a shorter one */
    assert_int_equal(
        agent_read_history(agent_default(), dir, next, note_session, &seen, &next, NULL), 0);
    assert_string_equal(seen.data, "1");
    buf_reset(&seen);
    scratch_puts(p,
                 PROMPT(B) "{\"display\":\"of another length\"}\n" PROMPT(A)); /* by a longer one */
    assert_int_equal(
        agent_read_history(agent_default(), dir, next, note_session, &seen, &next, NULL), 0);
    assert_string_equal(seen.data, "-1");
    assert_int_equal(
        agent_read_history(agent_default(), dir, next - 1, note_session, &seen, &next, NULL), 0);
    assert_string_equal(seen.data, "-1a-1");
    buf_free(&seen);
    free(p);
    scratch_free(dir);
}

struct found {
    int64_t offset, bytes;
    int n;
    char paste[64];
};

static void note_line(void *arg, const struct history_line *line)
{
    struct found *f = arg;

    f->n++;
    f->offset = line->offset;
    f->bytes = line->bytes;
    snprintf(f->paste, sizeof(f->paste), "%s", line->pastes->len > 0 ? line->pastes->data : "");
}

static void a_prompt_longer_than_any_buffer_is_found(void **state)
{
    static const char head[] = "{\"display\":\"",
                      tail[] = "\",\"pastedContents\":{\"1\":{\"id\":1,"
                               "\"contentHash\":\"feed\"}},\"sessionId\":\"" A "\"}\n";
    char *dir = scratch_new(), *p = scratch_path(dir, "history.jsonl");
    struct buf b = {0};
    struct found f = {0};
    int64_t next;
    size_t start;
    int fd;

    (void)state;
    for (int i = 0; i < 3000; i++)
        buf_addstr(&b, PROMPT(B));
    start = b.len;
    buf_addstr(&b, head);
    memset(buf_reserve(&b, 1 << 20), 'x', 1 << 20);
    b.len += 1 << 20;
    buf_addstr(&b, tail);
    buf_addstr(&b, PROMPT(B) "{\"sessionId\":\"" A);
    scratch_write(p, b.data, b.len);
    fd = open(p, O_RDONLY);
    assert_true(fd >= 0);
    assert_int_equal(history_read(fd, 0, (int64_t)b.len, A, note_line, &f, NULL, &next, NULL), 0);
    assert_int_equal(f.n, 1);
    assert_int_equal(f.offset, start);
    assert_int_equal(f.bytes, sizeof(head) - 1 + (1 << 20) + sizeof(tail) - 1);
    assert_string_equal(f.paste, "feed");
    assert_true(next < (int64_t)b.len && b.data[next - 1] == '\n');
    close(fd);
    buf_free(&b);
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
        char *path = agent_default()->entry_path(A, "-p", "-m", entries[i].entry);
        assert_int_equal(agent_default()->entry_kind(A, entries[i].entry), entries[i].kind);
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
        struct news *n = news_new();
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_path_is_classified_as_documented),
        cmocka_unit_test(all_folders_above_a_known_file_are_wanted),
        cmocka_unit_test(folders_without_session_data_are_not_wanted),
        cmocka_unit_test(an_agent_is_found_by_its_id_alone),
        cmocka_unit_test(names_from_records_become_plain_file_names_only),
        cmocka_unit_test(a_plan_is_its_sessions_or_one_of_its_agents),
        cmocka_unit_test(no_symbolic_link_below_the_root_is_followed),
        cmocka_unit_test(links_are_followed_where_and_whither_they_may),
        cmocka_unit_test(a_sidechain_names_its_parent_inside),
        cmocka_unit_test(a_live_file_that_cant_be_parsed_is_no_signal),
        cmocka_unit_test(what_is_no_process_is_not_alive),
        cmocka_unit_test(the_history_is_read_on_from_where_it_ended),
        cmocka_unit_test(a_prompt_longer_than_any_buffer_is_found),
        cmocka_unit_test(project_names_are_claude_codes),
        cmocka_unit_test(entries_go_back_where_they_came_from),
        cmocka_unit_test(a_set_counts_exactly_and_survives_a_round_trip),
        cmocka_unit_test(what_holds_words_is_not_idle_and_is_news),
    };

    return cmocka_run_group_tests_name("agents", tests, NULL, NULL);
}

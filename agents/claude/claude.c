#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/base/path.h"
#include "common/base/str.h"

#include "agents/disk/beneath.h"
#include "agents/disk/encode.h"
#include "agents/claude/rebuild.h"
#include "agents/transcript.h"

#include "agents/claude/claude.h"

#define SIDECHAIN_MAX (4 << 20) /* how far into a sidechain its parent is looked for */

/* The next component of ${*path}: its length, ${*path} moved behind its slash, NULL at the end. */
static size_t component(const char **path, const char **ret)
{
    size_t n = strcspn(*path, "/");

    *ret = *path;
    *path = (*path)[n] == '/' ? *path + n + 1 : NULL;
    return n;
}

static int is(const char *p, size_t n, const char *word)
{
    return strlen(word) == n && memcmp(p, word, n) == 0;
}

static int ends_in(const char *p, size_t n, const char *suffix)
{
    size_t m = strlen(suffix);

    return n > m && memcmp(p + n - m, suffix, m) == 0;
}

/* Is the component one session id and nothing more? */
static int is_session(const char *p, size_t n, char id[UUID_SIZE])
{
    if (n != UUID_SIZE - 1 || !uuid_starts(p))
        return 0;
    memcpy(id, p, n);
    id[n] = '\0';
    return 1;
}

static void classify_project(const char *path, struct agent_path *ret)
{
    const char *p;
    char id[UUID_SIZE];
    size_t n = component(&path, &p);

    if (path == NULL || n == 0 || n >= sizeof(ret->project))
        return;
    memcpy(ret->project, p, n);
    ret->project[n] = '\0';
    n = component(&path, &p);
    if (path != NULL) {
        if (is_session(p, n, ret->session_id))
            ret->kind = AGENT_SUBDIR;
        else if (is(p, n, "memory"))
            ret->kind = AGENT_MEMORY;
    } else if (n == UUID_SIZE - 1 + 6 && ends_in(p, n, ".jsonl") &&
               is_session(p, UUID_SIZE - 1, id)) {
        memcpy(ret->session_id, id, UUID_SIZE);
        ret->kind = AGENT_TRANSCRIPT;
    } else if (n > UUID_SIZE - 1 + 18 && is_session(p, UUID_SIZE - 1, id) &&
               strncmp(p + UUID_SIZE - 1, ".jsonl.superseded-", 18) == 0) {
        memcpy(ret->session_id, id, UUID_SIZE);
        ret->kind = AGENT_ASIDE;
    } else if (strncmp(p, "agent-", 6) == 0 && ends_in(p, n, ".jsonl")) {
        ret->kind = AGENT_SIDECHAIN;
    }
}

/* tasks/<session>/ or, with agent teams, tasks/session-<the first eight digits of it>/. */
static int is_task_folder(const char *p, size_t n, struct agent_path *ret)
{
    if (is_session(p, n, ret->session_id))
        return 1;
    if (n != 16 || memcmp(p, "session-", 8) != 0 || strspn(p + 8, "0123456789abcdef") != 8)
        return 0;
    memcpy(ret->prefix, p + 8, 8);
    ret->prefix[8] = '\0';
    return 1;
}

/* folder/<session>/... */
static void classify_owned(const char *path, enum agent_kind kind, struct agent_path *ret)
{
    const char *p;
    size_t n = component(&path, &p);

    if (path == NULL || *path == '\0')
        return;
    if (kind == AGENT_TASK ? !is_task_folder(p, n, ret) : !is_session(p, n, ret->session_id)) {
        if (kind != AGENT_TASK || n == 0 || *p == '.')
            return;
        kind = AGENT_LOOSE; /* a list with a name of its own */
    }
    if (kind != AGENT_FILE_HISTORY && kind != AGENT_UPLOAD &&
        (strchr(path, '/') != NULL ||
         (!ends_in(path, strlen(path), ".json") && strcmp(path, ".highwatermark") != 0)))
        return;
    ret->kind = kind;
}

/* folder/<file> */
static void classify_flat(const char *name, const char *folder, struct agent_path *ret)
{
    size_t n = strlen(name);

    if (strchr(name, '/') != NULL)
        return;
    if (strcmp(folder, "todos") == 0) {
        if (uuid_starts(name) && strncmp(name + UUID_SIZE - 1, "-agent-", 7) == 0 &&
            ends_in(name, n, ".json")) {
            is_session(name, UUID_SIZE - 1, ret->session_id);
            ret->kind = AGENT_TODO;
        }
    } else if (strcmp(folder, "plans") == 0 && ends_in(name, n, ".md")) {
        ret->kind = AGENT_PLAN;
    } else if (strcmp(folder, "paste-cache") == 0 && ends_in(name, n, ".txt")) {
        ret->kind = AGENT_PASTE;
    } else if (strcmp(folder, "sessions") == 0 && ends_in(name, n, ".json") &&
               strspn(name, "0123456789") == n - 5) {
        ret->kind = AGENT_LIVE;
    }
}

void claude_classify(const char *path, struct agent_path *ret)
{
    static const char *const flat[] = {"todos", "plans", "paste-cache", "sessions"};
    const char *p;
    size_t n;

    memset(ret, 0, sizeof(*ret));
    if (strncmp(path_base(path), BENEATH_TEMP, strlen(BENEATH_TEMP)) == 0)
        return;
    n = component(&path, &p);
    if (path == NULL) {
        if (is(p, n, "history.jsonl"))
            ret->kind = AGENT_HISTORY;
        return;
    }
    if (is(p, n, "projects"))
        classify_project(path, ret);
    else if (is(p, n, "file-history"))
        classify_owned(path, AGENT_FILE_HISTORY, ret);
    else if (is(p, n, "tasks"))
        classify_owned(path, AGENT_TASK, ret);
    else if (is(p, n, "uploads"))
        classify_owned(path, AGENT_UPLOAD, ret);
    else if (is(p, n, "agent-memory") || is(p, n, "memory") || is(p, n, "teams"))
        ret->kind = *path != '\0' ? AGENT_LOOSE : AGENT_NOTHING;
    for (size_t i = 0; i < sizeof(flat) / sizeof(flat[0]); i++) {
        if (is(p, n, flat[i]))
            classify_flat(path, flat[i], ret);
    }
    if (ret->kind == AGENT_NOTHING)
        memset(ret, 0, sizeof(*ret));
}

int claude_wants_dir(const char *path)
{
    static const char *const flat[] = {"todos", "plans", "paste-cache", "sessions"};
    const char *p;
    char id[UUID_SIZE];
    size_t n;

    if (*path == '\0')
        return 1;
    n = component(&path, &p);
    for (size_t i = 0; i < sizeof(flat) / sizeof(flat[0]); i++) {
        if (is(p, n, flat[i]))
            return path == NULL;
    }
    if (is(p, n, "file-history") || is(p, n, "uploads")) {
        if (path == NULL)
            return 1;
        n = component(&path, &p);
        return is_session(p, n, id);
    }
    if (is(p, n, "tasks")) {
        if (path == NULL)
            return 1;
        n = component(&path, &p);
        return n > 0 && *p != '.' && path == NULL;
    }
    if (is(p, n, "agent-memory") || is(p, n, "memory") || is(p, n, "teams"))
        return 1;
    if (!is(p, n, "projects"))
        return 0;
    if (path == NULL)
        return 1;
    n = component(&path, &p);
    if (path == NULL)
        return n > 0;
    n = component(&path, &p);
    return is_session(p, n, id) || is(p, n, "memory");
}

/* A name from a record becomes a file name only if it can be nothing else. */
static int is_plain_name(const char *name)
{
    size_t n = strlen(name);

    if (n == 0 || n > 128 || name[0] == '.')
        return 0;
    for (size_t i = 0; i < n; i++) {
        if ((unsigned char)name[i] < 0x20 || name[i] == '/' || name[i] == 0x7F)
            return 0;
    }
    return 1;
}

int claude_named(const char *name, char *path, char *entry, size_t size)
{
    int n;

    if (!is_plain_name(name))
        return -1;
    n = snprintf(path, size, "paste-cache/%s.txt", name);
    if (n < 0 || (size_t)n >= size)
        return -1;
    snprintf(entry, size, "%s", path);
    return 0;
}

/* <slug>.md, or <slug>-agent-<id>.md of one of its agents. */
void claude_plan_slugs(const char *name, struct strlist *ret)
{
    const char *agent = strstr(name, "-agent-");
    size_t n = strlen(name);
    char *slug;

    if (!is_plain_name(name) || !ends_in(name, n, ".md"))
        return;
    slug = str_printf("%.*s", (int)(n - 3), name);
    strlist_add(ret, slug);
    free(slug);
    for (; agent != NULL && agent > name; agent = strstr(agent + 1, "-agent-")) {
        slug = str_printf("%.*s", (int)(agent - name), name);
        strlist_add(ret, slug);
        free(slug);
    }
}

int claude_sidechain_session(int fd, char ret_session_id[UUID_SIZE], struct ct_err *err)
{
    const size_t size = 16 << 10;
    struct transcript *t = transcript_new(&claude_agent);
    struct transcript_facts facts;
    char *p = str_calloc(size, 1);
    int rc = 1;

    for (off_t at = 0; rc == 1 && at < SIDECHAIN_MAX;) {
        ssize_t n = file_pread_all(fd, p, size, at);
        if (n < 0)
            rc = err_sys(err, "can't read a sidechain");
        if (n <= 0)
            break;
        transcript_feed(t, p, (size_t)n);
        transcript_facts(t, &facts);
        if (facts.session_id != NULL && uuid_is_valid(facts.session_id)) {
            memcpy(ret_session_id, facts.session_id, UUID_SIZE);
            rc = 0;
        }
        at += n;
    }
    if (rc == 1)
        rc = err_set(err, ERR_RETRY, "the sidechain names no session yet");
    free(p);
    transcript_free(t);
    return rc;
}

static const char *const link_places[] = {"projects", "projects/*", NULL};

static const char *const transcript_places[] = {"projects/*", NULL};

static const char *const said[] = {"input", NULL};
static const char *const cwd[] = {"cwd", NULL}, *const branch[] = {"gitBranch", NULL};

const struct agent claude_agent = {
    .id = "claude-code",
    .name = "Claude Code",
    .resume = "claude --resume %s",
    .usual_root = ".claude",
    .find_root = path_claude_root,
    .transcript_places = transcript_places,
    .projects = "projects",
    .classify = claude_classify,
    .wants_dir = claude_wants_dir,
    .fate = claude_fate,
    .link_places = link_places,
    .list_transcripts = claude_list_transcripts,
    .list_asides = claude_list_asides,
    .list_rest = claude_list_rest,
    .list_profile = claude_list_profile,
    .cites = claude_cites,
    .cited = claude_cited,
    .list_plans = claude_list_plans,
    .memory_may_be = claude_memory_may_be,
    .sidechain_session = claude_sidechain_session,
    .named = claude_named,
    .plan_slugs = claude_plan_slugs,
    .record_ops = &claude_record_ops,
    .record_is_prompt = claude_record_is_prompt,
    .record_names = {.id = "uuid",
                     .parent = "parentUuid",
                     .message = "message",
                     .content = "content",
                     .said = said,
                     .cwd = cwd,
                     .branch = branch},
    .record_news = claude_record_news,
    .record_is_idle = claude_record_is_idle,
    .prompt_is_command = claude_prompt_is_command,
    .record_turns = claude_record_turns,
    .unite = unite_tree,
    .cleanup_days = claude_cleanup_days,
    .history_path = "history.jsonl",
    .history_names = {"sessionId", "project", "timestamp", "display"},
    .live_dir = "sessions",
    .entry_kind = claude_entry_kind,
    .entry_path = claude_entry_path,
    .transcript_path = claude_transcript_path,
    .default_mode = claude_default_mode,
    .why_not = claude_why_not,
    .arrival = claude_arrival,
    .write_words = claude_write_words,
    .rebuild_new = claude_rebuild_new,
    .rebuild_free = claude_rebuild_free,
    .rebuild_feed = claude_rebuild_feed,
    .rebuild_end = claude_rebuild_end,
    .project_name = claude_project_name,
    .project_names = claude_project_names,
    .project_max = ENCODE_MAX,
};

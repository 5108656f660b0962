#include <sys/file.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agents/lines/anew.h"
#include "agents/linked.h"
#include "agents/lines/plain.h"
#include "agents/unpack.h"
#include "common/base/now.h"
#include "common/base/path.h"
#include "common/base/str.h"
#include "common/data/jdoc.h"

#include "agents/codex/codex.h"
#include "agents/lines/form.h"

/*
 * A session is one file, a rollout, in the folder of the day on which it began; archived ones lie
 * in a folder of their own, and old ones may be packed.  It is known by the id at the end of its
 * name, so archiving it is no more than a new place.  Beside it is the history of prompts of all
 * sessions, and a list of names that people gave to theirs.  Its databases are derived from the
 * rollouts and hold absolute paths: they stay here.
 */
#define SESSIONS "sessions/"
#define ARCHIVED "archived_sessions/"
#define PREFIX "rollout-"
#define SUFFIX ".jsonl"
#define OTHERS "codeteleport-other/"
#define OTHERS_NAME "session-subdir/" OTHERS
#define DAY "####/##/##/"

/* Does ${s} begin with what ${pattern} says, in which # is a digit? */
static int fits(const char *s, const char *pattern)
{
    for (; *pattern != '\0'; pattern++, s++) {
        if (*pattern == '#' ? *s < '0' || *s > '9' : *s != *pattern)
            return 0;
    }
    return 1;
}

static int starts(const char *s, const char *with)
{
    return strncmp(s, with, strlen(with)) == 0;
}

static int ends_in(const char *s, const char *end)
{
    size_t n = strlen(s), m = strlen(end);

    return n > m && strcmp(s + n - m, end) == 0;
}

int codex_is_rollout(const char *name, char ret_id[UUID_SIZE])
{
    const size_t at = strlen(PREFIX) + CODEX_TIME + 1;

    const char *end;

    if (!fits(name, PREFIX "####-##-##T##-##-##-") || strlen(name) < at + UUID_SIZE - 1)
        return 0;
    end = name + at + UUID_SIZE - 1;
    if (strcmp(end, SUFFIX) != 0 && strcmp(end, SUFFIX UNPACK_SUFFIX) != 0)
        return 0;
    snprintf(ret_id, UUID_SIZE, "%.*s", UUID_SIZE - 1, name + at);
    return uuid_is_valid(ret_id);
}

/* "<id>/<name>.jsonl": what other files of its id had more, when it was installed here. */
static int is_other(const char *path, char ret_id[UUID_SIZE])
{
    const char *name = path + UUID_SIZE;

    if (strlen(path) <= UUID_SIZE || path[UUID_SIZE - 1] != '/' || name[0] == '.' ||
        strchr(name, '/') != NULL || !ends_in(name, SUFFIX))
        return 0;
    snprintf(ret_id, UUID_SIZE, "%.*s", UUID_SIZE - 1, path);
    return uuid_is_valid(ret_id);
}

static void classify(const char *path, struct agent_path *ret)
{
    memset(ret, 0, sizeof(*ret));
    if (strcmp(path, "history.jsonl") == 0)
        ret->kind = AGENT_HISTORY;
    else if (strcmp(path, "session_index.jsonl") == 0)
        ret->kind = AGENT_NAMES;
    else if (starts(path, ARCHIVED) && codex_is_rollout(path + strlen(ARCHIVED), ret->session_id))
        ret->kind = AGENT_TRANSCRIPT;
    else if (fits(path, SESSIONS DAY) &&
             codex_is_rollout(path + strlen(SESSIONS DAY), ret->session_id))
        ret->kind = AGENT_TRANSCRIPT;
    else if (starts(path, OTHERS) && is_other(path + strlen(OTHERS), ret->session_id))
        ret->kind = AGENT_SUBDIR;
    if (ret->kind == AGENT_NOTHING)
        memset(ret, 0, sizeof(*ret));
}

static int wants_dir(const char *path)
{
    static const char *const dirs[] = {
        "",
        "sessions",
        "sessions/####",
        "sessions/####/##",
        "sessions/####/##/##",
        "archived_sessions",
        "codeteleport-other",
    };
    size_t n = strlen(path);

    for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
        if (n == strlen(dirs[i]) && fits(path, dirs[i]))
            return 1;
    }
    return starts(path, OTHERS) && strlen(path) == strlen(OTHERS) + UUID_SIZE - 1 &&
           uuid_is_valid(path + strlen(OTHERS));
}

static enum agent_fate fate(const char *path)
{
    /* A slash at the end: the folder and all below it. */
    static const struct {
        const char *name;
        enum agent_fate fate;
    } names[] = {
        {"auth.json", AGENT_SECRET},
        {"config.toml", AGENT_SECRET},
        {".credentials.json", AGENT_SECRET},
        {"installation_id", AGENT_SECRET},
        {"shell_snapshots/", AGENT_SECRET},
        {"AGENTS.md", AGENT_CONFIGURATION},
        {"AGENTS.override.md", AGENT_CONFIGURATION},
        {"agents/", AGENT_CONFIGURATION},
        {"hooks.json", AGENT_CONFIGURATION},
        {"plugins/", AGENT_CONFIGURATION},
        {"prompts/", AGENT_CONFIGURATION},
        {"rules/", AGENT_CONFIGURATION},
        {"skills/", AGENT_CONFIGURATION},
        {"app-server-daemon/", AGENT_DERIVED},
        {"cache/", AGENT_DERIVED},
        {"log/", AGENT_DERIVED},
        {"models_cache.json", AGENT_DERIVED},
        {"packages/", AGENT_DERIVED},
        {"thread-writer-locks/", AGENT_DERIVED},
        {"tmp/", AGENT_DERIVED},
        {"version.json", AGENT_DERIVED},
    };
    struct agent_path place;

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (ends_in(names[i].name, "/") ? starts(path, names[i].name)
                                        : strcmp(path, names[i].name) == 0)
            return names[i].fate;
    }
    if (path[0] == '.' || strstr(path, ".sqlite") != NULL)
        return AGENT_DERIVED;
    if (ends_in(path, "/"))
        return starts(path, SESSIONS) || starts(path, ARCHIVED) || starts(path, OTHERS)
                   ? AGENT_INSIDE
                   : AGENT_UNKNOWN;
    classify(path, &place);
    return place.kind != AGENT_NOTHING ? AGENT_OF_SESSION : AGENT_UNKNOWN;
}

static char *find_root(void)
{
    const char *v = getenv("CODEX_HOME");

    return v != NULL && v[0] != '\0' ? path_expand(v) : path_join(path_home(), ".codex");
}

/* The time in the name of a rollout of which only the id is known: such an id begins with it. */
static void time_of(const char *session_id, char ret[CODEX_TIME + 1])
{
    char digits[13], text[32];
    long long ms = 0;

    snprintf(digits, sizeof(digits), "%.8s%.4s", session_id, session_id + 9);
    if (session_id[14] == '7')
        ms = strtoll(digits, NULL, 16);
    now_rfc3339(ms, text);
    snprintf(ret, CODEX_TIME + 1, "%.19s", text);
    ret[13] = ret[16] = '-';
}

static char *transcript_path(const char *session_id, const char *project, const char *file)
{
    char id[UUID_SIZE], at[CODEX_TIME + 1];

    (void)project;
    if (file != NULL && codex_is_rollout(file, id))
        snprintf(at, sizeof(at), "%s", file + strlen(PREFIX));
    else
        time_of(session_id, at);
    return str_printf(SESSIONS "%.4s/%.2s/%.2s/" PREFIX "%s-%s" SUFFIX, at, at + 5, at + 8, at,
                      session_id);
}

/* ---- listing ------------------------------------------------------------------------------------
 */

static int list_rest(int root_fd, const char *session_id, const char *project,
                     const struct agent_list_ops *ops, void *arg, const _Atomic int *cancel,
                     struct ct_err *err)
{
    char *dir = str_printf(OTHERS "%s", session_id);
    int fd = linked_open(&codex_agent, root_fd, dir, O_DIRECTORY);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    struct dirent *e;

    (void)project;
    (void)cancel;
    (void)err;
    while (d != NULL && (e = readdir(d)) != NULL) {
        char *path = path_join(dir, e->d_name), *entry = str_printf(OTHERS_NAME "%s", e->d_name);
        const struct agent_file file = {AGENT_SUBDIR, path, entry};
        struct agent_path place;
        classify(path, &place);
        if (place.kind == AGENT_SUBDIR)
            ops->found(arg, &file);
        free(path);
        free(entry);
    }
    if (d != NULL)
        closedir(d);
    else if (fd >= 0)
        close(fd);
    free(dir);
    return 0;
}

/* Codex holds a lock on a file of the session's own, which a killed one leaves behind. */
static int is_open(const char *root, const char *session_id)
{
    char *path = str_printf("%s/thread-writer-locks/%s.lock", root, session_id);
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    int is_so = fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;

    if (fd >= 0)
        close(fd);
    free(path);
    return is_so;
}

static int begins(const struct json_object *record)
{
    const char *type = jdoc_str(record, "type");

    return type != NULL && strcmp(type, "session_meta") == 0 && jdoc_obj(record, "payload") != NULL;
}

static int is_turn_over(const struct json_object *record)
{
    const char *type = jdoc_str(jdoc_obj(record, "payload"), "type");

    return type != NULL &&
           (strcmp(type, "task_complete") == 0 || strcmp(type, "turn_aborted") == 0);
}

/* ---- the way back -------------------------------------------------------------------------------
 */

static char *entry_path(const char *session_id, const char *project, const char *memory_project,
                        const char *entry)
{
    const char *name = entry + strlen(OTHERS_NAME);

    (void)memory_project;
    if (strcmp(entry, "session.jsonl") == 0)
        return transcript_path(session_id, project, NULL);
    if (!starts(entry, OTHERS_NAME) || name[0] == '.' || strchr(name, '/') != NULL ||
        !ends_in(name, SUFFIX))
        return NULL;
    return str_printf(OTHERS "%s/%s", session_id, name);
}

static enum agent_kind entry_kind(const char *session_id, const char *entry)
{
    char *path;

    if (strcmp(entry, codex_agent.history_path) == 0)
        return AGENT_HISTORY;
    path = entry_path(session_id, "", NULL, entry);
    free(path);
    if (path == NULL)
        return AGENT_NOTHING;
    return strcmp(entry, "session.jsonl") == 0 ? AGENT_TRANSCRIPT : AGENT_SUBDIR;
}

static const char *why_not(const struct rebuild_opts *opts, const char *entry)
{
    enum agent_kind kind = entry_kind(opts->session_id, entry);

    if (kind == AGENT_HISTORY && opts->trust != TRUST_OWN)
        return "prompts of others stay out of the prompt history";
    return kind == AGENT_NOTHING ? "no session of Codex has such a file" : NULL;
}

static const char *const said[] = {"message", "arguments", "input", "action",
                                   "output",  "item",      NULL};
static const char *const cwd[] = {"payload", "cwd", NULL};
static const char *const branch[] = {"payload", "git", "branch", NULL};
static const char *const transcript_places[] = {"sessions/*/*/*", "archived_sessions", NULL};

const struct agent codex_agent = {
    .id = "codex",
    .name = "Codex",
    .resume = "codex resume %s",
    .usual_root = ".codex",
    .find_root = find_root,
    .transcript_places = transcript_places,
    .projects = "",
    .classify = classify,
    .wants_dir = wants_dir,
    .fate = fate,
    .list_transcripts = codex_list_transcripts,
    .list_asides = plain_list,
    .list_rest = list_rest,
    .list_plans = plain_list_plans,
    .cites = plain_cites,
    .cited = plain_cited,
    .memory_may_be = plain_memory_may_be,
    .sidechain_session = plain_sidechain_session,
    .named = plain_named,
    .plan_slugs = plain_plan_slugs,
    .record_ops = &form_ops,
    .record_form = &codex_record_form,
    .record_names = {.id = "",
                     .parent = "",
                     .message = "payload",
                     .content = "content",
                     .role = "type",
                     .call = "call_id",
                     .item = "item",
                     .said = said,
                     .cwd = cwd,
                     .branch = branch,
                     .cwd_type = "session_meta",
                     .is_id_short = 1},
    .record_news = codex_record_news,
    .record_identity = codex_record_identity,
    .record_is_idle = codex_record_is_idle,
    .record_turns = codex_record_turns,
    .is_open = is_open,
    .obstacle = codex_obstacle,
    .begins = begins,
    .is_turn_over = is_turn_over,
    .prompt_is_command = plain_prompt_is_command,
    .history_path = "history.jsonl",
    .history_names = {"session_id", NULL, "ts", "text"},
    .names_path = "session_index.jsonl",
    .names_id = "id",
    .title = codex_title,
    .entry_kind = entry_kind,
    .entry_path = entry_path,
    .transcript_path = transcript_path,
    .stock_names = {"sourceCodexHome", "rolloutRelPath", "rolloutFileName"},
    .why_not = why_not,
    .arrival = plain_arrival,
    .write_words = codex_write_words,
    .rebuild_new = codex_rebuild_new,
    .rebuild_free = anew_free,
    .rebuild_feed = anew_feed,
    .rebuild_end = anew_end,
    .project_name = plain_project_name, /* whose folder it is stands in the rollout */
    .project_names = plain_project_names,
};

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agents/lines/anew.h"
#include "agents/linked.h"
#include "agents/lines/places.h"
#include "agents/lines/plain.h"
#include "common/base/file.h"
#include "common/base/path.h"
#include "common/base/str.h"
#include "common/data/jdoc.h"

#include "agents/gemini/gemini.h"

/*
 * The data folder is the one that holds the projects' folders, and nothing else: keys, tokens and
 * settings lie beside it, out of reach.  A session is <project>/chats/session-<time>-<the first 8
 * digits of its id>.jsonl; what its subagents did, its plans and long results lie in folders that
 * bear the whole id.
 */
#define OTHERS "codeteleport-other"
#define SUBDIR "session-subdir/"
#define HEAD_BYTES (64 << 10) /* of a transcript, in which its first line ends */

/* Folders of a session: what stands before and behind its id, how its files end, and the entry. */
static const struct place {
    const char *before, *behind, *ending, *entry;
    int is_own; /* only one's own comes home */
} places[] = {
    {"chats/", "/", ".jsonl", SUBDIR "subagents/", 0},
    {"chats/", "/" OTHERS "/", ".jsonl", SUBDIR OTHERS "/", 0},
    {"tool-outputs/session-", "/", ".txt", SUBDIR "tool-outputs/", 0},
    {"", "/plans/", ".md", SUBDIR "plans/", 1},
    {"", "/tasks/", ".json", SUBDIR "tasks/", 1},
    {"", "/tracker/", ".json", SUBDIR "tracker/", 1},
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static int ends_in(const char *s, const char *end)
{
    size_t n = strlen(s), m = strlen(end);

    return n > m && strcmp(s + n - m, end) == 0;
}

static int starts(const char *s, const char *with)
{
    return strncmp(s, with, strlen(with)) == 0;
}

static int is_name(const char *name, const char *ending)
{
    return name[0] != '.' && strchr(name, '/') == NULL && ends_in(name, ending);
}

/* Is ${name} that of a session's file?  Write the digits that it ends with. */
static int is_file(const char *name, char ret_prefix[9])
{
    size_t n = strlen(name);
    const char *digits;

    if (!starts(name, "session-") || !is_name(name, ".jsonl") ||
        n < strlen("session-12345678.jsonl"))
        return 0;
    digits = name + n - strlen("12345678.jsonl");
    for (int i = 0; i < 8; i++) {
        if (!isxdigit((unsigned char)digits[i]) || isupper((unsigned char)digits[i]))
            return 0;
    }
    snprintf(ret_prefix, 9, "%.8s", digits);
    return digits[-1] == '-';
}

/* What of ${path}, below a project's folder, stands behind a session's folder of that kind? */
static const char *within(const struct place *p, const char *path, char ret_id[UUID_SIZE])
{
    if (!starts(path, p->before) || strlen(path) < strlen(p->before) + UUID_SIZE - 1)
        return NULL;
    path += strlen(p->before);
    snprintf(ret_id, UUID_SIZE, "%.*s", UUID_SIZE - 1, path);
    path += UUID_SIZE - 1;
    return uuid_is_valid(ret_id) && starts(path, p->behind) ? path + strlen(p->behind) : NULL;
}

static void classify_in(const char *path, struct agent_path *ret)
{
    if (starts(path, "chats/") && is_file(path + strlen("chats/"), ret->prefix)) {
        ret->kind = AGENT_TRANSCRIPT;
        return;
    }
    ret->prefix[0] = '\0';
    for (size_t i = 0; i < COUNT(places) && ret->kind == AGENT_NOTHING; i++) {
        const char *name = within(&places[i], path, ret->session_id);
        if (name != NULL && is_name(name, places[i].ending))
            ret->kind = AGENT_SUBDIR;
    }
}

static void classify(const char *path, struct agent_path *ret)
{
    const char *slash = strchr(path, '/');

    memset(ret, 0, sizeof(*ret));
    if (path[0] != '.' && slash != NULL && (size_t)(slash - path) < sizeof(ret->project)) {
        snprintf(ret->project, sizeof(ret->project), "%.*s", (int)(slash - path), path);
        classify_in(slash + 1, ret);
    }
    if (ret->kind == AGENT_NOTHING)
        memset(ret, 0, sizeof(*ret));
}

/* Is ${path}, with its slash, such a folder, or one above it? */
static int is_above(const struct place *p, const char *path)
{
    size_t n = strlen(path), before = strlen(p->before);
    char id[UUID_SIZE];

    if (n <= before)
        return n > 0 && strncmp(p->before, path, n) == 0 && path[n - 1] == '/';
    if (!starts(path, p->before) || n < before + UUID_SIZE)
        return 0;
    snprintf(id, sizeof(id), "%.*s", UUID_SIZE - 1, path + before);
    n -= before + UUID_SIZE - 1;
    return uuid_is_valid(id) && strncmp(p->behind, path + before + UUID_SIZE - 1, n) == 0;
}

static int wants_dir(const char *path)
{
    const char *slash = strchr(path, '/');
    char *folder;
    int yes = 0;

    if (path[0] == '.' || slash == NULL)
        return path[0] != '.';
    folder = str_printf("%s/", slash + 1);
    for (size_t i = 0; i < COUNT(places) && !yes; i++)
        yes = is_above(&places[i], folder);
    free(folder);
    return yes;
}

/* What lies in a project's folder and is nobody's; a slash at the end: with all below it.  Prompts
 * are in the transcripts too. */
static const char *const derived[] = {GEMINI_MARK, "logs.json", "logs/", "shell_history"};

static enum agent_fate fate(const char *path)
{
    static const char *const machine[] = {"bin/", "background-processes/"};
    const char *slash = strchr(path, '/');
    struct agent_path place;

    if (path[0] == '.')
        return AGENT_DERIVED;
    for (size_t i = 0; i < COUNT(machine); i++) {
        if (starts(path, machine[i]))
            return AGENT_DERIVED;
    }
    for (size_t i = 0; slash != NULL && i < COUNT(derived); i++) {
        if (ends_in(derived[i], "/") ? starts(slash + 1, derived[i])
                                     : strcmp(slash + 1, derived[i]) == 0)
            return AGENT_DERIVED;
    }
    if (ends_in(path, "/"))
        return AGENT_INSIDE;
    classify(path, &place);
    return place.kind != AGENT_NOTHING ? AGENT_OF_SESSION : AGENT_UNKNOWN;
}

/* ---- where it lies ------------------------------------------------------------------------------
 */

static char *find_root(void)
{
    const char *v = getenv("GEMINI_CLI_HOME");
    char *home = v != NULL && v[0] != '\0' ? path_expand(v) : str_dup(path_home());
    char *root = path_join(home, ".gemini/tmp");

    free(home);
    return root;
}

/* The first line is short, and says it first. */
static int transcript_session(int fd, char ret_session_id[UUID_SIZE])
{
    char *p = str_calloc(HEAD_BYTES, 1);
    ssize_t n = file_pread_all(fd, p, HEAD_BYTES, 0);
    const char *newline = n > 0 ? memchr(p, '\n', (size_t)n) : NULL, *id = NULL;
    struct json_object *o = NULL;
    int rc = -1;

    if (newline != NULL && jdoc_parse(p, (size_t)(newline - p), &o, NULL) == 0)
        id = jdoc_str(o, "sessionId");
    if (id != NULL && uuid_is_valid(id)) {
        memcpy(ret_session_id, id, UUID_SIZE);
        rc = 0;
    }
    json_object_put(o);
    free(p);
    return rc;
}

/* The time in the name stays; the digits are those of the id, by which Gemini CLI looks. */
static char *transcript_path(const char *session_id, const char *project, const char *file)
{
    char prefix[9], *path;
    int n;

    if (file != NULL && is_file(file, prefix)) {
        n = (int)(strlen(file) - strlen("12345678.jsonl"));
        path = str_printf("%s/chats/%.*s%.8s.jsonl", project, n, file, session_id);
    } else {
        path = str_printf("%s/chats/session-%.8s.jsonl", project, session_id);
    }
    return path;
}

/* ---- listing ------------------------------------------------------------------------------------
 */

static int list_transcripts(int root_fd, const char *session_id, const struct agent_list_ops *ops,
                            void *arg, const _Atomic int *cancel, struct ct_err *err)
{
    return places_list(&gemini_agent, root_fd, session_id, ops, arg, cancel, err);
}

static void list_place(int root_fd, const struct place *p, const char *session_id,
                       const char *project, const struct agent_list_ops *ops, void *arg)
{
    char *dir = str_printf("%s/%s%s%s", project, p->before, session_id, p->behind);
    struct dirent *e;
    DIR *d;
    int fd;

    dir[strlen(dir) - 1] = '\0';
    fd = linked_open(&gemini_agent, root_fd, dir, O_DIRECTORY);
    d = fd >= 0 ? fdopendir(fd) : NULL;
    while (d != NULL && (e = readdir(d)) != NULL) {
        char *path = path_join(dir, e->d_name), *entry = str_printf("%s%s", p->entry, e->d_name);
        const struct agent_file file = {AGENT_SUBDIR, path, entry};
        if (is_name(e->d_name, p->ending))
            ops->found(arg, &file);
        free(path);
        free(entry);
    }
    if (d != NULL)
        closedir(d);
    else if (fd >= 0)
        close(fd);
    free(dir);
}

static int list_rest(int root_fd, const char *session_id, const char *project,
                     const struct agent_list_ops *ops, void *arg, const _Atomic int *cancel,
                     struct ct_err *err)
{
    (void)cancel;
    (void)err;
    for (size_t i = 0; i < COUNT(places); i++)
        list_place(root_fd, &places[i], session_id, project, ops, arg);
    return 0;
}

/* ---- records ------------------------------------------------------------------------------------
 */

#define CONTEXT "<session_context>"
#define FOLDERS "**Workspace Directories:**\n  - "

void gemini_context_cwd(const char *text, char *ret, size_t size)
{
    const char *at = starts(text, CONTEXT) ? strstr(text, FOLDERS) : NULL, *end;

    ret[0] = '\0';
    if (at == NULL)
        return;
    at += strlen(FOLDERS);
    end = strchr(at, '\n');
    if (*at == '/' && end != NULL && (size_t)(end - at) < size)
        snprintf(ret, size, "%.*s", (int)(end - at), at);
}

char *gemini_context(const char *cwd)
{
    return str_printf(CONTEXT "\n- " FOLDERS "%s\n</session_context>", cwd);
}

const char *gemini_first_text(const struct json_object *message)
{
    struct json_object *content = NULL;

    json_object_object_get_ex(message, "content", &content);
    if (json_object_get_type(content) == json_type_string)
        return jdoc_str(message, "content");
    if (json_object_get_type(content) != json_type_array || json_object_array_length(content) == 0)
        return NULL;
    return jdoc_str(json_object_array_get_idx(content, 0), "text");
}

int gemini_is_context(const char *text)
{
    return starts(text, CONTEXT) || starts(text, "<hook_context>");
}

/* The header, what is set and what is taken back have no type. */
static enum agent_news record_news(const struct agent_record *r)
{
    static const char *const notices[] = {"", "info", "error", "warning"};

    /* On resuming, results are set a second time, by names made of those of their calls. */
    if (ends_in(r->id, "_response"))
        return AGENT_NO_NEWS;
    if (strcmp(r->type, "user") == 0)
        return gemini_is_context(r->text) ? AGENT_NO_NEWS : AGENT_IS_NEWS;
    if (strcmp(r->type, "gemini") == 0)
        return AGENT_IS_NEWS;
    for (size_t i = 0; i < COUNT(notices); i++) {
        if (strcmp(r->type, notices[i]) == 0)
            return AGENT_NO_NEWS;
    }
    return AGENT_CANT_TELL;
}

static int record_is_idle(const struct agent_record *r)
{
    return record_news(r) == AGENT_NO_NEWS;
}

static int begins(const struct json_object *record)
{
    return jdoc_str(record, "sessionId") != NULL && jdoc_str(record, "projectHash") != NULL;
}

/* ---- the way back -------------------------------------------------------------------------------
 */

static const struct place *place_of(const char *entry)
{
    for (size_t i = 0; i < COUNT(places); i++) {
        if (starts(entry, places[i].entry) &&
            is_name(entry + strlen(places[i].entry), places[i].ending))
            return &places[i];
    }
    return NULL;
}

static char *entry_path(const char *session_id, const char *project, const char *memory_project,
                        const char *entry)
{
    const struct place *p = place_of(entry);

    (void)memory_project;
    if (strcmp(entry, "session.jsonl") == 0)
        return transcript_path(session_id, project, NULL);
    return p != NULL ? str_printf("%s/%s%s%s%s", project, p->before, session_id, p->behind,
                                  entry + strlen(p->entry))
                     : NULL;
}

static enum agent_kind entry_kind(const char *session_id, const char *entry)
{
    (void)session_id;
    if (strcmp(entry, "session.jsonl") == 0)
        return AGENT_TRANSCRIPT;
    return place_of(entry) != NULL ? AGENT_SUBDIR : AGENT_NOTHING;
}

static const char *why_not(const struct rebuild_opts *opts, const char *entry)
{
    const struct place *p = place_of(entry);

    if (p == NULL && strcmp(entry, "session.jsonl") != 0)
        return "no session of Gemini CLI has such a file";
    return p != NULL && p->is_own && opts->trust == TRUST_STRANGER
               ? "plans and tasks are followed, and who wrote them is not known"
               : NULL;
}

static const char *const said[] = {"functionCall", "functionResponse", "args", "result", NULL};
static const char *const list[] = {"$set", "messages", NULL};
static const char *const transcript_places[] = {"*/chats", NULL};

const struct agent gemini_agent = {
    .id = "gemini",
    .name = "Gemini CLI",
    .resume = "gemini -r %s",
    .usual_root = ".gemini/tmp",
    .find_root = find_root,
    .transcript_places = transcript_places,
    .projects = "",
    .classify = classify,
    .wants_dir = wants_dir,
    .fate = fate,
    .transcript_session = transcript_session,
    .list_transcripts = list_transcripts,
    .list_asides = plain_list,
    .list_rest = list_rest,
    .list_plans = plain_list_plans,
    .cites = plain_cites,
    .cited = plain_cited,
    .memory_may_be = plain_memory_may_be,
    .sidechain_session = plain_sidechain_session,
    .named = plain_named,
    .plan_slugs = plain_plan_slugs,
    .record_ops = &gemini_record_ops,
    .record_names = {.id = "id",
                     .parent = "",
                     .content = "content",
                     .result = "functionResponse",
                     .said = said,
                     .list = list,
                     .more = "toolCalls",
                     .cwd_in = gemini_context_cwd},
    .record_news = record_news,
    .record_is_idle = record_is_idle,
    .record_turns = gemini_record_turns,
    .begins = begins,
    .prompt_is_command = plain_prompt_is_command,
    .cleanup_days = gemini_cleanup_days,
    .keep_setting =
        "\"general\": {\"sessionRetention\": {\"enabled\": false}} in ~/.gemini/settings.json",
    .entry_kind = entry_kind,
    .entry_path = entry_path,
    .transcript_path = transcript_path,
    .why_not = why_not,
    .arrival = plain_arrival,
    .rebuild_new = gemini_rebuild_new,
    .rebuild_free = anew_free,
    .rebuild_feed = anew_feed,
    .rebuild_end = anew_end,
    .write_words = gemini_write_words,
    .has_random_ids = 1, /* the digits in the name of its file */
    .project_name = gemini_project_name,
    .project_names = gemini_project_names,
    .find_project = gemini_find_project,
    .project_mark = GEMINI_MARK,
};

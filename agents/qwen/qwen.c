#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agents/lines/anew.h"
#include "agents/lines/names.h"
#include "agents/lines/places.h"
#include "agents/lines/plain.h"
#include "common/base/path.h"
#include "common/base/str.h"
#include "common/data/jdoc.h"

#include "agents/qwen/qwen.h"
#include "agents/lines/form.h"

/*
 * A chat is projects/<project>/chats/<id>.jsonl; one that was archived lies one folder deeper, and
 * is the same session.  Its subagents lie beside it, what it edited, its plan and its list of tasks
 * under its id elsewhere.  What is called after a session here and is none of that says what runs
 * at this moment, or in which work tree.
 */
static const struct agent_place places[] = {
    {"projects/*/chats/%.jsonl", AGENT_TRANSCRIPT},
    {"projects/*/chats/archive/%.jsonl", AGENT_TRANSCRIPT},
    {"projects/*/subagents/%/agent-*.jsonl", AGENT_SUBDIR},
    {"projects/*/subagents/%/agent-*.meta.json", AGENT_SUBDIR},
    {"projects/*/subagents/%/codeteleport-other/*.jsonl", AGENT_SUBDIR},
    {"projects/*/memory/*", AGENT_MEMORY},
    {"file-history/%/*", AGENT_FILE_HISTORY},
    {"todos/%.json", AGENT_TODO},
    {"plans/%.md", AGENT_TODO},
    {NULL, 0},
};

static const struct agent_name others[] = {
    {".codeteleport/", AGENT_DERIVED}, /* ours */
    {"projects/*/chats/%.*", AGENT_DERIVED},
    {"projects/*/chats/archive/%.*", AGENT_DERIVED},
    {"projects/*/*.json", AGENT_DERIVED},
    {"projects/*/workflows/", AGENT_DERIVED}, /* what would run */
    {"tmp/", AGENT_DERIVED},
    {"debug/", AGENT_DERIVED},
    {"bin/", AGENT_DERIVED},
    {"ide/", AGENT_DERIVED},
    {"arena/", AGENT_DERIVED},
    {"audits/", AGENT_DERIVED},
    {"usage/", AGENT_DERIVED},
    {"insights/", AGENT_DERIVED},
    {"locks/", AGENT_DERIVED},
    {"*.jsonl", AGENT_DERIVED},
    {"*history", AGENT_DERIVED},
    {".file-history-cleanup", AGENT_DERIVED},
    {"agents/", AGENT_CONFIGURATION},
    {"commands/", AGENT_CONFIGURATION},
    {"extensions/", AGENT_CONFIGURATION},
    {"extension-store/", AGENT_DERIVED},
    {".openai-logs-cleanup*", AGENT_DERIVED},
    {"hooks/", AGENT_CONFIGURATION},
    {"memories/", AGENT_CONFIGURATION},
    {"skills/", AGENT_CONFIGURATION},
    {"themes/", AGENT_CONFIGURATION},
    {"workflows/", AGENT_CONFIGURATION},
    {"*.md", AGENT_CONFIGURATION},
    {"settings.json*", AGENT_SECRET},
    {"oauth_creds.json", AGENT_SECRET},
    {"google_accounts.json", AGENT_SECRET},
    {"mcp-oauth-tokens*", AGENT_SECRET},
    {".env*", AGENT_SECRET},
    {"installation_id", AGENT_SECRET},
    {NULL, 0},
};

/* The first component that begins with an id. */
static void take_id(const char *path, char ret[UUID_SIZE])
{
    for (const char *p = path; p != NULL; p = strchr(p, '/') != NULL ? strchr(p, '/') + 1 : NULL) {
        if (strlen(p) >= UUID_SIZE - 1 && uuid_starts(p)) {
            snprintf(ret, UUID_SIZE, "%.*s", UUID_SIZE - 1, p);
            return;
        }
    }
}

static void classify(const char *path, struct agent_path *ret)
{
    const char *project = path + strlen("projects/"), *name = strrchr(path, '/');
    size_t n;

    memset(ret, 0, sizeof(*ret));
    if (name != NULL && name[1] == '.')
        return;
    ret->kind = names_kind(places, path);
    if (ret->kind == AGENT_NOTHING)
        return;
    if (strncmp(path, "projects/", strlen("projects/")) == 0) {
        n = strcspn(project, "/");
        if (n >= sizeof(ret->project) || project[0] == '.') {
            memset(ret, 0, sizeof(*ret));
            return;
        }
        snprintf(ret->project, sizeof(ret->project), "%.*s", (int)n, project);
        path = project + n + 1; /* a project may be called anything */
    }
    if (ret->kind != AGENT_MEMORY)
        take_id(path, ret->session_id);
}

static int wants_dir(const char *path)
{
    return names_wants_dir(places, path);
}

static enum agent_fate fate(const char *path)
{
    return names_fate(places, others, path);
}

/* ---- where it lies ------------------------------------------------------------------------------
 */

static char *find_root(void)
{
    static const char *const variables[] = {"QWEN_RUNTIME_DIR", "QWEN_HOME"};

    for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
        const char *v = getenv(variables[i]);
        if (v != NULL && v[0] != '\0')
            return path_expand(v);
    }
    return path_join(path_home(), ".qwen");
}

/* Each UTF-16 unit but ASCII letters and digits is a dash. */
static char *project_name(const char *cwd)
{
    struct buf b = {0};
    size_t left = strlen(cwd), n;

    for (; left > 0; cwd += n, left -= n) {
        n = str_utf8_len(cwd, left);
        if (n == 0)
            n = 1;
        buf_addc(&b,
                 n == 1 && strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
                                  cwd[0]) != NULL
                     ? cwd[0]
                     : '-');
        if (n == 4)
            buf_addc(&b, '-');
    }
    buf_addc(&b, '\0');
    return buf_steal(&b);
}

static void project_names(const char *cwd, struct strlist *ret)
{
    char *name = project_name(cwd);

    strlist_add(ret, name);
    free(name);
}

static char *transcript_path(const char *session_id, const char *project, const char *file)
{
    (void)file; /* it is called after the session */
    return str_printf("projects/%s/chats/%s.jsonl", project, session_id);
}

/* ---- listing ------------------------------------------------------------------------------------
 */

static int list_transcripts(int root_fd, const char *session_id, const struct agent_list_ops *ops,
                            void *arg, const _Atomic int *cancel, struct ct_err *err)
{
    return places_list(&qwen_agent, root_fd, session_id, ops, arg, cancel, err);
}

static int list_rest(int root_fd, const char *session_id, const char *project,
                     const struct agent_list_ops *ops, void *arg, const _Atomic int *cancel,
                     struct ct_err *err)
{
    char *subagents = str_printf("projects/%s/subagents/%s", project, session_id);
    char *memory = str_printf("projects/%s/memory", project);
    char *history = str_printf("file-history/%s", session_id);
    char *todo = str_printf("todos/%s.json", session_id);
    char *plan = str_printf("plans/%s.md", session_id);
    const struct agent_file files[] = {{AGENT_TODO, todo, todo}, {AGENT_TODO, plan, plan}};

    (void)cancel;
    (void)err;
    plain_list_folder(&qwen_agent, root_fd, subagents, "session-subdir", ops, arg);
    plain_list_folder(&qwen_agent, root_fd, memory, "memory", ops, arg);
    plain_list_folder(&qwen_agent, root_fd, history, "file-history", ops, arg);
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        plain_list_file(&qwen_agent, root_fd, &files[i], ops, arg);
    free(subagents);
    free(memory);
    free(history);
    free(todo);
    free(plan);
    return 0;
}

static void memory_may_be(int root_fd, int transcript_fd, const char *project, struct strlist *ret)
{
    (void)root_fd;
    (void)transcript_fd;
    strlist_add_once(ret, project);
}

/* ---- records ------------------------------------------------------------------------------------
 */

/* Of type "system": what is none of the conversation. */
static const char *const settings[] = {
    "at_command",
    "attribution_snapshot",
    "background_task_completed",
    "branch_checkpoint",
    "chat_compression",
    "custom_title",
    "file_history_snapshot",
    "goal_state",
    "goal_turn_end",
    "omni_recall",
    "parent_session",
    "rewind",
    "session_artifact_event",
    "session_artifact_snapshot",
    "session_model",
    "session_source",
    "session_sources_snapshot",
    "slash_command",
    "turn_result",
    "ui_telemetry",
    "user_text_elements",
    QWEN_GOAL_LEFT,
    NULL,
};

int qwen_is_setting(const char *type, const char *subtype)
{
    for (size_t i = 0; strcmp(type, "system") == 0 && settings[i] != NULL; i++) {
        if (strcmp(subtype, settings[i]) == 0)
            return 1;
    }
    return 0;
}

static enum agent_news record_news(const struct agent_record *r)
{
    if (strcmp(r->type, "user") == 0 || strcmp(r->type, "assistant") == 0 ||
        strcmp(r->type, "tool_result") == 0)
        return AGENT_IS_NEWS;
    return qwen_is_setting(r->type, r->subtype) ? AGENT_NO_NEWS : AGENT_CANT_TELL;
}

static int record_is_idle(const struct agent_record *r)
{
    return qwen_is_setting(r->type, r->subtype);
}

static struct json_object *parts_of(const struct json_object *record)
{
    return jdoc_array(jdoc_obj(record, "message"), "parts");
}

static int begins(const struct json_object *record)
{
    return jdoc_str(record, "sessionId") != NULL && jdoc_str(record, "uuid") != NULL &&
           (jdoc_str(record, "provenance") != NULL || parts_of(record) != NULL);
}

/* An answer that asks for no tool. */
static int is_turn_over(const struct json_object *record)
{
    const char *type = jdoc_str(record, "type"), *subtype = jdoc_str(record, "subtype");
    struct json_object *parts = parts_of(record);

    if (type != NULL && strcmp(type, "system") == 0)
        return subtype != NULL && strcmp(subtype, "turn_result") == 0;
    if (type == NULL || strcmp(type, "assistant") != 0 || parts == NULL)
        return 0;
    for (size_t i = 0; i < json_object_array_length(parts); i++) {
        if (jdoc_obj(json_object_array_get_idx(parts, i), "functionCall") != NULL)
            return 0;
    }
    return 1;
}

/* ---- the way back -------------------------------------------------------------------------------
 */

static const struct {
    const char *entry;
    enum agent_kind kind;
} folders[] = {
    {"session-subdir/", AGENT_SUBDIR},
    {"memory/", AGENT_MEMORY},
    {"file-history/", AGENT_FILE_HISTORY},
    {"todos/", AGENT_TODO},
    {"plans/", AGENT_TODO},
};

static char *path_of(const char *session_id, const char *project, const char *memory_project,
                     const char *entry)
{
    const char *rest = strchr(entry, '/');

    if (rest == NULL)
        return NULL;
    switch (entry[0]) {
    case 's':
        return str_printf("projects/%s/subagents/%s%s", project, session_id, rest);
    case 'm':
        return str_printf("projects/%s/memory%s", memory_project, rest);
    case 'f':
        return str_printf("file-history/%s%s", session_id, rest);
    default:
        return str_dup(entry);
    }
}

/* What lands in the data folder is what classify() would take from there, and this session's. */
static char *entry_path(const char *session_id, const char *project, const char *memory_project,
                        const char *entry)
{
    struct agent_path place;
    char *path;

    if (strcmp(entry, "session.jsonl") == 0)
        return transcript_path(session_id, project, NULL);
    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
        if (strncmp(entry, folders[i].entry, strlen(folders[i].entry)) != 0)
            continue;
        path =
            path_of(session_id, project, memory_project != NULL ? memory_project : project, entry);
        classify(path, &place);
        if (place.kind == folders[i].kind &&
            (place.kind == AGENT_MEMORY || strcmp(place.session_id, session_id) == 0))
            return path;
        free(path);
        return NULL;
    }
    return NULL;
}

static enum agent_kind entry_kind(const char *session_id, const char *entry)
{
    return plain_entry_kind(&qwen_agent, session_id, "p", entry);
}

static const char *const transcript_places[] = {"projects/*/chats", "projects/*/chats/archive",
                                                NULL};

static const char *const said[] = {"functionCall", "functionResponse", "inlineData", NULL};
static const char *const cwd[] = {"cwd", NULL}, *const branch[] = {"gitBranch", NULL};

const struct agent qwen_agent = {
    .id = "qwen",
    .name = "Qwen Code",
    .resume = "qwen -r %s",
    .usual_root = ".qwen",
    .find_root = find_root,
    .transcript_places = transcript_places,
    .projects = "projects",
    .classify = classify,
    .wants_dir = wants_dir,
    .fate = fate,
    .list_transcripts = list_transcripts,
    .list_asides = plain_list,
    .list_rest = list_rest,
    .list_plans = plain_list_plans,
    .cites = plain_cites,
    .cited = plain_cited,
    .memory_may_be = memory_may_be,
    .sidechain_session = plain_sidechain_session,
    .named = plain_named,
    .plan_slugs = plain_plan_slugs,
    .record_ops = &form_ops,
    .record_form = &qwen_record_form,
    .record_names = {.id = "uuid",
                     .parent = "parentUuid",
                     .message = "message",
                     .content = "parts",
                     .result = "tool_result",
                     .said = said,
                     .cwd = cwd,
                     .branch = branch},
    .record_news = record_news,
    .record_is_idle = record_is_idle,
    .record_turns = qwen_record_turns,
    .begins = begins,
    .is_turn_over = is_turn_over,
    .unite = unite_tree,
    .prompt_is_command = plain_prompt_is_command,
    .write_words = qwen_write_words,
    .has_random_ids = 1,
    .entry_kind = entry_kind,
    .entry_path = entry_path,
    .transcript_path = transcript_path,
    .why_not = qwen_why_not,
    .arrival = plain_arrival,
    .rebuild_new = qwen_rebuild_new,
    .rebuild_free = anew_free,
    .rebuild_feed = anew_feed,
    .rebuild_end = anew_end,
    .project_name = project_name,
    .project_names = project_names,
};

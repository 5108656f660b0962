#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agents/lines/anew.h"
#include "agents/linked.h"
#include "agents/lines/names.h"
#include "agents/lines/places.h"
#include "agents/lines/plain.h"
#include "common/base/path.h"
#include "common/base/str.h"
#include "common/data/jdoc.h"

#include "agents/copilot/copilot.h"
#include "agents/lines/form.h"

/*
 * The data folder is the one that holds sessions: tokens, settings and logs lie beside it, out of
 * reach.  A session is a folder, and the folder's name is its id.
 */
static const struct agent_place places[] = {
    {"%/events.jsonl", AGENT_TRANSCRIPT},
    {"%/workspace.yaml", AGENT_SUBDIR},
    {"%/plan.md", AGENT_SUBDIR},
    {"%/checkpoints/*.md", AGENT_SUBDIR},
    {"%/files/", AGENT_SUBDIR},
    {"%/rewind-file-snapshots/*.json", AGENT_SUBDIR},
    {"%/rewind-file-snapshots/backups/*", AGENT_SUBDIR},
    {"%/codeteleport-other/*.jsonl", AGENT_SUBDIR},
    {NULL, 0},
};

static const struct agent_name others[] = {
    {".codeteleport/", AGENT_DERIVED}, /* ours */
    {".session-operation-locks/", AGENT_DERIVED},
    {"%/session.db*", AGENT_DERIVED}, /* said of each session: list_rest() */
    {"%/.*", AGENT_DERIVED},
    {NULL, 0},
};

#define ID_LENGTH (UUID_SIZE - 1)

static void classify(const char *path, struct agent_path *ret)
{
    memset(ret, 0, sizeof(*ret));
    if (strlen(path) <= ID_LENGTH || path[ID_LENGTH] != '/' || strstr(path, "/.") != NULL)
        return;
    ret->kind = names_kind(places, path);
    if (ret->kind != AGENT_NOTHING)
        snprintf(ret->session_id, sizeof(ret->session_id), "%.*s", ID_LENGTH, path);
}

static int wants_dir(const char *path)
{
    return path[0] != '.' && strstr(path, "/.") == NULL && names_wants_dir(places, path);
}

static enum agent_fate fate(const char *path)
{
    return names_fate(places, others, path);
}

/* ---- where it lies ------------------------------------------------------------------------------
 */

static char *find_root(void)
{
    const char *v = getenv("COPILOT_HOME");
    char *home = v != NULL && v[0] != '\0' ? path_expand(v) : path_join(path_home(), ".copilot");
    char *root = path_join(home, "session-state");

    free(home);
    return root;
}

static char *transcript_path(const char *session_id, const char *project, const char *file)
{
    (void)project;
    (void)file;
    return str_printf("%s/events.jsonl", session_id);
}

/* ---- listing ------------------------------------------------------------------------------------
 */

/* One look, for there are many sessions and each folder's name is known. */
static int list_transcripts(int root_fd, const char *session_id, const struct agent_list_ops *ops,
                            void *arg, const _Atomic int *cancel, struct ct_err *err)
{
    char *path = transcript_path(session_id, "", NULL);
    const struct agent_file file = {AGENT_TRANSCRIPT, path, "session.jsonl"};

    (void)cancel;
    (void)err;
    plain_list_file(&copilot_agent, root_fd, &file, ops, arg);
    free(path);
    return 0;
}

struct beside {
    const struct agent_list_ops *ops;
    void *arg;
};

static void found_beside(void *arg, const struct agent_file *file)
{
    const struct beside *b = arg;

    if (file->kind == AGENT_SUBDIR)
        b->ops->found(b->arg, file);
}

static int list_rest(int root_fd, const char *session_id, const char *project,
                     const struct agent_list_ops *ops, void *arg, const _Atomic int *cancel,
                     struct ct_err *err)
{
    static const struct agent_list_ops but_the_transcript = {found_beside, NULL};
    struct beside b = {ops, arg};
    char *db = str_printf("%s/session.db", session_id);
    int fd = linked_open(&copilot_agent, root_fd, db, 0);

    (void)project;
    (void)cancel;
    (void)err;
    plain_list_folder(&copilot_agent, root_fd, session_id, "session-subdir", &but_the_transcript,
                      &b);
    if (fd >= 0) {
        ops->skipped(arg, db, "Copilot's to-do list is a database, which is not saved");
        close(fd);
    }
    free(db);
    return 0;
}

/* ---- records ------------------------------------------------------------------------------------
 */

/* What begins with one of these says nothing itself; the first rows are exceptions. */
static const struct {
    const char *begin;
    int is_silent;
} types[] = {
    {"session.compaction_complete", 0},
    {"session.handoff", 0},
    {"session.info", 0},
    {"session.warning", 0},
    {"session.error", 0},
    {"session.task_complete", 0},
    {"session.", 1},
    {"assistant.turn_", 1},
    {"assistant.usage", 1},
    {"assistant.idle", 1},
    {"assistant.intent", 1},
    {"assistant.reasoning", 1}, /* it is in the message too */
    {"assistant.fusion_", 1},
    {"tool.execution_start", 1},
    {"tool.execution_progress", 1},
    {"tool.execution_partial_result", 1},
    {"tool_search.", 1},
    {"hook.", 1},
    {"permission.", 1},
    {"model.", 1},
    {"mcp.", 1},
    {"sandbox.", 1},
    {"subagent.", 1},
    {"skill.invoked_ref", 1},
    {"skill.context_delivered_ref", 1},
    {"command", 1},
    {"capabilities.", 1},
    {"auto_mode_switch.", 1},
    {"prompt_cache_break", 1},
    {"abort", 1},
    {"agent.interrupted", 1},
};

int copilot_is_silent(const char *type)
{
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (strncmp(type, types[i].begin, strlen(types[i].begin)) == 0)
            return types[i].is_silent;
    }
    return 0;
}

static enum agent_news record_news(const struct agent_record *r)
{
    static const char *const said[] = {"user.message", "assistant.message",
                                       "tool.execution_complete", "tool.user_requested"};

    for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
        if (strcmp(r->type, said[i]) == 0)
            return AGENT_IS_NEWS;
    }
    /* Of those that are told as turns none is a person's or a model's. */
    return copilot_is_silent(r->type) || strncmp(r->type, "session.", 8) == 0 ||
                   strncmp(r->type, "system.", 7) == 0 || strncmp(r->type, "skill.", 6) == 0
               ? AGENT_NO_NEWS
               : AGENT_CANT_TELL;
}

static int record_is_idle(const struct agent_record *r)
{
    return record_news(r) == AGENT_NO_NEWS;
}

static int begins(const struct json_object *record)
{
    const char *type = jdoc_str(record, "type");

    return type != NULL && strcmp(type, "session.start") == 0 &&
           jdoc_str(jdoc_obj(record, "data"), "sessionId") != NULL;
}

static int is_turn_over(const struct json_object *record)
{
    const char *type = jdoc_str(record, "type");

    return type != NULL &&
           (strcmp(type, "assistant.turn_end") == 0 || strcmp(type, "session.shutdown") == 0);
}

/* ---- the way back -------------------------------------------------------------------------------
 */

static char *entry_path(const char *session_id, const char *project, const char *memory_project,
                        const char *entry)
{
    struct agent_path place;
    char *path;

    (void)memory_project;
    if (strcmp(entry, "session.jsonl") == 0)
        return transcript_path(session_id, project, NULL);
    if (strncmp(entry, "session-subdir/", 15) != 0)
        return NULL;
    path = str_printf("%s/%s", session_id, entry + 15);
    classify(path, &place);
    if (place.kind == AGENT_SUBDIR)
        return path;
    free(path);
    return NULL;
}

static enum agent_kind entry_kind(const char *session_id, const char *entry)
{
    return plain_entry_kind(&copilot_agent, session_id, "", entry);
}

static const char *const transcript_places[] = {"*", NULL};

static const char *const said[] = {"toolRequests", "reasoningText", "result", NULL};
static const char *const cwd[] = {"data", "context", "cwd", NULL};
static const char *const branch[] = {"data", "context", "branch", NULL};

const struct agent copilot_agent = {
    .id = "copilot",
    .name = "Copilot CLI",
    .resume = "copilot --resume=%s",
    .usual_root = ".copilot/session-state",
    .find_root = find_root,
    .transcript_places = transcript_places,
    .projects = "",
    .classify = classify,
    .wants_dir = wants_dir,
    .fate = fate,
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
    .record_ops = &form_ops,
    .record_form = &copilot_record_form,
    .record_names = {.id = "id",
                     .parent = "parentId",
                     .message = "data",
                     .content = "content",
                     .result = "tool.execution_complete",
                     .said = said,
                     .cwd = cwd,
                     .branch = branch},
    .record_news = record_news,
    .record_is_idle = record_is_idle,
    .record_turns = copilot_record_turns,
    .begins = begins,
    .is_turn_over = is_turn_over,
    .prompt_is_command = plain_prompt_is_command,
    .write_words = copilot_write_words,
    .entry_kind = entry_kind,
    .entry_path = entry_path,
    .transcript_path = transcript_path,
    .why_not = copilot_why_not,
    .arrival = plain_arrival,
    .rebuild_new = copilot_rebuild_new,
    .rebuild_free = anew_free,
    .rebuild_feed = anew_feed,
    .rebuild_end = anew_end,
    .project_name = plain_project_name,
    .project_names = plain_project_names,
};

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agents/lines/anew.h"
#include "agents/lines/places.h"
#include "agents/lines/plain.h"
#include "common/base/path.h"
#include "common/base/str.h"
#include "common/data/jdoc.h"

#include "agents/pi/pi.h"
#include "agents/lines/form.h"

/*
 * The data folder is the one that holds sessions, and nothing else: pi's keys and settings lie
 * beside it, out of reach.  A file <time>_<id>.jsonl lies in the folder of its project, or, where
 * PI_CODING_AGENT_SESSION_DIR names another folder, in that itself.
 */
#define OTHERS "codeteleport-other"
#define OTHERS_NAME "session-subdir/" OTHERS "/"

static int ends_in(const char *s, const char *end)
{
    size_t n = strlen(s), m = strlen(end);

    return n > m && strcmp(s + n - m, end) == 0;
}

/* Is ${name} that of a session's file?  Write the id that it ends with. */
static int is_file(const char *name, char ret_id[UUID_SIZE])
{
    size_t n = strlen(name);
    const char *id;

    if (name[0] == '.' || strchr(name, '/') != NULL || !ends_in(name, ".jsonl"))
        return 0;
    n -= strlen(".jsonl");
    if (n < UUID_SIZE - 1)
        return 0;
    id = name + n - (UUID_SIZE - 1);
    if (id > name && id[-1] != '_')
        return 0;
    snprintf(ret_id, UUID_SIZE, "%.*s", UUID_SIZE - 1, id);
    return uuid_is_valid(ret_id);
}

/* ${path} below a project folder: the session's file, or what other files of its id had more. */
static void classify_in(const char *path, struct agent_path *ret)
{
    const char *rest = strchr(path, '/');

    if (is_file(path, ret->session_id)) {
        ret->kind = AGENT_TRANSCRIPT;
        return;
    }
    if (rest == NULL || rest - path != UUID_SIZE - 1)
        return;
    snprintf(ret->session_id, sizeof(ret->session_id), "%.*s", UUID_SIZE - 1, path);
    if (uuid_is_valid(ret->session_id) && strncmp(rest, "/" OTHERS "/", sizeof(OTHERS) + 1) == 0 &&
        ends_in(rest, ".jsonl") && rest[sizeof(OTHERS) + 1] != '.' &&
        strchr(rest + sizeof(OTHERS) + 1, '/') == NULL)
        ret->kind = AGENT_SUBDIR;
}

static void classify(const char *path, struct agent_path *ret)
{
    const char *slash = strchr(path, '/');

    memset(ret, 0, sizeof(*ret));
    if (path[0] != '.') {
        classify_in(path, ret);
        if (ret->kind == AGENT_NOTHING && slash != NULL &&
            (size_t)(slash - path) < sizeof(ret->project)) {
            snprintf(ret->project, sizeof(ret->project), "%.*s", (int)(slash - path), path);
            classify_in(slash + 1, ret);
        }
    }
    if (ret->kind == AGENT_NOTHING)
        memset(ret, 0, sizeof(*ret));
}

/* Is it the folder of a session, or the one in that? */
static int is_own_folder(const char *path)
{
    char id[UUID_SIZE];

    if (strlen(path) < UUID_SIZE - 1)
        return 0;
    snprintf(id, sizeof(id), "%.*s", UUID_SIZE - 1, path);
    path += UUID_SIZE - 1;
    return uuid_is_valid(id) && (*path == '\0' || strcmp(path, "/" OTHERS) == 0);
}

static int wants_dir(const char *path)
{
    const char *slash = strchr(path, '/');

    if (path[0] == '.')
        return 0;
    return path[0] == '\0' || slash == NULL || is_own_folder(path) || is_own_folder(slash + 1);
}

static enum agent_fate fate(const char *path)
{
    struct agent_path place;

    if (path[0] == '.')
        return AGENT_DERIVED;
    if (ends_in(path, "/"))
        return AGENT_INSIDE;
    classify(path, &place);
    return place.kind != AGENT_NOTHING ? AGENT_OF_SESSION : AGENT_UNKNOWN;
}

/* ---- where it lies ------------------------------------------------------------------------------
 */

static const char *session_dir(void)
{
    const char *v = getenv("PI_CODING_AGENT_SESSION_DIR");

    return v != NULL && v[0] != '\0' ? v : NULL;
}

static char *find_root(void)
{
    const char *v = getenv("PI_CODING_AGENT_DIR");
    char *dir, *root;

    if (session_dir() != NULL)
        return path_expand(session_dir());
    dir = v != NULL && v[0] != '\0' ? path_expand(v) : path_join(path_home(), ".pi/agent");
    root = path_join(dir, "sessions");
    free(dir);
    return root;
}

static char *project_name(const char *cwd)
{
    char *name;

    if (session_dir() != NULL)
        return str_dup("");
    name = str_printf("--%s--", cwd + (cwd[0] == '/'));
    for (char *p = name; *p != '\0'; p++) {
        if (*p == '/' || *p == '\\' || *p == ':')
            *p = '-';
    }
    return name;
}

static void project_names(const char *cwd, struct strlist *ret)
{
    char *name = project_name(cwd);

    strlist_add(ret, name);
    free(name);
}

static char *below(const char *project, const char *name)
{
    return project[0] != '\0' ? path_join(project, name) : str_dup(name);
}

static char *transcript_path(const char *session_id, const char *project, const char *file)
{
    char id[UUID_SIZE], *name, *path;

    /* A copy has an id of its own behind the time. */
    if (file != NULL && is_file(file, id))
        name = str_printf("%.*s%s.jsonl", (int)(strlen(file) - strlen(".jsonl") - (UUID_SIZE - 1)),
                          file, session_id);
    else
        name = str_printf("%s.jsonl", session_id);
    path = below(project, name);
    free(name);
    return path;
}

/* ---- listing ------------------------------------------------------------------------------------
 */

static int list_transcripts(int root_fd, const char *session_id, const struct agent_list_ops *ops,
                            void *arg, const _Atomic int *cancel, struct ct_err *err)
{
    return places_list(&pi_agent, root_fd, session_id, ops, arg, cancel, err);
}

/* What other files of its id had more, when it was installed here (bundle/pack/others.h). */
static int list_rest(int root_fd, const char *session_id, const char *project,
                     const struct agent_list_ops *ops, void *arg, const _Atomic int *cancel,
                     struct ct_err *err)
{
    char *own = below(project, session_id);

    (void)cancel;
    (void)err;
    plain_list_folder(&pi_agent, root_fd, own, "session-subdir", ops, arg);
    free(own);
    return 0;
}

/* ---- records ------------------------------------------------------------------------------------
 */

/* The subtype is the message's role. */
static enum agent_news record_news(const struct agent_record *r)
{
    static const char *const settings[] = {
        "session", "model_change", "thinking_level_change", "session_info", "label", "usage",
        "custom",  "compaction",   "branch_summary",
    };

    if (strcmp(r->type, "message") == 0)
        return strcmp(r->subtype, "system") == 0 ? AGENT_NO_NEWS : AGENT_IS_NEWS;
    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
        if (strcmp(r->type, settings[i]) == 0)
            return AGENT_NO_NEWS;
    }
    return AGENT_CANT_TELL; /* context_edit, custom_message: they change what the model sees */
}

static int record_is_idle(const struct agent_record *r)
{
    static const char *const types[] = {
        "session", "model_change", "thinking_level_change", "session_info", "usage",
    };

    if (strcmp(r->type, "message") == 0)
        return strcmp(r->subtype, "system") == 0;
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (strcmp(r->type, types[i]) == 0)
            return 1;
    }
    return 0;
}

static int begins(const struct json_object *record)
{
    const char *type = jdoc_str(record, "type"), *id = jdoc_str(record, "id");

    /* opencode's begin so too, with an id of its own. */
    return type != NULL && strcmp(type, "session") == 0 && jdoc_str(record, "cwd") != NULL &&
           (id == NULL || uuid_is_valid(id));
}

/* An answer that asks for no tool. */
static int is_turn_over(const struct json_object *record)
{
    const struct json_object *message = jdoc_obj(record, "message");
    const char *role = jdoc_str(message, "role"), *stop = jdoc_str(message, "stopReason");

    return role != NULL && strcmp(role, "assistant") == 0 && stop != NULL &&
           strcmp(stop, "toolUse") != 0;
}

/* ---- the way back -------------------------------------------------------------------------------
 */

static char *entry_path(const char *session_id, const char *project, const char *memory_project,
                        const char *entry)
{
    const char *name = entry + strlen(OTHERS_NAME);
    char *own, *path;

    (void)memory_project;
    if (strcmp(entry, "session.jsonl") == 0)
        return transcript_path(session_id, project, NULL);
    if (strncmp(entry, OTHERS_NAME, strlen(OTHERS_NAME)) != 0 || name[0] == '.' ||
        strchr(name, '/') != NULL || !ends_in(name, ".jsonl"))
        return NULL;
    own = below(project, session_id);
    path = str_printf("%s/" OTHERS "/%s", own, name);
    free(own);
    return path;
}

static enum agent_kind entry_kind(const char *session_id, const char *entry)
{
    char *path = entry_path(session_id, "", NULL, entry);

    free(path);
    if (path == NULL)
        return AGENT_NOTHING;
    return strcmp(entry, "session.jsonl") == 0 ? AGENT_TRANSCRIPT : AGENT_SUBDIR;
}

static const char *why_not(const struct rebuild_opts *opts, const char *entry)
{
    (void)opts;
    return entry_kind("", entry) == AGENT_NOTHING ? "no session of pi has such a file" : NULL;
}

/* The first files lie in the folder itself where the user's variable names one. */
static const char *const transcript_places[] = {"*", "", NULL};

/* The last two are of a command that a person ran. */
static const char *const said[] = {"arguments", "command", "output", NULL};
static const char *const cwd[] = {"cwd", NULL};

const struct agent pi_agent = {
    .id = "pi",
    .name = "pi",
    .resume = "pi --session %s",
    .usual_root = ".pi/agent/sessions",
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
    .record_form = &pi_record_form,
    .record_names = {.id = "id",
                     .parent = "parentId",
                     .message = "message",
                     .content = "content",
                     .role = "role",
                     .result = "toolResult",
                     .said = said,
                     .cwd = cwd,
                     .is_id_short = 1},
    .record_news = record_news,
    .record_is_idle = record_is_idle,
    .record_turns = pi_record_turns,
    .begins = begins,
    .is_turn_over = is_turn_over,
    .unite = unite_tree,
    .prompt_is_command = plain_prompt_is_command,
    .write_words = pi_write_words,
    .entry_kind = entry_kind,
    .entry_path = entry_path,
    .transcript_path = transcript_path,
    .why_not = why_not,
    .arrival = plain_arrival,
    .rebuild_new = pi_rebuild_new,
    .rebuild_free = anew_free,
    .rebuild_feed = anew_feed,
    .rebuild_end = anew_end,
    .project_name = project_name,
    .project_names = project_names,
};

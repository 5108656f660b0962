#include <stdlib.h>
#include <string.h>

#include "bundle/format/meta.h"
#include "bundle/format/entry.h"
#include "bundle/pack/survey.h"
#include "common/data/jdoc.h"
#include "common/base/now.h"
#include "common/base/path.h"
#include "common/base/str.h"

#include "bundle/pack/pack_meta.h"

#define FORMAT_VERSION 2

static int starts(const char *s, const char *prefix)
{
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

static int is_subagent(const char *entry)
{
    static const char folder[] = "session-subdir/subagents/agent-";
    size_t n = strlen(entry);

    return starts(entry, folder) && strchr(entry + sizeof(folder) - 1, '/') == NULL && n > 6 &&
           strcmp(entry + n - 6, ".jsonl") == 0;
}

static void add_counts(struct json_object *o, const struct snapshot *s)
{
    int64_t subagents = 0, memories = 0, histories = 0, pastes = 0;

    for (size_t i = 0; i < s->n; i++) {
        const char *entry = s->contents[i].entry;
        subagents += is_subagent(entry);
        memories += starts(entry, "memory/");
        histories += starts(entry, "file-history/");
        pastes += starts(entry, "paste-cache/");
    }
    jdoc_set_int(o, "subagentCount", subagents);
    jdoc_set_bool(o, "hasFileHistory", histories > 0);
    jdoc_set_bool(o, "hasPasteCache", pastes > 0);
    jdoc_set_bool(o, "hasShellSnapshots", 0);
    jdoc_set_bool(o, "hasMemory", memories > 0);
    jdoc_set_int(o, "memoryFileCount", memories);
    jdoc_set_int(o, "extraFileCount", 0);
}

static void add_times(struct json_object *o, const struct transcript_facts *facts)
{
    char text[32];

    if (!facts->has_times)
        return;
    jdoc_set_str(o, "sessionStartedAt", now_rfc3339(facts->started_ms, text));
    jdoc_set_str(o, "sessionEndedAt", now_rfc3339(facts->ended_ms, text));
    jdoc_set_int(o, "durationSeconds", (facts->ended_ms - facts->started_ms) / 1000);
}

static void add_files(struct json_object *o, const struct survey *v)
{
    struct json_object *a = json_object_new_array();
    struct strlist files = {0};

    strlist_copy(&files, transcript_files(v->facts));
    strlist_sort(&files);
    for (size_t i = 0; i < files.n; i++)
        json_object_array_add(a, jdoc_new_str(files.v[i]));
    strlist_free(&files);
    json_object_object_add(o, "filesModified", a);
}

/* What its agents used, too. */
static void add_usage(struct json_object *o, const struct survey *v, struct transcript_facts *facts)
{
    struct transcript_facts beside;
    struct json_object *usage;

    transcript_facts(v->beside, &beside);
    usage_add(&facts->usage, &beside.usage);
    usage = usage_json(&facts->usage);
    if (usage != NULL)
        json_object_object_add(o, "usage", usage);
}

static void add_if(struct json_object *o, const char *key, const char *value)
{
    if (value != NULL)
        jdoc_set_str(o, key, value);
}

/* The name that a person gave it counts; some agents keep it elsewhere.  The caller frees it. */
static char *title_of(const struct survey *v, const struct transcript_facts *facts)
{
    const struct agent *agent = v->s->agent;
    char *title = agent->title != NULL && !v->s->is_profile
                      ? agent->title(v->s->root_fd, v->s->session_id)
                      : NULL;

    if (title == NULL)
        return facts->title != NULL ? str_dup(facts->title) : NULL;
    title[str_utf8_cut(title, strlen(title), TRANSCRIPT_TITLE)] = '\0';
    return title;
}

struct json_object *pack_meta_new(const struct survey *v, int is_rewritten)
{
    struct json_object *o = json_object_new_object();
    struct transcript_facts facts;
    char name[4097], *title;

    transcript_facts(v->facts, &facts);
    title = title_of(v, &facts);
    jdoc_set_str(o, "agentId", v->s->agent->id);
    if (v->s->is_profile)
        jdoc_set_str(o, "kind", "profile");
    jdoc_set_int(o, "messageCount", facts.user_messages + facts.assistant_messages);
    jdoc_set_int(o, "userMessageCount", facts.user_messages);
    jdoc_set_int(o, "assistantMessageCount", facts.assistant_messages);
    jdoc_set_int(o, "toolCallCount", facts.tool_calls);
    add_times(o, &facts);
    if (v->cwd[0] != '\0')
        jdoc_set_str(o, "projectName", transcript_project_name(v->cwd, name, sizeof(name)));
    add_if(o, "summary", title);
    add_files(o, v);
    jdoc_set_int(o, "filesModifiedCount", facts.files_modified);
    jdoc_set_int(o, "jsonlSizeBytes", content_transcript(v->s)->length);
    add_if(o, "claudeModel", facts.model);
    add_counts(o, v->s);
    add_usage(o, v, &facts);
    if (is_rewritten)
        jdoc_set_bool(o, "rewritten", 1);
    /* For this machine. */
    add_if(o, "title", title);
    free(title);
    jdoc_set_str(o, "cwd", v->cwd[0] != '\0' ? v->cwd : v->s->user_dir);
    if (strcmp(v->cwd, v->began_in) != 0)
        jdoc_set_str(o, "beganIn", v->began_in);
    add_if(o, "gitBranch", facts.git_branch);
    add_if(o, "slug", facts.slug);
    return o;
}

/* ${dir}, or the folder above it, that the memory at ${path} is of, or NULL. */
static char *memory_of(const struct survey *v, const char *dir, const char *memory)
{
    char *at = str_dup(dir), *up;

    for (; at[1] != '\0'; at = up) {
        char *name = v->s->agent->project_name(at), *folder = agent_project_path(v->s->agent, name);
        char *path = str_printf("%s/", folder);
        int is_it = starts(memory, path);
        free(path);
        free(folder);
        free(name);
        if (is_it)
            return at;
        up = path_parent(at);
        free(at);
    }
    free(at);
    return NULL;
}

/* The folder whose memory came along, unless it is the working folder: above that, or where the
 * session began and above. */
static char *memory_cwd(const struct survey *v)
{
    const char *memory = NULL;
    char *dir = NULL;

    for (size_t i = 0; i < v->s->n && memory == NULL; i++) {
        if (starts(v->s->contents[i].entry, "memory/"))
            memory = v->s->contents[i].path;
    }
    if (memory != NULL && meta_is_path(v->cwd) && v->cwd[0] == '/')
        dir = memory_of(v, v->cwd, memory);
    if (dir == NULL && memory != NULL && meta_is_path(v->began_in) && v->began_in[0] == '/')
        dir = memory_of(v, v->began_in, memory);
    if (dir != NULL && strcmp(dir, v->cwd) == 0) {
        free(dir);
        return NULL;
    }
    return dir;
}

/* Where the agent keeps the session, unless that is what anybody would think. */
static void add_places(struct json_object *o, const struct survey *v, const char *home)
{
    const struct agent *agent = v->s->agent;
    const char *path = content_transcript(v->s)->path;
    char *place = agent->transcript_path(v->s->session_id, v->s->project, NULL);
    char *usual = path_join(home, agent->usual_root), *name = v->s->agent->project_name(v->cwd);
    int is_named = 0;

    if (strcmp(v->s->root, usual) != 0 && meta_is_path(v->s->root))
        jdoc_set_str(o, "sourceDataDir", v->s->root);
    if (strcmp(v->s->project, name) != 0 && meta_is_branch(v->s->project) &&
        v->s->project[0] != '.')
        jdoc_set_str(o, "sourceProject", v->s->project);
    if (!v->s->is_profile && (place == NULL || strcmp(place, path) != 0))
        is_named = 1;
    free(place);
    place = agent->transcript_path(v->s->session_id, v->s->project, path_base(path));
    if (is_named)
        jdoc_set_str(o, "sourceTranscript", path_base(place != NULL ? place : path));
    if (agent->stock_names.home != NULL && meta_is_path(v->s->root))
        jdoc_set_str(o, agent->stock_names.home, v->s->root);
    if (agent->stock_names.path != NULL && place != NULL) {
        jdoc_set_str(o, agent->stock_names.path, place);
        jdoc_set_str(o, agent->stock_names.file, path_base(place));
    }
    free(place);
    free(usual);
    free(name);
}

/* Records can say anything; what can't be read back would cost the whole session. */
void pack_meta_document(const struct survey *v, const char *content_id, struct buf *ret)
{
    const char *home = meta_is_path(v->s->user_dir) ? v->s->user_dir : "/";
    struct json_object *o = json_object_new_object();
    struct transcript_facts facts;
    char *memory;

    transcript_facts(v->facts, &facts);
    jdoc_set_str(o, "sessionId", v->s->session_id);
    jdoc_set_str(o, "sourceCwd", meta_is_path(v->cwd) ? v->cwd : home);
    jdoc_set_str(o, "sourceUserDir", home);
    jdoc_set_str(o, "agentId", v->s->agent->id);
    jdoc_set_int(o, "formatVersion", FORMAT_VERSION);
    /* Ours, for whoever opens the bundle without the server. */
    if (v->s->is_profile)
        jdoc_set_str(o, "kind", "profile");
    jdoc_set_str(o, "contentId", content_id);
    if (facts.git_branch != NULL && meta_is_branch(facts.git_branch))
        jdoc_set_str(o, "gitBranch", facts.git_branch);
    add_places(o, v, home);
    memory = memory_cwd(v);
    if (memory != NULL)
        jdoc_set_str(o, "memoryCwd", memory);
    free(memory);
    buf_addstr(ret, jdoc_text(o));
    buf_addc(ret, '\n');
    json_object_put(o);
}

struct json_object *pack_meta_public(struct json_object *metadata, int is_full)
{
    /* What may leave is named; what is new stays here until somebody thinks about it. */
    static const struct {
        const char *key;
        int is_full;
    } members[] = {
        {"agentId", 0},
        {"kind", 0},
        {"messageCount", 0},
        {"userMessageCount", 0},
        {"assistantMessageCount", 0},
        {"toolCallCount", 0},
        {"sessionStartedAt", 0},
        {"sessionEndedAt", 0},
        {"durationSeconds", 0},
        {"projectName", 0},
        {"summary", 1},
        {"filesModified", 1},
        {"filesModifiedCount", 0},
        {"jsonlSizeBytes", 0},
        {"subagentCount", 0},
        {"hasFileHistory", 0},
        {"hasPasteCache", 0},
        {"hasShellSnapshots", 0},
        {"claudeModel", 0},
        {"hasMemory", 0},
        {"memoryFileCount", 0},
        {"extraFileCount", 0},
        {"rewritten", 0},
        {"usage", 0},
    };
    struct json_object *o = json_object_new_object(), *value;

    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        if (members[i].is_full && !is_full)
            continue;
        if (json_object_object_get_ex(metadata, members[i].key, &value))
            json_object_object_add(o, members[i].key, json_object_get(value));
    }
    return o;
}

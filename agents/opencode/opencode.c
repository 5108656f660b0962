#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agents/lines/anew.h"
#include "agents/lines/places.h"
#include "agents/lines/plain.h"
#include "common/base/hash.h"
#include "common/base/path.h"
#include "common/base/str.h"
#include "common/data/jdoc.h"

#include "agents/opencode/opencode.h"
#include "agents/lines/form.h"

#define ENDING ".jsonl"
#define ID_MAX 64

int opencode_is_id(const char *id, size_t n, const char *prefix)
{
    size_t m = strlen(prefix);

    if (n <= m || n > ID_MAX || strncmp(id, prefix, m) != 0)
        return 0;
    for (size_t i = m; i < n; i++) {
        if (!isalnum((unsigned char)id[i]))
            return 0;
    }
    return 1;
}

void opencode_uuid(const char *id, char ret[UUID_SIZE])
{
    unsigned char digest[HASH_SHA256_BYTES];
    char *text;

    if (strlen(id) == 4 + 32) {
        snprintf(ret, UUID_SIZE, "%.8s-%.4s-%.4s-%.4s-%.12s", id + 4, id + 12, id + 16, id + 20,
                 id + 24);
        if (uuid_is_valid(ret))
            return;
    }
    text = str_printf("opencode %s", id);

    hash_sha256(text, strlen(text), digest);
    uuid_format(digest, 8, ret);
    free(text);
}

/* Its own id of the session in the file ${name}, or NULL; the caller frees it. */
static char *own_id(const char *name)
{
    size_t n = strlen(name), m = strlen(ENDING);

    if (n <= m || strcmp(name + n - m, ENDING) != 0 || !opencode_is_id(name, n - m, "ses_"))
        return NULL;
    return str_printf("%.*s", (int)(n - m), name);
}

static void classify(const char *path, struct agent_path *ret)
{
    char *id = own_id(path);

    memset(ret, 0, sizeof(*ret));
    if (id != NULL) {
        ret->kind = AGENT_TRANSCRIPT;
        opencode_uuid(id, ret->session_id);
    }
    free(id);
}

static int wants_dir(const char *path)
{
    return path[0] == '\0';
}

static enum agent_fate fate(const char *path)
{
    struct agent_path place;

    classify(path, &place);
    return place.kind != AGENT_NOTHING ? AGENT_OF_SESSION : AGENT_DERIVED;
}

static char *find_root(void)
{
    char *dir = path_data_dir("codeteleport"), *root = path_join(dir, "opencode");

    free(dir);
    return root;
}

static char *transcript_path(const char *session_id, const char *project, const char *file)
{
    struct agent_path place = {0};

    (void)project;
    if (file != NULL)
        classify(file, &place);
    return place.kind == AGENT_TRANSCRIPT && strcmp(place.session_id, session_id) == 0
               ? str_dup(file)
               : NULL;
}

static int list_transcripts(int root_fd, const char *session_id, const struct agent_list_ops *ops,
                            void *arg, const _Atomic int *cancel, struct ct_err *err)
{
    return places_list(&opencode_agent, root_fd, session_id, ops, arg, cancel, err);
}

/* ---- records ------------------------------------------------------------------------------------
 */

static enum agent_news record_news(const struct agent_record *r)
{
    if (strcmp(r->type, "message") == 0)
        return AGENT_IS_NEWS;
    return strcmp(r->type, "session") == 0 || strcmp(r->type, "removed") == 0 ? AGENT_NO_NEWS
                                                                              : AGENT_CANT_TELL;
}

static int record_is_idle(const struct agent_record *r)
{
    return record_news(r) == AGENT_NO_NEWS;
}

static int begins(const struct json_object *record)
{
    const char *type = jdoc_str(record, "type"), *id = jdoc_str(record, "id");

    return type != NULL && strcmp(type, "session") == 0 && id != NULL &&
           opencode_is_id(id, strlen(id), "ses_");
}

static int is_turn_over(const struct json_object *record)
{
    const char *finish = jdoc_str(jdoc_obj(record, "info"), "finish");

    return finish != NULL && strcmp(finish, "tool-calls") != 0 && jdoc_has(record, "completed");
}

/* ---- the way back -------------------------------------------------------------------------------
 */

static enum agent_kind entry_kind(const char *session_id, const char *entry)
{
    (void)session_id;
    return strcmp(entry, "session.jsonl") == 0 ? AGENT_TRANSCRIPT : AGENT_NOTHING;
}

/* The transcript's own name is needed for its place. */
static char *entry_path(const char *session_id, const char *project, const char *memory_project,
                        const char *entry)
{
    (void)session_id, (void)project, (void)memory_project, (void)entry;
    return NULL;
}

static const char *why_not(const struct rebuild_opts *opts, const char *entry)
{
    (void)opts;
    return entry_kind("", entry) == AGENT_NOTHING ? "no session of opencode has such a file" : NULL;
}

static const char *const said[] = {"tool", "state", NULL};
static const char *const cwd[] = {"cwd", NULL};
static const char *const transcript_places[] = {"", NULL};

const struct agent opencode_agent = {
    .id = "opencode",
    .name = "opencode",
    .resume = "opencode -s %s",
    .usual_root = ".local/share/codeteleport/opencode",
    .find_root = find_root,
    .sources = opencode_sources,
    .gather = opencode_gather,
    .hand_over = opencode_hand_over,
    .own_id = own_id,
    .transcript_places = transcript_places,
    .projects = "",
    .classify = classify,
    .wants_dir = wants_dir,
    .fate = fate,
    .list_transcripts = list_transcripts,
    .list_asides = plain_list,
    .list_rest = plain_list,
    .list_plans = plain_list_plans,
    .cites = plain_cites,
    .cited = plain_cited,
    .memory_may_be = plain_memory_may_be,
    .sidechain_session = plain_sidechain_session,
    .named = plain_named,
    .plan_slugs = plain_plan_slugs,
    .record_ops = &form_ops,
    .record_form = &opencode_record_form,
    .record_names = {.id = "id",
                     .parent = "",
                     .content = "parts",
                     .role = "role",
                     .said = said,
                     .cwd = cwd,
                     .more = "completed"},
    .record_news = record_news,
    .record_is_idle = record_is_idle,
    .record_turns = opencode_record_turns,
    .begins = begins,
    .is_turn_over = is_turn_over,
    .prompt_is_command = plain_prompt_is_command,
    .entry_kind = entry_kind,
    .entry_path = entry_path,
    .transcript_path = transcript_path,
    .why_not = why_not,
    .arrival = plain_arrival,
    .rebuild_new = opencode_rebuild_new,
    .rebuild_free = anew_free,
    .rebuild_feed = anew_feed,
    .rebuild_end = anew_end,
    .write_words = opencode_write_words,
    .has_random_ids = 1, /* by their beginning, ids of messages are told apart */
    .project_name = plain_project_name,
    .project_names = plain_project_names,
};

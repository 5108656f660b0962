#include <stdlib.h>
#include <string.h>

#include "common/base/str.h"

#include "agents/claude/claude.h"

enum where { ROOT, PROJECT, MEMORY_PROJECT };
enum owner { NOBODY, SESSION, TEAM /* its id, or session-<the first eight digits of it> */ };

/* The folders of a bundle and where they come from: below a project's folder or not, with the
 * session's name below that or not. */
static const struct {
    const char *entry, *folder;
    enum where where;
    enum owner owner;
    enum agent_kind kind;
} folders[] = {
    {"session-subdir/", "", PROJECT, SESSION, AGENT_SUBDIR},
    {"memory/", "memory/", MEMORY_PROJECT, NOBODY, AGENT_MEMORY},
    {"project-memory/", "memory/", PROJECT, NOBODY, AGENT_MEMORY},
    {"file-history/", "file-history/", ROOT, SESSION, AGENT_FILE_HISTORY},
    {"tasks/", "tasks/", ROOT, SESSION, AGENT_TASK},
    {"team-tasks/", "tasks/", ROOT, TEAM, AGENT_TASK},
    {"todos/", "todos/", ROOT, NOBODY, AGENT_TODO},
    {"plans/", "plans/", ROOT, NOBODY, AGENT_PLAN},
    {"paste-cache/", "paste-cache/", ROOT, NOBODY, AGENT_PASTE},
    {"uploads/", "uploads/", ROOT, SESSION, AGENT_UPLOAD},
};

#define ANY_PROJECT "p" /* where only the rest of the path matters */

static char *path_of(size_t i, const char *session_id, const char *project,
                     const char *memory_project, const char *entry)
{
    const char *rest = entry + strlen(folders[i].entry);
    char *own = folders[i].owner == SESSION ? str_printf("%s/", session_id)
                : folders[i].owner == TEAM  ? str_printf("session-%.8s/", session_id)
                                            : str_dup("");
    const char *in = folders[i].where == MEMORY_PROJECT ? memory_project : project;
    char *path = folders[i].where != ROOT
                     ? str_printf("projects/%s/%s%s%s", in, folders[i].folder, own, rest)
                     : str_printf("%s%s%s", folders[i].folder, own, rest);

    free(own);
    return path;
}

/* What lands in the data folder has to be what classify() would take from there, and nothing but
 * this session's. */
static int fits(enum agent_kind kind, const char *session_id, const char *path)
{
    struct agent_path place;

    claude_classify(path, &place);
    return place.kind == kind &&
           (place.session_id[0] == '\0' || strcmp(place.session_id, session_id) == 0) &&
           strncmp(place.prefix, session_id, strlen(place.prefix)) == 0;
}

#define CITED "cited/"

/* A file of another session, that this one's records name: its results, its agents' transcripts. */
static char *cited_path(const char *project, const char *cite)
{
    const char *rest, *name;

    if (!uuid_starts(cite))
        return NULL;
    rest = cite + UUID_SIZE - 1;
    name = strncmp(rest, "/tool-results/", 14) == 0      ? rest + 14
           : strncmp(rest, "/subagents/agent-", 17) == 0 ? rest + 17
                                                         : NULL;
    if (name == NULL || *name == '\0' || strchr(name, '/') != NULL)
        return NULL;
    return str_printf("projects/%s/%s", project, cite);
}

int claude_cited(const char *project, const char *cite, char **ret_path, char **ret_entry)
{
    *ret_path = cited_path(project, cite);
    if (*ret_path == NULL)
        return -1;
    *ret_entry = str_printf(CITED "%s", cite);
    return 0;
}

char *claude_default_mode(const char *session_id)
{
    return str_printf(
        "{\"type\":\"permission-mode\",\"permissionMode\":\"default\",\"sessionId\":\"%s\"}\n",
        session_id);
}

char *claude_transcript_path(const char *session_id, const char *project, const char *file)
{
    (void)file; /* it is called after the session */
    return str_printf("projects/%s/%s.jsonl", project, session_id);
}

char *claude_entry_path(const char *session_id, const char *project, const char *memory_project,
                        const char *entry)
{
    char *path;

    if (strncmp(entry, CITED, strlen(CITED)) == 0)
        return cited_path(project, entry + strlen(CITED));
    if (strncmp(entry, "profile/", 8) == 0)
        return claude_profile_path(project, entry);
    if (strcmp(entry, "session.jsonl") == 0)
        return claude_transcript_path(session_id, project, NULL);
    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
        size_t n = strlen(folders[i].entry);
        if (strncmp(entry, folders[i].entry, n) != 0 || entry[n] == '\0')
            continue;
        path = path_of(i, session_id, project, memory_project != NULL ? memory_project : project,
                       entry);
        if (fits(folders[i].kind, session_id, path))
            return path;
        free(path);
        return NULL;
    }
    return NULL;
}

enum agent_kind claude_entry_kind(const char *session_id, const char *entry)
{
    struct agent_path place;
    char *path;

    if (strncmp(entry, "profile/", 8) == 0)
        return claude_profile_kind(entry);
    if (strcmp(entry, claude_agent.history_path) == 0)
        return AGENT_HISTORY;
    path = claude_entry_path(session_id, ANY_PROJECT, NULL, entry);
    if (path == NULL)
        return AGENT_NOTHING;
    claude_classify(path, &place);
    free(path);
    return place.kind;
}

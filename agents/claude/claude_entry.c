#include <stdlib.h>
#include <string.h>

#include "common/base/str.h"

#include "agents/claude/claude.h"

/* The folders of a bundle and where they come from: below the project's folder or not, with the
 * session's id below that or not. */
static const struct {
    const char *entry, *folder;
    int is_in_project, has_session;
    enum agent_kind kind;
} folders[] = {
    {"session-subdir/", "", 1, 1, AGENT_SUBDIR},
    {"memory/", "memory/", 1, 0, AGENT_MEMORY},
    {"file-history/", "file-history/", 0, 1, AGENT_FILE_HISTORY},
    {"tasks/", "tasks/", 0, 1, AGENT_TASK},
    {"todos/", "todos/", 0, 0, AGENT_TODO},
    {"plans/", "plans/", 0, 0, AGENT_PLAN},
    {"paste-cache/", "paste-cache/", 0, 0, AGENT_PASTE},
};

#define ANY_PROJECT "p" /* where only the rest of the path matters */

static char *path_of(size_t i, const char *session_id, const char *project, const char *entry)
{
    const char *rest = entry + strlen(folders[i].entry);
    const char *session = folders[i].has_session ? session_id : "";
    const char *slash = folders[i].has_session ? "/" : "";

    if (folders[i].is_in_project)
        return str_printf("projects/%s/%s%s%s%s", project, folders[i].folder, session, slash, rest);
    return str_printf("%s%s%s%s", folders[i].folder, session, slash, rest);
}

/* What lands in the data folder has to be what classify() would take from there, and nothing but
 * this session's. */
static int fits(enum agent_kind kind, const char *session_id, const char *path)
{
    struct agent_path place;

    claude_classify(path, &place);
    return place.kind == kind &&
           (place.session_id[0] == '\0' || strcmp(place.session_id, session_id) == 0);
}

char *claude_entry_path(const char *session_id, const char *project, const char *entry)
{
    char *path;

    if (strcmp(entry, "session.jsonl") == 0)
        return str_printf("projects/%s/%s.jsonl", project, session_id);
    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
        size_t n = strlen(folders[i].entry);
        if (strncmp(entry, folders[i].entry, n) != 0 || entry[n] == '\0')
            continue;
        path = path_of(i, session_id, project, entry);
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

    if (strcmp(entry, claude_agent.history_path) == 0)
        return AGENT_HISTORY;
    path = claude_entry_path(session_id, ANY_PROJECT, entry);
    if (path == NULL)
        return AGENT_NOTHING;
    claude_classify(path, &place);
    free(path);
    return place.kind;
}

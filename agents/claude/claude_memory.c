#include <sys/stat.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/base/path.h"
#include "common/base/str.h"

#include "agents/disk/encode.h"
#include "agents/transcript.h"

#include "agents/claude/claude.h"

/*
 * Claude Code keeps memory by git root, and transcripts by working folder.  Which folder's memory
 * is a session's, then?  The daemon may not look at working folders, so the transcript has to say
 * it.
 */

#define HEAD_BYTES (512 << 10) /* of the transcript are looked at */
#define NAME_MAX_BYTES 255

static int is_folder(int root_fd, const char *project, size_t n)
{
    char *path = str_printf("projects/%.*s/memory", (int)n, project);
    struct stat st;
    int yes = fstatat(root_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);

    free(path);
    return yes;
}

/* The system prompt that a line of the transcript holds names the folder, as
 * .../projects/<name>/memory/: the one that is there (${root_fd} -1: or will be), or NULL. */
static char *named_in(int root_fd, const char *line, size_t n)
{
    static const char before[] = "/projects/", behind[] = "/memory/";
    const char *at = line, *end = line + n;

    while ((at = memmem(at, (size_t)(end - at), before, sizeof(before) - 1)) != NULL) {
        size_t len = 0;
        at += sizeof(before) - 1;
        while (at + len < end && len <= NAME_MAX_BYTES && at[len] != '/' && at[len] != '\\' &&
               at[len] != '"')
            len++;
        if (len > 0 && len <= NAME_MAX_BYTES && (size_t)(end - at) > len + sizeof(behind) - 1 &&
            memcmp(at + len, behind, sizeof(behind) - 1) == 0 &&
            (root_fd < 0 || is_folder(root_fd, at, len)))
            return str_printf("%.*s", (int)len, at);
    }
    return NULL;
}

/* Newer versions write down the system prompt.  Only a record of that type counts: within the text
 * of another one its quotes would be escaped. */
static char *from_prompt(int root_fd, const char *head, size_t n)
{
    static const char mark[] = "\"type\":\"prompt_snapshot\"";

    const char *end = head + n, *at = head, *line, *nl;

    while ((at = memmem(at, (size_t)(end - at), mark, sizeof(mark) - 1)) != NULL) {
        char *name;
        for (line = at; line > head && line[-1] != '\n';)
            line--;
        nl = memchr(at, '\n', (size_t)(end - at));
        at = nl != NULL ? nl : end;
        name = named_in(root_fd, line, (size_t)(at - line));
        if (name != NULL)
            return name;
    }
    return NULL;
}

/* Is there memory of a folder above the one that ${project} stands for, by its name?  (Long names
 * end in a hash, and say nothing.) */
static int may_be_above(int root_fd, const char *project)
{
    size_t n = strlen(project);

    if (n > ENCODE_MAX)
        return 1;
    for (size_t i = 1; i < n; i++) {
        if (project[i] == '-' && is_folder(root_fd, project, i))
            return 1;
    }
    return 0;
}

/* Older ones say only whether the folder was in a git repository: then it is the nearest one above
 * that has memory. */
static char *from_above(int root_fd, const char *head, size_t n)
{
    struct transcript *t = transcript_new(&claude_agent);
    struct transcript_facts facts;
    char *dir = NULL, *up, *name = NULL;

    transcript_feed(t, head, n);
    transcript_facts(t, &facts);
    if (facts.cwd != NULL && facts.git_branch != NULL && strcmp(facts.git_branch, "HEAD") != 0)
        dir = str_dup(facts.cwd);
    while (dir != NULL && dir[0] == '/' && dir[1] != '\0') {
        name = claude_project_name(dir);
        if (is_folder(root_fd, name, strlen(name)))
            break;
        free(name);
        name = NULL;
        up = path_parent(dir);
        free(dir);
        dir = up;
    }
    free(dir);
    transcript_free(t);
    return name;
}

char *claude_memory_project(int root_fd, int transcript_fd, const char *project)
{
    char *head = str_calloc(HEAD_BYTES, 1), *name;
    ssize_t n = file_pread_all(transcript_fd, head, HEAD_BYTES, 0);

    name = n > 0 ? from_prompt(root_fd, head, (size_t)n) : NULL;
    if (name == NULL && n > 0 && may_be_above(root_fd, project))
        name = from_above(root_fd, head, (size_t)n);
    free(head);
    return name != NULL ? name : str_dup(project);
}

/* Every folder above it, as far as the home folder, that a repository can begin in. */
static void add_above(const char *head, size_t n, struct strlist *ret)
{
    struct transcript *t = transcript_new(&claude_agent);
    struct transcript_facts facts;
    char *dir = NULL, *up, *name;

    transcript_feed(t, head, n);
    transcript_facts(t, &facts);
    if (facts.cwd != NULL && facts.git_branch != NULL)
        dir = path_parent(facts.cwd);
    while (dir != NULL && dir[0] == '/' && dir[1] != '\0' && strcmp(dir, path_home()) != 0) {
        name = claude_project_name(dir);
        strlist_add_once(ret, name);
        free(name);
        up = path_parent(dir);
        free(dir);
        dir = up;
    }
    free(dir);
    transcript_free(t);
}

void claude_memory_may_be(int root_fd, int transcript_fd, const char *project, struct strlist *ret)
{
    char *head = str_calloc(HEAD_BYTES, 1), *name = NULL, *now;
    ssize_t n = file_pread_all(transcript_fd, head, HEAD_BYTES, 0);

    if (n > 0)
        name = from_prompt(-1, head, (size_t)n);
    if (name != NULL)
        strlist_add_once(ret, name);
    else if (n > 0)
        add_above(head, (size_t)n, ret);
    now = claude_memory_project(root_fd, transcript_fd, project);
    strlist_add_once(ret, now);
    free(now);
    free(name);
    free(head);
}

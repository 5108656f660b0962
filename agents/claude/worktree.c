#include <sys/stat.h>

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/file.h"
#include "common/base/path.h"
#include "common/base/str.h"

#include "agents/claude/worktree.h"

#define LINE_MAX_BYTES 8192

/* The only line of a small file, behind ${prefix}; the caller frees it.  NULL: it is no such file.
 */
static char *read_line(const char *path, const char *prefix)
{
    struct buf b = {0};
    size_t n = strlen(prefix);
    char *line = NULL;

    if (file_read(path, LINE_MAX_BYTES, &b, NULL) == 0 && b.len > n &&
        strncmp(b.data, prefix, n) == 0) {
        line = str_dup(b.data + n);
        line[strcspn(line, "\r\n")] = '\0';
    }
    buf_free(&b);
    return line;
}

/* The git folder of the repository itself, found from ${dir} upwards; the caller frees it. */
static char *git_folder(const char *dir)
{
    char *at = str_dup(dir), *git = NULL, *inside, *common, *slash;
    struct stat st;

    for (;;) {
        git = path_join(at, ".git");
        slash = strrchr(at, '/');
        if (stat(git, &st) == 0 || slash == NULL || at[1] == '\0')
            break;
        free(git);
        if (slash == at)
            slash++;
        *slash = '\0';
    }
    free(at);
    if (stat(git, &st) != 0) {
        free(git);
        return NULL;
    }
    if (S_ISDIR(st.st_mode))
        return git;
    /* A work tree: .git/worktrees/<name> of the repository. */
    inside = read_line(git, "gitdir: ");
    free(git);
    if (inside == NULL)
        return NULL;
    common = strstr(inside, "/worktrees/");
    if (common != NULL)
        *common = '\0';
    return inside;
}

static int is_this(const char *git, const char *name, const char *wanted)
{
    char *file = str_printf("%s/worktrees/%s/gitdir", git, name), *says = read_line(file, "");
    int is_so = says != NULL && strcmp(says, wanted) == 0;

    free(says);
    free(file);
    return is_so;
}

/* Does ${path} say that it is of that repository? */
static int says_so(const char *link, const char *git, const char *name)
{
    char *says = read_line(link, "gitdir: "), *wanted = str_printf("%s/worktrees/%s", git, name);
    int is_so = says != NULL && strcmp(says, wanted) == 0;

    free(says);
    free(wanted);
    return is_so;
}

int worktree_is_listed(const char *cwd, const char *path)
{
    char *git = path[0] == '/' ? git_folder(cwd) : NULL;
    char *dir = git != NULL ? path_join(git, "worktrees") : NULL, *link = path_join(path, ".git");
    DIR *d = dir != NULL ? opendir(dir) : NULL;
    struct dirent *e;
    int is_listed = 0;

    while (d != NULL && !is_listed && (e = readdir(d)) != NULL) {
        if (e->d_name[0] != '.')
            is_listed = is_this(git, e->d_name, link) && says_so(link, git, e->d_name);
    }
    if (d != NULL)
        closedir(d);
    free(link);
    free(dir);
    free(git);
    return is_listed;
}

#include <sys/stat.h>

#include <stdlib.h>
#include <string.h>

#include "common/base/file.h"
#include "common/base/path.h"
#include "common/base/str.h"

#include "bundle/install/git_root.h"

#define POINTER_MAX 8192 /* bytes of a file that names a folder */

/* What the file ${path} says after ${prefix}, relative to ${dir}; NULL if it is none. */
static char *pointer(const char *path, const char *prefix, const char *dir)
{
    struct buf b = {0};
    char *ret = NULL;
    size_t n = strlen(prefix);

    if (file_read(path, POINTER_MAX, &b, NULL) == 0 && b.len > n &&
        memcmp(b.data, prefix, n) == 0) {
        char *said;
        buf_addc(&b, '\0');
        said = b.data + n;
        said[strcspn(said, "\r\n")] = '\0';
        ret = said[0] == '/' ? str_dup(said) : path_join(dir, said);
    }
    buf_free(&b);
    return ret;
}

/* ${dir}/.git is a file: a linked work tree, or a submodule, which is a repository of its own. */
static char *main_tree(const char *dir, const char *dot_git)
{
    char *git_dir = pointer(dot_git, "gitdir: ", dir), *common = NULL, *real, *root = NULL;

    if (git_dir != NULL) {
        char *file = path_join(git_dir, "commondir");
        common = pointer(file, "", git_dir);
        free(file);
    }
    real = common != NULL ? realpath(common, NULL) : NULL;
    if (real != NULL && strcmp(path_base(real), ".git") == 0)
        root = path_parent(real);
    free(real);
    free(common);
    free(git_dir);
    return root != NULL ? root : str_dup(dir);
}

char *git_root(const char *dir)
{
    char *at = str_dup(dir), *up, *root = NULL;
    struct stat st;

    while (at[0] == '/' && root == NULL) {
        char *dot_git = path_join(at, ".git");
        if (stat(dot_git, &st) == 0)
            root = S_ISDIR(st.st_mode) ? str_dup(at) : main_tree(at, dot_git);
        free(dot_git);
        if (at[1] == '\0')
            break;
        up = path_parent(at);
        free(at);
        at = up;
    }
    free(at);
    return root;
}

char *path_above(const char *dir, const char *source, const char *source_above)
{
    size_t above = strlen(source_above), n = strlen(dir), rest;

    if (strncmp(source, source_above, above) != 0 || source[above] != '/')
        return NULL;
    rest = strlen(source) - above;
    if (n <= rest || strcmp(dir + n - rest, source + above) != 0)
        return NULL;
    return str_printf("%.*s", (int)(n - rest), dir);
}

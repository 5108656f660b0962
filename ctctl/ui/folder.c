#include <stdlib.h>
#include <string.h>

#include "common/base/path.h"
#include "common/base/str.h"

#include "ctctl/ui/folder.h"

/* ${path}, absolute, without "." and "..". */
static char *by_letters(const char *path)
{
    char *out = str_calloc(1, strlen(path) + 2), *save = NULL, *copy = str_dup(path), *slash;

    for (char *w = strtok_r(copy, "/", &save); w != NULL; w = strtok_r(NULL, "/", &save)) {
        if (strcmp(w, ".") == 0)
            continue;
        if (strcmp(w, "..") != 0) {
            strcat(strcat(out, "/"), w);
        } else if ((slash = strrchr(out, '/')) != NULL) {
            *slash = '\0';
        }
    }
    if (out[0] == '\0')
        strcpy(out, "/");
    free(copy);
    return out;
}

char *folder_real(const char *path)
{
    char *whole = path_expand(path), *real = realpath(whole, NULL);

    if (real == NULL)
        real = by_letters(whole);
    free(whole);
    return real;
}

char *folder_spelled(const char *path)
{
    char *whole = path_expand(path), *out = by_letters(whole);

    free(whole);
    return out;
}

char *folder_short(const char *path)
{
    const char *home = path_home();
    size_t n = strlen(home);

    if (path != NULL && n > 1 && path_is_below(path, home))
        return str_printf("~%s", path + n);
    return str_dup(path != NULL ? path : "");
}

static int is_folder(const char *project)
{
    return strchr(project, '/') != NULL || strcmp(project, ".") == 0 ||
           strcmp(project, "..") == 0 || strcmp(project, "~") == 0;
}

int folder_is_project(const char *project, const char *name, const char *cwd)
{
    char *real;
    int yes;

    if (!is_folder(project))
        return (name != NULL && strcmp(name, project) == 0) ||
               (cwd != NULL && strcmp(path_base(cwd), project) == 0);
    if (cwd == NULL)
        return 0;
    real = folder_real(project);
    yes = path_is_below(cwd, real) || path_is_below(cwd, project);
    free(real);
    return yes;
}

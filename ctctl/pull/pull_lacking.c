#include <sys/stat.h>

#include <stdlib.h>
#include <string.h>

#include "common/base/path.h"
#include "common/base/str.h"

#include "ctctl/pull/pull_lacking.h"

/* Takes the path. */
static int is_there(char *path)
{
    struct stat st;
    int is_so = stat(path, &st) == 0;

    free(path);
    return is_so;
}

/* An agent or a skill is a file of the user or of the project. */
static int is_either(const char *root, const char *cwd, const char *folder, const char *name,
                     const char *rest)
{
    return is_there(str_printf("%s/%s/%s%s", root, folder, name, rest)) ||
           is_there(str_printf("%s/.claude/%s/%s%s", cwd, folder, name, rest));
}

/* What follows ${what} and a blank in ${used}, or NULL. */
static const char *name_of(const char *used, const char *what)
{
    size_t n = strlen(what);

    return strncmp(used, what, n) == 0 && used[n] == ' ' ? used + n + 1 : NULL;
}

void pull_lacking(const struct install_result *in, const char *root, struct strlist *ret)
{
    for (size_t i = 0; i < in->used.n; i++) {
        const char *used = in->used.v[i].name, *name;
        int is_here = 1;
        char *words = str_printf("the %s", used);
        if ((name = name_of(used, "agent")) != NULL) {
            is_here = is_either(root, in->cwd, "agents", name, ".md");
        } else if ((name = name_of(used, "skill")) != NULL) {
            is_here = is_either(root, in->cwd, "skills", name, "/SKILL.md");
        } else if ((name = name_of(used, USED_FILE)) != NULL) {
            is_here = is_there(path_join(in->cwd, name));
            free(words);
            words = str_dup(name);
        } else if ((name = name_of(used, USED_HOME_FILE)) != NULL) {
            is_here = is_there(path_join(path_home(), name));
            free(words);
            words = str_printf("~/%s", name);
        }
        if (!is_here)
            strlist_add(ret, words);
        free(words);
    }
}

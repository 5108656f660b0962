#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/data/jdoc.h"
#include "common/base/path.h"
#include "common/base/str.h"
#include "ctctl/ui/folder.h"

#include "ctctl/here/watched.h"

static int watches(struct json_object *roots, const char *real)
{
    int yes = 0;

    for (size_t i = 0; i < json_object_array_length(roots) && !yes; i++) {
        struct json_object *o = json_object_array_get_idx(roots, i);
        /* A root is a path, or tells its path. */
        const char *s = json_object_get_type(o) == json_type_string ? json_object_get_string(o)
                                                                    : jdoc_str(o, "path");
        char *root = folder_real(s != NULL ? s : "/");
        yes = strcmp(root, real) == 0;
        free(root);
    }
    return yes;
}

/* A daemon that doesn't say whose its folders are knows no other agent. */
static int saves_claude(struct json_object *agents)
{
    size_t n = agents != NULL ? json_object_array_length(agents) : 0;

    for (size_t i = 0; i < n; i++) {
        if (strcmp(json_object_get_string(json_object_array_get_idx(agents, i)), "claude-code") ==
            0)
            return 1;
    }
    return n == 0;
}

char *watched_missing(const struct json_object *status)
{
    struct json_object *roots = jdoc_array(jdoc_obj(status, "watch"), "roots");
    char *root, *real;
    int yes;

    if (roots == NULL || !saves_claude(jdoc_array(jdoc_obj(status, "watch"), "agents")))
        return NULL;
    root = path_claude_root();
    real = folder_real(root);
    yes = watches(roots, real);
    free(real);
    if (!yes)
        return root;
    free(root);
    return NULL;
}

const char *watched_cure(const char *folder, char *buf, size_t size)
{
    snprintf(buf, size,
             "write into codeteleportd.conf: roots = [ \"%.200s\" ]; and restart the daemon",
             folder);
    return buf;
}

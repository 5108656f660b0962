#include <stdlib.h>
#include <string.h>

#include "agents/encode.h"
#include "common/base/str.h"

#include "bundle/install/roots.h"

struct pairs {
    struct relocation_pair v[RELOCATION_MORE];
    size_t n;
};

/* Takes both. */
static void add(struct pairs *p, char *source, char *target)
{
    if (p->n == RELOCATION_MORE) {
        free(source);
        free(target);
        return;
    }
    p->v[p->n].source = source;
    p->v[p->n++].target = target;
}

static int is_windows(const char *path)
{
    return path[0] != '/';
}

/* ${dir}/${a}/${b} as its system writes it; the caller frees it. */
static char *below(const char *dir, const char *a, const char *b)
{
    const char *slash = is_windows(dir) ? "\\" : "/";
    size_t n = strlen(dir);

    while (n > 1 && (dir[n - 1] == '/' || (is_windows(dir) && dir[n - 1] == '\\')))
        n--;
    return b != NULL ? str_printf("%.*s%s%s%s%s", (int)n, dir, slash, a, slash, b)
                     : str_printf("%.*s%s%s", (int)n, dir, slash, a);
}

/* A project's folder under both names that it may have there. */
static void add_project(struct pairs *p, const char *data_dir, const char *cwd, const char *root,
                        const char *project)
{
    char *composed = claude_encode(cwd), *as_is = claude_encode_as_is(cwd);

    add(p, below(data_dir, "projects", composed), below(root, "projects", project));
    if (strcmp(composed, as_is) != 0)
        add(p, below(data_dir, "projects", as_is), below(root, "projects", project));
    free(composed);
    free(as_is);
}

int roots_new(const struct meta *meta, const struct roots_target *target, struct relocation **ret,
              struct ct_err *err)
{
    char *usual = below(meta->source_user_dir, ".claude", NULL);
    char *usual_here = below(target->home, ".claude", NULL);
    const char *data_dir = meta->data_dir != NULL ? meta->data_dir : usual;
    struct pairs p = {0};
    int rc;

    if (meta->project != NULL)
        add(&p, below(data_dir, "projects", meta->project),
            below(target->root, "projects", target->project));
    else
        add_project(&p, data_dir, meta->source_cwd, target->root, target->project);
    if (meta->memory_cwd != NULL)
        add_project(&p, data_dir, meta->memory_cwd, target->root,
                    target->memory_project != NULL ? target->memory_project : target->project);
    if (meta->data_dir != NULL || strcmp(target->root, usual_here) != 0)
        add(&p, str_dup(data_dir), str_dup(target->root));
    const struct relocation_roots roots = {
        .source_cwd = meta->source_cwd,
        .target_cwd = target->cwd,
        .source_home = meta->source_user_dir,
        .target_home = target->home,
        .more = p.v,
        .n_more = p.n,
    };
    rc = relocation_new(&roots, ret, err);
    for (size_t i = 0; i < p.n; i++) {
        free(p.v[i].source);
        free(p.v[i].target);
    }
    free(usual);
    free(usual_here);
    return rc;
}

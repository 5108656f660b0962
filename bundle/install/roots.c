#include <stdlib.h>
#include <string.h>

#include "agents/agent.h"
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

/* The folder of one of its projects. */
static char *project_below(const struct agent *agent, const char *dir, const char *project)
{
    return agent->projects[0] != '\0' ? below(dir, agent->projects, project)
                                      : below(dir, project, NULL);
}

/* A project's folder under all names that it may have there. */
static void add_project(struct pairs *p, const struct meta *meta, const char *data_dir,
                        const char *cwd, const char *root, const char *project)
{
    struct strlist names = {0};

    meta->agent->project_names(cwd, &names);
    for (size_t i = 0; i < names.n; i++)
        add(p, project_below(meta->agent, data_dir, names.v[i]),
            project_below(meta->agent, root, project));
    strlist_free(&names);
}

int roots_new(const struct meta *meta, const struct roots_target *target, struct relocation **ret,
              struct ct_err *err)
{
    char *usual = below(meta->source_user_dir, meta->agent->usual_root, NULL);
    char *usual_here = below(target->home, meta->agent->usual_root, NULL);
    const char *data_dir = meta->data_dir != NULL ? meta->data_dir : usual;
    struct pairs p = {0};
    int rc;

    if (meta->project != NULL)
        add(&p, project_below(meta->agent, data_dir, meta->project),
            project_below(meta->agent, target->root, target->project));
    else
        add_project(&p, meta, data_dir, meta->source_cwd, target->root, target->project);
    if (meta->memory_cwd != NULL)
        add_project(&p, meta, data_dir, meta->memory_cwd, target->root,
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

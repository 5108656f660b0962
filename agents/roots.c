#include <sys/stat.h>

#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"

#include "agents/roots.h"

#define AUTO "auto"

static int is_chosen(const struct config *c, const struct agent *agent)
{
    if (c->agents.n == 0)
        return agent == agent_unnamed();
    return strlist_has(&c->agents, AUTO) || strlist_has(&c->agents, agent->id);
}

static int check_names(const struct config *c, struct ct_err *err)
{
    struct buf known = {0};
    const struct agent *agent;

    for (size_t i = 0; i < c->agents.n; i++) {
        const char *name = c->agents.v[i];
        if (strcmp(name, AUTO) == 0 || agent_find(name) != NULL)
            continue;
        for (size_t j = 0; (agent = agent_at(j)) != NULL; j++)
            buf_printf(&known, ", \"%s\"", agent->id);
        buf_addc(&known, '\0');
        err_set(err, ERR_CONFIG,
                "agents names \"%.60s\", which this version does not know; it knows \"" AUTO "\"%s",
                name, known.data);
        buf_free(&known);
        return -1;
    }
    return 0;
}

static int add(struct config *c, const struct agent *agent, struct ct_err *err)
{
    char *root = agent->find_root();
    int rc = 0;

    if (!strlist_has(&c->roots, root)) {
        strlist_add(&c->roots, root);
        strlist_add(&c->root_agents, agent->id);
        rc = config_check_roots(c, err);
    }
    free(root);
    return rc;
}

int roots_find(struct config *c, struct ct_err *err)
{
    const struct agent *agent;
    int rc;

    if (c->root_agents.n > 0)
        return 0;
    rc = check_names(c, err);
    if (rc != 0)
        return -1;
    if (!is_chosen(c, agent_unnamed()))
        strlist_free(&c->roots);
    for (size_t i = 0; i < c->roots.n; i++)
        strlist_add(&c->root_agents, agent_unnamed()->id);
    for (size_t i = 0; rc == 0 && (agent = agent_at(i)) != NULL; i++) {
        if (agent != agent_unnamed() && is_chosen(c, agent))
            rc = add(c, agent, err);
    }
    return rc;
}

const struct agent *roots_agent(const struct config *c, size_t i)
{
    return i < c->root_agents.n ? agent_find(c->root_agents.v[i]) : agent_unnamed();
}

const char *roots_of(const struct config *c, const struct agent *agent)
{
    for (size_t i = 0; i < c->roots.n; i++) {
        if (roots_agent(c, i) == agent)
            return c->roots.v[i];
    }
    return NULL;
}

int roots_are_several(const struct config *c)
{
    for (size_t i = 1; i < c->roots.n; i++) {
        if (roots_agent(c, i) != roots_agent(c, 0))
            return 1;
    }
    return 0;
}

/* Is anything of it on this machine? */
static int is_here(const struct agent *agent, const char *root)
{
    struct strlist sources = {0};
    struct stat st;
    int yes;

    if (agent->sources == NULL)
        return stat(root, &st) == 0 && S_ISDIR(st.st_mode);
    agent->sources(&sources);
    yes = stat(sources.v[0], &st) == 0;
    strlist_free(&sources);
    return yes;
}

void roots_each_left(const struct config *c,
                     void (*f)(void *arg, const struct agent *agent, const char *path), void *arg)
{
    const struct agent *agent;

    for (size_t i = 0; c->agents.n == 0 && (agent = agent_at(i)) != NULL; i++) {
        char *root = agent->find_root();
        if (!is_chosen(c, agent) && is_here(agent, root))
            f(arg, agent, root);
        free(root);
    }
}

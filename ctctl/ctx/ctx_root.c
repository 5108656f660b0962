#include <stdlib.h>
#include <string.h>

#include "agents/roots.h"
#include "common/base/str.h"

#include "ctctl/ctx/ctx.h"

/* What an agent of this shell would use, for what is brought back is to be found there; and without
 * such a word what is watched. */
char *ctx_root(struct ctx *c, const struct agent *agent, struct ct_err *err)
{
    const char *v = getenv("CLAUDE_CONFIG_DIR"), *root;

    if (agent == agent_unnamed() && v != NULL && v[0] == '/')
        return agent->find_root();
    if (ctx_config(c, err) != 0 || roots_find(c->config, err) != 0)
        return NULL;
    root = roots_of(c->config, agent);
    return root != NULL ? str_dup(root) : agent->find_root();
}

const struct agent *ctx_agent_of(struct ctx *c, const char *root)
{
    /* The small program reads the configuration without asking whose the folders are. */
    if (ctx_config(c, NULL) != 0 || roots_find(c->config, NULL) != 0)
        return agent_unnamed();
    for (size_t i = 0; i < c->config->roots.n; i++) {
        if (strcmp(c->config->roots.v[i], root) == 0)
            return roots_agent(c->config, i);
    }
    return agent_unnamed();
}

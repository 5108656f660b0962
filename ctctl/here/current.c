#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agents/roots.h"
#include "agents/agent.h"
#include "common/base/path.h"
#include "ctctl/here/system.h"

#include "ctctl/here/current.h"

#define MAX_ANCESTORS 32

static int is_of(const struct agent *agent, const char *root, int64_t pid, char ret[UUID_SIZE])
{
    struct agent_live live;
    char path[64];

    if (agent->live_dir == NULL)
        return 0;
    snprintf(path, sizeof(path), "%s/%lld.json", agent->live_dir, (long long)pid);
    if (agent_read_live(agent, root, path, &live) != 0 || live.pid != pid || !agent_is_alive(&live))
        return 0;
    memcpy(ret, live.session_id, UUID_SIZE);
    return 1;
}

int current_session(struct ctx *c, char ret[UUID_SIZE])
{
    char *own = path_claude_root();
    int64_t pid = getppid();
    int found = 0;

    (void)ctx_config(c, NULL);
    for (int i = 0; i < MAX_ANCESTORS && pid > 1 && !found; i++) {
        found = is_of(agent_unnamed(), own, pid, ret);
        for (size_t j = 0; c->config != NULL && j < c->config->roots.n && !found; j++)
            found = is_of(roots_agent(c->config, j), c->config->roots.v[j], pid, ret);
        pid = system_parent(pid);
    }
    free(own);
    return found ? 0 : -1;
}

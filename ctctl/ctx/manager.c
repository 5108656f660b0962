#include <stdlib.h>
#include <unistd.h>

#include "common/base/path.h"
#include "common/base/str.h"

#include "ctctl/ctx/manager.h"

#define AGENTS "~/Library/LaunchAgents"
#define AGENT_FILE AGENTS "/" MANAGER_AGENT ".plist"
#define BOOTSTRAP "launchctl bootstrap gui/$(id -u) " AGENT_FILE

enum manager manager_here(void)
{
    if (access("/run/systemd/system", F_OK) == 0)
        return MANAGER_SYSTEMD;
    return access("/sbin/launchd", F_OK) == 0 ? MANAGER_LAUNCHD : MANAGER_NONE;
}

int manager_has_agent(const char *label)
{
    char *file = str_printf("%s/Library/LaunchAgents/%s.plist", path_home(), label);
    int yes = access(file, F_OK) == 0;

    free(file);
    return yes;
}

const char *manager_start(enum manager m)
{
    if (m == MANAGER_SYSTEMD)
        return "systemctl --user enable --now codeteleportd";
    if (m == MANAGER_NONE)
        return "codeteleportd";
    if (manager_has_agent(MANAGER_BREWED))
        return "brew services start codeteleportd";
    if (manager_has_agent(MANAGER_AGENT))
        return BOOTSTRAP;
    return "mkdir -p " AGENTS " && codeteleportd --agent >" AGENT_FILE " && " BOOTSTRAP;
}

const char *manager_restart(enum manager m)
{
    if (m == MANAGER_SYSTEMD)
        return "systemctl --user restart codeteleportd";
    if (m == MANAGER_NONE)
        return "restart it";
    if (manager_has_agent(MANAGER_BREWED))
        return "brew services restart codeteleportd";
    return "launchctl kickstart -k gui/$(id -u)/" MANAGER_AGENT;
}

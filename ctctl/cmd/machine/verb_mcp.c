#include <stdlib.h>
#include <unistd.h>

#include "ctctl/mcp/mcp.h"
#include "ctctl/ui/folder.h"

#include "ctctl/ctx/verb.h"

static int run(struct ctx *c, int argc, char **argv)
{
    struct strlist words = {0};
    struct mcp m = {.c = c};
    char *folder;
    int is_all = 0;
    const struct opt opts[] = {
        {"allow-delete", OPT_FLAG, &m.may_delete},
        {"all-projects", OPT_FLAG, &is_all},
    };
    int rc = opts_parse(c, opts, 2, argc, argv, &words);

    if (rc == -1 && words.n > 0)
        rc = ctx_usage(c, "mcp takes no further words");
    strlist_free(&words);
    if (rc != -1)
        return rc;
    /* Text for a model: whole lines, no colour. */
    c->json = 0;
    c->out.width = 0;
    c->out.is_terminal = c->out.has_colour = 0;
    c->out.is_utf8 = 1;
    folder = folder_real(".");
    m.folder = is_all ? NULL : folder;
    rc = mcp_serve(&m, STDIN_FILENO);
    free(folder);
    return rc;
}

const struct verb verb_mcp = {
    "mcp",
    "[--all-projects] [--allow-delete]",
    "be an MCP server, so that Claude Code can save and list sessions",
    "Speaks the Model Context Protocol on stdin and stdout until stdin ends. Claude Code\n"
    "learns of it with:\n"
    "\n"
    "  claude mcp add codeteleport -- ctctl mcp\n"
    "\n"
    "Tools: teleport_push, teleport_pull, teleport_list, teleport_local_list,\n"
    "teleport_versions, teleport_status.\n"
    "\n"
    "It is for the project in whose folder it is started, and lists and brings sessions of that\n"
    "one only. What it quotes from sessions and machines stands between double quotes.\n"
    "\n"
    "  --all-projects  list the sessions of all projects, and bring them anywhere\n"
    "  --allow-delete  offer teleport_delete too\n",
    run,
    "claude mcp add codeteleport -- ctctl mcp  # let Claude Code look for sessions\n",
};

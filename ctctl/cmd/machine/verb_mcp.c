#include <unistd.h>

#include "ctctl/mcp/mcp.h"

#include "ctctl/ctx/verb.h"

static int run(struct ctx *c, int argc, char **argv)
{
    struct strlist words = {0};
    int may_delete = 0;
    const struct opt opts[] = {{"allow-delete", OPT_FLAG, &may_delete}};
    int rc = opts_parse(c, opts, 1, argc, argv, &words);

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
    return mcp_serve(c, STDIN_FILENO, may_delete);
}

const struct verb verb_mcp = {
    "mcp",
    "[--allow-delete]",
    "be an MCP server, so that Claude Code can save and list sessions",
    "Speaks the Model Context Protocol on stdin and stdout until stdin ends. Claude Code\n"
    "learns of it with:\n"
    "\n"
    "  claude mcp add codeteleport -- ctctl mcp\n"
    "\n"
    "Tools: teleport_push, teleport_pull, teleport_list, teleport_local_list,\n"
    "teleport_versions, teleport_status.\n"
    "\n"
    "  --allow-delete  offer teleport_delete too\n",
    run,
    "claude mcp add codeteleport -- ctctl mcp  # let Claude Code look for sessions\n",
};

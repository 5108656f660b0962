#ifndef CTCTL_MCP_MCP_READ_H
#define CTCTL_MCP_MCP_READ_H

#include "ctctl/mcp/mcp.h"

/**
 * mcp_search(m, args, out, err), mcp_read(m, args, out, err):
 * The tools teleport_search and teleport_read (run() of struct mcp_tool): sessions of this machine
 * in which words stand; what was said in one of them, so many turns at a time.
 */
int mcp_search(const struct mcp *m, const struct json_object *args, struct buf *out,
               struct ct_err *err);
int mcp_read(const struct mcp *m, const struct json_object *args, struct buf *out,
             struct ct_err *err);

/**
 * mcp_check_local(m, id, err):
 * ERR_REFUSED if the session of this machine is not of the project that the server is for.
 */
int mcp_check_local(const struct mcp *m, const char *id, struct ct_err *err);

#endif

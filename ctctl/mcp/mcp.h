#ifndef CTCTL_MCP_MCP_H
#define CTCTL_MCP_MCP_H

#include <json-c/json.h>

#include "common/base/buf.h"
#include "ctctl/ctx/ctx.h"

/*
 * The Model Context Protocol over stdio (modelcontextprotocol.io): JSON-RPC 2.0, one message a
 * line. mcp.c speaks the protocol; mcp_tools.c has the tools as one table.
 */

/* What the server was started for. */
struct mcp {
    struct ctx *c;
    const char *folder; /* of the one project that there is; NULL: all projects */
    int may_delete;
};

struct mcp_arg {
    const char *name;
    const char *type; /* "string", "integer", or "strings" for an array of them */
    int is_needed;
    const char *help;
};

#define MCP_MAX_ARGS 5

struct mcp_tool {
    const char *name;
    const char *title;
    const char *help;
    int is_read_only;   /* changes nothing anywhere */
    int is_destructive; /* offered only with --allow-delete */
    struct mcp_arg args[MCP_MAX_ARGS];
    /* Do it and append a short text for reading to ${out}: what others wrote stands in it between
     * double quotes.  ${args} has been checked. */
    int (*run)(const struct mcp *m, const struct json_object *args, struct buf *out,
               struct ct_err *err);
};

/**
 * mcp_quote(b, s):
 * Append ${s} between double quotes, and nothing in it that would end them.
 */
void mcp_quote(struct buf *b, const char *s);

/**
 * mcp_text(c, out, s, columns):
 * Append ${s} (NULL counts as "") as a quotation on one line, clean and not longer than ${columns}.
 */
void mcp_text(struct ctx *c, struct buf *out, const char *s, size_t columns);

/**
 * mcp_tool(i):
 * Return the tool of that number; NULL behind the last.
 */
const struct mcp_tool *mcp_tool(size_t i);

/**
 * mcp_serve(m, in_fd):
 * Answer what comes on ${in_fd} until it ends; on stdout there is nothing but answers.  Return the
 * exit status.
 */
int mcp_serve(const struct mcp *m, int in_fd);

#endif

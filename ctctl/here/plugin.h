#ifndef CTCTL_HERE_PLUGIN_H
#define CTCTL_HERE_PLUGIN_H

#include "ctctl/ctx/ctx.h"

/*
 * The plugin for Claude Code: hooks that tell the daemon when a turn or a session ends, a word when
 * a session that went on elsewhere is taken up, and the MCP server.  Its files lie in a folder of
 * ours, from which Claude Code copies them; Claude Code's own settings are changed by Claude Code.
 */

/**
 * plugin_write(ret_dir, err), plugin_remove(err):
 * Write the files and say where, which the caller frees; remove them.
 */
int plugin_write(char **ret_dir, struct ct_err *err);
int plugin_remove(struct ct_err *err);

/**
 * plugin_hook(c, in_fd):
 * Do what a hook of Claude Code asks for whose JSON comes on ${in_fd}.  Takes a second or two at
 * most, prints nothing but what Claude Code is to show, and never fails: a hook that does is in the
 * way.
 */
void plugin_hook(struct ctx *c, int in_fd);

#endif

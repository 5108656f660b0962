#ifndef CTCTL_HERE_CURRENT_H
#define CTCTL_HERE_CURRENT_H

#include "common/base/uuid.h"
#include "ctctl/ctx/ctx.h"

/**
 * current_session(c, ret):
 * Find the session that this process belongs to: the one of the Claude Code that started it,
 * directly or not.  Return 0, or -1 if there is none.
 */
int current_session(struct ctx *c, char ret[UUID_SIZE]);

#endif

#ifndef CTCTL_CURRENT_H
#define CTCTL_CURRENT_H

#include "common/uuid.h"
#include "ctctl/ctx.h"

/**
 * current_session(c, ret):
 * Find the session that this process belongs to: the one of the Claude Code that started it,
 * directly or not.  Return 0, or -1 if there is none.
 */
int current_session(struct ctx *c, char ret[UUID_SIZE]);

#endif

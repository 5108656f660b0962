#ifndef CTCTL_HERE_GLANCE_H
#define CTCTL_HERE_GLANCE_H

#include "ctctl/ctx/ctx.h"

/**
 * glance(c, is_check):
 * For scripts and prompts: print one short line on how safe the work is, or with ${is_check}
 * nothing, and return the exit status: with ${is_check} it is the answer.
 */
int glance(struct ctx *c, int is_check);

#endif

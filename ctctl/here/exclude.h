#ifndef CTCTL_HERE_EXCLUDE_H
#define CTCTL_HERE_EXCLUDE_H

#include "ctctl/ctx/ctx.h"

/**
 * exclude_run(c, is_excluded, argc, argv):
 * The verbs exclude and include: without a word, show the rules; with a folder or a session's ID,
 * say that it stays here, or may go.
 */
int exclude_run(struct ctx *c, int is_excluded, int argc, char **argv);

#endif

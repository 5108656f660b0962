#ifndef CTCTL_RULES_H
#define CTCTL_RULES_H

#include "ctctl/ctx.h"

/**
 * rules_run(c, is_excluded, argc, argv):
 * The verbs exclude and include: without a word, show the rules; with a folder or a session's ID,
 * say that it stays here, or may go.
 */
int rules_run(struct ctx *c, int is_excluded, int argc, char **argv);

#endif

#ifndef CTCTL_HERE_NAMING_H
#define CTCTL_HERE_NAMING_H

#include "ctctl/ctx/ctx.h"

/**
 * naming_do(c, id, params):
 * Have the daemon call the session ${id} what ${params} say (its method "name"), and say what it is
 * called now.  Return the exit status; ${params} stay the caller's.
 */
int naming_do(struct ctx *c, const char *id, struct json_object *params);

#endif

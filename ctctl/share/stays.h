#ifndef CTCTL_SHARE_STAYS_H
#define CTCTL_SHARE_STAYS_H

#include "ctctl/ctx/ctx.h"

/**
 * stays_check(c, session_id, is_here, err):
 * See that nobody said that the session, which was read here (${is_here}) or in the cloud, is to
 * stay on this machine.  ERR_REFUSED if it is excluded, ERR_GONE if only a daemon that runs could
 * tell.
 */
int stays_check(struct ctx *c, const char *session_id, int is_here, struct ct_err *err);

#endif

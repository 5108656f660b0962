#ifndef CTCTL_KEY_LOGIN_AGENTS_H
#define CTCTL_KEY_LOGIN_AGENTS_H

#include "ctctl/ctx/ctx.h"

/**
 * login_agents_settle(c):
 * If other agents are here than the one that is saved, and nobody has said yet whether they are
 * to be, ask; where nobody can be asked, say how to say it.
 */
void login_agents_settle(struct ctx *c);

#endif

#ifndef CTCTL_KEY_LOGIN_PROFILE_H
#define CTCTL_KEY_LOGIN_PROFILE_H

#include "ctctl/key/login.h"

/**
 * login_profile_settle(c, l):
 * After the log-in ${l}: ask on the terminal whether what belongs to no session is to be saved too,
 * if nobody has said so yet, some of it is there, and the server takes such things.  With a new
 * account, where nobody can be asked or nothing is there yet, it is saved, and that is said.
 */
void login_profile_settle(struct ctx *c, const struct login *l);

#endif

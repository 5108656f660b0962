#ifndef DAEMON_CONTROL_APART_H
#define DAEMON_CONTROL_APART_H

#include <stddef.h>

#include "daemon/account/state.h"

/**
 * apart_why(ss, is_kept, buf, size), apart_cure(ss, is_kept, buf, size):
 * A session went on here and on another machine: write what each side holds, and what to type.
 * ${is_kept}: the other's version lies in the folder of kept ones, for the server drops it.
 */
void apart_why(const struct state_session *ss, int is_kept, char *buf, size_t size);
void apart_cure(const struct state_session *ss, int is_kept, char *buf, size_t size);

/**
 * behind_why(ss, is_sure, buf, size):
 * Another machine went on with it: write which version that is.  ${is_sure}: it is known that it
 * has all of what this machine saved; a server without heads doesn't tell.
 */
void behind_why(const struct state_session *ss, int is_sure, char *buf, size_t size);

#endif

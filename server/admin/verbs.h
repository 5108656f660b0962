#ifndef SERVER_ADMIN_VERBS_H
#define SERVER_ADMIN_VERBS_H

#include "common/base/err.h"

#include "server/settings/settings.h"

/**
 * verbs_run(s, argc, argv, err):
 * Run the verb ${argv}[0] with its arguments: user, invite, undelete, check, gc, key, backup.
 * They work beside a running server.  Return 0; 1 with what went wrong said already; 64 for wrong
 * usage; -1 with ${err}.
 */
int verbs_run(const struct settings *s, int argc, char **argv, struct ct_err *err);

#endif

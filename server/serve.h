#ifndef SERVER_SERVE_H
#define SERVER_SERVE_H

#include "common/err.h"

#include "server/settings.h"

/**
 * serve_adopt(args):
 * If the service manager handed over sockets named "api" or "objects", let ${args} say their
 * addresses, for they count before all that is said elsewhere.  ${args} owns these until the end of
 * the process.
 */
void serve_adopt(struct settings_args *args);

/**
 * serve_run(args, s, err):
 * Run the server until SIGTERM or SIGINT: API and object store on their listeners, TLS as the
 * settings say.  Once both answer, their addresses go to stdout and, as lines of name=value (api,
 * objects, and ca if there is a private CA), to s->ready_file.  The first signal lets requests end,
 * for 10 seconds at most; the second stops at once.  SIGHUP, and a renewed certificate, read
 * ${args}' file anew and open the listeners anew on the same sockets; if something is wrong with
 * them, all stays as it was.
 */
int serve_run(const struct settings_args *args, const struct settings *s, struct ct_err *err);

#endif

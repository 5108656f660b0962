#ifndef SERVER_SERVE_SERVE_H
#define SERVER_SERVE_SERVE_H

#include "common/base/err.h"

#include "server/settings/settings.h"

/**
 * serve_adopted(name):
 * The address ("HOST:PORT") of the socket that the service manager handed over under ${name}, "api"
 * or "objects", for it counts before what is said elsewhere; NULL if there is none.  The caller
 * frees it.
 */
char *serve_adopted(const char *name);

/**
 * serve_run(args, s, err):
 * Run the server until SIGTERM or SIGINT: API and object store on their listeners, TLS as the
 * settings say.  Once both answer, their addresses go to stdout and, as lines of name=value (api,
 * objects, and ca if there is a private CA), to s->ready_file.  The first signal lets requests end,
 * for s->stop_patience seconds at most; the second stops at once.  SIGHUP, and a renewed
 * certificate, read
 * ${args}' file anew and open the listeners anew on the same sockets, while transfers on the old
 * ones go on; if something is wrong with them, all stays as it was.
 */
int serve_run(const struct settings_args *args, const struct settings *s, struct ct_err *err);

#endif

#ifndef SERVER_SERVE_LISTENER_H
#define SERVER_SERVE_LISTENER_H

#include "common/base/err.h"

#include "server/serve/certificate.h"
#include "server/settings/settings.h"
#include "server/web/web.h"

#define LISTENER_SPARE_FILES 256 /* for what is no connection */

/* A socket that stays for the life of the server, and who answers on it at the moment. */
struct listener {
    int fd;
    char *path; /* of a UNIX socket that is ours, or NULL */
    char *url;  /* "https://127.0.0.1:8787" */
    struct web *web;
    struct web_stats stats; /* over all reloads */
};

#define LISTENER_INIT \
    { \
        .fd = -1 \
    }

/**
 * listener_open(l, name, place, scheme, public_url, err):
 * Listen, on the socket that the service manager handed over as ${name}, else on a new one.
 * ${public_url} may be NULL, but not for a UNIX socket: it is that listener's address.
 */
int listener_open(struct listener *l, const char *name, const char *place, const char *scheme,
                  const char *public_url, struct ct_err *err);

/**
 * listener_files(s):
 * How many descriptors all connections that may be take: one each, those of the embedded store,
 * which are as many again, a file too; those of readers; and what is needed beside them.
 */
long long listener_files(const struct settings *s);

/**
 * listener_start(l, name, handler, s, c, err):
 * Begin to answer in the way of ${s}, with ${c} or in plain HTTP.
 */
int listener_start(struct listener *l, const char *name, const struct web_handler *handler,
                   const struct settings *s, const struct certificate *c, struct ct_err *err);

/**
 * listener_close(l):
 * Close its socket and free what it holds.
 */
void listener_close(struct listener *l);

#endif

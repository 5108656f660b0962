#ifndef SERVER_WEB_WEB_IMPL_H
#define SERVER_WEB_WEB_IMPL_H

#include <netinet/in.h>

#include <pthread.h>
#include <stdatomic.h>

#include <microhttpd.h>

#include "server/web/web.h"

/* What web.c, web_req.c and web_guard.c share; nobody else includes it. */

#define WEB_MAX_HEADERS 6

/* One connection, as the guard sees it. */
struct web_conn {
    struct web_conn *prev, *next;
    int fd;
    int64_t deadline_ms;
};

/* Closes connections that take longer than their work deserves. */
struct web_guard {
    pthread_mutex_t mutex;
    pthread_t thread;
    struct web_conn *first;
    int wake[2]; /* a pipe: its other end closed ends the thread */
    unsigned int idle_s;
};

struct web {
    struct MHD_Daemon *daemon;
    struct web_handler handler;
    struct web_guard guard;
    const char *name;
    _Atomic int active;
    _Atomic int64_t held; /* bytes of answers that wait for their readers */
    char start_error[256];
};

struct web_header {
    char *name;
    char *value;
};

struct web_req {
    struct web *web;
    struct MHD_Connection *con;
    struct web_conn *guarded;
    char *target;
    const char *method;
    const char *route;
    char client[WEB_ADDRESS_SIZE];
    void *data;
    struct MHD_Response *response;
    struct web_header headers[WEB_MAX_HEADERS];
    int n_headers;
    int begun;
    int status;
    int queued;
    int64_t answer_bytes;
    int64_t held;
    int64_t started_ms;
    int64_t received;
};

/**
 * web_guard_start(g, idle_s), web_guard_stop(g):
 * Start and end the guard's thread.  Return 0, or -1 with errno.
 */
int web_guard_start(struct web_guard *g, unsigned int idle_s);
void web_guard_stop(struct web_guard *g);

/**
 * web_guard_add(g, fd), web_guard_remove(g, c):
 * A connection began, or ended and its descriptor is about to be closed.
 */
struct web_conn *web_guard_add(struct web_guard *g, int fd);
void web_guard_remove(struct web_guard *g, struct web_conn *c);

/**
 * web_guard_idle(g, c), web_guard_transfer(g, c, started_ms, bytes), web_guard_free_run(g, c):
 * The connection now waits for a request; moves a body since ${started_ms} of which ${bytes} are or
 * will be moved, at 1 KiB a second at least after a minute's grace; or works for itself.
 */
void web_guard_idle(struct web_guard *g, struct web_conn *c);
void web_guard_transfer(struct web_guard *g, struct web_conn *c, int64_t started_ms, int64_t bytes);
void web_guard_free_run(struct web_guard *g, struct web_conn *c);

/**
 * web_req_new(w, con, target), web_req_free(r):
 * A request as it begins and ends.
 */
struct web_req *web_req_new(struct web *w, struct MHD_Connection *con, const char *target);
void web_req_free(struct web_req *r);

/**
 * web_req_check(r, version):
 * Return 0, or the HTTP status for a head that is not well-formed or could mean two things: a
 * framing header that comes twice, a length beside a transfer encoding, one that is not "chunked".
 */
int web_req_check(struct web_req *r, const char *version);

#endif

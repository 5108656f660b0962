#ifndef SERVER_WEB_WEB_IMPL_H
#define SERVER_WEB_WEB_IMPL_H

#include <netinet/in.h>

#include <pthread.h>
#include <stdatomic.h>

#include <microhttpd.h>

#include "server/web/web.h"

/* What web.c, web_req.c, web_pool.c and web_guard.c share; nobody else includes it. */

#define WEB_MAX_HEADERS 16

/* One connection, as the guard sees it. */
struct web_conn {
    struct web_conn *prev, *next;
    int fd;
    int64_t began_ms, deadline_ms;
    char network[WEB_ADDRESS_SIZE];           /* whose it is, as they are counted */
    char neighbourhood[WEB_ADDRESS_SIZE];     /* and where that is */
    const int *of_network, *of_neighbourhood; /* how many there are of these */
    int is_limited;                           /* it is one client's, and not a proxy's */
    int is_known;                             /* its last request was of somebody with an account */
    int is_spare, is_leaving; /* nothing is under way of somebody known; it was ended for another */
};

/* Closes connections that take longer than their work deserves, and refuses those that are too
 * many. */
struct web_guard {
    struct web_stats *stats; /* or NULL */
    pthread_mutex_t mutex;
    pthread_t thread;
    const char *name;
    struct web_conn *first;
    struct map *networks; /* of int: how many connections are there from each, and neighbourhood */
    int n, n_leaving;
    int max, max_per_address;      /* 0: no limit */
    const struct strlist *proxies; /* whom the second is not for */
    unsigned int idle_s;
    long refused; /* since it was logged last */
    char refused_network[WEB_ADDRESS_SIZE];
    int64_t logged_ms;
    int wake[2]; /* a pipe: its other end closed ends the thread */
};

struct web_req;

/* Threads for what blocks. */
struct web_pool {
    pthread_mutex_t mutex;
    pthread_cond_t is_there;
    pthread_t *threads;
    int n;
    int n_alive;
    int keep; /* so many stay */
    int is_stopping;
    struct web_req *first, *last; /* jobs that wait */
    int64_t moved_ms;             /* when one was taken, or came to an empty queue */
    void (*run)(struct web_req *r);
};

struct web {
    struct MHD_Daemon *daemon;
    struct web_handler handler;
    struct web_guard guard;
    struct web_pool pool;
    const char *name;
    struct web_stats *stats;
    int is_unix; /* a UNIX socket: peers have no address */
    _Atomic int active;
    _Atomic int is_quiet;
    _Atomic int64_t held; /* bytes of answers that wait for their readers */
    char start_error[256];
};

struct web_header {
    char *name;
    char *value;
};

/* What has to be done next for a request, by a thread of the pool. */
enum web_job { WEB_BEGIN, WEB_BODY, WEB_END, WEB_READ };

struct web_req {
    struct web *web;
    struct web_req *next_job;
    enum web_job job;
    int is_known;    /* somebody with an account asks */
    int was_resumed; /* the same call of the library comes once more */
    char *piece;     /* of the body, or of the file that is the answer */
    size_t piece_len, piece_cap;
    int file;            /* the answer's, or -1 */
    int64_t file_offset; /* of the answer's first byte */
    int64_t piece_at;    /* in the answer, -1: there is none */
    int64_t asked_ms;    /* when the handler said the last time that it goes on */
    int read_failed;
    struct MHD_Connection *con;
    struct web_conn *guarded;
    char *target;
    const char *method;
    const char *route;
    char client[WEB_ADDRESS_SIZE];
    char *note; /* or NULL */
    void *data;
    struct MHD_Response *response;
    struct web_header headers[WEB_MAX_HEADERS];
    int n_headers;
    int begun;
    int ended; /* all of it was handed on */
    int status;
    int queued;
    int64_t answer_bytes;
    _Atomic int64_t held; /* bytes that wait for this request */
    int64_t started_ms;
    int64_t received;
};

/**
 * web_guard_start(g, config), web_guard_stop(g):
 * Start and end the guard's thread.  Return 0, or -1 with errno.
 */
int web_guard_start(struct web_guard *g, const struct web_config *config);
void web_guard_stop(struct web_guard *g);

/**
 * web_guard_admits(g, sa):
 * May a connection from there be let in?  Where there are as many as there may be, a spare one goes
 * for it: of those on which nobody known has asked anything, else of all; of the neighbourhood that
 * has most of them, if that has more than the newcomer's; and one of nobody known that has
 * had a while to speak in any case.
 */
int web_guard_admits(struct web_guard *g, const struct sockaddr *sa);

/**
 * web_guard_add(g, fd, sa), web_guard_remove(g, c), web_guard_count(g):
 * A connection began, or ended and its descriptor is about to be closed; how many there are.
 */
struct web_conn *web_guard_add(struct web_guard *g, int fd, const struct sockaddr *sa);
void web_guard_remove(struct web_guard *g, struct web_conn *c);
int web_guard_count(struct web_guard *g);

/**
 * web_pool_start(p, n, run), web_pool_shrink(p, n), web_pool_stop(p):
 * Start ${n} threads; end all but ${n} as they become idle; do what was handed to them and end
 * them.  Return 0 or an error number.
 */
int web_pool_start(struct web_pool *p, int n, void (*run)(struct web_req *r));
void web_pool_shrink(struct web_pool *p, int n);
void web_pool_stop(struct web_pool *p);

/**
 * web_pool_add(p, r):
 * Suspend the request's connection and have ${run} called for it, which resumes it.  Return 0, or
 * -1 if the pool is being stopped.
 */
int web_pool_add(struct web_pool *p, struct web_req *r);

/**
 * web_pool_waits_ms(p):
 * For how long has no job been taken, although some wait?
 */
int64_t web_pool_waits_ms(struct web_pool *p);

/**
 * web_guard_idle(g, c, is_known), web_guard_keep(g, c, is_known), web_guard_transfer(g, c,
 * started_ms, bytes), web_guard_free_run(g, c): The connection now waits for a request, after one
 * of somebody known or of nobody; has one, of somebody known or of nobody; moves a body since
 * ${started_ms} of which ${bytes} are or will be moved, at 1 KiB a second at least after a minute's
 * grace; or works for itself.
 */
void web_guard_idle(struct web_guard *g, struct web_conn *c, int is_known);
void web_guard_keep(struct web_guard *g, struct web_conn *c, int is_known);
void web_guard_transfer(struct web_guard *g, struct web_conn *c, int64_t started_ms, int64_t bytes);
void web_guard_free_run(struct web_guard *g, struct web_conn *c);

/**
 * web_req_new(w, con, target), web_req_free(r):
 * A request as it begins and ends.
 */
struct web_req *web_req_new(struct web *w, struct MHD_Connection *con, const char *target);
void web_req_free(struct web_req *r);

/**
 * web_req_read(r):
 * Read the next piece of the file that is the answer, in a thread that may wait for a disk.
 */
void web_req_read(struct web_req *r);

/**
 * web_address_of(sa, buf):
 * The numeric address of ${sa} (may be NULL), "unknown" if it is none of the Internet.
 */
void web_address_of(const struct sockaddr *sa, char buf[WEB_ADDRESS_SIZE]);

/**
 * web_req_check(r, version):
 * Return 0, or the HTTP status for a head that is not well-formed or could mean two things: a
 * framing header that comes twice, a length beside a transfer encoding, one that is not "chunked".
 */
int web_req_check(struct web_req *r, const char *version);

#endif

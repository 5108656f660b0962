#ifndef SERVER_WEB_WEB_H
#define SERVER_WEB_WEB_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"
#include "common/base/strlist.h"

#include "server/web/web_stats.h"

/*
 * The one place that speaks HTTP as a server: libmicrohttpd, driven by events, so that a connection
 * that waits costs no thread.  Handlers are plain blocking code: they run in a pool of threads, and
 * the connection is suspended meanwhile.  One struct web is one listener.  Requests are bounded in
 * every direction; bodies are handed on piece by piece and never gathered here.
 */
struct web;
struct web_req;

/* How a listener treats a request.  For one request they are called one after the other, from any
 * thread; begin, body and end may block, body only if it says so. */
struct web_handler {
    void *arg;
    int body_blocks;
    /* The head is there.  Answering here refuses the body. */
    void (*begin)(void *arg, struct web_req *r);
    /* A piece of the body.  Answering here refuses the rest. */
    void (*body)(void *arg, struct web_req *r, const void *p, size_t n);
    /* All of it is there: answer. */
    void (*end)(void *arg, struct web_req *r);
    /* It is over, answered or broken off: free what web_set_data() keeps. */
    void (*done)(void *arg, struct web_req *r);
    /* The request broke a rule of HTTP or of this file: answer with ${status} in one's own words.
     */
    void (*fault)(void *arg, struct web_req *r, int status);
    /* Asked every other second while a file is sent; NULL: yes.  Return 0 to break it off. */
    int (*goes_on)(void *arg, struct web_req *r);
};

struct web_config {
    const char *name;     /* in the access log */
    int fd;               /* a listening socket, which stays the caller's */
    const char *cert_pem; /* the certificate chain and its key; NULL: plain HTTP */
    const char *key_pem;
    int max_connections;
    int max_per_address;           /* an IPv6 address counts as its /64; 0: no limit */
    const struct strlist *proxies; /* ranges whose addresses have no such limit; NULL: none */
    int stall_s;                   /* a transfer that does not move for so long is broken off */
    int memory;                    /* bytes: request line, headers, and one piece of a body */
    int workers;                   /* threads for handlers */
    struct web_stats *stats; /* what to count in, which outlives it; NULL: nothing, and there is no
                                access log either */
};

/**
 * web_unix_path(place):
 * Return the path in "unix:/PATH", borrowed, or NULL if ${place} is not one.
 */
const char *web_unix_path(const char *place);

/**
 * web_listen(place, ret_fd, ret_port, err):
 * Make a listening socket for "HOST:PORT", "[IPv6]:PORT" or "unix:/PATH"; port 0 takes a free one,
 * told in ${ret_port}.  Whoever reaches PATH may connect; a socket there that nobody listens on is
 * replaced.
 */
int web_listen(const char *place, int *ret_fd, int *ret_port, struct ct_err *err);

/**
 * web_adopt(fd):
 * Take a listening socket that somebody else made: return its place as web_listen() has it, which
 * the caller frees, or NULL if it is none.
 */
char *web_adopt(int fd);

/**
 * web_host_is_loopback(place):
 * Return whether ${place} stands for this machine only.
 */
int web_host_is_loopback(const char *place);

/**
 * web_split(host_port, ret_host, ret_port, err):
 * Take "HOST:PORT" apart; the caller frees both.  ERR_CONFIG if it is none.
 */
int web_split(const char *host_port, char **ret_host, char **ret_port, struct ct_err *err);

/**
 * web_start(config, handler, ret, err):
 * Begin to answer.  ${config} and ${handler} are copied, strings in them are not.
 */
int web_start(const struct web_config *config, const struct web_handler *handler, struct web **ret,
              struct ct_err *err);

/**
 * web_quiesce(w):
 * Accept no more connections; each that is there ends with the request that it has or asks next.
 * Few threads are left for them.
 */
void web_quiesce(struct web *w);

/**
 * web_active(w):
 * Return how many requests are under way.
 */
int web_active(struct web *w);

/**
 * web_connections(w):
 * Return how many connections are open, those that ask nothing at the moment too.
 */
int web_connections(struct web *w);

/**
 * web_waits_ms(w):
 * For how long have requests waited of which none was begun?
 */
int64_t web_waits_ms(struct web *w);

/**
 * web_stop(w):
 * Close every connection, wait for the threads, free it; NULL is harmless.
 */
void web_stop(struct web *w);

/**
 * web_method(r), web_target(r), web_header(r, name):
 * The method; path and query as they came, still encoded; a header's value or NULL.  Borrowed.
 */
const char *web_method(struct web_req *r);
const char *web_target(struct web_req *r);
const char *web_header(struct web_req *r, const char *name);

/**
 * web_header_list(r, name):
 * Return the values of all headers of this name as one list, joined by commas in their order; the
 * caller frees it.
 */
char *web_header_list(struct web_req *r, const char *name);

/**
 * web_length(r):
 * The body's length as announced, or -1 if it was not.
 */
int64_t web_length(struct web_req *r);

#define WEB_ADDRESS_SIZE 64

/**
 * web_peer(r, buf):
 * Write the peer's numeric address into ${buf}; "unix" on a UNIX socket, "unknown" if there is
 * none.
 */
void web_peer(struct web_req *r, char buf[WEB_ADDRESS_SIZE]);

/**
 * web_address(s, n, buf):
 * Write the ${n} bytes at ${s}, blanks around them aside, into ${buf} in the one spelling that
 * web_peer() uses.  Return 0, or -1 if they are no numeric address.
 */
int web_address(const char *s, size_t n, char buf[WEB_ADDRESS_SIZE]);

/**
 * web_range_check(s, ret, err), web_ranges_have(ranges, address):
 * Read ${s}, an address, a network "ADDRESS/BITS" or "unix", into the one spelling that the second
 * wants, which the caller frees: is ${address}, as web_peer() writes it, in one of them?
 */
int web_range_check(const char *s, char **ret, struct ct_err *err);
int web_ranges_have(const struct strlist *ranges, const char *address);

/**
 * web_network(address, buf, size):
 * Write what such an address counts as into ${buf} and return it: whoever has one IPv6 address has
 * its /64.
 */
const char *web_network(const char *address, char *buf, size_t size);

/**
 * web_neighbourhood(address, buf, size):
 * Write the wider network that such an address is in: an IPv4 /24 or an IPv6 /48, of which one
 * person can have all.  Never the same text as web_network() writes.
 */
const char *web_neighbourhood(const char *address, char *buf, size_t size);

/**
 * web_set_data(r, p), web_data(r):
 * Keep a pointer with the request.
 */
void web_set_data(struct web_req *r, void *p);
void *web_data(struct web_req *r);

/**
 * web_set_route(r, route):
 * What the access log says instead of the path, which may hold secrets.  ${route} is static.
 */
void web_set_route(struct web_req *r, const char *route);

/**
 * web_set_client(r, address):
 * What the access log says instead of the peer's address, which may be a proxy's.
 */
void web_set_client(struct web_req *r, const char *address);

/**
 * web_set_note(r, note):
 * What the access log says beside: words of name=value, each after a blank.  Copied.
 */
void web_set_note(struct web_req *r, const char *note);

/**
 * web_hold(r, n):
 * May an answer of ${n} bytes wait for its reader?  Return 0, or -1 if too much waits already; up
 * to WEB_SMALL always may, and do not count.
 */
#define WEB_SMALL 4096
int web_hold(struct web_req *r, size_t n);

/**
 * web_held(r):
 * Return how many bytes wait for this request.
 */
int64_t web_held(const struct web_req *r);

/**
 * web_answer_header(r, name, value):
 * Add a header to the answer that follows.
 */
void web_answer_header(struct web_req *r, const char *name, const char *value);

/**
 * web_answer(r, status, type, p, n):
 * Answer with a copy of ${n} bytes.  The first answer counts, later ones are dropped.
 */
void web_answer(struct web_req *r, int status, const char *type, const void *p, size_t n);

/**
 * web_answer_static(r, status, type, p, n):
 * The same with bytes that are there for as long as the program is, so that slow readers of them
 * take no memory.
 */
void web_answer_static(struct web_req *r, int status, const char *type, const void *p, size_t n);

/**
 * web_keep(r, is_known):
 * Until the answer is there this connection makes no room for others.  ${is_known}: it is somebody
 * with an account, and goes after others later too; else they have said all that there is to say.
 */
void web_keep(struct web_req *r, int is_known);

/**
 * web_answer_fd(r, status, type, fd, offset, n):
 * Answer with ${n} bytes of a file; ${fd} is closed in time, in every case.
 */
void web_answer_fd(struct web_req *r, int status, const char *type, int fd, int64_t offset,
                   int64_t n);

/**
 * web_answered(r):
 * Return whether there is an answer.
 */
int web_answered(struct web_req *r);

/**
 * web_busy(r, busy):
 * Between (r, 1) and (r, 0) the connection does not count as idle, however long a handler takes.
 */
void web_busy(struct web_req *r, int busy);

#endif

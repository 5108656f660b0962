#include <sys/socket.h>

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/base/buf.h"
#include "common/base/str.h"

#include "ipc/peer.h"

#include "ipc/stream.h"

#define READ_SIZE ((size_t)64 << 10)
#define LINES_PER_TURN 16              /* then the others have theirs */
#define MAX_OPEN 128u                  /* requests of one peer without an answer */
#define OUT_ENOUGH ((size_t)256 << 10) /* with more waiting, nothing is read */
#define OUT_LIMIT ((size_t)4 << 20)    /* with more waiting, the peer is dropped */
#define WRITE_TIMEOUT_S 60             /* without a byte taken, the peer is dropped */

enum stream_phase {
    OPEN,     /* reading and writing */
    READ_EOF, /* the peer sends nothing more; it may still read */
    FINISH,   /* we read nothing more; write what waits, then end */
    DROP,     /* end at the next turn of the loop */
    ENDED,    /* on_end was called */
};

struct ipc_stream {
    int fd;
    enum stream_phase phase;
    int is_busy;  /* a hook runs: freeing waits */
    int is_freed; /* by the owner, from within a hook */
    int peer_hung_up;
    size_t max_line;
    size_t scanned; /* bytes of in that hold no newline */
    size_t sent;    /* bytes of out that are written */
    unsigned int n_open;
    struct buf in, out;
    struct event *readable;
    struct event *writable;
    struct event *turn; /* goes on with lines that are here already */
    struct ipc_stream_hooks hooks;
    void *arg;
};

static size_t waiting(const struct ipc_stream *s)
{
    return s->out.len - s->sent;
}

static int is_blocked(const struct ipc_stream *s)
{
    return s->n_open >= MAX_OPEN || waiting(s) > OUT_ENOUGH;
}

static void really_free(struct ipc_stream *s)
{
    event_free(s->readable);
    event_free(s->writable);
    event_free(s->turn);
    close(s->fd);
    buf_free(&s->in);
    buf_free(&s->out);
    free(s);
}

static void end(struct ipc_stream *s)
{
    if (s->phase == ENDED)
        return;
    s->phase = ENDED;
    event_del(s->readable);
    event_del(s->writable);
    event_del(s->turn);
    buf_free(&s->in);
    buf_free(&s->out);
    s->sent = s->scanned = 0;
    s->hooks.on_end(s->arg);
}

static void soon(struct ipc_stream *s)
{
    event_active(s->turn, EV_TIMEOUT, 0);
}

/* Take one line out of what was read.  Return whether there was one. */
static int one_line(struct ipc_stream *s, size_t *at)
{
    size_t n = s->in.len - *at, len;
    const char *p, *nl;

    if (n == 0)
        return 0;
    p = s->in.data + *at;
    nl = memchr(p + s->scanned, '\n', n - s->scanned);
    len = nl != NULL ? (size_t)(nl - p) : n;
    if (len > s->max_line) {
        s->phase = FINISH;
        s->hooks.on_overlong(s->arg);
        return 0;
    }
    if (nl == NULL) {
        s->scanned = n;
        return 0;
    }
    s->scanned = 0;
    *at += len + 1;
    s->hooks.on_line(s->arg, p, len);
    return 1;
}

/* Return whether more complete lines may be here, for which this turn was too short. */
static int pump(struct ipc_stream *s)
{
    size_t at = 0;
    int n = 0, more = 1;

    /* A hook may end or free the stream; s->in itself stays until busy is over. */
    while (more && n < LINES_PER_TURN && (s->phase == OPEN || s->phase == READ_EOF) &&
           !s->is_freed && !is_blocked(s)) {
        more = one_line(s, &at);
        n++;
    }
    buf_consume(&s->in, at);
    if (s->in.len == 0)
        buf_free(&s->in); /* a peer that is quiet costs no buffer */
    return more;
}

/* Decide what to wait for next. */
static void settle(struct ipc_stream *s, int more)
{
    static const struct timeval limit = {WRITE_TIMEOUT_S, 0};
    int goes_on = s->phase == OPEN || s->phase == READ_EOF;

    if (goes_on && more && !is_blocked(s)) {
        soon(s);
    } else if (s->phase == READ_EOF && (s->peer_hung_up || (s->n_open == 0 && waiting(s) == 0))) {
        s->phase = DROP;
    } else if (s->phase == FINISH && waiting(s) == 0) {
        s->phase = DROP;
    }
    if (s->phase == DROP) {
        end(s);
        return;
    }
    if (s->phase == OPEN && !is_blocked(s) && !more)
        event_add(s->readable, NULL);
    else
        event_del(s->readable);
    if (waiting(s) > 0 && !event_pending(s->writable, EV_WRITE, NULL))
        event_add(s->writable, &limit);
}

static void run(struct ipc_stream *s)
{
    int more = 0;

    s->is_busy = 1;
    if (s->phase == OPEN || s->phase == READ_EOF)
        more = pump(s);
    if (!s->is_freed)
        settle(s, more);
    s->is_busy = 0;
    if (s->is_freed)
        really_free(s);
}

static void on_turn(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    run(arg);
}

/* A closed socket hangs up both ways; one that was only shut down still takes answers. */
static void at_eof(struct ipc_stream *s)
{
    struct pollfd p = {.fd = s->fd, .events = 0};

    s->phase = READ_EOF;
    s->peer_hung_up = poll(&p, 1, 0) > 0 && (p.revents & (POLLHUP | POLLERR | POLLNVAL)) != 0;
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct ipc_stream *s = arg;
    ssize_t n;

    (void)what;
    if (s->phase != OPEN)
        return;
    n = recv(fd, buf_reserve(&s->in, READ_SIZE), READ_SIZE, 0);
    if (n > 0) {
        s->in.len += (size_t)n;
        s->in.data[s->in.len] = '\0';
    } else if (n == 0 || errno == ECONNRESET) {
        at_eof(s);
    } else if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
        s->phase = DROP;
    }
    run(s);
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
    struct ipc_stream *s = arg;
    ssize_t n;

    if ((what & EV_TIMEOUT) != 0) {
        s->phase = DROP;
        run(s);
        return;
    }
    n = ipc_peer_send(fd, s->out.data + s->sent, waiting(s));
    if (n > 0)
        s->sent += (size_t)n;
    else if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
        s->phase = DROP;
    if (waiting(s) == 0) {
        buf_free(&s->out);
        s->sent = 0;
    } else if (s->sent > OUT_ENOUGH) {
        buf_consume(&s->out, s->sent);
        s->sent = 0;
    }
    run(s);
}

struct ipc_stream *ipc_stream_new(struct event_base *base, int fd, size_t max_line,
                                  const struct ipc_stream_hooks *hooks, void *arg)
{
    struct ipc_stream *s = str_calloc(1, sizeof(*s));

    s->fd = fd;
    s->max_line = max_line;
    s->hooks = *hooks;
    s->arg = arg;
    s->readable = event_new(base, fd, EV_READ | EV_PERSIST, on_readable, s);
    s->writable = event_new(base, fd, EV_WRITE, on_writable, s);
    s->turn = event_new(base, -1, 0, on_turn, s);
    if (s->readable == NULL || s->writable == NULL || s->turn == NULL)
        abort();
    event_add(s->readable, NULL);
    return s;
}

void ipc_stream_free(struct ipc_stream *s)
{
    if (s == NULL)
        return;
    s->phase = ENDED;
    s->is_freed = 1;
    if (!s->is_busy)
        really_free(s);
}

void ipc_stream_send(struct ipc_stream *s, const void *p, size_t n)
{
    if (s->phase == DROP || s->phase == ENDED)
        return;
    if (waiting(s) > OUT_LIMIT)
        s->phase = DROP;
    else
        buf_add(&s->out, p, n);
    soon(s);
}

void ipc_stream_set_open(struct ipc_stream *s, unsigned int n)
{
    s->n_open = n;
    if (s->phase != ENDED)
        soon(s);
}

#include <sys/queue.h>
#include <sys/socket.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/util.h>

#include "common/base/buf.h"
#include "common/data/jdoc.h"
#include "common/base/log.h"
#include "common/base/str.h"

#include "ipc/listen.h"
#include "ipc/message.h"
#include "ipc/peer.h"
#include "ipc/stream.h"

#include "ipc/ipc.h"

#define ACCEPTS_PER_TURN 16

struct conn;
LIST_HEAD(request_list, ipc_request);

struct ipc_request {
    LIST_ENTRY(ipc_request) entry;
    struct conn *conn;      /* NULL once the peer is gone */
    int is_linked;          /* into its connection's list, or that of on_end() */
    struct json_object *id; /* may be NULL, for null */
    int wants_answer;       /* no notification */
    void (*on_gone)(void *arg);
    void *on_gone_arg;
};

struct conn {
    LIST_ENTRY(conn) entry;
    struct ipc_server *server;
    struct ipc_stream *stream;
    struct request_list requests;
    unsigned int n_requests;
    int is_subscriber;
};

struct ipc_server {
    struct event_base *base;
    struct event *acceptable;
    struct event *retry; /* accepts again after descriptors ran out */
    struct ipc_listen listen;
    char *path; /* NULL: the socket is not ours to remove */
    LIST_HEAD(, conn) conns;
    int n_conns;
    int n_subscribers;
    void (*on_request)(void *arg, struct ipc_request *rq, const char *method,
                       struct json_object *params);
    void *arg;
};

/* ---- answers ----------------------------------------------------------------------------------
 */

/* Send ${o}, which is used up. */
static void send_message(struct ipc_stream *stream, struct json_object *o)
{
    struct buf line = {0};

    buf_addstr(&line, jdoc_text(o));
    buf_addc(&line, '\n');
    ipc_stream_send(stream, line.data, line.len);
    buf_free(&line);
    json_object_put(o);
}

static void send_error(struct ipc_stream *stream, struct json_object *id, int code,
                       const char *message, enum err_code word)
{
    struct ct_err e = {.code = word};
    struct json_object *data = ipc_message_error_data(&e);

    send_message(stream, ipc_message_error(id, code, message, data));
    json_object_put(data);
}

static void count_open(struct conn *c)
{
    /* A subscriber is always owed something, so it is not done when it has shut down its side. */
    ipc_stream_set_open(c->stream, c->n_requests + (c->is_subscriber ? 1 : 0));
}

static void end_request(struct ipc_request *rq)
{
    if (rq->is_linked)
        LIST_REMOVE(rq, entry);
    if (rq->conn != NULL) {
        rq->conn->n_requests--;
        count_open(rq->conn);
    }
    json_object_put(rq->id);
    free(rq);
}

void ipc_reply(struct ipc_request *rq, struct json_object *result)
{
    if (rq->conn != NULL && rq->wants_answer)
        send_message(rq->conn->stream, ipc_message_result(rq->id, result));
    json_object_put(result);
    end_request(rq);
}

void ipc_fail(struct ipc_request *rq, const struct ct_err *err)
{
    struct json_object *data;

    if (rq->conn != NULL && rq->wants_answer) {
        data = ipc_message_error_data(err);
        send_message(rq->conn->stream, ipc_message_error(rq->id, IPC_FAILED, err->msg, data));
        json_object_put(data);
    }
    end_request(rq);
}

void ipc_fail_code(struct ipc_request *rq, enum ipc_code code, const char *message)
{
    enum err_code word = code == IPC_INTERNAL ? ERR_BUG : ERR_REFUSED;

    if (rq->conn != NULL && rq->wants_answer)
        send_error(rq->conn->stream, rq->id, (int)code, message, word);
    end_request(rq);
}

void ipc_request_on_gone(struct ipc_request *rq, void (*f)(void *arg), void *arg)
{
    rq->on_gone = f;
    rq->on_gone_arg = arg;
}

/* ---- connections ------------------------------------------------------------------------------
 */

/* Free ${c}; its requests go over to ${orphans}. */
static void conn_free(struct conn *c, struct request_list *orphans)
{
    struct ipc_request *rq;

    while ((rq = LIST_FIRST(&c->requests)) != NULL) {
        LIST_REMOVE(rq, entry);
        LIST_INSERT_HEAD(orphans, rq, entry);
        rq->conn = NULL;
    }
    LIST_REMOVE(c, entry);
    c->server->n_conns--;
    c->server->n_subscribers -= c->is_subscriber;
    ipc_stream_free(c->stream);
    free(c);
}

static struct ipc_request *next_orphan(struct request_list *orphans)
{
    struct ipc_request *rq = LIST_FIRST(orphans);

    if (rq != NULL) {
        LIST_REMOVE(rq, entry);
        rq->is_linked = 0;
    }
    return rq;
}

static void on_line(void *arg, const char *line, size_t len)
{
    struct conn *c = arg;
    struct json_object *o = NULL;
    struct ipc_message m;
    struct ipc_request *rq;
    const char *why;

    if (jdoc_parse(line, len, &o, NULL) != 0) {
        send_error(c->stream, NULL, IPC_PARSE_ERROR, "the line is not valid JSON", ERR_REFUSED);
        return;
    }
    if (ipc_message_request(o, &m, &why) != 0) {
        send_error(c->stream, m.id, IPC_INVALID_REQUEST, why, ERR_REFUSED);
        json_object_put(o);
        return;
    }
    rq = str_calloc(1, sizeof(*rq));
    rq->conn = c;
    rq->id = json_object_get(m.id);
    rq->wants_answer = m.has_id;
    rq->is_linked = 1;
    LIST_INSERT_HEAD(&c->requests, rq, entry);
    c->n_requests++;
    count_open(c);
    c->server->on_request(c->server->arg, rq, m.method, m.params);
    json_object_put(o);
}

static void on_overlong(void *arg)
{
    struct conn *c = arg;

    send_error(c->stream, NULL, IPC_INVALID_REQUEST, "the line is longer than 1 MiB", ERR_REFUSED);
}

static void on_end(void *arg)
{
    struct request_list orphans = LIST_HEAD_INITIALIZER(orphans);
    struct ipc_request *rq;

    conn_free(arg, &orphans);
    /* Who is told may end any of these requests, or free the server: nothing of it is used here. */
    while ((rq = next_orphan(&orphans)) != NULL) {
        if (rq->on_gone != NULL)
            rq->on_gone(rq->on_gone_arg);
    }
}

static void conn_new(struct ipc_server *s, int fd)
{
    static const struct ipc_stream_hooks hooks = {on_line, on_overlong, on_end};
    struct conn *c = str_calloc(1, sizeof(*c));

    c->server = s;
    c->stream = ipc_stream_new(s->base, fd, IPC_MAX_REQUEST, &hooks, c);
    LIST_INIT(&c->requests);
    LIST_INSERT_HEAD(&s->conns, c, entry);
    s->n_conns++;
}

void ipc_subscribe(struct ipc_request *rq)
{
    struct conn *c = rq->conn;

    if (c == NULL || c->is_subscriber)
        return;
    c->is_subscriber = 1;
    c->server->n_subscribers++;
    count_open(c);
}

void ipc_publish(struct ipc_server *s, struct json_object *event)
{
    struct json_object *o;
    struct buf line = {0};
    struct conn *c;

    if (s->n_subscribers == 0)
        return;
    o = ipc_message_event(event);
    buf_addstr(&line, jdoc_text(o));
    buf_addc(&line, '\n');
    LIST_FOREACH(c, &s->conns, entry)
    {
        if (c->is_subscriber)
            ipc_stream_send(c->stream, line.data, line.len);
    }
    buf_free(&line);
    json_object_put(o);
}

int ipc_subscribers(const struct ipc_server *s)
{
    return s->n_subscribers;
}

/* ---- the listening socket ---------------------------------------------------------------------
 */

/* Tell the client why, as far as its buffer takes it at once, and close. */
static void turn_away(int fd, const char *message, enum err_code word)
{
    struct ct_err e = {.code = word};
    struct json_object *data = ipc_message_error_data(&e);
    struct json_object *o = ipc_message_error(NULL, IPC_FAILED, message, data);
    struct buf line = {0};

    buf_addstr(&line, jdoc_text(o));
    buf_addc(&line, '\n');
    if (ipc_peer_send(fd, line.data, line.len) < 0)
        log_debug("ipc_turn_away errno=%d", errno);
    buf_free(&line);
    json_object_put(o);
    json_object_put(data);
    close(fd);
}

static void admit(struct ipc_server *s, int fd)
{
    uid_t uid;

    if (evutil_make_socket_nonblocking(fd) != 0 || evutil_make_socket_closeonexec(fd) != 0 ||
        ipc_peer_uid(fd, &uid) != 0) {
        log_warn("ipc_accept errno=%d", errno);
        close(fd);
    } else if (uid != geteuid()) {
        log_warn("ipc_refused uid=%lu", (unsigned long)uid);
        close(fd);
    } else if (s->n_conns >= IPC_MAX_CLIENTS) {
        log_warn("ipc_full clients=%d", s->n_conns);
        turn_away(fd, "the daemon has too many clients already; try again later", ERR_RETRY);
    } else {
        conn_new(s, fd);
    }
}

static void on_acceptable(evutil_socket_t fd, short what, void *arg)
{
    static const struct timeval pause = {1, 0};
    struct ipc_server *s = arg;

    (void)what;
    for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
        int peer = accept(fd, NULL, NULL);
        if (peer >= 0) {
            admit(s, peer);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
            /* It would be acceptable again at once, and for ever. */
            log_warn("ipc_accept errno=%d", errno);
            event_del(s->acceptable);
            event_add(s->retry, &pause);
            return;
        } else if (errno != EINTR && errno != ECONNABORTED) {
            return;
        }
    }
}

static void on_retry(evutil_socket_t fd, short what, void *arg)
{
    struct ipc_server *s = arg;

    (void)fd;
    (void)what;
    event_add(s->acceptable, NULL);
}

static void start(struct ipc_server *s)
{
    LIST_INIT(&s->conns);
    s->acceptable = event_new(s->base, s->listen.fd, EV_READ | EV_PERSIST, on_acceptable, s);
    s->retry = evtimer_new(s->base, on_retry, s);
    if (s->acceptable == NULL || s->retry == NULL)
        abort();
    event_add(s->acceptable, NULL);
}

int ipc_server_new(struct event_base *base, const char *path,
                   void (*on_request)(void *arg, struct ipc_request *rq, const char *method,
                                      struct json_object *params),
                   void *arg, struct ipc_server **ret, struct ct_err *err)
{
    struct ipc_server *s = str_calloc(1, sizeof(*s));

    if (ipc_listen_open(path, &s->listen, err) != 0) {
        free(s);
        return -1;
    }
    s->base = base;
    s->path = str_dup(path);
    s->on_request = on_request;
    s->arg = arg;
    start(s);
    *ret = s;
    return 0;
}

int ipc_server_new_fd(struct event_base *base, int fd,
                      void (*on_request)(void *arg, struct ipc_request *rq, const char *method,
                                         struct json_object *params),
                      void *arg, struct ipc_server **ret, struct ct_err *err)
{
    struct ipc_server *s;

    if (evutil_make_socket_nonblocking(fd) != 0 || evutil_make_socket_closeonexec(fd) != 0)
        return err_sys(err, "can't use the socket that was handed over");
    s = str_calloc(1, sizeof(*s));
    s->listen.fd = fd;
    s->base = base;
    s->on_request = on_request;
    s->arg = arg;
    start(s);
    *ret = s;
    return 0;
}

void ipc_server_free(struct ipc_server *s)
{
    struct request_list orphans = LIST_HEAD_INITIALIZER(orphans);
    struct conn *c;

    if (s == NULL)
        return;
    while ((c = LIST_FIRST(&s->conns)) != NULL)
        conn_free(c, &orphans);
    while (next_orphan(&orphans) != NULL)
        continue; /* the caller ends them; it needs no word about what it did itself */
    event_free(s->acceptable);
    event_free(s->retry);
    if (s->path != NULL)
        ipc_listen_remove(s->path, &s->listen);
    close(s->listen.fd);
    free(s->path);
    free(s);
}

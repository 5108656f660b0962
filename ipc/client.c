#include <sys/socket.h>
#include <sys/time.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/data/jdoc.h"
#include "common/base/now.h"
#include "common/base/str.h"

#include "ipc/listen.h"
#include "ipc/message.h"
#include "ipc/peer.h"

#include "ipc/ipc.h"

#define CONNECT_LIMIT_S 5
#define MAX_ANSWER ((size_t)64 << 20)
#define MAX_EVENTS 65536 /* kept while an answer is waited for */
#define READ_SIZE ((size_t)64 << 10)

struct ipc_client {
    int fd;
    int64_t last_id;
    struct buf in;
    size_t scanned;             /* bytes of in that hold no newline */
    struct json_object *events; /* array */
    size_t n_taken;             /* events from its start that were handed out */
};

int ipc_client_open(const char *path, struct ipc_client **ret, struct ct_err *err)
{
    struct timeval limit = {CONNECT_LIMIT_S, 0};
    struct sockaddr_un addr;
    uid_t uid;
    int fd;

    if (ipc_listen_address(path, &addr, err) != 0)
        return -1;
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (fd < 0)
        return err_sys(err, "can't make a socket");
    /* A connect that waits for room in the listener's queue goes by the send limit. */
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) != 0) {
        err_sys(err, "can't prepare a socket");
        goto err1;
    }
    if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) != 0) {
        if (errno == ENOENT || errno == ENOTDIR || errno == ECONNREFUSED)
            err_set(err, ERR_GONE, "nothing listens on %s", path);
        else if (errno == EAGAIN)
            err_set(err, ERR_RETRY, "the daemon does not take connections on %s", path);
        else
            err_sys(err, "can't connect to %s", path);
        goto err1;
    }
    if (ipc_peer_uid(fd, &uid) != 0) {
        err_sys(err, "can't tell who listens on %s", path);
        goto err1;
    }
    if (uid != geteuid() && uid != 0) {
        err_set(err, ERR_CONFIG, "%s is the socket of another user (uid %lu)", path,
                (unsigned long)uid);
        goto err1;
    }
    if (fcntl(fd, F_SETFL, O_NONBLOCK) != 0) {
        err_sys(err, "can't prepare a socket");
        goto err1;
    }
    *ret = str_calloc(1, sizeof(**ret));
    (*ret)->fd = fd;
    (*ret)->events = json_object_new_array();

    /* Success! */
    return 0;

err1:
    close(fd);
    /* Failure! */
    return -1;
}

void ipc_client_close(struct ipc_client *c)
{
    if (c == NULL)
        return;
    close(c->fd);
    buf_free(&c->in);
    json_object_put(c->events);
    free(c);
}

int ipc_client_fd(const struct ipc_client *c)
{
    return c->fd;
}

static int gone(struct ct_err *err)
{
    err_set(err, ERR_GONE, "the daemon closed the connection");
    if (err != NULL)
        snprintf(err->reason, sizeof(err->reason), "connection_lost");
    return -1;
}

/* Wait for ${what} until ${deadline} (0: for ever). */
static int wait_for(struct ipc_client *c, short what, int64_t deadline, struct ct_err *err)
{
    struct pollfd p = {.fd = c->fd, .events = what};
    int64_t left;
    int n, ms;

    for (;;) {
        ms = -1;
        if (deadline != 0) {
            left = deadline - now_mono_ms();
            ms = left <= 0 ? 0 : left > 1000000 ? 1000000 : (int)left;
        }
        n = poll(&p, 1, ms);
        if (n > 0)
            return 0;
        if (n < 0 && errno != EINTR)
            return err_sys(err, "can't wait for the daemon");
        if (n == 0 && deadline != 0 && now_mono_ms() >= deadline)
            return err_set(err, ERR_RETRY, "the daemon did not answer in time");
    }
}

static int send_all(struct ipc_client *c, const char *p, size_t n, int64_t deadline,
                    struct ct_err *err)
{
    while (n > 0) {
        ssize_t k = ipc_peer_send(c->fd, p, n);
        if (k > 0) {
            p += k;
            n -= (size_t)k;
        } else if (k < 0 && (errno == EPIPE || errno == ECONNRESET)) {
            return 0; /* it may have said why before it closed */
        } else if (k < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
            return err_sys(err, "can't write to the daemon");
        } else if (wait_for(c, POLLOUT, deadline, err) != 0) {
            return -1;
        }
    }
    return 0;
}

/* Read until a whole line is there; its length without the newline goes to ${ret}. */
static int read_line(struct ipc_client *c, int64_t deadline, size_t *ret, struct ct_err *err)
{
    const char *nl;
    ssize_t n;

    for (;;) {
        nl = c->in.len > c->scanned ? memchr(c->in.data + c->scanned, '\n', c->in.len - c->scanned)
                                    : NULL;
        if (nl != NULL) {
            *ret = (size_t)(nl - c->in.data);
            c->scanned = *ret;
            return 0;
        }
        c->scanned = c->in.len;
        if (c->in.len > MAX_ANSWER)
            return err_set(err, ERR_CORRUPT, "the daemon's answer is too long");
        n = recv(c->fd, buf_reserve(&c->in, READ_SIZE), READ_SIZE, 0);
        if (n > 0) {
            c->in.len += (size_t)n;
            c->in.data[c->in.len] = '\0';
        } else if (n == 0 || errno == ECONNRESET) {
            return gone(err);
        } else if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
            return err_sys(err, "can't read from the daemon");
        } else if (wait_for(c, POLLIN, deadline, err) != 0) {
            return -1;
        }
    }
}

static int read_message(struct ipc_client *c, int64_t deadline, struct json_object **ret,
                        struct ct_err *err)
{
    size_t n = 0;
    int rc;

    if (read_line(c, deadline, &n, err) != 0)
        return -1;
    rc = jdoc_parse(c->in.data, n, ret, err);
    buf_consume(&c->in, n + 1);
    c->scanned = 0;
    if (rc != 0)
        return err_prefix(err, "the daemon's answer");
    return 0;
}

static int is_event(const struct json_object *o)
{
    const char *method = jdoc_str(o, "method");

    return method != NULL && strcmp(method, "event") == 0;
}

static int keep_event(struct ipc_client *c, const struct json_object *o, struct ct_err *err)
{
    struct json_object *event = jdoc_obj(o, "params");

    if (event == NULL)
        return 0;
    if (json_object_array_length(c->events) >= MAX_EVENTS)
        return err_set(err, ERR_FAIL, "the daemon sends too many events");
    json_object_array_add(c->events, json_object_get(event));
    return 0;
}

/*
 * Return 1 if ${o} answers the call ${id} well, with the result in ${ret}; -1 if it is its error; 0
 * if it is something else.  An error without id is for whoever has a call under way.
 */
static int is_answer(const struct json_object *o, int64_t id, struct json_object **ret,
                     struct ct_err *err)
{
    const struct json_object *error = jdoc_obj(o, "error");
    struct json_object *result;

    if (error != NULL && (!jdoc_has(o, "id") || jdoc_int(o, "id", 0) == id)) {
        ipc_message_error_read(error, err);
        return -1;
    }
    if (jdoc_int(o, "id", 0) != id || !json_object_object_get_ex(o, "result", &result))
        return 0;
    *ret = json_object_get(result);
    return 1;
}

int ipc_client_call(struct ipc_client *c, const char *method, struct json_object *params,
                    int64_t timeout_ms, struct json_object **ret, struct ct_err *err)
{
    int64_t deadline = timeout_ms > 0 ? now_mono_ms() + timeout_ms : 0;
    struct ct_err scratch;
    struct json_object *o = ipc_message_call(++c->last_id, method, params);
    struct buf line = {0};
    int rc;

    if (err == NULL)
        err = &scratch;
    buf_addstr(&line, jdoc_text(o));
    buf_addc(&line, '\n');
    json_object_put(o);
    rc = send_all(c, line.data, line.len, deadline, err);
    buf_free(&line);
    if (rc != 0)
        return -1;
    for (rc = 0; rc == 0;) {
        if (read_message(c, deadline, &o, err) != 0)
            return -1;
        if (is_event(o))
            rc = keep_event(c, o, err);
        else
            rc = is_answer(o, c->last_id, ret, err);
        json_object_put(o);
    }
    return rc > 0 ? 0 : -1;
}

static struct json_object *next_kept(struct ipc_client *c)
{
    size_t n = json_object_array_length(c->events);
    struct json_object *event;

    if (c->n_taken >= n)
        return NULL;
    event = json_object_get(json_object_array_get_idx(c->events, c->n_taken++));
    if (c->n_taken == n) {
        json_object_put(c->events);
        c->events = json_object_new_array();
        c->n_taken = 0;
    }
    return event;
}

int ipc_client_event(struct ipc_client *c, int64_t timeout_ms, struct json_object **ret,
                     struct ct_err *err)
{
    int64_t deadline = timeout_ms > 0 ? now_mono_ms() + timeout_ms : 0;
    struct json_object *o, *event;

    while ((event = next_kept(c)) == NULL) {
        if (read_message(c, deadline, &o, err) != 0)
            return -1;
        if (is_event(o) && keep_event(c, o, err) != 0) {
            json_object_put(o);
            return -1;
        }
        json_object_put(o);
    }
    *ret = event;
    return 0;
}

#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/now.h"
#include "common/base/str.h"

#include "server/web/web_impl.h"

#define MAX_LOOPS 4 /* threads that move bytes */
#define QUIET_WORKERS 4
#define DRAIN_BYTES \
    (8 * 1024 * 1024) /* of a refused body, read so that its sender gets to listen */
#define TLS_PRIORITIES "SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:%SERVER_PRECEDENCE"

static enum MHD_Result queue(struct web_req *r)
{
    enum MHD_Result ok;

    web_guard_transfer(&r->web->guard, r->guarded, now_mono_ms(), r->answer_bytes);
    if (atomic_load(&r->web->is_quiet))
        MHD_add_response_header(r->response, "Connection", "close");
    ok = MHD_queue_response(r->con, (unsigned int)r->status, r->response);
    r->queued = ok == MHD_YES;
    return ok;
}

/*
 * A refused body is read to its end, if that is near: closing a connection with unread data resets
 * it, and the sender might never see why.  Who waits for "100 Continue" has sent nothing yet.
 */
static int can_answer_now(struct web_req *r)
{
    int64_t n = web_length(r);

    if (n == 0 || (n < 0 && web_header(r, "Transfer-Encoding") == NULL))
        return 1;
    return web_header(r, "Expect") != NULL || n > DRAIN_BYTES;
}

static int has_body(struct web_req *r)
{
    return web_length(r) > 0 || web_header(r, "Transfer-Encoding") != NULL;
}

/* Is there nothing to come that has to be waited for? */
static int is_whole(struct web_req *r)
{
    return r->job == WEB_END || (r->job == WEB_BEGIN && !has_body(r)) ||
           (r->job == WEB_BODY && r->received == web_length(r));
}

/* In a thread of the pool, which goes on with what follows as far as that is there. */
static void run(struct web_req *r)
{
    const struct web_handler *h = &r->web->handler;

    if (r->job == WEB_BEGIN)
        h->begin(h->arg, r);
    else if (r->job == WEB_BODY)
        h->body(h->arg, r, r->piece, r->piece_len);
    else if (r->job == WEB_READ)
        web_req_read(r);
    if (!web_answered(r) && is_whole(r)) {
        r->ended = 1;
        h->end(h->arg, r);
    }
    MHD_resume_connection(r->con);
}

static enum MHD_Result hand_over(struct web_req *r, enum web_job job)
{
    r->job = job;
    /* What is consumed is not offered again. */
    r->was_resumed = job != WEB_BODY;
    return web_pool_add(&r->web->pool, r) == 0 ? MHD_YES : MHD_NO;
}

static enum MHD_Result begin(struct web_req *r, const char *method, const char *version)
{
    const struct web_handler *h = &r->web->handler;
    int fault;

    r->begun = 1;
    r->method = method;
    r->started_ms = now_mono_ms();
    atomic_fetch_add(&r->web->active, 1);
    web_guard_transfer(&r->web->guard, r->guarded, r->started_ms, 0);
    fault = web_req_check(r, version);
    if (fault != 0) {
        /* Where its body ends is in doubt: answering now makes the library close the connection. */
        h->fault(h->arg, r, fault);
        return queue(r);
    }
    return hand_over(r, WEB_BEGIN);
}

static enum MHD_Result piece(struct web_req *r, const char *p, size_t n)
{
    const struct web_handler *h = &r->web->handler;

    r->received += (int64_t)n;
    web_guard_transfer(&r->web->guard, r->guarded, r->started_ms, r->received);
    if (web_answered(r))
        return r->received > DRAIN_BYTES ? MHD_NO : MHD_YES;
    if (!h->body_blocks) {
        h->body(h->arg, r, p, n);
        return MHD_YES;
    }
    if (n > r->piece_cap) {
        free(r->piece);
        r->piece = str_calloc(1, n);
        r->piece_cap = n;
    }
    memcpy(r->piece, p, n);
    r->piece_len = n;
    return hand_over(r, WEB_BODY);
}

/*
 * The library calls this for the head, for each piece of the body, and at the end, always from the
 * thread of the connection's loop.  If the connection was suspended in a call that took nothing,
 * the same call comes again.
 */
static enum MHD_Result on_request(void *cls, struct MHD_Connection *con, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *size, void **req_cls)
{
    struct web_req *r = *req_cls;
    const struct web_handler *h = &r->web->handler;

    (void)cls;
    (void)con;
    (void)url;
    if (!r->begun)
        return begin(r, method, version);
    if (r->was_resumed && r->job == WEB_BEGIN) {
        r->was_resumed = 0;
        /* Answered in this call the library would close the connection. */
        return has_body(r) && web_answered(r) && can_answer_now(r) ? queue(r) : MHD_YES;
    }
    if (*size > 0) {
        size_t n = *size;
        *size = 0;
        return piece(r, data, n);
    }
    if (r->queued)
        return MHD_YES;
    if (!web_answered(r) && !r->ended)
        return hand_over(r, WEB_END);
    if (!web_answered(r))
        h->fault(h->arg, r, 500);
    return queue(r);
}

static void *on_uri(void *cls, const char *uri, struct MHD_Connection *con)
{
    return web_req_new(cls, con, uri);
}

static void trace(struct web_req *r, enum MHD_RequestTerminationCode code)
{
    int64_t ms = now_mono_ms() - r->started_ms;
    int status = r->queued ? r->status : 0;
    char method[16];

    web_stats_request(r->web->stats, status, ms, r->received, r->answer_bytes);
    log_info("request listener=%s client=%s%s method=%s route=%s status=%d in=%lld out=%lld "
             "ms=%lld%s",
             r->web->name, r->client, r->note != NULL ? r->note : "",
             log_quote(r->method, method, sizeof(method)), r->route, status, (long long)r->received,
             (long long)r->answer_bytes, (long long)ms,
             code == MHD_REQUEST_TERMINATED_COMPLETED_OK ? "" : " broken=1");
}

static void on_completed(void *cls, struct MHD_Connection *con, void **req_cls,
                         enum MHD_RequestTerminationCode code)
{
    struct web *w = cls;
    struct web_req *r = *req_cls;

    (void)con;
    if (r == NULL)
        return;
    *req_cls = NULL;
    if (r->begun) {
        w->handler.done(w->handler.arg, r);
        if (w->stats != NULL)
            trace(r, code);
        atomic_fetch_sub(&w->active, 1);
    }
    web_guard_idle(&w->guard, r->guarded, r->is_known);
    web_req_free(r);
}

static void on_connection(void *cls, struct MHD_Connection *con, void **socket_context,
                          enum MHD_ConnectionNotificationCode code)
{
    struct web *w = cls;

    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        int fd = MHD_get_connection_info(con, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
        const union MHD_ConnectionInfo *peer =
            MHD_get_connection_info(con, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
        *socket_context = web_guard_add(&w->guard, fd, peer->client_addr);
    } else {
        web_guard_remove(&w->guard, *socket_context);
        *socket_context = NULL;
    }
}

static enum MHD_Result on_accept(void *cls, const struct sockaddr *sa, socklen_t n)
{
    struct web *w = cls;

    (void)n;
    return web_guard_admits(&w->guard, sa) ? MHD_YES : MHD_NO;
}

/* Paths and queries are decoded by those who know what they mean. */
static size_t no_unescape(void *cls, struct MHD_Connection *con, char *s)
{
    (void)cls;
    (void)con;
    return strlen(s);
}

static void on_log(void *cls, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));

/* Kept for the error of a start that failed; what the library says later may quote a request. */
static void on_log(void *cls, const char *fmt, va_list ap)
{
    struct web *w = cls;

    if (w->daemon == NULL && w->start_error[0] == '\0') {
        vsnprintf(w->start_error, sizeof(w->start_error), fmt, ap);
        w->start_error[strcspn(w->start_error, "\n")] = '\0';
    }
}

static unsigned int loops(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);

    return n < 1 ? 1 : n > MAX_LOOPS ? MAX_LOOPS : (unsigned int)n;
}

static struct MHD_Daemon *start_daemon(struct web *w, const struct web_config *c, int fd)
{
    unsigned int flags =
        MHD_USE_INTERNAL_POLLING_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
    struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)(uintptr_t)c->cert_pem},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)c->key_pem},
        {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)TLS_PRIORITIES},
        {MHD_OPTION_END, 0, NULL},
    };
    struct MHD_OptionItem none[] = {{MHD_OPTION_END, 0, NULL}};

    /* With epoll the library asks again and again, without a pause, for the rest of a handshake. */
    flags |= c->cert_pem != NULL ? MHD_USE_TLS | MHD_USE_POLL : MHD_USE_AUTO;
    /* Each loop has its share of the library's limit; ours is the guard's. */
    return MHD_start_daemon(
        flags, 0, on_accept, w, on_request, w, MHD_OPTION_EXTERNAL_LOGGER, on_log, w,
        MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_URI_LOG_CALLBACK, on_uri, w,
        MHD_OPTION_UNESCAPE_CALLBACK, no_unescape, w, MHD_OPTION_NOTIFY_COMPLETED, on_completed, w,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, w, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)c->memory, MHD_OPTION_THREAD_POOL_SIZE, loops(), MHD_OPTION_CONNECTION_LIMIT,
        ((unsigned int)c->max_connections + 16) * loops(), MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned int)c->stall_s, MHD_OPTION_STRICT_FOR_CLIENT, 0,
        MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_ARRAY, c->cert_pem != NULL ? tls : none,
        MHD_OPTION_END);
}

int web_start(const struct web_config *c, const struct web_handler *handler, struct web **ret,
              struct ct_err *err)
{
    struct web *w = str_calloc(1, sizeof(*w));
    struct sockaddr_storage ss;
    socklen_t ss_len = sizeof(ss);
    int fd;

    w->handler = *handler;
    w->name = c->name;
    w->stats = c->stats;
    w->is_unix =
        getsockname(c->fd, (struct sockaddr *)&ss, &ss_len) == 0 && ss.ss_family == AF_UNIX;
    /* The library closes what it is given. */
    fd = fcntl(c->fd, F_DUPFD_CLOEXEC, 0);
    if (fd < 0) {
        err_sys(err, "can't duplicate the listening socket");
        goto err0;
    }
    if (web_guard_start(&w->guard, c) != 0) {
        err_sys(err, "can't start a thread");
        goto err1;
    }
    errno = web_pool_start(&w->pool, c->workers, run);
    if (errno != 0) {
        err_sys(err, "can't start %d threads", c->workers);
        goto err2;
    }
    w->daemon = start_daemon(w, c, fd);
    if (w->daemon == NULL) {
        err_set(err, ERR_FAIL, "can't start the %s listener: %s", c->name,
                w->start_error[0] != '\0' ? w->start_error : "libmicrohttpd gives no reason");
        goto err3;
    }
    *ret = w;
    return 0;

err3:
    web_pool_stop(&w->pool);
err2:
    web_guard_stop(&w->guard);
err1:
    close(fd);
err0:
    free(w);
    return -1;
}

void web_quiesce(struct web *w)
{
    int fd = MHD_quiesce_daemon(w->daemon);

    atomic_store(&w->is_quiet, 1);
    web_pool_shrink(&w->pool, QUIET_WORKERS);
    if (fd >= 0)
        close(fd);
}

int64_t web_waits_ms(struct web *w)
{
    return web_pool_waits_ms(&w->pool);
}

int web_active(struct web *w)
{
    return atomic_load(&w->active);
}

int web_connections(struct web *w)
{
    return web_guard_count(&w->guard);
}

/* The pool first: the library does not end while a connection is suspended. */
void web_stop(struct web *w)
{
    if (w == NULL)
        return;
    web_pool_stop(&w->pool);
    MHD_stop_daemon(w->daemon);
    web_guard_stop(&w->guard);
    free(w);
}

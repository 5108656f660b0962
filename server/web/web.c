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

#define MEMORY_PER_CONNECTION (64 * 1024) /* request line, headers and one piece of a body */
#define STACK_BYTES (512 * 1024)
#define DRAIN_BYTES \
    (8 * 1024 * 1024) /* of a refused body, read so that its sender gets to listen */
#define TLS_PRIORITIES "SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:%SERVER_PRECEDENCE"

static enum MHD_Result queue(struct web_req *r)
{
    enum MHD_Result ok;

    web_guard_transfer(&r->web->guard, r->guarded, now_mono_ms(), r->answer_bytes);
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
    h->begin(h->arg, r);
    return web_answered(r) && can_answer_now(r) ? queue(r) : MHD_YES;
}

static enum MHD_Result piece(struct web_req *r, const char *p, size_t n)
{
    const struct web_handler *h = &r->web->handler;

    r->received += (int64_t)n;
    web_guard_transfer(&r->web->guard, r->guarded, r->started_ms, r->received);
    if (web_answered(r))
        return r->received > DRAIN_BYTES ? MHD_NO : MHD_YES;
    h->body(h->arg, r, p, n);
    return MHD_YES;
}

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
    if (*size > 0) {
        size_t n = *size;
        *size = 0;
        return piece(r, data, n);
    }
    if (r->queued)
        return MHD_YES;
    if (!web_answered(r))
        h->end(h->arg, r);
    if (!web_answered(r))
        h->fault(h->arg, r, 500);
    return queue(r);
}

static void *on_uri(void *cls, const char *uri, struct MHD_Connection *con)
{
    return web_req_new(cls, con, uri);
}

static void on_completed(void *cls, struct MHD_Connection *con, void **req_cls,
                         enum MHD_RequestTerminationCode code)
{
    struct web *w = cls;
    struct web_req *r = *req_cls;
    char method[16];

    (void)con;
    if (r == NULL)
        return;
    *req_cls = NULL;
    if (r->begun) {
        w->handler.done(w->handler.arg, r);
        log_info("request listener=%s client=%s method=%s route=%s status=%d in=%lld out=%lld "
                 "ms=%lld%s",
                 w->name, r->client, log_quote(r->method, method, sizeof(method)), r->route,
                 r->queued ? r->status : 0, (long long)r->received, (long long)r->answer_bytes,
                 (long long)(now_mono_ms() - r->started_ms),
                 code == MHD_REQUEST_TERMINATED_COMPLETED_OK ? "" : " broken=1");
        atomic_fetch_sub(&w->active, 1);
    }
    web_guard_idle(&w->guard, r->guarded);
    web_req_free(r);
}

static void on_connection(void *cls, struct MHD_Connection *con, void **socket_context,
                          enum MHD_ConnectionNotificationCode code)
{
    struct web *w = cls;

    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        const union MHD_ConnectionInfo *info =
            MHD_get_connection_info(con, MHD_CONNECTION_INFO_CONNECTION_FD);
        *socket_context = web_guard_add(&w->guard, info->connect_fd);
    } else {
        web_guard_remove(&w->guard, *socket_context);
        *socket_context = NULL;
    }
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

static struct MHD_Daemon *start_daemon(struct web *w, const struct web_config *c, int fd)
{
    unsigned int flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION |
                         MHD_USE_POLL | MHD_USE_ITC | MHD_USE_ERROR_LOG;
    struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)(uintptr_t)c->cert_pem},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)c->key_pem},
        {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)TLS_PRIORITIES},
        {MHD_OPTION_END, 0, NULL},
    };
    struct MHD_OptionItem none[] = {{MHD_OPTION_END, 0, NULL}};

    if (c->cert_pem != NULL)
        flags |= MHD_USE_TLS;
    return MHD_start_daemon(
        flags, 0, NULL, NULL, on_request, w, MHD_OPTION_EXTERNAL_LOGGER, on_log, w,
        MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_URI_LOG_CALLBACK, on_uri, w,
        MHD_OPTION_UNESCAPE_CALLBACK, no_unescape, w, MHD_OPTION_NOTIFY_COMPLETED, on_completed, w,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, w, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)MEMORY_PER_CONNECTION, MHD_OPTION_THREAD_STACK_SIZE, (size_t)STACK_BYTES,
        MHD_OPTION_CONNECTION_LIMIT, c->max_connections, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
        c->max_per_address, MHD_OPTION_CONNECTION_TIMEOUT, c->idle_s, MHD_OPTION_STRICT_FOR_CLIENT,
        0, MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_ARRAY, c->cert_pem != NULL ? tls : none,
        MHD_OPTION_END);
}

int web_start(const struct web_config *c, const struct web_handler *handler, struct web **ret,
              struct ct_err *err)
{
    struct web *w = str_calloc(1, sizeof(*w));
    int fd;

    w->handler = *handler;
    w->name = c->name;
    /* The library closes what it is given. */
    fd = fcntl(c->fd, F_DUPFD_CLOEXEC, 0);
    if (fd < 0) {
        err_sys(err, "can't duplicate the listening socket");
        goto err0;
    }
    if (web_guard_start(&w->guard, c->idle_s) != 0) {
        err_sys(err, "can't start a thread");
        goto err1;
    }
    w->daemon = start_daemon(w, c, fd);
    if (w->daemon == NULL) {
        err_set(err, ERR_FAIL, "can't start the %s listener: %s", c->name,
                w->start_error[0] != '\0' ? w->start_error : "libmicrohttpd gives no reason");
        goto err2;
    }
    *ret = w;
    return 0;

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

    if (fd >= 0)
        close(fd);
}

int web_active(struct web *w)
{
    return atomic_load(&w->active);
}

int web_connections(struct web *w)
{
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(w->daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS);

    return info != NULL ? (int)info->num_connections : 0;
}

void web_stop(struct web *w)
{
    if (w == NULL)
        return;
    MHD_stop_daemon(w->daemon);
    web_guard_stop(&w->guard);
    free(w);
}

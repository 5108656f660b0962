#include <sys/statvfs.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/log.h"
#include "common/base/now.h"
#include "common/base/str.h"

#include "server/serve/metrics.h"
#include "server/web/web.h"

#define PREFIX "codeteleport_"
#define LISTENERS 3
#define TYPE "text/plain; version=0.0.4; charset=utf-8"

struct metrics {
    int fd;
    char *url;
    char *data; /* folder */
    struct ledger *ledger;
    const struct web_stats *stats[LISTENERS];
    struct web *web;
};

static const char *const listeners[LISTENERS] = {"api", "objects", "share"};

static void family(struct buf *b, const char *name, const char *type, const char *help)
{
    buf_printf(b, "# HELP " PREFIX "%s %s\n# TYPE " PREFIX "%s %s\n", name, help, name, type);
}

static void number(struct buf *b, const char *name, const char *type, const char *help, int64_t n)
{
    family(b, name, type, help);
    buf_printf(b, PREFIX "%s %lld\n", name, (long long)n);
}

/* A number of each listener, at ${offset} of its stats. */
static void of_listeners(struct metrics *m, struct buf *b, const char *name, const char *type,
                         const char *help, size_t offset)
{
    family(b, name, type, help);
    for (int i = 0; i < LISTENERS; i++) {
        const _Atomic int64_t *n =
            (const _Atomic int64_t *)(const void *)((const char *)m->stats[i] + offset);
        buf_printf(b, PREFIX "%s{listener=\"%s\"} %lld\n", name, listeners[i],
                   (long long)atomic_load(n));
    }
}

static void requests(struct metrics *m, struct buf *b)
{
    family(b, "requests_total", "counter",
           "Requests by the hundred of their status; none: broken.");
    for (int i = 0; i < LISTENERS; i++) {
        for (int k = 0; k < WEB_STATS_CLASSES; k++) {
            char code[8] = "none";
            if (k > 0)
                snprintf(code, sizeof(code), "%dxx", k);
            buf_printf(b, PREFIX "requests_total{listener=\"%s\",code=\"%s\"} %lld\n", listeners[i],
                       code, (long long)atomic_load(&m->stats[i]->requests[k]));
        }
    }
}

static void latency(struct metrics *m, struct buf *b)
{
    family(b, "request_seconds", "histogram", "How long requests took, with their bodies.");
    for (int i = 0; i < LISTENERS; i++) {
        int64_t n = 0;
        for (int k = 0; k < WEB_STATS_TIMES; k++) {
            char le[24] = "+Inf";
            n += atomic_load(&m->stats[i]->times[k]);
            if (k < WEB_STATS_TIMES - 1)
                snprintf(le, sizeof(le), "%g", (double)web_stats_ms[k] / 1000);
            buf_printf(b, PREFIX "request_seconds_bucket{listener=\"%s\",le=\"%s\"} %lld\n",
                       listeners[i], le, (long long)n);
        }
        buf_printf(b,
                   PREFIX "request_seconds_sum{listener=\"%s\"} %.3f\n" PREFIX
                          "request_seconds_count{listener=\"%s\"} %lld\n",
                   listeners[i], (double)atomic_load(&m->stats[i]->ms) / 1000, listeners[i],
                   (long long)n);
    }
}

static void disk(struct metrics *m, struct buf *b)
{
    struct statvfs v;

    if (statvfs(m->data, &v) != 0)
        return;
    number(b, "disk_bytes", "gauge", "Size of the disk of the data folder.",
           (int64_t)v.f_blocks * (int64_t)v.f_frsize);
    number(b, "disk_free_bytes", "gauge", "What is free of it for the server.",
           (int64_t)v.f_bavail * (int64_t)v.f_frsize);
}

static void of_state(void *arg, const char *state, int64_t n, int64_t bytes)
{
    struct buf *both = arg;

    buf_printf(&both[0], PREFIX "versions{state=\"%s\"} %lld\n", state, (long long)n);
    buf_printf(&both[1], PREFIX "stored_bytes{state=\"%s\"} %lld\n", state, (long long)bytes);
}

static int stored(struct metrics *m, struct buf *b, struct ct_err *err)
{
    int64_t now_ms = now_wall_ms();
    struct ledger_totals t;
    struct buf both[2] = {{0}, {0}};
    int rc;

    family(&both[0], "versions", "gauge", "Versions by their state: trash is what can come back.");
    family(&both[1], "stored_bytes", "gauge", "Bytes by the state of their versions.");
    rc = ledger_totals(m->ledger, &t, of_state, both, err);
    if (rc == 0) {
        number(b, "users", "gauge", "Accounts.", t.users);
        number(b, "users_disabled", "gauge", "Accounts that are disabled.", t.disabled);
        number(b, "sessions", "gauge", "Sessions that are listed.", t.sessions);
        buf_add(b, both[0].data, both[0].len);
        buf_add(b, both[1].data, both[1].len);
        number(b, "purge_lag_seconds", "gauge", "Since when the oldest thing that is to go is due.",
               t.due_ms > 0 && t.due_ms < now_ms ? (now_ms - t.due_ms) / 1000 : 0);
    }
    buf_free(&both[0]);
    buf_free(&both[1]);
    return rc;
}

#define AT(member) offsetof(struct web_stats, member)

static void answer(struct metrics *m, struct web_req *r)
{
    struct buf b = {0};
    struct ct_err err;

    family(&b, "build_info", "gauge", "The version of the server.");
    buf_addstr(&b, PREFIX "build_info{version=\"" PACKAGE_VERSION "\"} 1\n");
    requests(m, &b);
    latency(m, &b);
    of_listeners(m, &b, "received_bytes_total", "counter", "Bytes of requests' bodies.",
                 AT(received));
    of_listeners(m, &b, "sent_bytes_total", "counter", "Bytes of answers' bodies.", AT(sent));
    of_listeners(m, &b, "connections", "gauge", "Connections that are open.", AT(connections));
    of_listeners(m, &b, "connections_refused_total", "counter",
                 "Connections that were refused, for there were too many.", AT(refused));
    disk(m, &b);
    /* What can be told is told. */
    if (stored(m, &b, &err) != 0)
        log_error("metrics-incomplete error=\"%s\"", err.msg);
    web_answer(r, 200, TYPE, b.data, b.len);
    buf_free(&b);
}

static void begin(void *arg, struct web_req *r)
{
    const char *method = web_method(r);

    web_set_route(r, "/metrics");
    if (strcmp(web_target(r), "/metrics") != 0) {
        web_answer(r, 404, "text/plain", "there is only /metrics\n", 23);
    } else if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0) {
        web_answer_header(r, "Allow", "GET, HEAD");
        web_answer(r, 405, "text/plain", "GET only\n", 9);
    } else {
        answer(arg, r);
    }
}

static void body(void *arg, struct web_req *r, const void *p, size_t n)
{
    (void)arg;
    (void)r;
    (void)p;
    (void)n;
}

static void end(void *arg, struct web_req *r)
{
    (void)arg;
    web_answer(r, 400, "text/plain", "no body is wanted\n", 18);
}

static void done(void *arg, struct web_req *r)
{
    (void)arg;
    (void)r;
}

static void fault(void *arg, struct web_req *r, int status)
{
    (void)arg;
    web_answer(r, status, "text/plain", "no\n", 3);
}

int metrics_start(const struct settings *s, struct ledger *ledger, const struct web_stats *api,
                  const struct web_stats *objects, const struct web_stats *share,
                  struct metrics **ret, struct ct_err *err)
{
    struct metrics *m;
    struct web_handler handler = {NULL, 0, begin, body, end, done, fault, NULL};
    struct web_config config = {
        .name = "metrics", .max_connections = 16, .stall_s = 10, .memory = 8192, .workers = 1};
    int port;

    *ret = NULL;
    if (s->metrics == NULL)
        return 0;
    m = str_calloc(1, sizeof(*m));
    m->ledger = ledger;
    m->data = str_dup(s->data);
    m->stats[0] = api;
    m->stats[1] = objects;
    m->stats[2] = share;
    if (web_listen(s->metrics, &m->fd, &port, err) != 0)
        goto err0;
    handler.arg = m;
    config.fd = m->fd;
    if (web_start(&config, &handler, &m->web, err) != 0)
        goto err1;
    m->url = str_printf("http://%.*s:%d/metrics", (int)(strrchr(s->metrics, ':') - s->metrics),
                        s->metrics, port);
    *ret = m;
    return 0;

err1:
    close(m->fd);
err0:
    free(m->data);
    free(m);
    return err_prefix(err, "metrics");
}

const char *metrics_url(const struct metrics *m)
{
    return m->url;
}

void metrics_stop(struct metrics *m)
{
    if (m == NULL)
        return;
    web_stop(m->web);
    close(m->fd);
    free(m->url);
    free(m->data);
    free(m);
}

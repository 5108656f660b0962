#include <sys/queue.h>

#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "common/base/now.h"
#include "common/sys/secret.h"
#include "common/base/str.h"
#include "net/throttle.h"

#include "net/http_call.h"

struct http_call {
    TAILQ_ENTRY(http_call) link;
    struct http_engine *engine;
    struct http_exchange x;
    int is_paused; /* for the upload rate's sake */
    void (*done)(void *arg, const struct http_res *res, const struct ct_err *err);
    void *arg;
};

/* One socket that curl wants to be told about. */
struct sock {
    LIST_ENTRY(sock) link;
    struct event *ev;
    struct http_engine *engine;
};

struct http_engine {
    struct event_base *base;
    CURLM *multi;
    struct event *timer;
    struct http_policy policy;
    struct throttle pace;
    struct event *pacer; /* lets those go on that were paused */
    TAILQ_HEAD(, http_call) calls;
    LIST_HEAD(, sock) socks;
};

static void call_free(struct http_call *c)
{
    TAILQ_REMOVE(&c->engine->calls, c, link);
    curl_multi_remove_handle(c->engine->multi, c->x.easy);
    http_exchange_clear(&c->x);
    free(c);
}

static void finish(struct http_call *c, CURLcode code)
{
    struct ct_err err = {0};

    if (http_exchange_end(&c->x, code, &err) == 0)
        c->done(c->arg, &c->x.res, NULL);
    else
        c->done(c->arg, NULL, &err);
    call_free(c);
}

/* After every action: libcurl says only here that a transfer ended.  With it ends what the stack
 * may hold of its token. */
static void drain(struct http_engine *e)
{
    CURLMsg *m;
    int left, any = 0;

    while ((m = curl_multi_info_read(e->multi, &left)) != NULL) {
        struct http_call *c;
        if (m->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&c);
        finish(c, m->data.result);
        any = 1;
    }
    if (any)
        secret_clear_stack();
}

static void on_socket_event(evutil_socket_t fd, short what, void *arg)
{
    struct sock *s = arg;
    struct http_engine *e = s->engine;
    int flags = 0, running;

    if ((what & EV_READ) != 0)
        flags |= CURL_CSELECT_IN;
    if ((what & EV_WRITE) != 0)
        flags |= CURL_CSELECT_OUT;
    curl_multi_socket_action(e->multi, fd, flags, &running);
    drain(e);
}

static void on_timeout(evutil_socket_t fd, short what, void *arg)
{
    struct http_engine *e = arg;
    int running;

    (void)fd;
    (void)what;
    curl_multi_socket_action(e->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    drain(e);
}

static int on_curl_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *sockp)
{
    struct http_engine *e = arg;
    struct sock *s = sockp;
    short flags = EV_PERSIST;

    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (s != NULL) {
            LIST_REMOVE(s, link);
            event_free(s->ev);
            free(s);
        }
        return 0;
    }
    if (what != CURL_POLL_OUT)
        flags |= EV_READ;
    if (what != CURL_POLL_IN)
        flags |= EV_WRITE;
    if (s == NULL) {
        s = str_calloc(1, sizeof(*s));
        s->engine = e;
        LIST_INSERT_HEAD(&e->socks, s, link);
        curl_multi_assign(e->multi, fd, s);
    } else {
        event_free(s->ev);
    }
    s->ev = event_new(e->base, fd, flags, on_socket_event, s);
    if (s->ev == NULL || event_add(s->ev, NULL) != 0)
        abort();
    return 0;
}

/* Never call back into curl from here: 0 ms is a timer like any other. */
static int on_curl_timer(CURLM *multi, long timeout_ms, void *arg)
{
    struct http_engine *e = arg;
    struct timeval tv = {.tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000};

    (void)multi;
    if (timeout_ms < 0)
        evtimer_del(e->timer);
    else
        evtimer_add(e->timer, &tv);
    return 0;
}

/* ---- the upload rate, of all files together -----------------------------------------------------
 */

static int senders(const struct http_engine *e)
{
    const struct http_call *c;
    int n = 0;

    TAILQ_FOREACH(c, &e->calls, link)
    n += c->x.body_fd >= 0 && c->x.body_at < c->x.body_len;
    return n > 0 ? n : 1;
}

static size_t on_grant(void *arg, size_t want)
{
    static const struct timeval soon = {0, PACE_WAIT_MS * 1000};
    struct http_call *c = arg;
    struct http_engine *e = c->engine;
    size_t n = throttle_take(&e->pace, want, senders(e), now_mono_ms());

    if (n == 0) {
        c->is_paused = 1;
        /* Whoever got something last asks last. */
        TAILQ_REMOVE(&e->calls, c, link);
        TAILQ_INSERT_TAIL(&e->calls, c, link);
        evtimer_add(e->pacer, &soon);
    }
    return n;
}

static void on_pacer(evutil_socket_t fd, short what, void *arg)
{
    struct http_engine *e = arg;
    struct http_call *c;
    int n = 0;

    (void)fd;
    (void)what;
    TAILQ_FOREACH(c, &e->calls, link)
    n += c->is_paused;
    /* Going on may pause it anew, at the end of the list: each gets one turn. */
    for (; n > 0; n--) {
        TAILQ_FOREACH(c, &e->calls, link)
        {
            if (c->is_paused)
                break;
        }
        if (c == NULL)
            return;
        c->is_paused = 0;
        curl_easy_pause(c->x.easy, CURLPAUSE_CONT);
    }
}

static void multi_make(struct http_engine *e)
{
    e->multi = curl_multi_init();
    if (e->multi == NULL)
        abort();
    curl_multi_setopt(e->multi, CURLMOPT_SOCKETFUNCTION, on_curl_socket);
    curl_multi_setopt(e->multi, CURLMOPT_SOCKETDATA, e);
    curl_multi_setopt(e->multi, CURLMOPT_TIMERFUNCTION, on_curl_timer);
    curl_multi_setopt(e->multi, CURLMOPT_TIMERDATA, e);
    curl_multi_setopt(e->multi, CURLMOPT_MAXCONNECTS, 8L);
}

/* What curl did not say goodbye to. */
static void multi_end(struct http_engine *e)
{
    struct sock *s;

    curl_multi_cleanup(e->multi);
    while ((s = LIST_FIRST(&e->socks)) != NULL) {
        LIST_REMOVE(s, link);
        event_free(s->ev);
        free(s);
    }
    evtimer_del(e->timer);
}

int http_engine_new(struct event_base *base, const struct http_policy *policy,
                    struct http_engine **ret, struct ct_err *err)
{
    struct http_engine *e;

    if (http_library(err) != 0)
        return -1;
    e = str_calloc(1, sizeof(*e));
    TAILQ_INIT(&e->calls);
    LIST_INIT(&e->socks);
    e->base = base;
    e->timer = evtimer_new(base, on_timeout, e);
    e->pacer = evtimer_new(base, on_pacer, e);
    if (e->timer == NULL || e->pacer == NULL)
        abort();
    multi_make(e);
    http_engine_set_policy(e, policy);
    *ret = e;
    return 0;
}

static void policy_clear(struct http_policy *p)
{
    free((char *)(uintptr_t)p->ca_file);
    secret_free((char *)(uintptr_t)p->proxy);
}

void http_engine_set_policy(struct http_engine *e, const struct http_policy *policy)
{
    policy_clear(&e->policy);
    e->policy = *policy;
    e->policy.ca_file = policy->ca_file != NULL ? str_dup(policy->ca_file) : NULL;
    e->policy.proxy = secret_dup(policy->proxy);
    if (e->pace.rate != policy->max_upload_rate)
        throttle_set(&e->pace, policy->max_upload_rate, now_mono_ms());
}

void http_engine_rest(struct http_engine *e)
{
    if (!TAILQ_EMPTY(&e->calls))
        return;
    multi_end(e);
    multi_make(e);
}

void http_engine_free(struct http_engine *e)
{
    struct http_call *c;

    if (e == NULL)
        return;
    while ((c = TAILQ_FIRST(&e->calls)) != NULL)
        call_free(c);
    multi_end(e);
    event_free(e->timer);
    event_free(e->pacer);
    policy_clear(&e->policy);
    free(e);
}

int http_start(struct http_engine *e, const struct http_req *req,
               void (*done)(void *arg, const struct http_res *res, const struct ct_err *err),
               void *arg, struct http_call **ret, struct ct_err *err)
{
    struct http_call *c = str_calloc(1, sizeof(*c));

    if (http_exchange_init(&c->x, NULL, &e->policy, req, err) != 0) {
        free(c);
        return -1;
    }
    c->engine = e;
    c->done = done;
    c->arg = arg;
    c->x.grant = on_grant;
    c->x.grant_arg = c;
    curl_easy_setopt(c->x.easy, CURLOPT_PRIVATE, c);
    TAILQ_INSERT_TAIL(&e->calls, c, link);
    if (curl_multi_add_handle(e->multi, c->x.easy) != CURLM_OK)
        abort();
    *ret = c;
    return 0;
}

void http_cancel(struct http_call *c)
{
    call_free(c);
}

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "api/client.h"
#include "common/data/jdoc.h"
#include "common/base/log.h"
#include "common/base/now.h"
#include "common/base/str.h"
#include "daemon/account/pace.h"

#include "daemon/account/cloud.h"
#include "daemon/daemon.h"
#include "daemon/account/login_view.h"
#include "daemon/account/allowance.h"

/*
 * What the account's plan allows (GET /billing/usage): how many sessions, and how many versions of
 * each.  Asked for at log-in; again only while something waits for room in it.
 *
 * Once the server has refused a session that it does not know, the others of that kind wait
 * together: what is queued stays in the queue, for it may be fuller than what can be read by now,
 * and no more is bundled.  Sessions that it knows go on.
 */
#define ASK_MS (15LL * 60 * 1000)
#define BLIND_MS (60LL * 60 * 1000) /* how often to try when the server does not say how much */

#define NOTE "versions-per-session" /* in state, to go by until the server was asked */

struct allowance {
    struct daemon *d;
    struct http_call *call;
    struct api_request *request;
    struct event *timer;
    char name[64];
    int64_t versions; /* kept of each session, 0: not known */
    int is_full;
    struct ct_err err; /* what the server said then */
    int64_t tried_ms;  /* when one was tried last */
};

int64_t allowance_distance_ms(const struct allowance *p)
{
    const struct config *c = p->d->config;

    return pace_distance_ms(c->distance_ms, c->pace ? p->versions : 0);
}

static void arm(struct allowance *p)
{
    struct timeval tv = {.tv_sec = ASK_MS / 1000};

    if (p->is_full)
        evtimer_add(p->timer, &tv);
}

struct waiting {
    struct daemon *d;
    struct strlist ids;
};

static void collect(void *arg, const struct uploader_view *v)
{
    struct waiting *w = arg;
    const struct session *s = sessions_get(w->d, v->item->session_id);

    if (s != NULL && allowance_is_awaited(w->d, s))
        strlist_add(&w->ids, v->item->session_id);
}

/* Those that wait for room and are in the queue: try them, or (with ${err}) let them wait; but for
 * ${refused}, which is there to find out. */
static void with_queued(struct allowance *p, const char *refused, const struct ct_err *err)
{
    struct waiting w = {.d = p->d};

    uploader_each(p->d->books->uploader, collect, &w);
    for (size_t i = 0; i < w.ids.n; i++) {
        if (err == NULL)
            uploader_try_again(p->d->books->uploader, w.ids.v[i]);
        else if (strcmp(w.ids.v[i], refused) != 0)
            uploader_refuse(p->d->books->uploader, w.ids.v[i], err);
    }
    strlist_free(&w.ids);
}

void allowance_try(struct allowance *p)
{
    if (!p->is_full)
        return;
    p->tried_ms = now_mono_ms();
    with_queued(p, NULL, NULL);
    p->is_full = 0;
    evtimer_del(p->timer);
    bundler_run(p->d);
}

static void on_usage(void *arg, const struct http_res *res, const struct ct_err *net_err)
{
    struct allowance *p = arg;
    struct json_object *answer = NULL, *sessions;
    const char *name;
    char text[24];
    int64_t limit;
    struct ct_err err;

    (void)net_err;
    p->call = NULL;
    if (p->d->books == NULL || res == NULL || api_answer(res, &answer, &err) != 0) {
        arm(p); /* the others say what is wrong with the server */
        return;
    }
    name = jdoc_str(answer, "plan");
    snprintf(p->name, sizeof(p->name), "%s", name != NULL ? name : "");
    if (jdoc_int(answer, "versionsPerSession", 0) != p->versions) {
        p->versions = jdoc_int(answer, "versionsPerSession", 0);
        log_info("plan versions-per-session=%lld distance-ms=%lld", (long long)p->versions,
                 (long long)allowance_distance_ms(p));
        snprintf(text, sizeof(text), "%lld", (long long)p->versions);
        state_note(p->d->books->state, NOTE, text, NULL);
        sessions_set_clocks(p->d);
    }
    sessions = jdoc_obj(answer, "sessions");
    limit = jdoc_int(sessions, "limit", 0);
    if (p->is_full && (limit > 0 ? jdoc_int(sessions, "used", limit) < limit
                                 : now_mono_ms() - p->tried_ms >= BLIND_MS))
        allowance_try(p);
    arm(p);
    json_object_put(answer);
}

void allowance_ask(struct allowance *p)
{
    const struct cred *cred = login_view_cred(p->d->login);
    struct ct_err err;

    if (cred == NULL || p->d->books == NULL)
        return;
    if (p->call != NULL)
        http_cancel(p->call);
    p->call = NULL;
    api_request_free(p->request);
    api_request_new(cred->api_url, cred->token, "GET", "/billing/usage", NULL, &p->request);
    if (api_start(p->d->engine, p->request, on_usage, p, &p->call, &err) != 0) {
        p->call = NULL;
        arm(p);
    }
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    allowance_ask(arg);
}

int allowance_is_awaited(const struct daemon *d, const struct session *s)
{
    return d->allowance->is_full && !s->was_safe && cloud_has(d->cloud, s->id) != 1;
}

void allowance_refused(struct allowance *p, const char *session_id, const struct ct_err *err)
{
    const struct session *s = sessions_get(p->d, session_id);

    if (s == NULL || s->was_safe || cloud_has(p->d->cloud, session_id) == 1 || p->is_full)
        return;
    log_warn("plan-full error=\"%s\" action=wait", err->msg);
    p->is_full = 1;
    p->err = *err;
    if (p->tried_ms == 0)
        p->tried_ms = now_mono_ms();
    with_queued(p, session_id, err);
    arm(p);
}

const struct ct_err *allowance_why(const struct allowance *p)
{
    return p->is_full ? &p->err : NULL;
}

int64_t allowance_versions(const struct allowance *p, const char **ret_name)
{
    *ret_name = p->name;
    return p->versions;
}

void allowance_recall(struct allowance *p)
{
    char *text = state_noted(p->d->books->state, NOTE);
    unsigned long long versions;

    p->versions = 0;
    if (text != NULL && str_parse_u64(text, &versions) == 0 && versions < 1000000)
        p->versions = (int64_t)versions;
    free(text);
    sessions_set_clocks(p->d);
}

void allowance_forget(struct allowance *p)
{
    if (p->call != NULL)
        http_cancel(p->call);
    p->call = NULL;
    api_request_free(p->request);
    p->request = NULL;
    evtimer_del(p->timer);
    p->is_full = 0;
    p->tried_ms = 0;
}

struct allowance *allowance_new(struct daemon *d)
{
    struct allowance *p = str_calloc(1, sizeof(*p));

    p->d = d;
    p->timer = evtimer_new(d->base, on_timer, p);
    if (p->timer == NULL)
        abort();
    return p;
}

void allowance_free(struct allowance *p)
{
    if (p == NULL)
        return;
    allowance_forget(p);
    event_free(p->timer);
    free(p);
}

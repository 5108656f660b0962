#include <event2/bufferevent.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/str.h"

#include "ctctl/web/waits.h"

#define ASKINGS_MAX 12

void waits_drop(struct asking *a)
{
    struct asking **p = &a->site->askings;

    while (*p != a)
        p = &(*p)->next;
    *p = a->next;
    a->site->n_askings--;
    if (a->left != NULL)
        event_free(a->left);
    if (a->fd >= 0)
        close(a->fd);
    free(a);
}

/* Whoever asked is gone: a tab was closed, another page was chosen.  evhttp does not look for that
 * while it waits for our answer; the answer of an errand that was ended finds nobody. */
static void on_left(evutil_socket_t fd, short what, void *arg)
{
    struct asking *a = arg;

    (void)fd;
    (void)what;
    errand_stop(a->errand);
}

static void watch_for_leaving(struct asking *a)
{
    struct bufferevent *b = evhttp_connection_get_bufferevent(a->connection);

    if ((event_base_get_features(a->site->base) & EV_FEATURE_EARLY_CLOSE) == 0)
        return; /* then it ends by itself */
    a->left = event_new(a->site->base, bufferevent_getfd(b), EV_CLOSED, on_left, a);
    if (a->left != NULL)
        event_add(a->left, NULL);
}

/* The connection is no more. */
static void on_gone(struct evhttp_connection *connection, void *arg)
{
    struct asking *a = arg;

    (void)connection;
    errand_cancel(a->errand);
    waits_drop(a);
}

void waits_release(struct asking *a)
{
    evhttp_connection_set_closecb(a->connection, NULL, NULL);
}

void waits_begin(struct site *s, struct evhttp_request *req, const struct strlist *words,
                 const struct agent *agent, int fd, errand_f *f)
{
    struct asking *a = str_calloc(1, sizeof(*a));
    char **argv = str_calloc(words->n + 1, sizeof(*argv));
    struct ct_err e;
    int rc;

    a->site = s;
    a->req = req;
    a->connection = evhttp_request_get_connection(req);
    a->agent = agent;
    a->fd = fd;
    a->next = s->askings;
    s->askings = a;
    for (size_t i = 0; i < words->n; i++)
        argv[i] = words->v[i];
    if (s->n_askings++ >= ASKINGS_MAX)
        rc = err_set(&e, ERR_RETRY, "too much is asked at once; try again in a moment");
    else
        rc = errand_start(s->base, argv, fd, f, a, &a->errand, &e);
    if (rc == 0) {
        evhttp_connection_set_closecb(a->connection, on_gone, a);
        watch_for_leaving(a);
    } else {
        waits_drop(a);
        site_refuse(req, 503, &e);
    }
    free(argv);
}

void waits_close(struct site *s)
{
    for (struct asking *a = s->askings, *next; a != NULL; a = next) {
        next = a->next;
        waits_release(a);
        errand_cancel(a->errand);
        waits_drop(a);
    }
}

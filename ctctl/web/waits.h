#ifndef CTCTL_WEB_WAITS_H
#define CTCTL_WEB_WAITS_H

#include "agents/agent.h"
#include "common/base/strlist.h"
#include "ctctl/web/errand.h"
#include "ctctl/web/site_impl.h"

/* A request that waits for an errand. */
struct asking {
    struct site *site;
    struct evhttp_request *req;
    struct evhttp_connection *connection;
    struct errand *errand;
    struct event *left;        /* whoever asked has hung up */
    const struct agent *agent; /* whose the transcript is */
    int fd;                    /* where a transcript goes, or -1 */
    struct asking *next;
};

/**
 * waits_begin(s, req, words, agent, fd, f):
 * Answer ${req} when ctctl with ${words} has ended: ${f} gets the struct asking, calls
 * waits_release(), answers, and ends with waits_drop().  With ${fd}, not -1, which it takes, what
 * is printed goes there.  503 if too many wait.
 */
void waits_begin(struct site *s, struct evhttp_request *req, const struct strlist *words,
                 const struct agent *agent, int fd, errand_f *f);
void waits_release(struct asking *a);
void waits_drop(struct asking *a);

#endif

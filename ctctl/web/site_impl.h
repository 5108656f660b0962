#ifndef CTCTL_WEB_SITE_IMPL_H
#define CTCTL_WEB_SITE_IMPL_H

#include <event2/event.h>
#include <event2/http.h>

#include "common/base/uuid.h"
#include "ctctl/ctx/ctx.h"
#include "ctctl/web/crowd.h"
#include "ctctl/web/gate.h"

/* What the files of the site share. */

#define SITE_OPENED 8 /* transcripts; the one that was read longest ago is closed for the next */

struct site_opened {
    const struct agent *agent; /* whose it is */
    int fd;                    /* -1: none */
    int64_t handle;            /* what the page calls it */
    int64_t used;              /* the how manieth use of any of them */
};

struct asking; /* a request that waits for an errand */

struct site {
    struct ctx *c;
    struct event_base *base;
    struct evhttp *http;
    struct gate *gate;
    struct crowd *crowd;
    char *folder; /* the runtime folder */
    char *link;   /* the file that leads here; NULL once it was followed */
    struct event *idle, *signals[3];
    int idle_s;

    struct asking *askings;
    size_t n_askings;
    struct site_opened opened[SITE_OPENED];
    int64_t handles, uses;

    int is_used_twice;
};

/**
 * asks_do(s, req, path):
 * Answer a request for /api/..., which has passed the gate.
 */
void asks_do(struct site *s, struct evhttp_request *req, const char *path);

/**
 * asks_close(s):
 * End what was begun: errands and open transcripts.
 */
void asks_close(struct site *s);

/**
 * site_answer(req, code, o), site_refuse(req, code, err):
 * Answer with JSON; with {"error": {"code", "message"}}.  ${o} stays the caller's.
 */
void site_answer(struct evhttp_request *req, int code, struct json_object *o);
void site_refuse(struct evhttp_request *req, int code, const struct ct_err *err);

/**
 * site_send(req, code, type, b):
 * Answer with ${b}, which is drained, and the headers that every answer has.
 */
void site_send(struct evhttp_request *req, int code, const char *type, struct evbuffer *b);

#endif

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
 * asks_is_id(s), asks_is_number(s):
 * Return whether it is an id or its beginning, also of a sealed one; a number that counts
 * something.
 *
 * asks_begin_words(s, words):
 * Begin the command line of an errand.
 */
int asks_is_id(const char *s);
int asks_is_number(const char *s);
struct strlist;
void asks_begin_words(const struct site *s, struct strlist *words);

/**
 * reads_open(s, req, query), reads_parts(...), reads_turns(...), reads_image(...):
 * Open a transcript: what is here, else the newest in the cloud, or a version, or a part that is
 * here; say which parts there are; tell a piece of an open one; give a picture of it.
 *
 * reads_close(s):
 * Close them.
 */
struct evkeyvalq;
void reads_open(struct site *s, struct evhttp_request *req, const struct evkeyvalq *query);
void reads_parts(struct site *s, struct evhttp_request *req, const struct evkeyvalq *query);
void reads_turns(struct site *s, struct evhttp_request *req, const struct evkeyvalq *query);
void reads_image(struct site *s, struct evhttp_request *req, const struct evkeyvalq *query);
void reads_close(struct site *s);

/**
 * waits_close(s):
 * Nobody waits for an errand any more.
 */
void waits_close(struct site *s);

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

#ifndef CTCTL_CLOUD_HEADS_H
#define CTCTL_CLOUD_HEADS_H

#include <json-c/json.h>

#include "ctctl/cloud/copy.h"
#include "ctctl/ctx/ctx.h"

/*
 * What several machines made of one session, each without the others: the current version, those
 * beside it that no other one contains, and what is pinned because it held more.  Only a server of
 * ours names any.
 */
struct head {
    int64_t version;
    int is_current;
    int is_pinned;            /* a later version builds on it, and held less */
    struct json_object *item; /* its row of the list of versions, opened */

    int is_known;     /* it was fetched and opened: */
    struct copy copy; /*   what is in it */
    struct copy_source source;
    struct ct_err err; /* else why it can't be looked into; no message: it was not tried */

    /* What it has that something else lacks (heads_judge()). */
    size_t messages, records, files;
};

struct heads {
    char *session_id; /* the real one; the opaque one if nothing can be opened here */
    char *wire_id;
    struct head *v; /* the current one first, the others newest first */
    size_t n;       /* 0: the server names none, or can't be asked */
};

/**
 * heads_ask(c, wire_id, ret):
 * Ask which there are of the session that the server calls ${wire_id}; none if it can't be asked.
 * The caller ends ${ret} with heads_clear().
 */
void heads_ask(struct ctx *c, const char *wire_id, struct heads *ret);

void heads_clear(struct heads *h);

/**
 * heads_look(c, h):
 * Fetch and open all of them if there is more than one.  What was fetched lies in the folder of
 * downloads until heads_clear(), where a pull finds it.
 */
void heads_look(struct ctx *c, struct heads *h);

/**
 * heads_compare(c, wire_id, answer, ret):
 * Read them out of ${answer}, or heads_ask() if it is NULL; heads_look(); and count what the
 * current version lacks.
 */
void heads_compare(struct ctx *c, const char *wire_id, const struct json_object *answer,
                   struct heads *ret);
#define HEADS_CURRENT_LACKS "the current one lacks"

/**
 * heads_find(h, version), heads_fullest(h):
 * Return the head with that number, or NULL; the current version, unless a head that is vouched for
 * as well contains its conversation and more: then the fullest of those.  NULL if there is none.
 */
struct head *heads_find(const struct heads *h, int64_t version);
struct head *heads_fullest(const struct heads *h);

/**
 * heads_judge(h, here, files):
 * Count of each what the conversation ${here} lacks, and which files are not in ${files} or are
 * shorter there (NULL: not counted).
 */
void heads_judge(struct heads *h, const struct news *here, const struct open_result *files);

/**
 * heads_has_more(h):
 * Return whether heads_judge() found anything in any of them.
 */
int heads_has_more(const struct heads *h);

/**
 * heads_sentence(h, head, lack, can_merge):
 * Return what ${head} has that something else lacks (${lack}: "this doesn't") and how to get it; or
 * that it is there and can't be looked into.  NULL if there is nothing to say.  The caller frees it
 * and cleans it for a terminal.
 */
char *heads_sentence(const struct heads *h, const struct head *head, const char *lack,
                     int can_merge);

/**
 * heads_say(c, h, lack, can_merge):
 * Say the sentences of all of them on stderr.
 */
void heads_say(struct ctx *c, const struct heads *h, const char *lack, int can_merge);

/**
 * heads_json(h):
 * Return all that is known of them as an array, which the caller puts.
 */
struct json_object *heads_json(const struct heads *h);

/**
 * heads_vouched(c, item):
 * Return who vouches for ${item}, an opened one of the server's: in clear whoever runs the server,
 * if nothing is sealed here.
 */
enum trust heads_vouched(struct ctx *c, const struct json_object *item);

/**
 * heads_machine(item):
 * Return the name of the machine that ${item} is from: what is sealed in it before what the server
 * says.  Borrowed from it; NULL if nobody knows.
 */
const char *heads_machine(const struct json_object *item);

/**
 * heads_messages(item):
 * Return how many messages it says it has, or -1.
 */
int64_t heads_messages(const struct json_object *item);

/**
 * heads_bases(item, b):
 * Append the numbers of the versions that it contains, as its machine said, to ${b}; return them,
 * "" if it said nothing.
 */
const char *heads_bases(const struct json_object *item, struct buf *b);

#endif

#ifndef CTCTL_CLOUD_SESSIONS_H
#define CTCTL_CLOUD_SESSIONS_H

#include <json-c/json.h>

#include "common/base/buf.h"
#include "ctctl/ctx/ctx.h"
#include "ctctl/ui/text.h"

/* Sessions as the daemon and the cloud list them. */
enum sessions_which {
    SESSIONS_AND_PROFILES, /* whatever the cloud has */
    SESSIONS_ONLY,
    SESSIONS_PROFILES, /* what belongs to no session, an item for each device */
};

struct sessions_filter {
    const char *project;       /* or NULL */
    const char *machine;       /* or NULL */
    const char *agent;         /* the id of one, or NULL */
    const char *tag;           /* or NULL; a device that seals doesn't send it */
    enum sessions_which which; /* of the cloud's */
    int64_t limit;             /* 0: all */
    int is_shown;              /* what waits for its first save is described too (unsaved.h) */

    /* Out, may be NULL: how many of the cloud's could not be judged by project or machine, for they
     * are sealed and can't be opened here. */
    int64_t *unjudged;
};

/**
 * sessions_local(c, f, ret, err):
 * Return the daemon's list, all pages of it, as an array; the caller owns it.
 */
int sessions_local(struct ctx *c, const struct sessions_filter *f, struct json_object **ret,
                   struct ct_err *err);

/**
 * sessions_cloud(c, f, ret, err):
 * Return the API's list, all pages of it in one answer of the same shape, each item opened
 * (ctctl/cloud/item.h); the caller owns it.
 */
int sessions_cloud(struct ctx *c, const struct sessions_filter *f, struct json_object **ret,
                   struct ct_err *err);

/**
 * sessions_mark_here(c, list):
 * Give each of the API's list items a member "here": is the session on this machine too?  And
 * "localTitle" where this machine knows one.  Without a daemon nobody knows, and nothing is marked.
 */
void sessions_mark_here(struct ctx *c, struct json_object *list);

/**
 * sessions_local_table(st, list, b), sessions_cloud_table(st, list, b):
 * Append a table of the array ${list}.  What is marked shows whether it is here.
 */
void sessions_local_table(const struct text_style *st, struct json_object *list, struct buf *b);
void sessions_cloud_table(const struct text_style *st, struct json_object *list, struct buf *b);

/**
 * sessions_state(item, ret_colour):
 * Return what to call the state of the daemon's list item ("safe", "this machine only", ...).
 */
const char *sessions_state(const struct json_object *item, enum text_colour *ret_colour);

/**
 * sessions_say_sealed(c, list, unjudged):
 * Say on stderr what else there is to know of the API's list items: which can't be opened here, and
 * why, which the server has rolled back; ${unjudged} as above.
 */
void sessions_say_sealed(struct ctx *c, struct json_object *list, int64_t unjudged);

#endif

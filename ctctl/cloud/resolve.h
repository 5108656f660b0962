#ifndef CTCTL_CLOUD_RESOLVE_H
#define CTCTL_CLOUD_RESOLVE_H

#include <json-c/json.h>

#include "ctctl/ctx/ctx.h"

/*
 * Which session in the cloud a person means.  Where there is a key (ctx_is_sealing()) only what is
 * sealed is a session; what is there in clear, which the server can write as it likes, has to be
 * meant in so many words.
 */
struct resolved {
    char *id;                 /* as people know it; the opaque one if it can't be opened here */
    char *wire_id;            /* what the server calls it */
    struct json_object *item; /* of its newest version (ctctl/cloud/item.h) */
};

#define RESOLVE_IN_CLEAR "in_clear" /* the reason */

/**
 * resolve_session(c, word, is_plain, ret, err):
 * Find the session that ${word} means: its whole id, the opaque one, or the beginning of either;
 * with ${is_plain} one that is in clear.  ERR_GONE if there is none, with what sealed sessions
 * there are that can't be looked into; ERR_CONFLICT if there are several; ERR_REFUSED with
 * RESOLVE_IN_CLEAR if it is there in clear only, and that is not what was asked for.  The caller
 * ends ${ret} with resolve_clear().
 */
int resolve_session(struct ctx *c, const char *word, int is_plain, struct resolved *ret,
                    struct ct_err *err);
void resolve_clear(struct resolved *w);

/**
 * resolve_vouched(c, list):
 * Return an array of the items of ${list}, the API's list, in their order, without those in clear
 * where there is a key; the caller owns it.  Of a sealed session that has something in clear above
 * it, or what does not open, it is the newest version that does.
 */
struct json_object *resolve_vouched(struct ctx *c, struct json_object *list);

/**
 * resolve_gone(c, err):
 * If ${err} is ERR_GONE and there are sealed sessions that can't be opened here, say that in it:
 * the one that was asked for may be among them.  Return -1.
 */
int resolve_gone(struct ctx *c, struct ct_err *err);

#endif

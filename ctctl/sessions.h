#ifndef CTCTL_SESSIONS_H
#define CTCTL_SESSIONS_H

#include <json-c/json.h>

#include "common/buf.h"
#include "ctctl/ctx.h"
#include "ctctl/text.h"

/* Sessions as the daemon and the cloud list them. */
struct sessions_filter {
    const char *project; /* or NULL */
    const char *machine; /* or NULL */
    const char *tag;     /* or NULL; the cloud's only */
    int64_t limit;       /* 0: all */
};

/**
 * sessions_local(c, f, ret, err):
 * Return the daemon's list, all pages of it, as an array; the caller owns it.
 */
int sessions_local(struct ctx *c, const struct sessions_filter *f, struct json_object **ret,
                   struct ct_err *err);

/**
 * sessions_cloud(c, f, ret, err):
 * Return the API's list, all pages of it in one answer of the same shape; the caller owns it.
 */
int sessions_cloud(struct ctx *c, const struct sessions_filter *f, struct json_object **ret,
                   struct ct_err *err);

/**
 * sessions_local_table(st, list, b), sessions_cloud_table(st, list, b):
 * Append a table of the array ${list}.
 */
void sessions_local_table(const struct text_style *st, struct json_object *list, struct buf *b);
void sessions_cloud_table(const struct text_style *st, struct json_object *list, struct buf *b);

/**
 * sessions_state(item, ret_colour):
 * Return what to call the state of the daemon's list item ("safe", "this machine only", ...).
 */
const char *sessions_state(const struct json_object *item, enum text_colour *ret_colour);

/**
 * sessions_cloud_title(item):
 * Return what to call the API's list item, borrowed from it.
 */
const char *sessions_cloud_title(const struct json_object *item);

/**
 * sessions_resolve(c, id, ret, err):
 * Find the session in the cloud that ${id}, a whole ID or its beginning, means.  The caller frees
 * ${ret}.  ERR_GONE if there is none, ERR_CONFLICT if there are several.
 */
int sessions_resolve(struct ctx *c, const char *id, char **ret, struct ct_err *err);

#endif

#ifndef CTCTL_SHARE_SHARES_H
#define CTCTL_SHARE_SHARES_H

#include <json-c/json.h>

#include "ctctl/ctx/ctx.h"

/**
 * shares_list(c, ret, err):
 * Ask the server what this account shares: {"shares": [...], "allowed": true}, which the caller
 * owns.  ERR_REFUSED from a server that knows nothing of sharing.
 */
int shares_list(struct ctx *c, struct json_object **ret, struct ct_err *err);

/**
 * shares_find(list, word, err):
 * The one of ${list} whose id is or begins with ${word}, borrowed; NULL: ERR_GONE, ERR_CONFLICT.
 */
const struct json_object *shares_find(struct json_object *list, const char *word,
                                      struct ct_err *err);

/**
 * shares_put(c, session_id, p, n, lifetime_s, ret, err):
 * Have ${n} sealed bytes fetched by whoever knows the address in ${ret}, which has "id", "url" and
 * "expiresAt" and is the caller's.  ${session_id} is people's word for what is shared; the server
 * gets its own.
 */
int shares_put(struct ctx *c, const char *session_id, const void *p, size_t n, int64_t lifetime_s,
               struct json_object **ret, struct ct_err *err);

/**
 * shares_end(c, id, err):
 * End it.
 */
int shares_end(struct ctx *c, const char *id, struct ct_err *err);

#endif

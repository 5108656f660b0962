#ifndef CTCTL_PULL_PULL_APART_H
#define CTCTL_PULL_PULL_APART_H

#include <json-c/json.h>

#include "common/base/err.h"
#include "ctctl/ctx/ctx.h"

/*
 * Sessions that went on here and elsewhere, each without the other.  What stands side by side was
 * fetched to find that out; which versions those were is written down (apart/ in the folder of the
 * account), so that an --update that comes again and again fetches them once.  ${item} is an item
 * of the server's list.
 */

/**
 * pull_apart_any(item):
 * Return whether another device has a version that stands beside what else there is, pinned ones
 * aside.
 */
int pull_apart_any(const struct json_object *item);

/**
 * pull_apart_is_known(c, item), pull_apart_note(c, item), pull_apart_forget(c, session_id):
 * Were just these versions looked into, and went apart from what is here?  They were.  What is here
 * changed.
 */
int pull_apart_is_known(struct ctx *c, const struct json_object *item);
void pull_apart_note(struct ctx *c, const struct json_object *item);
void pull_apart_forget(struct ctx *c, const char *session_id);

/**
 * pull_apart_error(c, item, err):
 * Say in ${err} where it went on, and what to type: ERR_CONFLICT with the reason "diverged".
 */
void pull_apart_error(struct ctx *c, const struct json_object *item, struct ct_err *err);

#endif

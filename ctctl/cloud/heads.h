#ifndef CTCTL_CLOUD_HEADS_H
#define CTCTL_CLOUD_HEADS_H

#include <json-c/json.h>

#include "ctctl/ctx/ctx.h"

/*
 * Versions that another one does not contain: what several machines made of one session, each
 * without the others.  One of these heads is the current version.  A server that is not ours names
 * none.
 */

/**
 * heads_beside(c, wire_id, version):
 * Ask for the heads of the session that the server calls ${wire_id} other than ${version} (0: than
 * the current one).  Return an array of their items, opened as by item_open(), which the caller
 * puts; an empty one also if the server can't be asked.
 */
struct json_object *heads_beside(struct ctx *c, const char *wire_id, int64_t version);

/**
 * heads_say(c, heads):
 * Say of each of ${heads} which machine it is from, how many messages it has, and how to get it.
 * Items of the list of sessions carry such an array as "heads".
 */
void heads_say(struct ctx *c, const char *session_id, const struct json_object *heads);

/**
 * heads_machine(item):
 * Return the name of the machine that ${item} is from: what is sealed in it before what the server
 * says.  Borrowed from it; NULL if nobody knows.
 */
const char *heads_machine(const struct json_object *item);

#endif

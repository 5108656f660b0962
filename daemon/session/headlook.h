#ifndef DAEMON_SESSION_HEADLOOK_H
#define DAEMON_SESSION_HEADLOOK_H

#include <json-c/json.h>

#include "uploader/queue.h"

/*
 * A bundle of which nobody knows what it goes on from, because the books or the server were put
 * back, stands before versions of its session at the server.  These are fetched, one after the
 * other, and compared with it: what is contained is named when it is uploaded.  If there is just
 * one and it holds no more and no less, or if one holds all of the bundle and more, nothing is
 * uploaded.
 */
struct daemon;
struct headlook;

struct headlook *headlook_new(struct daemon *d);
void headlook_free(struct headlook *h);

/**
 * headlook_begin(h, item, heads):
 * Look into ${heads} (rows for api_head_read()), and then have the bundle ${item}, which is held,
 * go on (uploader_looked()), or settle it.
 */
void headlook_begin(struct headlook *h, const struct queue_item *item, struct json_object *heads);

#endif

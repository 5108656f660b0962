#ifndef CTCTL_CLOUD_REVOCABLE_H
#define CTCTL_CLOUD_REVOCABLE_H

#include <json-c/json.h>

#include "common/base/buf.h"
#include "ctctl/ctx/ctx.h"

/* Devices and tokens: lists at the API that can be shown, and whose members can be revoked. */
struct revocable {
    const char *path;   /* "/devices" */
    const char *member; /* of the answer, "devices" */
    const char *one;    /* "device" */
    const char *none;   /* what to say of an empty list */
    void (*table)(const struct text_style *st, struct json_object *list, struct buf *b);
};

/**
 * revocable_run(c, t, argc, argv):
 * The verb: nothing or "list" shows, "revoke ID" (a whole ID or its beginning) revokes.
 */
int revocable_run(struct ctx *c, const struct revocable *t, int argc, char **argv);

/**
 * revocable_name(item):
 * Return its name, with a mark if it is the one that asks; the caller frees it.
 */
char *revocable_name(const struct json_object *item);

#endif

#ifndef CTCTL_CLOUD_ITEM_H
#define CTCTL_CLOUD_ITEM_H

#include <json-c/json.h>

#include "bundle/seal/sealed.h"
#include "ctctl/ctx/ctx.h"

/*
 * What the API says of a session or of one of its versions, in clear or sealed: items of its list
 * of sessions, of a session's versions, of the trash.  item_open() leaves them as they are and adds
 * one member to those that are sealed,
 *
 *   "opened": {sessionId, sourceMachine, sourceCwd, sourceUserDir, metadata, generation, keyId}
 *
 * with "origin" ("stranger", "account") if it is not one's own, "retired" if its key is one that
 * somebody else may have and it is not on that key's list, "seenGeneration" if this device has
 * seen a higher one, or, where they can't be opened here,
 *
 *   "sealed": {keyId, code, reason, message}
 *
 * and all others read what people mean through the functions below.  Strings are borrowed from the
 * item.
 */
enum item_age {
    ITEM_NEWEST, /* of its session: what it says of the generation counts */
    ITEM_OLDER,
};

/**
 * item_open(c, item, wire_id, age):
 * Open ${item} of the session that the server calls ${wire_id}.  Whatever the server itself says
 * under those two names goes.
 */
void item_open(struct ctx *c, struct json_object *item, const char *wire_id, enum item_age age);

/**
 * item_device_id(item):
 * Return the id of the device that sealed it (common/config/device.h), NULL: not said, or in clear.
 */
const char *item_device_id(const struct json_object *item);

/**
 * item_is_sealed(item), item_is_locked(item), item_is_rolled_back(item), item_is_retired(item):
 * Return whether it is sealed; whether it can't be opened here; whether this device has seen a
 * newer state of it than what the server calls the newest; whether a retired key sealed it, which
 * vouches for it no more than for what is in clear.
 *
 * item_is_bare(item):
 * Return whether it is locked only as long as nobody looks into its bundle: its description is lost
 * (SEALED_BARE), and its key is here.
 */
int item_is_bare(const struct json_object *item);
int item_is_retired(const struct json_object *item);
int item_is_sealed(const struct json_object *item);
int item_is_locked(const struct json_object *item);
int item_is_rolled_back(const struct json_object *item);

/**
 * item_trust(item):
 * Return who vouches for it, as its description says: a stranger's if it is in clear or locked.
 */
enum trust item_trust(const struct json_object *item);

/**
 * item_is_profile(item):
 * Return whether it is what belongs to no session of a device.
 */
int item_is_profile(const struct json_object *item);

/**
 * item_lock(item, err):
 * Fill ${err} with the reason why it can't be opened, with the cure.  Return -1.
 */
int item_lock(const struct json_object *item, struct ct_err *err);

/**
 * item_id(item), item_wire_id(item):
 * The session's id, which is the opaque one if the item is locked; what the server calls it.
 */
const char *item_id(const struct json_object *item);
const char *item_wire_id(const struct json_object *item);

/**
 * item_str(item, key), item_metadata(item):
 * A text such as "sourceCwd"; the metadata.  NULL if it is locked.
 */
const char *item_str(const struct json_object *item, const char *key);
struct json_object *item_metadata(const struct json_object *item);

/**
 * item_agent(item):
 * Return whose session it is; where it says nothing, or something that this version does not know,
 * agent_unnamed().
 */
struct agent;
const struct agent *item_agent(const struct json_object *item);

/**
 * item_title(item, buf, n):
 * What to call it: as somebody named it, else as the server says, else as this machine knows it (ITEM_LOCAL_TITLE, see
 * sessions_mark_here()), else its agent, when it began and how many messages it has.  ${buf} is
 * room for what has to be made up.
 */
#define ITEM_LOCAL_TITLE "localTitle"
const char *item_title(const struct json_object *item, char *buf, size_t n);

/**
 * item_names(item):
 * Return what people call it, as common/data/names.h, borrowed; NULL: nothing.
 */
const struct json_object *item_names(const struct json_object *item);

/**
 * item_usage(item):
 * Return what it used, as usage_json() (agents/usage.h), borrowed; also of an item of the daemon's
 * list.  NULL: nobody counted.
 */
struct json_object *item_usage(const struct json_object *item);

/**
 * item_refused(err):
 * Put the cure behind the sentence of sealed_open() or of an opener, if there is one: a key is
 * missing, or the description.  Return -1.
 */
int item_refused(struct ct_err *err);

/**
 * item_highest(c, rows, wire_id):
 * Return the highest generation of ${rows}, an array of versions of the session that the server
 * calls ${wire_id}, or NULL; of those that open here.  A rollback is judged by all of them, for
 * what stands beside the current version may be younger.
 */
int64_t item_highest(struct ctx *c, struct json_object *rows, const char *wire_id);

/**
 * item_rollback(err, session_id, generation, seen):
 * Fill ${err} with what to say of a server that hands out ${generation} as the newest of a session
 * of which this device has seen ${seen}.  Return -1.
 */
#define ITEM_ROLLBACK "rollback" /* the reason */
int item_rollback(struct ct_err *err, const char *session_id, int64_t generation, int64_t seen);

#endif

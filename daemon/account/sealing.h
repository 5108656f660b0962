#ifndef DAEMON_ACCOUNT_SEALING_H
#define DAEMON_ACCOUNT_SEALING_H

#include <stdint.h>

#include <json-c/json.h>

#include "bundle/seal/sealed.h"
#include "common/base/err.h"
#include "common/config/keyring.h"
#include "common/base/uuid.h"
#include "uploader/queue.h"

/*
 * Encryption on this device: the keys, and what the configuration makes of them.  Where something
 * is to be sealed and can't be, nothing leaves that is not sealed already.
 *
 * It goes one way.  Whoever has a key, or has once seen that the account has one, seals from then
 * on, for ever: what is here and safe in clear goes up sealed like any change, and what is in the
 * cloud in clear is nobody's word.
 */
struct daemon;
struct sealing;
struct state_session;

enum sealing_state {
    SEALING_OFF,    /* the configuration says so, and nothing of the account was ever sealed */
    SEALING_PLAIN,  /* there is no key, and nothing of the account is sealed: in clear */
    SEALING_ON,     /* all that leaves is sealed */
    SEALING_NO_KEY, /* there is no key, but one is required, or the account has one: all is held */
    SEALING_BROKEN, /* there are keys that can't be read: all is held */
};

/* The keys as they were at one moment.  The worker may use them while others come. */
struct sealing_keys {
    struct keyring *ring; /* never empty */
    int users;            /* the loop's; see sealing_hold() */
};

struct sealing *sealing_new(struct daemon *d);
void sealing_free(struct sealing *s);

/**
 * sealing_start(s):
 * Read the keys for the first time; key_command runs here and never again.
 */
void sealing_start(struct sealing *s);

/**
 * sealing_refresh(s):
 * The keyring's file or the configuration may have changed: go by them.
 */
void sealing_refresh(struct sealing *s);

/**
 * sealing_apply(s):
 * The books were opened: hold what must not leave in clear, and begin to seal what waits so.
 */
void sealing_apply(struct sealing *s);

/**
 * sealing_set_foreign(s, key_id):
 * The account's sessions are sealed with that key, and the ring opens none of them (""; that is not
 * so): nothing is uploaded.
 */
void sealing_set_foreign(struct sealing *s, const char *key_id);

/**
 * sealing_lacks(s, key_id), sealing_lacking(s):
 * A later key calls that one retired, and the list of what it had sealed is not here.  Return that
 * key's id while it is so, or NULL.
 */
void sealing_lacks(struct sealing *s, const char *key_id);
const char *sealing_lacking(const struct sealing *s);

/**
 * sealing_saw(s, metadata), sealing_listed(s):
 * The server's list has a session with these sealed ${metadata}; all of the list was read, so it is
 * known whether the account is a sealed one.
 */
void sealing_saw(struct sealing *s, const struct json_object *metadata);
void sealing_listed(struct sealing *s);

/**
 * sealing_is_one_way(s):
 * Return whether this device seals, or would if it had the key: nothing leaves it in clear any
 * more, and what the server has in clear counts for nothing.
 */
int sealing_is_one_way(const struct sealing *s);

/**
 * sealing_path(s):
 * The keyring's file, borrowed.
 */
const char *sealing_path(const struct sealing *s);

/**
 * sealing_look(s, ret_why, ret_cure):
 * Return the state of affairs, why nothing leaves, and what to do about it ("" if it does).
 */
enum sealing_state sealing_look(const struct sealing *s, const char **ret_why,
                                const char **ret_cure);

/**
 * sealing_is_held(s), sealing_is_on(s):
 * Return whether nothing can be bundled; whether what is bundled now is sealed.
 */
int sealing_is_held(const struct sealing *s);
int sealing_is_on(const struct sealing *s);

/**
 * sealing_ring(s):
 * The keys to open with, borrowed until the loop goes on; NULL: there are none.
 */
const struct keyring *sealing_ring(const struct sealing *s);

/**
 * sealing_hold(s), sealing_release(keys):
 * The keys to seal with now, for as long as they are needed; NULL: nothing is sealed.  From the
 * loop, both.
 */
struct sealing_keys *sealing_hold(struct sealing *s);
void sealing_release(struct sealing_keys *keys);

/**
 * sealing_wire_id(s, session_id, ret):
 * Write the id under which a bundle that is made now goes, "" if that is in clear.
 */
void sealing_wire_id(const struct sealing *s, const char *session_id, char ret[UUID_SIZE]);

/**
 * sealing_generation(d, session_id, wire_id):
 * Return the highest generation that this device knows of the session: from its books, from what a
 * client noted, and from the server's list.
 */
int64_t sealing_generation(struct daemon *d, const char *session_id, const char *wire_id);

/**
 * sealing_wrap(d, keys, facts, q, err):
 * Have the API see of ${q} only what is sealed: of ${facts}, whose session_id, machine, folders and
 * metadata are taken from ${q}, and the device from here.  Its origin gets no better than what was
 * noted of the session (bundle/install/origin.h).
 */
int sealing_wrap(struct daemon *d, const struct sealing_keys *keys, struct sealed_facts *facts,
                 struct queue_item *q, struct ct_err *err);

/**
 * sealing_metadata(meta):
 * Return what of a session's metadata travels sealed; the caller owns it.
 */
struct json_object *sealing_metadata(struct json_object *meta);

/* ---- sealing_report.c ---------------------------------------------------------------------------
 */

/**
 * sealing_status(d), sealing_problems(d, list):
 * Return the part `encryption` of the status document; add what is wrong to ${list}.
 */
struct json_object *sealing_status(struct daemon *d);
void sealing_problems(struct daemon *d, struct json_object *list);

/**
 * sealing_item(o, ss):
 * Say of the session in ${o}, an item of `list`, whether it is sealed.
 */
void sealing_item(struct json_object *o, const struct state_session *ss);

/* ---- reseal.c -----------------------------------------------------------------------------------
 */

/**
 * reseal_run(d):
 * Seal what waits in the queue in clear although it must not leave so, or sealed with a generation
 * that is not the highest any more.  It is held until that is done.
 */
void reseal_run(struct daemon *d);

/**
 * reseal_event(d):
 * Make the event for d->reseal_timer.
 */
struct event *reseal_event(struct daemon *d);

#endif

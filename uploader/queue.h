#ifndef UPLOADER_QUEUE_H
#define UPLOADER_QUEUE_H

#include <stdint.h>

#include <json-c/json.h>

#include "api/api.h"
#include "common/data/db.h"
#include "common/base/err.h"
#include "common/base/hash.h"
#include "common/config/keyring.h"
#include "common/base/uuid.h"

/*
 * The durable part of the queue: one row for each session whose newest bundle is not confirmed.
 *
 *   READY   the bundle is in the spool; a restart begins again at `upload`
 *   STORED  the object store took it as version ${version}; a restart confirms it
 *
 * A confirmed bundle leaves the queue in the same transaction that records the session as safe, so
 * there is no third phase at rest.
 */
enum queue_phase { QUEUE_READY, QUEUE_STORED };

/* Does a bundle hold conversation or files that the version of the books lacks? */
enum queue_news {
    QUEUE_NO_NEWS,
    QUEUE_NEWS,
    QUEUE_MAYBE_NEWS /* none in the transcript; of the files beside it nobody can tell */
};

/* What the cloud has of the session that its bundle does not contain. */
struct queue_beside {
    int is_told;     /* by this attempt; else nothing is known of it */
    int64_t version; /* the newest of another device, 0: none */
    char device[API_DEVICE_NAME_SIZE];
    int64_t messages; /* -1: not told */
    int is_within;    /* and that one holds all of the bundle */
};

/* What the books say of a bundle and its session, asked anew at each attempt. */
struct queue_facts {
    int64_t amend;       /* version that the server may drop once it is confirmed, 0: none */
    int64_t own_version; /* this device's last version that is in it, where nothing else says on
                            what it goes on; 0: none, -1: the server has nothing of the session */
    char own_sha256[HASH_SHA256_HEX]; /* of its object, "": not known */
    struct json_object *also; /* what else is in it, because a look at it said so or the server
                                 lost what it goes on from, as {"version","checksum"}; NULL:
                                 nothing */
    int64_t apart; /* the newest version that is known to have what the session lacks, or 0 */
    int64_t held;  /* the version that the books hold for safe, if its digest is known, or 0: it
                      keeps a bundle without news safe */
    int64_t held_bytes;
    char held_sha256[HASH_SHA256_HEX];
};

struct queue_item {
    char session_id[UUID_SIZE]; /* the real one, which a server sees only of what is in clear */
    char wire_id[UUID_SIZE];    /* what the API calls it if it is sealed, "": the same */
    char key_id[KEY_ID_HEX];    /* what it was sealed with, "": in clear */
    int64_t generation;         /* of what is sealed */
    enum queue_phase phase;
    char *file; /* name in the spool */
    int64_t size_bytes;
    char sha256[HASH_SHA256_HEX];
    char *md5; /* base64 */
    char content_id[HASH_SHA256_HEX];
    char *source_machine;
    char *source_cwd;
    char *source_user_dir;
    struct json_object *metadata; /* what the API gets to see */
    int64_t pin;                  /* version to keep beyond rotation, or 0 */
    int64_t base_version;         /* the version that it goes on from, 0: none, -1: not known */
    char base_sha256[HASH_SHA256_HEX]; /* of that version's object, "": not known */
    int64_t before_version; /* an earlier bundle of this device that is in it, and that was stored
                               and may be confirmed by now, 0: none */
    char before_sha256[HASH_SHA256_HEX];
    struct json_object
        *merged; /* what a merge put into it, as {"version","sha256"}; NULL: nothing */
    enum queue_news has_news;
    int revive;      /* asked for by name although the session was deleted */
    int64_t version; /* STORED: what it was stored as */
    struct queue_facts facts;
    struct queue_beside beside;
};

/**
 * queue_setup(db, err):
 * Make or update the tables.
 */
int queue_setup(struct db *db, struct ct_err *err);

/**
 * queue_put(db, item, err):
 * Insert ${item} as READY in place of whatever waits for that session.
 */
int queue_put(struct db *db, const struct queue_item *item, struct ct_err *err);

/**
 * queue_set_phase(db, session_id, phase, version, err):
 * Record that the bundle reached ${phase}.
 */
int queue_set_phase(struct db *db, const char *session_id, enum queue_phase phase, int64_t version,
                    struct ct_err *err);

/**
 * queue_drop(db, session_id, err):
 * Forget the row.
 */
int queue_drop(struct db *db, const char *session_id, struct ct_err *err);

/**
 * queue_load(db, f, arg, err):
 * Call ${f} with each row, oldest first; the item is ${f}'s then, freed with queue_item_free().
 */
int queue_load(struct db *db, void (*f)(void *arg, struct queue_item *item), void *arg,
               struct ct_err *err);

/**
 * queue_wire_id(item):
 * Return the id of its session for calls of the API.
 */
const char *queue_wire_id(const struct queue_item *item);

/**
 * queue_is_sealed(item):
 * Return whether the bundle and what the API sees of it are sealed.
 */
int queue_is_sealed(const struct queue_item *item);

/**
 * queue_item_copy(item), queue_item_free(item), queue_item_clear(item):
 * Copy; free; free only what is in it.
 */
struct queue_item *queue_item_copy(const struct queue_item *item);
void queue_item_clear(struct queue_item *item);
void queue_item_free(struct queue_item *item);

#endif

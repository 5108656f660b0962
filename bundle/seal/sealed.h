#ifndef BUNDLE_SEAL_SEALED_H
#define BUNDLE_SEAL_SEALED_H

#include <stdint.h>

#include <json-c/json.h>

#include "agents/trust.h"
#include "bundle/seal/seal.h"
#include "common/base/err.h"
#include "common/base/hash.h"
#include "common/config/keyring.h"
#include "common/base/uuid.h"

/*
 * A sealed session as the API sees it: an opaque id, the word "sealed" for machine and folders, and
 * one sealed object with all the rest, padded to steps of 4 KiB, in base64 as metadata.sealed.
 */
#define SEALED_WORD "sealed"
#define SEALED_STEP 4096       /* plain bytes are padded to steps of that, with blanks */
#define SEALED_MAX (512 << 10) /* plain bytes; what is more is refused */

/* What the sealed metadata of one version holds.  Strings are owned. */
struct sealed_facts {
    char session_id[UUID_SIZE]; /* the real one */
    char *source_machine;
    char *source_cwd;
    char *source_user_dir;
    struct json_object *metadata; /* all members of the wire API's metadata, titles too */
    char content_id[HASH_SHA256_HEX];
    int64_t gzip_bytes;                            /* the bundle's length before padding */
    unsigned char object_id[SEAL_OBJECT_ID_BYTES]; /* of the sealed bundle */
    int64_t generation;                            /* of both objects */
    enum trust origin; /* who vouched for what is in it, before it was sealed */
    int is_retired; /* sealed by a retired key, and not among what that had sealed before: nobody's
                       word, and ${origin} is a stranger's; set by sealed_open() */
    char lacking[KEY_ID_HEX]; /* a retired key, by the word of a later one, of which this device
                                 lacks the list; "": none; set by sealed_open() */
    char device[UUID_SIZE];   /* that sealed it (common/config/device.h), "": not said */
    char ids_key[KEY_ID_HEX]; /* id of the key that opaque ids are made with */
    char key_id[KEY_ID_HEX];  /* of the key that it was sealed with; set by sealed_open() */
};

/**
 * sealed_make(ring, facts, ret, err):
 * Seal ${facts} (ids_key and key_id are filled in from the ring) with the current key.  ${ret} is
 * the API's metadata {"sealed": "<base64>"}; the caller owns it.  ERR_REFUSED if there is no key or
 * the metadata is too large.
 */
int sealed_make(const struct keyring *ring, const struct sealed_facts *facts,
                struct json_object **ret, struct ct_err *err);

/**
 * sealed_digest(metadata, ret):
 * The SHA-256 of a sealed description, as common/config/retired.h lists it.
 */
void sealed_digest(const struct json_object *metadata, char ret[HASH_SHA256_HEX]);

/**
 * sealed_is(metadata):
 * Return whether the API's ${metadata} (may be NULL) is a sealed one.
 */
int sealed_is(const struct json_object *metadata);

/**
 * sealed_peek(metadata, ret, err):
 * The header, which needs no key: key id and generation.  Not authenticated; that of the bundle if
 * that is all there is.
 */
int sealed_peek(const struct json_object *metadata, struct seal_header *ret, struct ct_err *err);

/**
 * sealed_open(ring, wire_id, metadata, ret, err):
 * Open the metadata of the session that the server calls ${wire_id}.  ERR_REFUSED with KEY_MISSING
 * (also if the key of the ids is missing: without it nobody can say that the metadata is that
 * session's) or KEY_WRONG, ERR_CORRUPT if it is damaged, lies about its generation or belongs to
 * another id; ERR_REFUSED with SEALED_BARE if there is nothing but the header of the bundle, as a
 * server has it that lost its database and made it again from its objects.  The caller ends ${ret}
 * with sealed_facts_clear().
 */
#define SEALED_BARE "bare" /* the reason */
int sealed_open(const struct keyring *ring, const char *wire_id, const struct json_object *metadata,
                struct sealed_facts *ret, struct ct_err *err);
void sealed_facts_clear(struct sealed_facts *f);

/**
 * sealed_ids_key(ring, metadata, ret, err):
 * The id of the key that the session's opaque id was made with, also if that is not in ${ring}.
 * Errors as sealed_open(); whose session it is does not matter.
 */
int sealed_ids_key(const struct keyring *ring, const struct json_object *metadata,
                   char ret[KEY_ID_HEX], struct ct_err *err);

#endif

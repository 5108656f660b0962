#ifndef COMMON_CONFIG_KEYRING_H
#define COMMON_CONFIG_KEYRING_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"
#include "common/base/uuid.h"

/*
 * The master keys that this device knows (keyring_open.h says where they come from).  In order: the
 * first one is the account's first key, which makes the opaque session ids, for ever; the last one
 * seals; all of them open.
 */
#define KEYRING_MAX 64 /* keys; a rotation a month for five years */
#define KEY_BYTES 32
#define KEY_ID_BYTES 16
#define KEY_ID_HEX (2 * KEY_ID_BYTES + 1)
#define KEY_TEXT_SIZE \
    80 /* recovery text: bech32m with the human part "ctkey", without grouping \
        */

struct key {
    const unsigned char *mk; /* KEY_BYTES, in secret memory */
    unsigned char id[KEY_ID_BYTES];
    char id_hex[KEY_ID_HEX];
    int64_t created_ms; /* when it was made or came here; 0: not known */
};

struct keyring;

/* Reasons of errors, beside ERR_REFUSED. */
#define KEY_MISSING "no_key"  /* sealed with a key that is not on this device */
#define KEY_WRONG "wrong_key" /* it has the id, and is another all the same */

/**
 * keyring_new():
 * An empty ring; the caller frees it.
 */
struct keyring *keyring_new(void);

/**
 * keyring_free(r):
 * Wipe and free it; NULL is harmless.
 */
void keyring_free(struct keyring *r);

/**
 * keyring_add(r, mk, created_ms, is_first), keyring_generate(r, now_ms):
 * Add a key at the end, or, if ${is_first}, before all others; one that is there already stays
 * where it is.  Make a new one at the end.  Return it, borrowed; NULL if the ring is full.
 */
const struct key *keyring_add(struct keyring *r, const unsigned char mk[KEY_BYTES],
                              int64_t created_ms, int is_first);
const struct key *keyring_generate(struct keyring *r, int64_t now_ms);

/**
 * keyring_add_text(r, text, created_ms, ret, err):
 * Add the key of a recovery text at the end and return it in ${ret}, borrowed.  ERR_REFUSED if it
 * is none or the ring is full.
 */
int keyring_add_text(struct keyring *r, const char *text, int64_t created_ms,
                     const struct key **ret, struct ct_err *err);

/**
 * keyring_n(r), keyring_at(r, i), keyring_first(r), keyring_current(r), keyring_find(r, id):
 * How many; the i-th, oldest first; the first and the last, NULL if there is none; the one with
 * that id, or NULL.  ${r} may be NULL: empty.
 */
size_t keyring_n(const struct keyring *r);
const struct key *keyring_at(const struct keyring *r, size_t i);
const struct key *keyring_first(const struct keyring *r);
const struct key *keyring_current(const struct keyring *r);
const struct key *keyring_find(const struct keyring *r, const unsigned char id[KEY_ID_BYTES]);

/**
 * keyring_retire(r, id_hex), keyring_vouch(r, digest):
 * The key with that id is retired, in the ring or not; what has that digest was sealed before.
 */
void keyring_retire(struct keyring *r, const char *id_hex);
void keyring_vouch(struct keyring *r, const char *digest);

/**
 * keyring_is_retired(r, id_hex), keyring_vouches(r, id_hex, digest):
 * Return whether the key with that id is one that somebody else may have (common/config/retired.h);
 * whether what it sealed counts as sealed by it: it is not retired, or had sealed what has that
 * SHA-256 before.  ${r} may be NULL.
 */
int keyring_is_retired(const struct keyring *r, const char *id_hex);
int keyring_vouches(const struct keyring *r, const char *id_hex, const char *digest);

/**
 * keyring_n_retired(r), keyring_n_vouched(r):
 * Return how many keys are retired, and how much is listed that they had sealed.
 */
size_t keyring_n_retired(const struct keyring *r);
size_t keyring_n_vouched(const struct keyring *r);

/**
 * key_text(key, ret), key_parse(text, ret, err):
 * The recovery text of a key (a secret), lower case, ungrouped; and back, forgiving of case, blanks
 * and dashes.  ERR_REFUSED with a sentence that does not hold the text.
 */
void key_text(const struct key *key, char ret[KEY_TEXT_SIZE]);
int key_parse(const char *text, unsigned char ret[KEY_BYTES], struct ct_err *err);

/**
 * key_derive(mk, info, out, n):
 * HKDF-Expand-SHA512(mk, info, n).
 */
void key_derive(const unsigned char mk[KEY_BYTES], const char *info, void *out, size_t n);

/**
 * key_opaque_id(key, session_id, ret), keyring_opaque_id(r, session_id, ret):
 * The id under which a server knows a sealed session: a version 8 UUID from
 * HMAC-SHA256(HKDF-Expand-SHA512(key, "codeteleport/1 ids", 32), session id), by the ring's first
 * key.  keyring_opaque_id() returns 0, or -1 if the ring is empty.
 */
void key_opaque_id(const struct key *key, const char *session_id, char ret[UUID_SIZE]);
int keyring_opaque_id(const struct keyring *r, const char *session_id, char ret[UUID_SIZE]);

#endif

#ifndef COMMON_CONFIG_KEYRING_INSIDE_H
#define COMMON_CONFIG_KEYRING_INSIDE_H

#include "common/config/keyring.h"

/*
 * What the files of the keyring share: keyring.c holds the keys, keyring_file.c the file.
 */
#define KEYRING_MAX 64 /* keys; a rotation a month for five years */

/**
 * keyring_add_text(r, text, created_ms, err):
 * Add the key of a recovery text at the end.  ERR_REFUSED if it is none or the ring is full.
 */
int keyring_add_text(struct keyring *r, const char *text, int64_t created_ms,
                     const struct key **ret, struct ct_err *err);

/**
 * keyring_retire(r, id_hex), keyring_vouch(r, digest):
 * The key with that id is retired, here or not; what has that digest was sealed before.
 */
void keyring_retire(struct keyring *r, const char *id_hex);
void keyring_vouch(struct keyring *r, const char *digest);

#endif

#ifndef SERVER_AUTH_KEYS_H
#define SERVER_AUTH_KEYS_H

#include "common/base/err.h"

#include "server/auth/jwt_key.h"

/* The server's own secrets, made on first use: files of mode 0600 in the data folder. */

#define KEYS_ID_SIZE 24
#define KEYS_SECRET_SIZE 65

struct keys {
    struct jwt_key *jwt;          /* jwt.key */
    char object_id[KEYS_ID_SIZE]; /* objects.key: "<id> <secret>" */
    char *object_secret;          /* of secret_alloc() */
};

/**
 * keys_load(dir, ret, err):
 * Read them, or make what is not there.  A file that others can read is ERR_CONFIG with the command
 * that mends it; one that is damaged is ERR_CORRUPT and stays as it is.
 */
int keys_load(const char *dir, struct keys *ret, struct ct_err *err);

/**
 * keys_clear(k):
 * Forget them.
 */
void keys_clear(struct keys *k);

#endif

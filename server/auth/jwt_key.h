#ifndef SERVER_AUTH_JWT_KEY_H
#define SERVER_AUTH_JWT_KEY_H

#include "common/base/buf.h"
#include "common/base/err.h"

#include "server/auth/jwt.h"

/*
 * The key that log-ins are signed with, in a file of mode 0600.  Whoever replaces the file ends all
 * log-ins, at once and without a word to the server that runs.
 */
struct jwt_key;

/**
 * jwt_key_open(path, ret, err):
 * Read it, or make one if there is none.  A file that others can read is ERR_CONFIG with the
 * command that mends it; one that is damaged is ERR_CORRUPT and stays as it is.
 */
int jwt_key_open(const char *path, struct jwt_key **ret, struct ct_err *err);

/**
 * jwt_key_free(k):
 * Forget it; NULL is harmless.
 */
void jwt_key_free(struct jwt_key *k);

/**
 * jwt_key_get(k, ret):
 * Write the key that is in the file now into ${ret}.  While the file is missing or damaged there is
 * none: -1, and nobody can log in.  Any thread may call this.
 */
int jwt_key_get(struct jwt_key *k, unsigned char ret[JWT_KEY_BYTES]);

/**
 * jwt_key_rotate(path, err):
 * Put a new random key into the file.
 */
int jwt_key_rotate(const char *path, struct ct_err *err);

/**
 * jwt_key_read_private(path, ret, err):
 * Read a small file of secrets, refused (ERR_CONFIG) if others can read it too.  ${ret} stays empty
 * if it is not there.
 */
int jwt_key_read_private(const char *path, struct buf *ret, struct ct_err *err);

#endif

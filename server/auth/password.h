#ifndef SERVER_AUTH_PASSWORD_H
#define SERVER_AUTH_PASSWORD_H

#include "common/base/err.h"

/* Passwords as bcrypt hashes ($2b$, 2^10 rounds) by libxcrypt. */

#define PASSWORD_MIN_BYTES 8
#define PASSWORD_MAX_BYTES 72 /* bcrypt reads no further, so more would be ignored in silence */

/**
 * password_check(password, err):
 * Return 0 if ${password} may become one, else ERR_REFUSED with the reason.
 */
int password_check(const char *password, struct ct_err *err);

/**
 * password_hash(password, ret, err):
 * Hash ${password} with a new salt; the caller frees ${ret}.  Takes tens of milliseconds.
 */
int password_hash(const char *password, char **ret, struct ct_err *err);

/**
 * password_verify(password, hash):
 * Return whether ${password} belongs to ${hash}.  With NULL for ${hash} it is no, after the same
 * time: a caller without an account answers as late as one with a wrong password.
 */
int password_verify(const char *password, const char *hash);

#endif

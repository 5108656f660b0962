#ifndef SERVER_AUTH_JWT_H
#define SERVER_AUTH_JWT_H

#include <stdint.h>

#include "common/base/err.h"
#include "common/base/uuid.h"

/*
 * JSON Web Tokens (RFC 7519), HS256 and nothing else: what log-in hands out, good for seven days.
 */

#define JWT_KEY_BYTES 32
#define JWT_LIFETIME_S (7 * 24 * 3600)
#define JWT_PAGE_LIFETIME_S (12 * 3600) /* of one that the dashboard's cookie holds */

struct jwt_claims {
    char user_id[UUID_SIZE];
    int64_t generation; /* of the user's password; an older one ends the token */
    int64_t issued_s;
    int64_t expires_s;
};

/**
 * jwt_make(key, claims, email):
 * Return the signed token; it is a secret, and the caller frees it.
 */
char *jwt_make(const unsigned char key[JWT_KEY_BYTES], const struct jwt_claims *claims,
               const char *email);

/**
 * jwt_verify(key, token, now_s, ret, err):
 * Check signature, algorithm and expiry of ${token}.  ERR_AUTH if it is not good.
 */
int jwt_verify(const unsigned char key[JWT_KEY_BYTES], const char *token, int64_t now_s,
               struct jwt_claims *ret, struct ct_err *err);

#endif

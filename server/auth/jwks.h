#ifndef SERVER_AUTH_JWKS_H
#define SERVER_AUTH_JWKS_H

#include <json-c/json.h>

#include "common/base/err.h"

/**
 * jwks_verify(keys, token, ret, err):
 * Check the signature of ${token}, a JWT of somebody else (RFC 7519), by the key of the set ${keys}
 * (RFC 7517) that it names: RS256 with 2,048 bits or more, or ES256.  ${ret} are its claims, which
 * the caller frees; they are only as good as the caller finds them.  ERR_AUTH if it is not signed
 * so.
 */
int jwks_verify(const struct json_object *keys, const char *token, struct json_object **ret,
                struct ct_err *err);

#endif

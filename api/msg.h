#ifndef API_MSG_H
#define API_MSG_H

#include <stddef.h>
#include <stdint.h>

#include <json-c/json.h>

#include "api/api.h"

/*
 * What the codecs share: one checked read for each kind of member.  For all of them, a member that
 * is absent or null and not ${required} leaves ${ret} as it was and is fine; anything that does not
 * fit is ERR_REFUSED with a sentence that names the member.
 */

/**
 * api_msg_str(o, key, max, required, ret, err):
 * Read a string of at most ${max} bytes without a NUL inside; the caller owns ${ret}.
 */
int api_msg_str(struct json_object *o, const char *key, size_t max, int required, char **ret,
                struct ct_err *err);

/**
 * api_msg_int(o, key, min, max, required, ret, err):
 * Read a whole number between ${min} and ${max}.
 */
int api_msg_int(struct json_object *o, const char *key, int64_t min, int64_t max, int required,
                int64_t *ret, struct ct_err *err);

/**
 * api_msg_bool(o, key, ret, err):
 * Read true or false.
 */
int api_msg_bool(struct json_object *o, const char *key, int *ret, struct ct_err *err);

/**
 * api_msg_checksum(o, key, required, ret, err):
 * Read a checksum that api_checksum_is_valid() takes.
 */
int api_msg_checksum(struct json_object *o, const char *key, int required,
                     char ret[API_CHECKSUM_SIZE], struct ct_err *err);

/**
 * api_msg_md5(o, key, ret, err):
 * Read 16 bytes in base64, which may be missing; the caller owns ${ret}.
 */
int api_msg_md5(struct json_object *o, const char *key, char **ret, struct ct_err *err);

/**
 * api_msg_object(o, key, max_bytes, ret, err):
 * Take a reference to an object whose JSON has at most ${max_bytes} bytes; the caller owns it.
 */
int api_msg_object(struct json_object *o, const char *key, size_t max_bytes,
                   struct json_object **ret, struct ct_err *err);

/**
 * api_msg_is_object(o, what, err):
 * Return 0 if ${o} is an object, else fill ${err} with a sentence about ${what}.
 */
int api_msg_is_object(struct json_object *o, const char *what, struct ct_err *err);

#endif

#ifndef COMMON_DATA_JDOC_H
#define COMMON_DATA_JDOC_H

#include <stddef.h>
#include <stdint.h>

#include <json-c/json.h>

#include "common/base/err.h"

/*
 * Small JSON documents: json-c, strict, with limits.  (Transcripts are not small; agents/ reads
 * them as a stream.)  Getters borrow from the object; a member of another type counts as absent.
 */

#define JDOC_MAX_DEPTH 32

/**
 * jdoc_count(p, n):
 * How many values the ${n} bytes of a document have, at most: each costs memory when it is read.
 */
size_t jdoc_count(const char *p, size_t n);

/**
 * jdoc_parse(p, n, ret, err):
 * Read one whole document of ${n} bytes.  ERR_CORRUPT if it is not strict JSON in UTF-8 or nested
 * deeper than JDOC_MAX_DEPTH.  The caller owns ${ret}.
 */
int jdoc_parse(const char *p, size_t n, struct json_object **ret, struct ct_err *err);

/**
 * jdoc_str(o, key), jdoc_int(o, key, otherwise), jdoc_bool(o, key, otherwise), jdoc_obj(o, key),
 * jdoc_array(o, key):
 * The member ${key} of ${o}; NULL or ${otherwise} if it is absent or of another type.  A string
 * with a NUL inside counts as absent.  ${o} may be NULL.
 */
const char *jdoc_str(const struct json_object *o, const char *key);
int64_t jdoc_int(const struct json_object *o, const char *key, int64_t otherwise);
int jdoc_bool(const struct json_object *o, const char *key, int otherwise);
struct json_object *jdoc_obj(const struct json_object *o, const char *key);
struct json_object *jdoc_array(const struct json_object *o, const char *key);

/**
 * jdoc_has(o, key):
 * Return whether ${o} has ${key} with a value other than null.
 */
int jdoc_has(const struct json_object *o, const char *key);

/**
 * jdoc_set_str(o, key, s), jdoc_set_int(o, key, v), jdoc_set_bool(o, key, v), jdoc_set_null(o,
 * key): Add a member.  A NULL string adds null.  Bytes that are not UTF-8 become U+FFFD.
 */
void jdoc_set_str(struct json_object *o, const char *key, const char *s);
void jdoc_set_int(struct json_object *o, const char *key, int64_t v);
void jdoc_set_bool(struct json_object *o, const char *key, int v);
void jdoc_set_null(struct json_object *o, const char *key);

/**
 * jdoc_set_time(o, key, wall_ms):
 * Set ${key} to that time in RFC 3339; null if it is 0.
 */
void jdoc_set_time(struct json_object *o, const char *key, int64_t wall_ms);

/**
 * jdoc_new_str(s):
 * Return a JSON string; bytes that are not UTF-8 become U+FFFD.
 */
struct json_object *jdoc_new_str(const char *s);

/**
 * jdoc_new_raw(p, n):
 * Return a value that is written as these bytes, or NULL if they are not one value in JSON, nested
 * no deeper than JDOC_RAW_DEPTH.  It is for passing on: nobody can look into it, but who gets it
 * has to be able to read the document that it is in.
 */
#define JDOC_RAW_DEPTH 8
struct json_object *jdoc_new_raw(const char *p, size_t n);

/**
 * jdoc_text(o):
 * Return ${o} as compact JSON on one line, borrowed from it.
 */
const char *jdoc_text(struct json_object *o);

#endif

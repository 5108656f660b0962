#ifndef DAEMON_ACCOUNT_NAMING_H
#define DAEMON_ACCOUNT_NAMING_H

#include <json-c/json.h>

#include "common/base/err.h"

/*
 * What people call sessions (common/data/names.h): kept in the books, told with each version, and
 * taken over from what other machines told.
 */
struct daemon;

/**
 * naming_of(d, session_id):
 * Return what is known, or NULL; the caller owns it.
 */
struct json_object *naming_of(struct daemon *d, const char *session_id);

/**
 * naming_change(d, session_id, params, ret, err):
 * Do what ${params} say, {"title": "...", "add": ["..."], "remove": ["..."]}, and have the session
 * saved with it soon; ${ret} is {title, tags}, which the caller owns.  ERR_REFUSED if it is not
 * here, or a word of it is none.
 */
int naming_change(struct daemon *d, const char *session_id, const struct json_object *params,
                  struct json_object **ret, struct ct_err *err);

/**
 * naming_describe(d, session_id, metadata):
 * Put what is known into what is told of the next version.
 */
void naming_describe(struct daemon *d, const char *session_id, struct json_object *metadata);

/**
 * naming_see(d, session_id, metadata, is_told):
 * A version in the cloud has that ${metadata}, by somebody's word that counts here.  ${is_told}: it
 * is the current one and holds just what is here, so if anything is known beyond it, it is saved
 * once more.
 */
void naming_see(struct daemon *d, const char *session_id, const struct json_object *metadata,
                int is_told);

#endif

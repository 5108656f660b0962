#ifndef CTCTL_CLOUD_DELETION_H
#define CTCTL_CLOUD_DELETION_H

#include "ctctl/cloud/sessions.h"
#include "ctctl/cloud/resolve.h"

/**
 * deletion_one(c, w, version, is_plain, ret, err):
 * Remove the session ${w}, or ${version} of it (0: all), from the cloud; with all that is sealed of
 * a session goes what is there in clear of it.  ${is_plain}: ${w} is what is in clear, and only
 * that goes.  If nothing is left of it it is marked here first, so that it is not uploaded again.
 * The caller owns ${ret}, the API's last answer.
 */
int deletion_one(struct ctx *c, const struct resolved *w, int64_t version, int is_plain,
                 struct json_object **ret, struct ct_err *err);

/**
 * deletion_trash(c):
 * Return a sentence on how long what is deleted can be had back.
 */
const char *deletion_trash(struct ctx *c);

/**
 * deletion_many(c, f, older_s, is_agreed):
 * Remove all sessions that ${f} lets through and whose newest version is older than ${older_s}
 * seconds (0: of any age), after showing them and asking, unless ${is_agreed}.  Return the exit
 * status.
 */
int deletion_many(struct ctx *c, const struct sessions_filter *f, int64_t older_s, int is_agreed);

#endif

#ifndef CTCTL_HERE_UNKNOWN_H
#define CTCTL_HERE_UNKNOWN_H

#include <json-c/json.h>

#include "common/base/strlist.h"
#include "ctctl/ctx/ctx.h"

/**
 * unknown_look(c, roots, ret_profile_files):
 * Look through the data folders ${roots} and return what nobody saves because nobody knows it: an
 * array of {root, folder, files, more, example}, sorted, perhaps empty; and what is named after
 * a session without a transcript that the daemon knows no version of, with a member
 * withoutTranscript, its id.  ${ret_profile_files} (may
 * be NULL) gets how many are known and belong to no session.
 */
struct json_object *unknown_look(struct ctx *c, const struct strlist *roots,
                                 int64_t *ret_profile_files);

/**
 * unknown_look_watched(c, status, ret_profile_files):
 * The same for the folders that the daemon, whose status this is, watches.
 */
struct json_object *unknown_look_watched(struct ctx *c, const struct json_object *status,
                                         int64_t *ret_profile_files);

#endif

#ifndef CTCTL_HERE_UNKNOWN_H
#define CTCTL_HERE_UNKNOWN_H

#include <json-c/json.h>

#include "common/base/strlist.h"

/**
 * unknown_look(roots):
 * Look through the data folders ${roots} and return what nobody saves because nobody knows it: an
 * array of {root, folder, files, more, example}, sorted, perhaps empty.
 */
struct json_object *unknown_look(const struct strlist *roots);

/**
 * unknown_look_watched(status):
 * The same for the folders that the daemon, whose status this is, watches.
 */
struct json_object *unknown_look_watched(const struct json_object *status);

#endif

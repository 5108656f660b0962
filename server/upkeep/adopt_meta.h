#ifndef SERVER_UPKEEP_ADOPT_META_H
#define SERVER_UPKEEP_ADOPT_META_H

#include <json-c/json.h>

/**
 * adopt_meta(fd):
 * The meta.json at the beginning of the bundle in ${fd}, or NULL if there is none that can be read
 * without a key; the caller's.
 */
struct json_object *adopt_meta(int fd);

#endif

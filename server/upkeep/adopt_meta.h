#ifndef SERVER_UPKEEP_ADOPT_META_H
#define SERVER_UPKEEP_ADOPT_META_H

#include <json-c/json.h>

#define ADOPT_SEALED "sealed"

/**
 * adopt_meta(fd):
 * The meta.json at the beginning of the bundle in ${fd}; of one that is sealed a document whose
 * only member is ADOPT_SEALED, the object's header in base64; NULL if it is neither.  The caller's.
 */
struct json_object *adopt_meta(int fd);

#endif

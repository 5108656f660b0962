#ifndef BUNDLE_PACK_PACK_META_H
#define BUNDLE_PACK_PACK_META_H

#include <json-c/json.h>

#include "common/base/buf.h"

struct survey;

/**
 * pack_meta_new(v, is_rewritten):
 * Return the metadata of the session by the rules for metadata, all of it, and for local use title,
 * cwd, gitBranch and slug.  The caller owns it.
 */
struct json_object *pack_meta_new(const struct survey *v, int is_rewritten);

/**
 * pack_meta_document(v, content_id, ret):
 * Write the bundle's meta.json to ${ret}.
 */
void pack_meta_document(const struct survey *v, const char *content_id, struct buf *ret);

/**
 * pack_meta_public(metadata, is_full):
 * Return a new object with the members that may leave the machine in clear: without titles,
 * summaries, filesModified and what is for local use, unless ${is_full} (then summary and
 * filesModified go too).
 */
struct json_object *pack_meta_public(struct json_object *metadata, int is_full);

#endif

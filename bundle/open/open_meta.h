#ifndef BUNDLE_OPEN_OPEN_META_H
#define BUNDLE_OPEN_OPEN_META_H

#include <stddef.h>

#include <json-c/json.h>

#include "bundle/open/open.h"

/**
 * open_meta_parse(p, n, ret, ret_document, err):
 * Read and check meta.json.  What ${ret} points to lives in ${ret_document}, which the caller puts.
 */
int open_meta_parse(const char *p, size_t n, struct open_meta *ret,
                    struct json_object **ret_document, struct ct_err *err);

/**
 * open_meta_is_path(s), open_meta_is_branch(s):
 * Return whether ${s} would do as a source folder, or as a git branch, so that whoever writes
 * meta.json writes nothing that can't be read back.
 */
int open_meta_is_path(const char *s);
int open_meta_is_branch(const char *s);

#endif

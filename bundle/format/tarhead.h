#ifndef BUNDLE_FORMAT_TARHEAD_H
#define BUNDLE_FORMAT_TARHEAD_H

#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/err.h"

#define TARHEAD_UNIT 512 /* what headers and contents are padded to */

/**
 * tarhead_add(name, size_bytes, mtime_s, is_executable, ret, err):
 * Append the header (with its pax extension, where one is needed) of a regular file to ${ret}: mode
 * 0600 or 0700, owner 0 without names.  ${name} may hold any bytes; they go in as they are.
 * libarchive makes it; the content is the caller's.
 */
int tarhead_add(const char *name, int64_t size_bytes, int64_t mtime_s, int is_executable,
                struct buf *ret, struct ct_err *err);

#endif

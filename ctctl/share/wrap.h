#ifndef CTCTL_SHARE_WRAP_H
#define CTCTL_SHARE_WRAP_H

#include <stddef.h>

#include "common/base/buf.h"
#include "common/base/err.h"

/*
 * The object of a share, in a form that any browser opens by itself:
 *
 *    0   8  "CTSHARE1", which is authenticated too
 *    8  12  nonce, random
 *   20      AES-256-GCM of: 8 bytes, how long the gzip data is; the gzip data; zeros up to a size
 *           that many have (seal_padded()); then the tag of 16 bytes
 *
 * The key is random, for this one object, and stands behind the # of the link.
 */
#define WRAP_KEY 32

/**
 * wrap(p, n, key, ret, err):
 * Append the object of ${n} bytes to ${ret}.
 */
int wrap(const void *p, size_t n, const unsigned char key[WRAP_KEY], struct buf *ret,
         struct ct_err *err);

#endif

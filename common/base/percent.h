#ifndef COMMON_BASE_PERCENT_H
#define COMMON_BASE_PERCENT_H

#include <stddef.h>

#include "common/base/buf.h"

/* %XX, as in URLs (RFC 3986). */

/**
 * percent_add(b, s, n, keep):
 * Append ${n} bytes with all escaped but letters, digits, "-._~" and the characters of ${keep}.
 */
void percent_add(struct buf *b, const char *s, size_t n, const char *keep);

/**
 * percent_encode(s):
 * Return ${s} as one component of a URL; the caller frees it.
 */
char *percent_encode(const char *s);

/**
 * percent_decode(s, n):
 * Return what ${n} characters stand for, or NULL if an escape is broken or is NUL; the caller frees
 * it.
 */
char *percent_decode(const char *s, size_t n);

#endif

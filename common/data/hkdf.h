#ifndef COMMON_DATA_HKDF_H
#define COMMON_DATA_HKDF_H

#include <stddef.h>

/**
 * hkdf_expand_sha512(prk, prk_n, info, info_n, out, n):
 * HKDF-Expand with SHA-512 (RFC 5869, 2.3), without the Extract step.  ${n} is at most 255 * 64.
 * Can't fail but for a broken library, which ends the program.
 */
void hkdf_expand_sha512(const void *prk, size_t prk_n, const void *info, size_t info_n, void *out,
                        size_t n);

#endif

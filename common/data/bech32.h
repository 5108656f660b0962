#ifndef COMMON_DATA_BECH32_H
#define COMMON_DATA_BECH32_H

#include <stddef.h>

#include "common/base/err.h"

/*
 * bech32m (BIP 350): bytes as text with a checksum that finds any error of up to four characters.
 */
#define BECH32_TEXT_MAX 90

/**
 * bech32_encode(hrp, p, n, ret):
 * Write ${hrp} (lower case), "1", ${n} bytes in groups of five bits, checksum.  Lower case.
 */
void bech32_encode(const char *hrp, const void *p, size_t n, char ret[BECH32_TEXT_MAX + 1]);

/**
 * bech32_decode(text, hrp, ret, n, err):
 * Read text that bech32_encode() wrote, for exactly ${n} bytes.  Case counts for nothing (also
 * mixed), and neither do blanks and dashes.  ERR_REFUSED with a sentence that says what is wrong
 * (another human part, a character that can't be there, the length, the checksum) and never the
 * text itself.
 */
int bech32_decode(const char *text, const char *hrp, void *ret, size_t n, struct ct_err *err);

#endif

#ifndef COMMON_CONFIG_RETIRED_H
#define COMMON_CONFIG_RETIRED_H

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/strlist.h"
#include "common/config/keyring.h"

/*
 * Keys that somebody else may have: ~/.codeteleport/retired, a text beside the keyring.  What such
 * a key sealed up to a moment is listed by digest, under the authority of the key that came after
 * it; nothing else that it seals is anybody's word.  A block for each such moment:
 *
 *   under <id of the later key>
 *   key <id of a retired one>        once or more
 *   has <SHA-256>                    of sealed bundles and of sealed descriptions; any number
 *   mac <HKDF-Expand-SHA512(later key, "codeteleport/1 retired " and the SHA-256 of the lines
 *        above in hexadecimal, 32)>
 *
 * A block whose later key is not here says nothing.  One that is not whole or was changed retires
 * its keys all the same, and lists nothing.
 */

/**
 * retired_path():
 * Return the path of the file; the caller frees it.
 */
char *retired_path(void);

/**
 * retired_block(ring, under, digests, ret):
 * Append a block to ${ret} that retires all keys of ${ring} but ${under}, the later one.
 */
void retired_block(const struct keyring *ring, const struct key *under,
                   const struct strlist *digests, struct buf *ret);

/**
 * retired_append(text, err):
 * Add the blocks ${text} to the file (0600, atomic), unless they are there.
 */
int retired_append(const char *text, struct ct_err *err);

/**
 * retired_check(ring, text, err):
 * Return 0 if ${text} is nothing but whole blocks of keys in ${ring}, or ERR_REFUSED.
 */
int retired_check(const struct keyring *ring, const char *text, struct ct_err *err);

/**
 * retired_load(ring, err):
 * Read the file, if there is one, and have ${ring} know of it (keyring_is_retired()).
 */
int retired_load(struct keyring *ring, struct ct_err *err);

#endif

#ifndef BUNDLE_SEAL_COBBLE_CORE_H
#define BUNDLE_SEAL_COBBLE_CORE_H

#include <stddef.h>
#include <stdint.h>

#include "bundle/seal/cobble.h"

/*
 * What writer and reader of Cobblestone-256 share: the derived keys and the next chunk's nonce.
 */
struct cobble;

/**
 * cobble_new(key, salt, context, n, is_sealing):
 * Derive AES key, base nonce and commitment, and key the cipher, once.
 */
struct cobble *cobble_new(const unsigned char key[COBBLE_KEY],
                          const unsigned char salt[COBBLE_SALT], const void *context, size_t n,
                          int is_sealing);
void cobble_free(struct cobble *c);

/**
 * cobble_commitment(c):
 * The commitment, borrowed.
 */
const unsigned char *cobble_commitment(const struct cobble *c);

/**
 * cobble_seal(c, p, n, out), cobble_open(c, p, n, out):
 * The next chunk: ${n} <= COBBLE_CHUNK plain bytes to n + COBBLE_TAG bytes; and ${n} >= COBBLE_TAG
 * bytes back.  cobble_open() returns 0, or -1 if the tag is another; then what is in ${out} counts
 * for nothing and is wiped.
 */
void cobble_seal(struct cobble *c, const void *p, size_t n, unsigned char *out);
int cobble_open(struct cobble *c, const void *p, size_t n, unsigned char *out);

#endif

#ifndef BUNDLE_SEAL_VAULT_H
#define BUNDLE_SEAL_VAULT_H

#include <stddef.h>
#include <stdint.h>

#include "common/config/keyring.h"

/*
 * What stays on this machine and still is not for everybody to read: pieces in memory, sealed with
 * a key of their own that never seals what leaves.  Cobblestone-256 (cobble.h), each with a salt of
 * its own.
 */
struct vault;

/**
 * vault_new(key), vault_free(v):
 * A vault for what is sealed with that key; NULL for NULL, which seals nothing.
 */
struct vault *vault_new(const struct key *key);
void vault_free(struct vault *v);

/**
 * vault_size(n):
 * How large ${n} bytes are when they are sealed.
 */
size_t vault_size(size_t n);

/**
 * vault_seal(v, name, name_n, p, n, out), vault_open(v, name, name_n, p, n, out):
 * Seal ${n} bytes into ${out} of vault_size(n), for that name only; open ${n} sealed bytes into
 * ${out} of as many.  vault_open() returns how many plain bytes those are, or -1 if they were not
 * sealed so, with this key and for this name, or were changed.
 */
void vault_seal(const struct vault *v, const void *name, size_t name_n, const void *p, size_t n,
                unsigned char *out);
int64_t vault_open(const struct vault *v, const void *name, size_t name_n, const void *p, size_t n,
                   unsigned char *out);

#endif

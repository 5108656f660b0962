#ifndef COMMON_BASE_HASH_H
#define COMMON_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"

#define HASH_SHA256_BYTES 32
#define HASH_SHA256_HEX 65 /* with the NUL */
#define HASH_MD5_BYTES 16

enum hash_kind { HASH_SHA256, HASH_MD5 };

/* A running digest.  Out of memory aborts; nothing else can fail. */
struct hash;

/**
 * hash_new(kind):
 * Return a new running digest; hash_final() or hash_free() ends it.
 */
struct hash *hash_new(enum hash_kind kind);

/**
 * hash_update(h, p, n):
 * Add ${n} bytes.
 */
void hash_update(struct hash *h, const void *p, size_t n);

/**
 * hash_copy(h):
 * Return a second digest that has seen the same bytes.
 */
struct hash *hash_copy(const struct hash *h);

/**
 * hash_final(h, out):
 * Write the digest (32 or 16 bytes) to ${out} and free ${h}.
 */
void hash_final(struct hash *h, unsigned char *out);

/**
 * hash_final_hex(h, out):
 * The same of a SHA-256, as lower-case hexadecimal digits.
 */
void hash_final_hex(struct hash *h, char out[HASH_SHA256_HEX]);

/**
 * hash_free(h):
 * Free ${h}, which may be NULL.
 */
void hash_free(struct hash *h);

/**
 * hash_sha256(p, n, out), hash_sha256_hex(p, n, out), hash_md5(p, n, out):
 * The digest of ${n} bytes at once.
 */
void hash_sha256(const void *p, size_t n, unsigned char out[HASH_SHA256_BYTES]);
void hash_sha256_hex(const void *p, size_t n, char out[HASH_SHA256_HEX]);
void hash_md5(const void *p, size_t n, unsigned char out[HASH_MD5_BYTES]);

/**
 * hash_hmac_sha256(key, key_len, p, n, out):
 * HMAC-SHA256 (RFC 2104).
 */
void hash_hmac_sha256(const void *key, size_t key_len, const void *p, size_t n,
                      unsigned char out[HASH_SHA256_BYTES]);

/**
 * hash_sha256_fd(fd, ret_size_bytes, out):
 * Digest the file behind ${fd} from its beginning to its end, wherever its offset is.  Return 0, or
 * -1 with errno.
 */
int hash_sha256_fd(int fd, int64_t *ret_size_bytes, char out[HASH_SHA256_HEX]);

/**
 * hash_hex(p, n, out):
 * Write ${n} bytes as 2 * ${n} lower-case hexadecimal digits and a NUL.
 */
void hash_hex(const void *p, size_t n, char *out);

/**
 * hash_unhex(s, out, n):
 * Read exactly 2 * ${n} hexadecimal digits, whole string.  Return 0, or -1.
 */
int hash_unhex(const char *s, unsigned char *out, size_t n);

/**
 * hash_base64(p, n), hash_base64url(p, n):
 * Return ${n} bytes in base64 with padding, or in the URL-safe alphabet without (RFC 4648).  The
 * caller frees it.
 */
char *hash_base64(const void *p, size_t n);
char *hash_base64url(const void *p, size_t n);

/**
 * hash_unbase64(s, n, ret):
 * Append what ${n} characters of ${s}, in either alphabet, with or without padding, stand for.
 * Return 0, or -1 if they are not base64.
 */
int hash_unbase64(const char *s, size_t n, struct buf *ret);

/**
 * hash_quick(seed, s):
 * A fast 64-bit hash of the string ${s}, for tables.  With a secret ${seed} nobody can choose
 * collisions beforehand; it is no digest.
 */
uint64_t hash_quick(uint64_t seed, const char *s);

/**
 * hash_equal(a, b, n):
 * Return whether ${n} bytes are the same, in a time that does not depend on them.
 */
int hash_equal(const void *a, const void *b, size_t n);

/**
 * hash_random(p, n):
 * Fill ${n} bytes with randomness fit for keys.  Aborts if the system has none.
 */
void hash_random(void *p, size_t n);

#endif

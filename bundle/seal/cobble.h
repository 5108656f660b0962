#ifndef BUNDLE_SEAL_COBBLE_H
#define BUNDLE_SEAL_COBBLE_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"

/*
 * Cobblestone-256: C2SP chunked-encryption v1 with AES-256-GCM and SHA-512.  A stream of plain
 * bytes in chunks of 16 KiB, each with its tag; the context, the order and the end are
 * authenticated too.
 *
 *   salt[24] || commitment[32] || chunk_0 || chunk_1 || ...
 *
 * Each chunk but the last holds exactly COBBLE_CHUNK plain bytes, the last one fewer, perhaps none.
 */
#define COBBLE_KEY 32
#define COBBLE_SALT 24
#define COBBLE_COMMITMENT 32
#define COBBLE_HEAD (COBBLE_SALT + COBBLE_COMMITMENT)
#define COBBLE_CHUNK 16384
#define COBBLE_TAG 16
#define COBBLE_SEALED (COBBLE_CHUNK + COBBLE_TAG)

/* Where bytes go: 0, or -1 with ${err}. */
typedef int cobble_sink(void *arg, const void *p, size_t n, struct ct_err *err);

/**
 * cobble_size(n):
 * How many bytes ${n} plain ones become.
 */
int64_t cobble_size(int64_t n);

/**
 * cobble_writer_new(key, salt, context, n, sink, arg, ret, err):
 * Begin with ${context} of ${n} bytes; salt and commitment go to ${sink}.  ${salt} is NULL, for a
 * random one, everywhere but in tests: with one key, no salt is ever used twice.
 * cobble_writer_add() takes plain bytes, cobble_writer_end() writes the last chunk.
 */
struct cobble_writer;
int cobble_writer_new(const unsigned char key[COBBLE_KEY], const unsigned char *salt,
                      const void *context, size_t n, cobble_sink *sink, void *arg,
                      struct cobble_writer **ret, struct ct_err *err);
int cobble_writer_add(struct cobble_writer *w, const void *p, size_t n, struct ct_err *err);
int cobble_writer_end(struct cobble_writer *w, struct ct_err *err);
void cobble_writer_free(struct cobble_writer *w);

/**
 * cobble_reader_new(key, context, n, sink, arg):
 * Read it back, in pieces of any size; ${sink} gets the plain bytes of each chunk once its tag was
 * verified, and nothing is final before cobble_reader_end() has returned 0.  ERR_REFUSED, KEY_WRONG
 * (common/config/keyring.h), if the
 * commitment is that of another key, context or salt (before anything is decrypted), ERR_CORRUPT
 * for whatever else was changed or cut.  Once it has failed it keeps failing.
 */
struct cobble_reader;
struct cobble_reader *cobble_reader_new(const unsigned char key[COBBLE_KEY], const void *context,
                                        size_t n, cobble_sink *sink, void *arg);
int cobble_reader_add(struct cobble_reader *r, const void *p, size_t n, struct ct_err *err);
int cobble_reader_end(struct cobble_reader *r, struct ct_err *err);
void cobble_reader_free(struct cobble_reader *r);

#endif

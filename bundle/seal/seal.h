#ifndef BUNDLE_SEAL_SEAL_H
#define BUNDLE_SEAL_SEAL_H

#include <stddef.h>
#include <stdint.h>

#include "bundle/seal/cobble.h"
#include "common/base/err.h"
#include "common/config/keyring.h"

/*
 * Sealed objects: a header of ours, which is authenticated as the context of what follows, then
 * Cobblestone-256 (cobble.h).  Streaming, in constant memory.  All integers are big-endian:
 *
 *   "CTS1", format 1, suite 1, kind, flags, key id[16], object id[16], generation[8]
 */
#define SEAL_HEADER_BYTES 48
#define SEAL_OBJECT_ID_BYTES 16
#define SEAL_FLOOR 16384 /* no padded bundle is smaller */

enum seal_kind { SEAL_BUNDLE = 1, SEAL_METADATA = 2 };

struct seal_header {
    enum seal_kind kind;
    int is_padded;
    unsigned char key_id[KEY_ID_BYTES];
    unsigned char object_id[SEAL_OBJECT_ID_BYTES];
    int64_t generation; /* counts from 1 */
};

/* How a bundle that may be sealed is to be opened.  Zeroed: without a key, whatever it is. */
struct unseal_opts {
    const struct keyring *ring;     /* may be NULL: no keys */
    int must_be_sealed;             /* refuse it in clear; so does what follows */
    const unsigned char *object_id; /* what its description (sealed.h) says: SEAL_OBJECT_ID_BYTES;
                                       NULL: not known */
    int64_t generation;             /* the same; 0: not known */
    int64_t gzip_bytes;             /* the same: length without padding; 0: not known */
};

/* Where bytes go: 0, or -1 with ${err}. */
typedef cobble_sink seal_sink;

/**
 * seal_header_write(h, out), seal_parse_header(p, n, ret, err):
 * Write a header; read the one at the beginning of an object.  ERR_CORRUPT if it is none,
 * ERR_REFUSED for a version, suite, kind or flag that this build does not know.
 */
void seal_header_write(const struct seal_header *h, unsigned char out[SEAL_HEADER_BYTES]);
int seal_parse_header(const void *p, size_t n, struct seal_header *ret, struct ct_err *err);

/**
 * seal_is_sealed(p, n):
 * Return whether these first bytes of a file (4 will do) are those of a sealed object.
 */
int seal_is_sealed(const void *p, size_t n);

/**
 * seal_size(plain_bytes), seal_padded(plain_bytes):
 * The size of a sealed object of so many plain bytes; what Padme makes of a bundle's size, with a
 * floor of 16 KiB: at most 12 % more, and few sizes that can be told apart
 * (https://lbarman.ch/blog/padme/).
 */
int64_t seal_size(int64_t plain_bytes);
int64_t seal_padded(int64_t plain_bytes);

/**
 * seal_key(mk, kind, ret):
 * The key that objects of that kind are sealed with; into secret memory.
 */
void seal_key(const unsigned char mk[KEY_BYTES], enum seal_kind kind,
              unsigned char ret[COBBLE_KEY]);

/**
 * sealer_new(key, header, sink, arg, ret, err):
 * Begin an object: header and salt go to ${sink}.  ${header}->key_id is filled in from ${key}; its
 * object id is the caller's (random), and so is its generation.  sealer_add() takes plain bytes,
 * sealer_pad() zeros; sealer_end() writes the last chunk.  Nothing of it is valid before that.
 */
struct sealer;
int sealer_new(const struct key *key, struct seal_header *header, seal_sink *sink, void *arg,
               struct sealer **ret, struct ct_err *err);
int sealer_add(struct sealer *s, const void *p, size_t n, struct ct_err *err);
int sealer_pad(struct sealer *s, int64_t n, struct ct_err *err);
int sealer_end(struct sealer *s, struct ct_err *err);
void sealer_free(struct sealer *s);

/**
 * unsealer_new(ring, kind, sink, arg):
 * Open an object that comes in pieces of any size: unsealer_add(), and unsealer_end() when there is
 * nothing more.  ${sink} gets plain bytes (padding too), each chunk only after its tag was
 * verified; all of them are provisional until unsealer_end() has returned 0.
 *
 * ERR_REFUSED with reason KEY_MISSING ("sealed, key <id> not on this device") or KEY_WRONG (the
 * key's id is right and the key is not, or header or salt were changed); ERR_CORRUPT for another
 * kind, truncation, and whatever else was changed.  Once it has failed it keeps failing.
 */
struct unsealer;
struct unsealer *unsealer_new(const struct keyring *ring, enum seal_kind kind, seal_sink *sink,
                              void *arg);
int unsealer_add(struct unsealer *u, const void *p, size_t n, struct ct_err *err);
int unsealer_end(struct unsealer *u, struct ct_err *err);
void unsealer_free(struct unsealer *u);

/**
 * unsealer_expect(u, object_id, generation):
 * Before the first byte: anything but the object with that id (NULL: any) and that generation (0:
 * any) is ERR_CORRUPT, before anything of it is decrypted.
 */
void unsealer_expect(struct unsealer *u, const unsigned char object_id[SEAL_OBJECT_ID_BYTES],
                     int64_t generation);

/**
 * unsealer_header(u):
 * The header, once it was read and its key found; else NULL.  It is authentic once plain bytes have
 * come or unsealer_end() has returned 0.
 */
const struct seal_header *unsealer_header(const struct unsealer *u);

#endif

#ifndef BUNDLE_OPEN_UNTAR_H
#define BUNDLE_OPEN_UNTAR_H

#include <stdatomic.h>
#include <stdint.h>

#include "bundle/seal/seal.h"
#include "common/base/err.h"

/*
 * The entries of a gzip-compressed tar, one after another, within limits: libarchive's tar reader
 * on our gunzip.  It knows nothing of sessions and writes nothing.
 */
struct untar;

enum untar_type { UNTAR_FILE, UNTAR_FOLDER, UNTAR_HARD_LINK, UNTAR_OTHER };

struct untar_limits {
    int64_t max_bytes; /* of everything, uncompressed */
    int64_t max_entries;
    int64_t ratio, ratio_floor; /* no more than ${ratio} bytes for each compressed one, once there
                                   are more than ${ratio_floor}; ratio 0: no such limit */
    int is_plain;               /* not compressed; for tests */
    struct unseal_opts unseal;  /* its gzip_bytes count at the end */
    const _Atomic int *cancel;  /* may be NULL */
    void (*progress)(void *arg, int64_t done_bytes, int64_t total_bytes); /* may be NULL */
    void *progress_arg;
};

/* Strings are valid until the next call. */
struct untar_entry {
    enum untar_type type;
    const char *name;   /* as it stands there; NULL if there is none that can be read */
    const char *target; /* of a hard link */
    const char *what;   /* of UNTAR_OTHER: "a symbolic link"... */
    int64_t size_bytes;
    int is_executable; /* by its owner */
};

/**
 * untar_new(fd, limits, ret, err):
 * Begin at the beginning of ${fd}, which stays the caller's; ${limits} is copied.
 */
int untar_new(int fd, const struct untar_limits *limits, struct untar **ret, struct ct_err *err);
void untar_free(struct untar *u);

/**
 * untar_seal(u):
 * The header of the seal; NULL if it is not sealed.
 */
const struct seal_header *untar_seal(const struct untar *u);

/**
 * untar_next(u, ret, err):
 * Go to the next entry, past what is unread of this one.  Return 1, 0 at the end, when the tar was
 * whole and nothing but zeros followed to the last byte of the file, or -1: ERR_CORRUPT with what
 * is wrong, ERR_CANCELLED.
 */
int untar_next(struct untar *u, struct untar_entry *ret, struct ct_err *err);

/**
 * untar_read(u, ret, err):
 * Return how many bytes of the entry's content came next, with where they are until the next call;
 * 0 at its end, -1 on error.
 */
int untar_read(struct untar *u, const void **ret, struct ct_err *err);

/**
 * untar_copied(u, bytes, err):
 * A link became a copy of so much, or moving its paths made a file so much longer: it counts for
 * the limits as if it had stood there.  Return 0, or -1 if there is too much now.
 */
int untar_copied(struct untar *u, int64_t bytes, struct ct_err *err);

#endif

#ifndef CTCTL_CLOUD_COPY_H
#define CTCTL_CLOUD_COPY_H

#include <stdint.h>

#include "api/api.h"
#include "bundle/open/held.h"
#include "ctctl/ctx/ctx.h"

/*
 * One version of a session that was fetched from the cloud, opened to its last byte, and what was
 * in it, so that two of them can be compared: does one hold all that the other holds?
 */
struct copy {
    int64_t version;
    char sha256[HASH_SHA256_HEX]; /* of the gzip file, before it was sealed and padded... */
    int64_t gzip_bytes;           /* ...or with its padding, and 0, if its description is lost */
    int64_t generation; /* of a sealed one, else 0 */
    enum trust trust;   /* whose it was before it was sealed; in clear a stranger's */
    struct held held;
};

struct copy_source {
    char *path;                     /* the file as it came, sealed or not */
    struct api_download_res answer; /* what the server says of it */
};

/**
 * copy_fetch(c, session_id, wire_id, version, ret, ret_source, err):
 * Download ${version} of the session ${session_id}, which the server knows by ${wire_id} (the same:
 * it is in clear), open it with this device's keys if it is sealed, and look into it.  ERR_CORRUPT
 * or ERR_REFUSED if it is not what it is to be.  The caller ends ${ret} with copy_clear(), and
 * ${ret_source} (may be NULL) with copy_source_clear(), which removes the file.
 */
int copy_fetch(struct ctx *c, const char *session_id, const char *wire_id, int64_t version,
               struct copy *ret, struct copy_source *ret_source, struct ct_err *err);
void copy_clear(struct copy *k);
void copy_source_clear(struct copy_source *s);

/**
 * copy_is_within(a, b):
 * Return whether ${b} holds all that ${a} holds: the same bytes; the same content; or every record
 * of its transcript, and a file of each name that is not shorter, but for those that only tell how
 * something stands now (tasks, todos, plans, memory).  For who is about to delete ${a}: unless ${b}
 * is one's own, records and files have to say the same.
 */
int copy_is_within(const struct copy *a, const struct copy *b);

#endif

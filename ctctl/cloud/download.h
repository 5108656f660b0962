#ifndef CTCTL_CLOUD_DOWNLOAD_H
#define CTCTL_CLOUD_DOWNLOAD_H

#include <stdint.h>

#include "api/api.h"
#include "bundle/seal/sealed.h"
#include "ctctl/ctx/ctx.h"

/*
 * One bundle from the cloud as a file in a private folder (downloads/ in the state folder).  What
 * arrived before a download broke off is kept there for a week, named by the bundle's checksum, and
 * the next one goes on where it ended.
 */
struct download {
    struct api_download_res answer; /* what the API says of the version; checksum and size_bytes are
                                       there whatever the server */
    const char *api_url;            /* borrowed from the credentials */
    char *dir;
    char *path;
    int fd;           /* the whole bundle, at its beginning, once download_fetch() is through */
    int64_t received; /* bytes that came over the network */
    int is_loopback;  /* API or store are on this machine */

    /* Of a sealed version: what its sealed description says.  A server that keeps no description
     * for each version sends the newest one's: then only the session's id counts. */
    int is_sealed;
    int is_newest; /* it was asked for as the newest */
    int is_stock;  /* by a server that is not ours */
    struct sealed_facts facts;
    struct seal_header header; /* of the bundle, once download_fetch() is through */
    struct http_policy policy;
    void (*progress)(void *arg, int64_t done, int64_t total); /* may be NULL */
    void *progress_arg;
};

/**
 * download_look(c, wire_id, version, ret, err):
 * Ask for ${version} (0: the newest) of the session that the server calls ${wire_id}, and learn its
 * checksum and size: with a stock server, from its list of versions.  ERR_GONE if it is not there;
 * as of sealed_open(), with the cure, if it is sealed and can't be opened here; ERR_REFUSED with
 * ITEM_ROLLBACK if the newest is older than what this device has seen.  Nothing is transferred yet,
 * but for a bundle whose description is lost (bare.h).
 * ${ret} borrows from ${c}; end it with download_clear().
 */
int download_look(struct ctx *c, const char *wire_id, int64_t version, struct download *ret,
                  struct ct_err *err);

/**
 * download_fetch(c, d, err):
 * Transfer what is missing, going on after failures as long as there is some progress, with a new
 * presigned URL when the old one has had its time, and check size and SHA-256.  ERR_CORRUPT if the
 * object is not what the server promised, or in clear where the session is sealed, or the other way
 * round, or not the one that its description means; ERR_RETRY; ERR_NOSPACE.
 */
int download_fetch(struct ctx *c, struct download *d, struct ct_err *err);

/**
 * download_unseal(c, d, ret, err):
 * After download_fetch(): say how the bundle is to be opened, with which keys and what has to be
 * true of it.  ${ret} borrows from ${c} and ${d}.
 */
int download_unseal(struct ctx *c, const struct download *d, struct unseal_opts *ret,
                    struct ct_err *err);

/**
 * download_id(d):
 * The session's real id; borrowed.
 */
const char *download_id(const struct download *d);

/**
 * download_clear(d, is_kept):
 * Free what is in it and remove the file, unless it is worth keeping for another try.
 */
void download_clear(struct download *d, int is_kept);

#endif

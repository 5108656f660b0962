#ifndef CTCTL_DOWNLOAD_H
#define CTCTL_DOWNLOAD_H

#include <stdint.h>

#include "api/api.h"
#include "ctctl/ctx.h"

/*
 * One bundle from the cloud as a file in a private folder (downloads/ in the state folder).  What
 * arrived before a download broke off is kept there for a week, named by the bundle's checksum, and
 * the next one goes on where it ended.
 */
struct download {
    struct api_download_res answer; /* what the API says of the version; checksum and size_bytes are
                                       there whatever the server */
    char *dir;
    char *path;
    int fd;           /* the whole bundle, at its beginning, once download_fetch() is through */
    int64_t received; /* bytes that came over the network */
    int is_loopback;  /* API or store are on this machine */
    struct http_policy policy;
    void (*progress)(void *arg, int64_t done, int64_t total); /* may be NULL */
    void *progress_arg;
};

/**
 * download_look(c, session_id, version, ret, err):
 * Ask for ${version} (0: the newest) of the session, and learn its checksum and size: with a stock
 * server, from its list of versions.  ERR_GONE if it is not there.  Nothing is transferred yet.
 * ${ret} borrows from ${c}; end it with download_clear().
 */
int download_look(struct ctx *c, const char *session_id, int64_t version, struct download *ret,
                  struct ct_err *err);

/**
 * download_fetch(c, d, err):
 * Transfer what is missing, going on after failures as long as there is some progress, with a new
 * presigned URL when the old one has had its time, and check size and SHA-256.  ERR_CORRUPT if the
 * object is not what the server promised; ERR_RETRY; ERR_NOSPACE.
 */
int download_fetch(struct ctx *c, struct download *d, struct ct_err *err);

/**
 * download_clear(d, is_kept):
 * Free what is in it and remove the file, unless it is worth keeping for another try.
 */
void download_clear(struct download *d, int is_kept);

#endif

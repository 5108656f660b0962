#ifndef SERVER_STORE_S3_H
#define SERVER_STORE_S3_H

#include "common/base/err.h"

#include "server/store/store.h"

/*
 * Somebody's S3 as a store: Cloudflare R2, Amazon S3, Ceph, anything that checks SigV4.  Clients
 * get presigned URLs; what the server itself asks (HEAD, DELETE, ListObjectsV2) blocks the calling
 * thread and is signed in its headers.
 */
struct s3_place {
    const char *endpoint; /* "https://host[:port][/path]" */
    const char *region;   /* "auto" for R2 */
    const char *bucket;
    const char *key_id;
    const char *secret;
    const char *ca_file;  /* of a private CA, or NULL */
    int is_virtual_host;  /* the bucket is part of the host's name, not of the path */
    int allow_plain_http; /* http:// to a loopback address */
    int no_checksums;     /* it refuses the headers x-amz-checksum-* */
};

/**
 * s3_open(place, ret, err):
 * Make a store of ${place}, which is copied.  Nothing is sent.  ERR_CONFIG if it can't be one.
 */
int s3_open(const struct s3_place *place, struct store **ret, struct ct_err *err);

#endif

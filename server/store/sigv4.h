#ifndef SERVER_STORE_SIGV4_H
#define SERVER_STORE_SIGV4_H

#include <stdint.h>

#include "common/base/strlist.h"

/*
 * AWS Signature Version 4 in the query string, both ways: URLs that carry their own permission, and
 * the check of such a URL as the object store does it.  The payload is never part of the signature
 * (UNSIGNED-PAYLOAD): stores refuse anything else in a presigned URL.  And in the headers, for
 * requests of our own.
 * Source: "Authenticating Requests" of the Amazon S3 API reference.
 */

#define SIGV4_MAX_HEADERS 8
#define SIGV4_MAX_QUERY 8
#define SIGV4_MAX_EXPIRES 604800 /* seven days, in seconds */

struct sigv4_cred {
    const char *key_id;
    const char *secret;
    const char *region;
};

/* A header that is part of the signature, its name in lower case; or a parameter of the query. */
struct sigv4_header {
    const char *name;
    const char *value;
};

struct sigv4_request {
    const char *method;
    const char *base_url; /* "https://host[:port]", what is signed as the Host header */
    const char *path;     /* decoded, begins with '/' */
    struct sigv4_header headers[SIGV4_MAX_HEADERS]; /* beside host, in any order */
    int n_headers;
    struct sigv4_header query[SIGV4_MAX_QUERY]; /* decoded, in any order */
    int n_query;
    int64_t now_ms;
    long expires_s; /* of a URL */
};

/**
 * sigv4_presign(cred, req):
 * Return the presigned URL for ${req}; it is a secret, and the caller frees it.
 */
char *sigv4_presign(const struct sigv4_cred *cred, const struct sigv4_request *req);

/**
 * sigv4_authorize(cred, req, ret_headers):
 * Sign ${req}, which has no body, in its headers: return the URL, which is no secret and the
 * caller frees, and append the headers ("Name: value") that it has to be sent with.
 */
char *sigv4_authorize(const struct sigv4_cred *cred, const struct sigv4_request *req,
                      struct strlist *ret_headers);

enum sigv4_verdict {
    SIGV4_OK,
    SIGV4_ABSENT,    /* no presigned request at all */
    SIGV4_MALFORMED, /* a parameter is missing, double or not of its shape */
    SIGV4_KEY,       /* unknown access key */
    SIGV4_SCOPE,     /* another date, region or service */
    SIGV4_HEADERS,   /* a header that has to be signed is not */
    SIGV4_MISMATCH,
    SIGV4_EXPIRED,
    SIGV4_FUTURE, /* signed more than 15 minutes ahead of our clock */
};

struct sigv4_check {
    const char *method;
    const char *target; /* the request target as it came: path and query, still encoded */
    const char *(*header)(void *arg, const char *name); /* one header's value, or NULL */
    void *arg;
    const char *must_sign; /* names that have to be signed: "host;content-length" */
    int64_t now_ms;
};

/**
 * sigv4_verify(cred, check):
 * Return SIGV4_OK if the request was presigned with ${cred} and is still good, else why not.  The
 * order is shape, key, scope, signature, time: a forged URL never learns about expiry.
 */
enum sigv4_verdict sigv4_verify(const struct sigv4_cred *cred, const struct sigv4_check *check);

/**
 * sigv4_is_signed(target, name):
 * Return whether ${name} (lower case) is among the X-Amz-SignedHeaders of ${target}.
 */
int sigv4_is_signed(const char *target, const char *name);

#endif

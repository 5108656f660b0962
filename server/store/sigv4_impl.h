#ifndef SERVER_STORE_SIGV4_IMPL_H
#define SERVER_STORE_SIGV4_IMPL_H

#include "common/base/buf.h"
#include "common/base/hash.h"

#include "server/store/sigv4.h"

/* What signing and checking share: the canonical forms.  Nobody but sigv4*.c includes it. */

#define SIGV4_ALGORITHM "AWS4-HMAC-SHA256"
#define SIGV4_SIGNATURE "X-Amz-Signature"
#define SIGV4_UNSIGNED "UNSIGNED-PAYLOAD"
#define SIGV4_MAX_PARAMS 24

struct sigv4_param {
    char *name;
    char *value;
};

struct sigv4_params {
    struct sigv4_param v[SIGV4_MAX_PARAMS];
    int n;
};

/**
 * sigv4_params_add(p, name, value), sigv4_params_parse(query, p), sigv4_params_get(p, name),
 * sigv4_params_free(p):
 * The parameters of a query, decoded.  One whose name comes twice could mean one thing here and
 * another elsewhere: -1; sigv4_params_free() in every case.
 */
void sigv4_params_add(struct sigv4_params *p, const char *name, const char *value);
int sigv4_params_parse(const char *query, struct sigv4_params *p);
const char *sigv4_params_get(const struct sigv4_params *p, const char *name);
void sigv4_params_free(struct sigv4_params *p);

/**
 * sigv4_add_query(b, p):
 * Append "name=value&...", encoded and then sorted by their bytes, without the signature itself.
 */
void sigv4_add_query(struct buf *b, const struct sigv4_params *p);

/**
 * sigv4_add_trimmed(b, s):
 * Append a header's value: leading and trailing blanks go, runs of blanks become one.
 */
void sigv4_add_trimmed(struct buf *b, const char *s);

/**
 * sigv4_time(ms, out):
 * Write ${ms} as "20261123T200046Z".
 */
void sigv4_time(int64_t ms, char out[17]);

/**
 * sigv4_signature(cred, method, path, params, canonical_headers, names, payload, when, out):
 * Write the signature in hex.  ${canonical_headers} is "name:value\n..." and ${names} "name;...",
 * both sorted; ${payload} is the body's digest or SIGV4_UNSIGNED.
 */
void sigv4_signature(const struct sigv4_cred *cred, const char *method, const char *path,
                     const struct sigv4_params *params, const char *canonical_headers,
                     const char *names, const char *payload, const char *when,
                     char out[HASH_SHA256_HEX]);

#endif

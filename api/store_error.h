#ifndef API_STORE_ERROR_H
#define API_STORE_ERROR_H

#include <stdint.h>

#include "common/base/err.h"
#include "net/http.h"

/**
 * store_error(res, url_age_ms, ret):
 * Say what an object store's answer other than 2xx means, by the code in its XML and not by its
 * status (Amazon S3's error codes as Cloudflare R2, Ceph and others send them).  ${url_age_ms} is
 * the age of the presigned URL.  ERR_EXPIRED: ask for a new URL; ERR_RETRY; ERR_CORRUPT: the body
 * was damaged; ERR_REFUSED: the bundle is too large; ERR_FAIL: the store's operator has to act. The
 * answer's text is not repeated: with SignatureDoesNotMatch it holds what was signed.
 */
void store_error(const struct http_res *res, int64_t url_age_ms, struct ct_err *ret);

#endif

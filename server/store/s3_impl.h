#ifndef SERVER_STORE_S3_IMPL_H
#define SERVER_STORE_S3_IMPL_H

#include "net/http.h"

#include "server/store/s3.h"
#include "server/store/sigv4.h"

/* What s3.c and s3_list.c share; nobody else includes it. */
struct s3 {
    struct store store;
    struct http_pool *pool;
    char *base_url;    /* "https://host[:port]", what is signed as Host */
    char *bucket_path; /* "/bucket", or "" where the bucket is part of the host */
    char *key_id, *secret, *region;
    int no_checksums;
    struct sigv4_cred cred;
};

/**
 * s3_request(s, req, header, arg, res, err):
 * Send ${req}, of which method, path (below the bucket), headers and query are set.  ${header} as
 * in net/http.h.  http_res_free(res) afterwards.
 */
int s3_request(struct s3 *s, struct sigv4_request *req,
               void (*header)(void *arg, const char *name, const char *value), void *arg,
               struct http_res *res, struct ct_err *err);

/**
 * s3_refused(s, res, doing, err):
 * Say what an answer other than 2xx means, in the words of its XML if it is some, without what
 * could be a secret.  ERR_GONE: there is no such object; ERR_RETRY; ERR_FAIL: whoever runs the
 * server has to act.  Return -1.
 */
int s3_refused(const struct s3 *s, const struct http_res *res, const char *doing,
               struct ct_err *err);

/**
 * s3_each(s, one, arg, err), s3_probe(s, err):
 * As in struct store_ops.
 */
int s3_each(struct store *s,
            int (*one)(void *arg, const char *key, int64_t size_bytes, int64_t modified_ms),
            void *arg, struct ct_err *err);
int s3_probe(struct store *s, struct ct_err *err);

/**
 * s3_trial(s, err):
 * The same, in s3_trial.c.
 */
int s3_trial(struct store *s, struct ct_err *err);

/**
 * s3_shows(s, origin, err):
 * The same, in s3_shows.c.
 */
int s3_shows(struct store *s, const char *origin, struct ct_err *err);

/**
 * s3_trial_put(s, err), s3_trial_key:
 * Put the small object of trials, by its key.
 */
extern const char s3_trial_key[];
int s3_trial_put(struct s3 *s, struct ct_err *err);

/**
 * s3_presign_put(s, put, headers), s3_head(s, key, ret, err), s3_remove(s, key, err):
 * The same, for s3_trial.c.
 */
char *s3_presign_put(struct store *s, const struct store_put *put, struct json_object *headers);
int s3_head(struct store *s, const char *key, struct store_head *ret, struct ct_err *err);
int s3_remove(struct store *s, const char *key, struct ct_err *err);

#endif

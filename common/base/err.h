#ifndef COMMON_BASE_ERR_H
#define COMMON_BASE_ERR_H

/*
 * The one error type.  Functions that can fail return 0 or -1 and fill a struct ct_err.  The code
 * is what policy goes by (retry, ask for a log-in, give up on this session...); the sentence is
 * what a person reads.  An error is logged once, by whoever decides what to do about it.
 */

enum err_code {
    ERR_NONE = 0,
    ERR_FAIL,      /* final for this attempt; a person or a change must mend it */
    ERR_RETRY,     /* the network, a busy server: the same thing may work later */
    ERR_AUTH,      /* not logged in: the token is missing, expired or revoked */
    ERR_REFUSED,   /* the server understood and said no (plan limit, too large, bad request) */
    ERR_GONE,      /* it is not there (any more) */
    ERR_CONFLICT,  /* somebody else's change came first */
    ERR_EXPIRED,   /* a presigned URL has had its time: ask for a new one at once */
    ERR_NOSPACE,   /* the disk, or a limit of ours on it, is full */
    ERR_CORRUPT,   /* data is not what it claims to be */
    ERR_CONFIG,    /* configuration or credentials need an edit */
    ERR_CANCELLED, /* we were asked to stop */
    ERR_BUG,       /* ours */
};

struct ct_err {
    enum err_code code;
    int sys_errno;     /* errno at the failure, or 0 */
    int http_status;   /* HTTP status of the answer, or 0 */
    int retry_after_s; /* what the peer asked for in Retry-After, or 0 */
    char reason[48];   /* the peer's machine-readable code ("no_reservation"), or "" */
    char msg[512];     /* one sentence, no newline, no secret */
};

/**
 * err_set(err, code, fmt, ...):
 * Fill ${err} (which may be NULL) with ${code} and a sentence; all other members become empty.
 * Return -1, so that a function can end with `return err_set(...)`.
 */
int err_set(struct ct_err *err, enum err_code code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/**
 * err_sys(err, fmt, ...):
 * As err_set(), from the current errno: the sentence ends with ": " and the system's words for it.
 * The code is ERR_NOSPACE for ENOSPC, EDQUOT and EFBIG, ERR_GONE for ENOENT and ENOTDIR, else
 * ERR_FAIL.  Return -1.
 */
int err_sys(struct ct_err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/**
 * err_prefix(err, fmt, ...):
 * Put more context in front of the sentence in ${err}.  Return -1.
 */
int err_prefix(struct ct_err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/**
 * err_name(code):
 * Return a stable lower-case word for ${code}, for logs and JSON.
 */
const char *err_name(enum err_code code);

#endif

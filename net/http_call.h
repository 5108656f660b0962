#ifndef NET_HTTP_CALL_H
#define NET_HTTP_CALL_H

#include <curl/curl.h>

#include "net/http.h"

/*
 * One exchange on a libcurl easy handle; shared by the engine and the blocking form, of no interest
 * outside this room.
 */
struct http_exchange {
    CURL *easy;
    struct curl_slist *headers;
    struct http_res res;
    char *origin; /* for error messages: a URL may hold secrets */
    int has_ca_file;
    char curl_error[CURL_ERROR_SIZE];
    struct ct_err err; /* set by a callback that stopped the transfer */
    const void *body;
    int body_fd;
    int64_t body_len;
    int64_t body_at;
    int answer_fd;
    int64_t answer_offset;
    int64_t answer_limit;
    size_t max_answer;
    void (*progress)(void *arg, int64_t sent, int64_t received);
    void *progress_arg;
    void (*header)(void *arg, const char *name, const char *value);
    void *header_arg;
    /* How much of so many bytes of a file may be sent now; 0: paused until curl_easy_pause() lets
     * it go on.  NULL: all. */
    size_t (*grant)(void *arg, size_t want);
    void *grant_arg;
};

/**
 * http_library(err):
 * Set libcurl up; again is harmless.  From any thread, before anything of libcurl.
 */
int http_library(struct ct_err *err);

/**
 * http_exchange_init(x, easy, policy, req, err):
 * Set up ${x} for ${req} as net/http.h says, on ${easy} with its connections or on a new handle
 * (NULL); it belongs to ${x} then, on error it stays the caller's.  Pointers in ${req} that live
 * until the end of the exchange are kept, the rest is copied.
 */
int http_exchange_init(struct http_exchange *x, CURL *easy, const struct http_policy *policy,
                       const struct http_req *req, struct ct_err *err);

/**
 * http_exchange_end(x, code, err):
 * The transfer ended with ${code}.  Return 0 with x->res complete, or -1 with ${err}.
 */
int http_exchange_end(struct http_exchange *x, CURLcode code, struct ct_err *err);

/**
 * http_exchange_clear(x):
 * Free what it holds.
 */
void http_exchange_clear(struct http_exchange *x);

#endif

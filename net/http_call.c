#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/base/str.h"

#include "net/http_call.h"

static size_t on_read(char *p, size_t size, size_t n, void *arg)
{
    struct http_exchange *x = arg;
    int64_t left = x->body_len - x->body_at;
    ssize_t got;

    n *= size;
    if ((int64_t)n > left)
        n = (size_t)left;
    if (n == 0)
        return 0;
    if (x->body_fd >= 0 && x->grant != NULL && (n = x->grant(x->grant_arg, n)) == 0)
        return CURL_READFUNC_PAUSE;
    if (x->body_fd < 0) {
        memcpy(p, (const char *)x->body + x->body_at, n);
        got = (ssize_t)n;
    } else {
        got = file_pread_all(x->body_fd, p, n, (off_t)x->body_at);
        if (got < 0)
            err_sys(&x->err, "can't read the file to upload");
        else if (got == 0)
            err_set(&x->err, ERR_CORRUPT, "the file to upload is shorter than it was");
        if (got <= 0)
            return CURL_READFUNC_ABORT;
    }
    x->body_at += got;
    return (size_t)got;
}

/* Called when curl has to send the body again, on a new connection for a dead reused one. */
static int on_seek(void *arg, curl_off_t offset, int origin)
{
    struct http_exchange *x = arg;

    if (origin != SEEK_SET || offset < 0 || offset > x->body_len)
        return CURL_SEEKFUNC_FAIL;
    x->body_at = offset;
    return CURL_SEEKFUNC_OK;
}

static int keep_in_file(struct http_exchange *x, long status, const char *p, size_t n)
{
    /* 200 to a Range request: the server sends it all, from the start. */
    int64_t base = status == 206 ? x->answer_offset : 0;

    if (x->answer_limit > 0 && base + x->res.received + (int64_t)n > x->answer_limit)
        return err_set(&x->err, ERR_CORRUPT, "%s sent more than it was to", x->origin);
    while (n > 0) {
        ssize_t w = pwrite(x->answer_fd, p, n, (off_t)(base + x->res.received));
        if (w < 0 && errno == EINTR)
            continue;
        if (w < 0)
            return err_sys(&x->err, "can't write the download");
        p += w;
        n -= (size_t)w;
        x->res.received += w;
    }
    return 0;
}

static size_t on_write(char *p, size_t size, size_t n, void *arg)
{
    struct http_exchange *x = arg;
    long status = 0;

    n *= size;
    curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &status);
    if (x->answer_fd >= 0 && status >= 200 && status < 300)
        return keep_in_file(x, status, p, n) == 0 ? n : 0;
    x->res.received += (int64_t)n;
    if (x->res.body.len + n > x->max_answer) {
        /* An error page may be cut; an answer that we were to understand may not. */
        if (status >= 400)
            return n;
        err_set(&x->err, ERR_RETRY, "%s sent a larger answer than expected", x->origin);
        return 0;
    }
    buf_add(&x->res.body, p, n);
    return n;
}

/* Split "Name: value\r\n"; 0, or -1 if it is no header. */
static int split_header(const char *line, size_t n, char *name, size_t name_size, char *value,
                        size_t value_size)
{
    const char *colon = memchr(line, ':', n), *end = line + n;

    if (colon == NULL)
        return -1;
    snprintf(name, name_size, "%.*s", (int)(colon - line), line);
    for (colon++; colon < end && (*colon == ' ' || *colon == '\t'); colon++)
        ;
    for (; end > colon && strchr("\r\n \t", end[-1]) != NULL; end--)
        ;
    snprintf(value, value_size, "%.*s", (int)(end - colon), colon);
    return 0;
}

static size_t on_header(char *p, size_t size, size_t n, void *arg)
{
    struct http_exchange *x = arg;
    char name[64], value[256];

    n *= size;
    if (split_header(p, n, name, sizeof(name), value, sizeof(value)) != 0)
        return n;
    if (strcasecmp(name, "Date") == 0) {
        x->res.date_ms = (int64_t)curl_getdate(value, NULL) * 1000;
        if (x->res.date_ms < 0)
            x->res.date_ms = 0;
    }
    if (x->header != NULL)
        x->header(x->header_arg, name, value);
    return n;
}

static int on_progress(void *arg, curl_off_t dltotal, curl_off_t dlnow, curl_off_t ultotal,
                       curl_off_t ulnow)
{
    struct http_exchange *x = arg;

    (void)dltotal;
    (void)ultotal;
    if (x->progress != NULL)
        x->progress(x->progress_arg, ulnow, dlnow);
    return 0;
}

static void set_method(struct http_exchange *x, const struct http_req *req)
{
    int has_body =
        req->body_len >= 0 || strcmp(req->method, "POST") == 0 || strcmp(req->method, "PUT") == 0;

    if (strcmp(req->method, "HEAD") == 0) {
        curl_easy_setopt(x->easy, CURLOPT_NOBODY, 1L);
        return;
    }
    if (has_body) {
        x->body_len = req->body_len >= 0 ? req->body_len : 0;
        curl_easy_setopt(x->easy, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(x->easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)x->body_len);
        curl_easy_setopt(x->easy, CURLOPT_READFUNCTION, on_read);
        curl_easy_setopt(x->easy, CURLOPT_READDATA, x);
        curl_easy_setopt(x->easy, CURLOPT_SEEKFUNCTION, on_seek);
        curl_easy_setopt(x->easy, CURLOPT_SEEKDATA, x);
    }
    curl_easy_setopt(x->easy, CURLOPT_CUSTOMREQUEST, req->method);
}

static void set_headers(struct http_exchange *x, const struct http_req *req)
{
    char range[48];

    for (size_t i = 0; req->headers != NULL && i < req->headers->n; i++)
        x->headers = curl_slist_append(x->headers, req->headers->v[i]);
    /* R2 never answers 100, and curl would wait a second for it on every PUT. */
    x->headers = curl_slist_append(x->headers, "Expect:");
    curl_easy_setopt(x->easy, CURLOPT_HTTPHEADER, x->headers);
    if (req->answer_offset > 0) {
        snprintf(range, sizeof(range), "%lld-", (long long)req->answer_offset);
        curl_easy_setopt(x->easy, CURLOPT_RANGE, range);
    }
}

static void set_policy(struct http_exchange *x, const struct http_policy *policy, int is_loopback)
{
    CURL *c = x->easy;

    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, policy->allow_plain_http ? "https,http" : "https");
    curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(c, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    x->has_ca_file = policy->ca_file != NULL;
    if (x->has_ca_file)
        curl_easy_setopt(c, CURLOPT_CAINFO, policy->ca_file);
    if (policy->proxy != NULL)
        curl_easy_setopt(c, CURLOPT_PROXY, policy->proxy);
    /* A proxy has no business with what stays on this machine, least of all in clear. */
    if (is_loopback)
        curl_easy_setopt(c, CURLOPT_PROXY, "");
}

static void set_limits(struct http_exchange *x, const struct http_req *req)
{
    curl_easy_setopt(x->easy, CURLOPT_CONNECTTIMEOUT, 30L);
    curl_easy_setopt(x->easy, CURLOPT_LOW_SPEED_LIMIT, 1024L);
    curl_easy_setopt(x->easy, CURLOPT_LOW_SPEED_TIME, req->stall_s > 0 ? (long)req->stall_s : 60L);
    if (req->timeout_ms > 0)
        curl_easy_setopt(x->easy, CURLOPT_TIMEOUT_MS, req->timeout_ms);
}

int http_exchange_init(struct http_exchange *x, CURL *easy, const struct http_policy *policy,
                       const struct http_req *req, struct ct_err *err)
{
    memset(x, 0, sizeof(*x));
    if (http_library(err) != 0 || http_url_allowed(req->url, policy, err) != 0 ||
        (req->from != NULL && http_url_may_follow(req->url, req->from, err) != 0))
        return -1;
    x->easy = easy != NULL ? easy : curl_easy_init();
    if (x->easy == NULL)
        abort();
    x->origin = http_url_origin(req->url);
    x->body = req->body;
    x->body_fd = req->body_fd;
    x->answer_fd = req->answer_fd;
    x->answer_offset = req->answer_offset;
    x->answer_limit = req->answer_limit;
    x->max_answer = req->max_answer;
    x->progress = req->progress;
    x->progress_arg = req->progress_arg;
    x->header = req->header;
    x->header_arg = req->header_arg;
    curl_easy_setopt(x->easy, CURLOPT_URL, req->url);
    curl_easy_setopt(x->easy, CURLOPT_PATH_AS_IS, 1L); /* it may be signed as it is */
    curl_easy_setopt(x->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(x->easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(x->easy, CURLOPT_ERRORBUFFER, x->curl_error);
    curl_easy_setopt(x->easy, CURLOPT_USERAGENT, "codeteleportd/" PACKAGE_VERSION);
    curl_easy_setopt(x->easy, CURLOPT_WRITEFUNCTION, on_write);
    curl_easy_setopt(x->easy, CURLOPT_WRITEDATA, x);
    curl_easy_setopt(x->easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(x->easy, CURLOPT_HEADERDATA, x);
    curl_easy_setopt(x->easy, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(x->easy, CURLOPT_XFERINFODATA, x);
    curl_easy_setopt(x->easy, CURLOPT_NOPROGRESS, req->progress == NULL ? 1L : 0L);
    set_policy(x, policy, http_url_is_loopback(req->url));
    set_limits(x, req);
    set_method(x, req);
    set_headers(x, req);
    return 0;
}

/* A reason that a program can go by: did the request get as far as being sent? */
static int failed(const struct http_exchange *x, struct ct_err *err)
{
    curl_off_t sending_us = 0;

    curl_easy_getinfo(x->easy, CURLINFO_PRETRANSFER_TIME_T, &sending_us);
    if (err != NULL && sending_us == 0 && err->code == ERR_RETRY)
        snprintf(err->reason, sizeof(err->reason), "%s", HTTP_UNREACHABLE);
    return -1;
}

static int curl_failed(const struct http_exchange *x, CURLcode code, struct ct_err *err)
{
    const char *why = x->curl_error[0] != '\0' ? x->curl_error : curl_easy_strerror(code);
    long from_proxy = 0, sys_errno = 0;

    curl_easy_getinfo(x->easy, CURLINFO_HTTP_CONNECTCODE, &from_proxy);
    curl_easy_getinfo(x->easy, CURLINFO_OS_ERRNO, &sys_errno);
    if (x->err.code != ERR_NONE) {
        if (err != NULL)
            *err = x->err;
        return -1;
    }
    switch (code) {
    case CURLE_PEER_FAILED_VERIFICATION:
        err_set(err, ERR_RETRY, "the certificate of %s can't be trusted (%s); %s", x->origin, why,
                x->has_ca_file ? "the file that ca_file names in the configuration does not vouch "
                                 "for it: is it this server's CA, and the name the certificate's?"
                               : "if it comes from a CA of your own, set ca_file in the "
                                 "configuration");
        if (err != NULL)
            snprintf(err->reason, sizeof(err->reason), "%s", HTTP_UNTRUSTED);
        return -1;
    case CURLE_SSL_CACERT_BADFILE:
        err_set(err, ERR_CONFIG, "the CA file for %s can't be used (%s)", x->origin, why);
        break;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
        err_set(err, ERR_CONFIG, "can't reach %s: %s", x->origin, why);
        break;
    case CURLE_COULDNT_CONNECT:
        if (sys_errno == EACCES || sys_errno == EPERM)
            err_set(err, ERR_RETRY,
                    "this system forbids to connect to %s (%s); if allowed_ports is set in the "
                    "configuration, the port has to be among them",
                    x->origin, why);
        else
            err_set(err, ERR_RETRY, "can't reach %s: %s", x->origin, why);
        break;
    case CURLE_OPERATION_TIMEDOUT:
        err_set(err, ERR_RETRY, "%s did not answer in time", x->origin);
        break;
    default:
        if (from_proxy == 407)
            err_set(err, ERR_RETRY,
                    "the proxy wants a name and a password; set proxy = \"http://NAME:PASSWORD@"
                    "HOST:PORT\" in the configuration");
        else
            err_set(err, ERR_RETRY, "can't reach %s: %s", x->origin, why);
        break;
    }
    return failed(x, err);
}

/*
 * Did the connection reach this very machine?  The kernel takes the address that is connected to as
 * the source too, if it is one of the machine's own, so the two ends of the connection say it for
 * the time when it was made, whatever the interfaces have become since.  Behind a proxy on this
 * machine anything may be: what is reached by a proxy, which its port tells, counts as elsewhere.
 */
static int is_own_machine(const struct http_exchange *x)
{
    const char *peer = NULL, *own = NULL, *a, *port = strrchr(x->origin, ':');
    long peer_port = 0;

    curl_easy_getinfo(x->easy, CURLINFO_PRIMARY_IP, &peer);
    curl_easy_getinfo(x->easy, CURLINFO_PRIMARY_PORT, &peer_port);
    curl_easy_getinfo(x->easy, CURLINFO_LOCAL_IP, &own);
    if (peer == NULL || peer[0] == '\0' || port == NULL || atol(port + 1) != peer_port)
        return 0;
    a = strncasecmp(peer, "::ffff:", 7) == 0 ? peer + 7 : peer;
    return strncmp(a, "127.", 4) == 0 || (own != NULL && strcmp(peer, own) == 0);
}

int http_exchange_end(struct http_exchange *x, CURLcode code, struct ct_err *err)
{
    curl_off_t retry_after = 0, length = -1;
    const char *type = NULL;
    long status = 0;

    curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &status);
    /* A store may refuse a body half-way and close: its answer says more than the broken pipe. */
    if (code != CURLE_OK && !(code == CURLE_SEND_ERROR && status >= 400))
        return curl_failed(x, code, err);
    x->res.status = (int)status;
    curl_easy_getinfo(x->easy, CURLINFO_CONTENT_TYPE, &type);
    snprintf(x->res.content_type, sizeof(x->res.content_type), "%s", type != NULL ? type : "");
    curl_easy_getinfo(x->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    x->res.content_length = length;
    x->res.is_own_machine = is_own_machine(x);
    curl_easy_getinfo(x->easy, CURLINFO_RETRY_AFTER, &retry_after);
    x->res.retry_after_s = retry_after < 0 ? 0 : retry_after > 300 ? 300 : (int)retry_after;
    buf_add(&x->res.body, "", 0);
    return 0;
}

void http_exchange_clear(struct http_exchange *x)
{
    if (x->easy != NULL)
        curl_easy_cleanup(x->easy);
    curl_slist_free_all(x->headers);
    http_res_free(&x->res);
    free(x->origin);
    memset(x, 0, sizeof(*x));
}

void http_res_free(struct http_res *res)
{
    if (res->body.data != NULL) /* tokens and presigned URLs come this way */
        str_wipe(res->body.data, res->body.cap);
    buf_free(&res->body);
}

int http_perform(const struct http_policy *policy, const struct http_req *req, struct http_res *res,
                 struct ct_err *err)
{
    struct http_exchange x;
    int rc;

    if (http_exchange_init(&x, NULL, policy, req, err) != 0)
        return -1;
    rc = http_exchange_end(&x, curl_easy_perform(x.easy), err);
    if (rc == 0) {
        *res = x.res;
        memset(&x.res, 0, sizeof(x.res));
    }
    http_exchange_clear(&x);
    return rc;
}

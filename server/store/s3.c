#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "common/base/hash.h"
#include "common/data/jdoc.h"
#include "common/base/now.h"
#include "common/sys/secret.h"
#include "common/base/str.h"

#include "server/store/s3_impl.h"
#include "server/store/s3_xml.h"

#define TIMEOUT_MS 30000
#define MAX_ANSWER (8 << 20)
#define LONG_WORD 20 /* bytes of a word with digits that may be a key or a signature */

static char *presign(struct s3 *s, struct sigv4_request *req, const char *key, int64_t now_ms)
{
    char *path = str_printf("%s/%s", s->bucket_path, key), *url;

    req->base_url = s->base_url;
    req->path = path;
    req->now_ms = now_ms;
    req->expires_s = STORE_URL_LIFETIME_S;
    url = sigv4_presign(&s->cred, req);
    free(path);
    return url;
}

/*
 * Content-MD5 and Content-Length are what every store enforces; the SHA-256 is enforced by R2 and
 * Amazon.  A client that sent no MD5 gets a URL for what any client sends.
 */
char *s3_presign_put(struct store *s, const struct store_put *put, struct json_object *headers)
{
    char *length = str_printf("%lld", (long long)put->size_bytes), *sha256 = NULL, *url;
    unsigned char digest[HASH_SHA256_BYTES];
    struct sigv4_request req = {
        .method = "PUT",
        .headers = {{"content-length", length}, {"content-type", "application/gzip"}},
        .n_headers = 2};

    if (put->md5 != NULL) {
        req.headers[req.n_headers++] = (struct sigv4_header){"content-md5", put->md5};
        jdoc_set_str(headers, "Content-MD5", put->md5);
    }
    if (put->md5 != NULL && !((struct s3 *)s)->no_checksums &&
        hash_unhex(put->checksum + strlen("sha256:"), digest, sizeof(digest)) == 0) {
        sha256 = hash_base64(digest, sizeof(digest));
        req.headers[req.n_headers++] = (struct sigv4_header){"x-amz-checksum-sha256", sha256};
        jdoc_set_str(headers, "x-amz-checksum-sha256", sha256);
    }
    url = presign((struct s3 *)s, &req, put->key, put->now_ms);
    free(sha256);
    free(length);
    return url;
}

static char *presign_get(struct store *s, const char *key, int64_t now_ms)
{
    struct sigv4_request req = {.method = "GET"};

    return presign((struct s3 *)s, &req, key, now_ms);
}

int s3_request(struct s3 *s, struct sigv4_request *req,
               void (*header)(void *arg, const char *name, const char *value), void *arg,
               struct http_res *res, struct ct_err *err)
{
    struct http_req http = HTTP_REQ_INIT;
    struct strlist headers = {0};
    char *path = str_printf("%s%s", s->bucket_path, req->path), *url;
    int rc;

    req->base_url = s->base_url;
    req->path = path;
    req->now_ms = now_wall_ms();
    url = sigv4_authorize(&s->cred, req, &headers);
    http.method = req->method;
    http.url = url;
    http.headers = &headers;
    http.max_answer = MAX_ANSWER;
    http.timeout_ms = TIMEOUT_MS;
    http.header = header;
    http.header_arg = arg;
    rc = http_pool_perform(s->pool, &http, res, err);
    strlist_free(&headers);
    free(url);
    free(path);
    return rc;
}

/* What an answer says of itself. */
struct words {
    char code[48], message[200];
};

static void find_words(void *arg, const char *name, const char *text)
{
    struct words *w = arg;

    if (strcmp(name, "Code") == 0)
        snprintf(w->code, sizeof(w->code), "%s", text);
    else if (strcmp(name, "Message") == 0)
        snprintf(w->message, sizeof(w->message), "%s", text);
}

static void mask(char *s, const char *secret)
{
    size_t n = strlen(secret);

    while (n > 0 && (s = strstr(s, secret)) != NULL) {
        memset(s, '*', n);
        s += n;
    }
}

/* Who speaks of a key or a signature may quote it. */
static void mask_long_words(char *s)
{
    static const char word[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";

    while (*s != '\0') {
        size_t n = strspn(s, word);
        if (n >= LONG_WORD && strcspn(s, "0123456789") < n)
            memset(s, '*', n);
        s += n > 0 ? n : 1;
    }
}

static void read_words(const struct s3 *s, const struct http_res *res, struct words *w)
{
    memset(w, 0, sizeof(*w));
    if (res->body.len > 0)
        s3_xml_read(res->body.data, res->body.len, find_words, w, NULL);
    for (int i = 0; i < 2; i++) {
        char *text = i == 0 ? w->code : w->message;
        mask(text, s->secret);
        mask(text, s->key_id);
        mask_long_words(text);
    }
}

int s3_refused(const struct s3 *s, const struct http_res *res, const char *doing,
               struct ct_err *err)
{
    char code[64], message[256];
    enum err_code policy = ERR_FAIL;
    struct words w;

    read_words(s, res, &w);
    str_escape(w.code, strlen(w.code), code, sizeof(code));
    str_escape(w.message, strlen(w.message), message, sizeof(message));
    if (res->status == 404 && strcmp(w.code, "NoSuchBucket") != 0)
        return err_set(err, ERR_GONE, "the object is not in the store");
    if (res->status == 429 || res->status >= 500)
        policy = ERR_RETRY;
    err_set(err, policy, "the object store refused to %s (%d%s%s%s%s)%s", doing, res->status,
            code[0] != '\0' ? " " : "", code, message[0] != '\0' ? ": " : "", message,
            policy == ERR_FAIL ? "; look at s3_endpoint, s3_bucket, s3_region and the key" : "");
    if (err != NULL) {
        snprintf(err->reason, sizeof(err->reason), "%.40s", code);
        err->http_status = res->status;
        err->retry_after_s = res->retry_after_s;
    }
    return -1;
}

/*
 * An ETag is not read: with a key of somebody's, of a multipart upload, and in many stores that
 * call themselves compatible it is no MD5.  The SHA-256 of parts has a '-' behind it.
 */
static void on_header(void *arg, const char *name, const char *value)
{
    struct store_head *ret = arg;
    struct buf raw = {0};

    if (strcasecmp(name, "x-amz-checksum-sha256") == 0 &&
        hash_unbase64(value, strlen(value), &raw) == 0 && raw.len == HASH_SHA256_BYTES)
        hash_hex(raw.data, raw.len, ret->sha256);
    buf_free(&raw);
}

int s3_head(struct store *store, const char *key, struct store_head *ret, struct ct_err *err)
{
    struct s3 *s = (struct s3 *)store;
    char *path = str_printf("/%s", key);
    struct sigv4_request req = {.method = "HEAD",
                                .path = path,
                                .headers = {{"x-amz-checksum-mode", "ENABLED"}},
                                .n_headers = !s->no_checksums};
    struct http_res res = {0};
    int rc;

    ret->sha256[0] = '\0';
    rc = s3_request(s, &req, on_header, ret, &res, err);
    free(path);
    if (rc != 0)
        return -1;
    if (res.status != 200)
        rc = s3_refused(s, &res, "tell an object's size", err);
    else if (res.content_length < 0)
        rc = err_set(err, ERR_CORRUPT, "the object store tells no size");
    else
        ret->size_bytes = res.content_length;
    http_res_free(&res);
    return rc;
}

/* It would have to be fetched: what the signature bound at the PUT has to do. */
static int check(struct store *s, const char *key, const char *checksum, struct ct_err *err)
{
    (void)s;
    (void)key;
    (void)checksum;
    (void)err;
    return 0;
}

/* Whoever began to send in time may take hours. */
static int is_vacant(struct store *s, const char *key)
{
    (void)s;
    (void)key;
    return 0;
}

static int temporary(struct ct_err *err)
{
    char path[] = "/var/tmp/codeteleport.XXXXXX";
    int fd = mkostemp(path, O_CLOEXEC);

    if (fd < 0)
        return err_sys(err, "can't make a file in /var/tmp");
    unlink(path);
    return fd;
}

static int fetch(struct store *store, const char *key, int *ret_fd, struct ct_err *err)
{
    struct s3 *s = (struct s3 *)store;
    struct http_req http = HTTP_REQ_INIT;
    struct http_res res = {0};
    int fd = temporary(err), rc;
    char *url;

    if (fd < 0)
        return -1;
    url = presign_get(store, key, now_wall_ms());
    http.method = "GET";
    http.url = url;
    http.answer_fd = fd;
    rc = http_pool_perform(s->pool, &http, &res, err);
    free(url);
    if (rc == 0 && res.status != 200)
        rc = s3_refused(s, &res, "give an object", err);
    http_res_free(&res);
    if (rc == 0)
        *ret_fd = fd;
    else
        close(fd);
    return rc;
}

int s3_remove(struct store *s, const char *key, struct ct_err *err)
{
    char *path = str_printf("/%s", key);
    struct sigv4_request req = {.method = "DELETE", .path = path};
    struct http_res res = {0};
    struct ct_err why;
    int rc = s3_request((struct s3 *)s, &req, NULL, NULL, &res, err);

    free(path);
    if (rc != 0)
        return -1;
    if (res.status / 100 != 2 && s3_refused((struct s3 *)s, &res, "remove an object", &why) != 0 &&
        why.code != ERR_GONE) {
        if (err != NULL)
            *err = why;
        rc = -1;
    }
    http_res_free(&res);
    return rc;
}

/* A PUT is there whole or not at all, and the store forgets what broke off. */
static int sweep(struct store *s, int64_t older_than_ms, int64_t now_ms, struct ct_err *err)
{
    (void)s;
    (void)older_than_ms;
    (void)now_ms;
    (void)err;
    return 0;
}

static void free_store(struct store *store)
{
    struct s3 *s = (struct s3 *)store;

    http_pool_free(s->pool);
    secret_free(s->secret);
    free(s->key_id);
    free(s->region);
    free(s->base_url);
    free(s->bucket_path);
    free(s);
}

static const struct store_ops ops = {.presign_put = s3_presign_put,
                                     .presign_get = presign_get,
                                     .head = s3_head,
                                     .check = check,
                                     .is_vacant = is_vacant,
                                     .fetch = fetch,
                                     .remove = s3_remove,
                                     .each = s3_each,
                                     .probe = s3_probe,
                                     .trial = s3_trial,
                                     .shows = s3_shows,
                                     .sweep = sweep,
                                     .free = free_store};

/* As libcurl will send it in the Host header: without the port that goes without saying. */
static void cut_default_port(char *base_url)
{
    const char *port = strncmp(base_url, "https://", 8) == 0 ? ":443" : ":80";
    size_t n = strlen(base_url), p = strlen(port);

    if (n > p && strcmp(base_url + n - p, port) == 0)
        base_url[n - p] = '\0';
}

static int bucket_is_valid(const char *bucket)
{
    size_t n = strlen(bucket);

    return n >= 3 && n <= 63 && strspn(bucket, "abcdefghijklmnopqrstuvwxyz0123456789.-_") == n &&
           bucket[0] != '.' && bucket[0] != '-';
}

/* Take "https://host/path" apart and put the bucket where it belongs. */
static void set_urls(struct s3 *s, const struct s3_place *place)
{
    const char *host = strstr(place->endpoint, "://") + 3;
    size_t scheme = (size_t)(host - place->endpoint), n = strcspn(host, "/");
    size_t path_len = strlen(host + n);

    while (path_len > 0 && host[n + path_len - 1] == '/')
        path_len--;
    if (place->is_virtual_host) {
        s->base_url =
            str_printf("%.*s%s.%.*s", (int)scheme, place->endpoint, place->bucket, (int)n, host);
        s->bucket_path = str_printf("%.*s", (int)path_len, host + n);
    } else {
        s->base_url = str_printf("%.*s", (int)(scheme + n), place->endpoint);
        s->bucket_path = str_printf("%.*s/%s", (int)path_len, host + n, place->bucket);
    }
    cut_default_port(s->base_url);
}

int s3_open(const struct s3_place *place, struct store **ret, struct ct_err *err)
{
    struct http_policy policy = {.ca_file = place->ca_file,
                                 .allow_plain_http = place->allow_plain_http};
    struct http_pool *pool;
    struct s3 *s;

    if (http_url_allowed(place->endpoint, &policy, err) != 0)
        return err_prefix(err, "s3_endpoint");
    if (strpbrk(place->endpoint, "?#@ ") != NULL || strstr(place->endpoint, "://") == NULL)
        return err_set(err, ERR_CONFIG, "s3_endpoint has to be https://HOST[:PORT][/PATH]");
    if (!bucket_is_valid(place->bucket))
        return err_set(err, ERR_CONFIG, "s3_bucket is not the name of a bucket");
    if (http_pool_new(&policy, &pool, err) != 0)
        return -1;
    s = str_calloc(1, sizeof(*s));
    s->store.ops = &ops;
    s->pool = pool;
    s->no_checksums = place->no_checksums;
    set_urls(s, place);
    s->cred.key_id = s->key_id = str_dup(place->key_id);
    s->cred.secret = s->secret = secret_dup(place->secret);
    s->cred.region = s->region = str_dup(place->region);
    *ret = &s->store;
    return 0;
}

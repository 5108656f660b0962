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
static char *presign_put(struct store *s, const struct store_put *put, struct json_object *headers)
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
    if (put->md5 != NULL &&
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

static void find_code(void *arg, const char *name, const char *text)
{
    if (strcmp(name, "Code") == 0)
        snprintf(arg, 48, "%s", text);
}

int s3_refused(const struct http_res *res, const char *doing, struct ct_err *err)
{
    char code[48] = "", shown[64];
    enum err_code policy = ERR_FAIL;

    if (res->body.len > 0)
        s3_xml_read(res->body.data, res->body.len, find_code, code, NULL);
    str_escape(code, strlen(code), shown, sizeof(shown));
    if (res->status == 404 && strcmp(code, "NoSuchBucket") != 0)
        return err_set(err, ERR_GONE, "the object is not in the store");
    if (res->status == 429 || res->status >= 500)
        policy = ERR_RETRY;
    err_set(err, policy, "the object store refused to %s (%d%s%s)%s", doing, res->status,
            shown[0] != '\0' ? " " : "", shown,
            policy == ERR_FAIL ? "; look at s3_endpoint, s3_bucket, s3_region and the key" : "");
    if (err != NULL) {
        err->http_status = res->status;
        err->retry_after_s = res->retry_after_s;
    }
    return -1;
}

struct seen {
    char etag[64];
    int is_encrypted; /* with a key of somebody's: the ETag is no MD5 then */
};

static void on_header(void *arg, const char *name, const char *value)
{
    struct seen *seen = arg;

    if (strcasecmp(name, "ETag") == 0)
        snprintf(seen->etag, sizeof(seen->etag), "%s", value);
    else if (strncasecmp(name, "x-amz-server-side-encryption", 28) == 0 &&
             strcmp(value, "AES256") != 0)
        seen->is_encrypted = 1;
}

/* "\"<32 hex digits>\"" and nothing else; of a multipart upload it has a '-'. */
static void take_md5(const struct seen *seen, char md5[2 * HASH_MD5_BYTES + 1])
{
    unsigned char raw[HASH_MD5_BYTES];
    size_t n = strlen(seen->etag);

    md5[0] = '\0';
    if (seen->is_encrypted || n != 2 * HASH_MD5_BYTES + 2 || seen->etag[0] != '"')
        return;
    snprintf(md5, 2 * HASH_MD5_BYTES + 1, "%s", seen->etag + 1);
    if (hash_unhex(md5, raw, sizeof(raw)) == 0)
        hash_hex(raw, sizeof(raw), md5);
    else
        md5[0] = '\0';
}

static int head(struct store *s, const char *key, struct store_head *ret, struct ct_err *err)
{
    char *path = str_printf("/%s", key);
    struct sigv4_request req = {.method = "HEAD", .path = path};
    struct seen seen = {0};
    struct http_res res = {0};
    int rc = s3_request((struct s3 *)s, &req, on_header, &seen, &res, err);

    free(path);
    if (rc != 0)
        return -1;
    if (res.status != 200) {
        rc = s3_refused(&res, "tell an object's size", err);
    } else if (res.content_length < 0) {
        rc = err_set(err, ERR_CORRUPT, "the object store tells no size");
    } else {
        ret->size_bytes = res.content_length;
        take_md5(&seen, ret->md5);
    }
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
        rc = s3_refused(&res, "give an object", err);
    http_res_free(&res);
    if (rc == 0)
        *ret_fd = fd;
    else
        close(fd);
    return rc;
}

static int remove_object(struct store *s, const char *key, struct ct_err *err)
{
    char *path = str_printf("/%s", key);
    struct sigv4_request req = {.method = "DELETE", .path = path};
    struct http_res res = {0};
    struct ct_err why;
    int rc = s3_request((struct s3 *)s, &req, NULL, NULL, &res, err);

    free(path);
    if (rc != 0)
        return -1;
    if (res.status / 100 != 2 && s3_refused(&res, "remove an object", &why) != 0 &&
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

static const struct store_ops ops = {.presign_put = presign_put,
                                     .presign_get = presign_get,
                                     .head = head,
                                     .check = check,
                                     .is_vacant = is_vacant,
                                     .fetch = fetch,
                                     .remove = remove_object,
                                     .each = s3_each,
                                     .probe = s3_probe,
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
    set_urls(s, place);
    s->cred.key_id = s->key_id = str_dup(place->key_id);
    s->cred.secret = s->secret = secret_dup(place->secret);
    s->cred.region = s->region = str_dup(place->region);
    *ret = &s->store;
    return 0;
}

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/hash.h"
#include "common/base/log.h"
#include "common/base/now.h"
#include "common/base/str.h"
#include "common/base/uuid.h"
#include "api/api.h"

#include "server/store/objects.h"

#define PATH_PREFIX "/" STORE_BUCKET "/"

/* A PUT under way, kept with its request. */
struct incoming {
    struct embedded_put *put;
    unsigned char md5[HASH_MD5_BYTES];
    int has_md5;
};

/* No more than the code: S3 echoes the string to sign, which is of no use to the honest. */
static void refuse(struct web_req *r, int status, const char *code, const char *message)
{
    struct buf b = {0};

    buf_printf(&b,
               "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
               "<Error><Code>%s</Code><Message>%s</Message></Error>\n",
               code, message);
    web_answer(r, status, "application/xml", b.data, b.len);
    buf_free(&b);
}

static void refuse_err(struct web_req *r, const struct ct_err *err)
{
    if (strcmp(err->reason, "BadDigest") == 0) {
        refuse(r, 400, "BadDigest", "The Content-MD5 that was sent is not that of the body.");
    } else if (strcmp(err->reason, "IncompleteBody") == 0 || err->code == ERR_CORRUPT) {
        refuse(r, 400, "IncompleteBody", "The body does not have the length that was announced.");
    } else if (err->code == ERR_GONE) {
        refuse(r, 404, "NoSuchKey", "There is no such object.");
    } else if (strcmp(err->reason, "ExpiredRequest") == 0) {
        refuse(r, 403, "ExpiredRequest", "The version of this object was given up.");
    } else if (strcmp(err->reason, "OperationAborted") == 0) {
        refuse(r, 409, "OperationAborted", "Another PUT of this object is under way.");
    } else if (err->code == ERR_CONFLICT) {
        refuse(r, 412, "PreconditionFailed", "There is an object with this key already.");
    } else {
        log_error("object-failed code=%s error=\"%s\"", err_name(err->code), err->msg);
        if (err->code == ERR_NOSPACE)
            refuse(r, 507, "InsufficientStorage", "The disk of the object store is full.");
        else
            refuse(r, 500, "InternalError", "The object store could not do this.");
    }
}

static void refuse_verdict(struct web_req *r, enum sigv4_verdict v)
{
    switch (v) {
    case SIGV4_OK:
        break;
    case SIGV4_ABSENT:
        refuse(r, 403, "AccessDenied", "The request is not signed.");
        break;
    case SIGV4_MALFORMED:
        refuse(r, 400, "AuthorizationQueryParametersError", "The signature is not well-formed.");
        break;
    case SIGV4_KEY:
        refuse(r, 403, "InvalidAccessKeyId", "The access key is not known here.");
        break;
    case SIGV4_SCOPE:
    case SIGV4_HEADERS:
        refuse(r, 403, "AccessDenied", "The signature does not cover what it has to.");
        break;
    case SIGV4_MISMATCH:
        refuse(r, 403, "SignatureDoesNotMatch", "The signature is not that of this request.");
        break;
    case SIGV4_EXPIRED:
        refuse(r, 403, "ExpiredRequest", "The presigned URL has expired.");
        break;
    case SIGV4_FUTURE:
        refuse(r, 403, "RequestTimeTooSkewed", "The request was signed in the future.");
        break;
    }
}

static const char *header_of(void *arg, const char *name)
{
    return web_header(arg, name);
}

/* The key is what stands after the bucket, letter by letter: nothing in a key needs an escape. */
static int key_of(struct web_req *r, char key[STORE_KEY_MAX])
{
    const char *target = web_target(r);
    size_t n = strcspn(target, "?");

    if (n <= strlen(PATH_PREFIX) || n - strlen(PATH_PREFIX) >= STORE_KEY_MAX ||
        strncmp(target, PATH_PREFIX, strlen(PATH_PREFIX)) != 0)
        return -1;
    n -= strlen(PATH_PREFIX);
    memcpy(key, target + strlen(PATH_PREFIX), n);
    key[n] = '\0';
    return 0;
}

static int is_permitted(struct embedded *e, struct web_req *r)
{
    int put = strcmp(web_method(r), "PUT") == 0;
    struct sigv4_check check = {
        .method = web_method(r),
        .target = web_target(r),
        .header = header_of,
        .arg = r,
        .must_sign = put ? "content-length;content-type;host" : "host",
        .now_ms = now_wall_ms(),
    };
    enum sigv4_verdict v = sigv4_verify(embedded_cred(e), &check);

    refuse_verdict(r, v);
    return v == SIGV4_OK;
}

/* Content-MD5 is checked if it was sent; whether it had to be sent, the signature says. */
static int take_md5(struct web_req *r, struct incoming *in)
{
    const char *s = web_header(r, "Content-MD5");
    struct buf raw = {0};
    int rc = 0;

    if (s == NULL)
        return 0;
    if (hash_unbase64(s, strlen(s), &raw) == 0 && raw.len == sizeof(in->md5)) {
        memcpy(in->md5, raw.data, raw.len);
        in->has_md5 = 1;
    } else {
        refuse(r, 400, "InvalidDigest", "The Content-MD5 is not valid.");
        rc = -1;
    }
    buf_free(&raw);
    return rc;
}

static void begin_put(struct embedded *e, struct web_req *r, const char *key)
{
    struct incoming *in;
    struct ct_err err;
    int64_t size = web_length(r);

    if (size < 0) {
        refuse(r, 411, "MissingContentLength", "A Content-Length is needed.");
        return;
    }
    if (size > STORE_MAX_OBJECT) {
        refuse(r, 400, "EntityTooLarge", "The object is larger than one PUT may be.");
        return;
    }
    in = str_calloc(1, sizeof(*in));
    web_set_data(r, in);
    if (take_md5(r, in) == 0 && embedded_put_begin(e, key, size, in->has_md5, &in->put, &err) != 0)
        refuse_err(r, &err);
}

/* "bytes=a-b", "bytes=a-" or "bytes=-n" for ${size}; anything else is as if it were not there. */
static int parse_range(const char *s, int64_t size, int64_t *first, int64_t *last)
{
    char a[24], b[24];
    const char *dash;
    unsigned long long x, y;

    if (s == NULL || strncmp(s, "bytes=", 6) != 0 || (dash = strchr(s + 6, '-')) == NULL ||
        (size_t)(dash - s - 6) >= sizeof(a) || strlen(dash + 1) >= sizeof(b))
        return 0;
    snprintf(a, sizeof(a), "%.*s", (int)(dash - s - 6), s + 6);
    snprintf(b, sizeof(b), "%s", dash + 1);
    if (a[0] == '\0') {
        if (str_parse_u64(b, &y) != 0)
            return 0;
        *first = y >= (unsigned long long)size ? 0 : size - (int64_t)y;
        *last = size - 1;
        return y == 0 || size == 0 ? -1 : 1;
    }
    if (str_parse_u64(a, &x) != 0 || (b[0] != '\0' && (str_parse_u64(b, &y) != 0 || y < x)))
        return 0;
    if (x >= (unsigned long long)size)
        return -1;
    *first = (int64_t)x;
    *last = b[0] == '\0' || y >= (unsigned long long)size ? size - 1 : (int64_t)y;
    return 1;
}

static void answer_object(struct embedded *e, struct web_req *r, const char *key)
{
    int64_t size, first = 0, last;
    struct ct_err err;
    char text[96];
    int fd, ranged;

    if (embedded_open_object(e, key, &fd, &size, &err) != 0) {
        refuse_err(r, &err);
        return;
    }
    last = size - 1;
    ranged = parse_range(web_header(r, "Range"), size, &first, &last);
    if (ranged < 0) {
        close(fd);
        snprintf(text, sizeof(text), "bytes */%lld", (long long)size);
        web_answer_header(r, "Content-Range", text);
        refuse(r, 416, "InvalidRange", "The range lies outside of the object.");
        return;
    }
    web_answer_header(r, "Accept-Ranges", "bytes");
    if (ranged) {
        snprintf(text, sizeof(text), "bytes %lld-%lld/%lld", (long long)first, (long long)last,
                 (long long)size);
        web_answer_header(r, "Content-Range", text);
    }
    web_answer_fd(r, ranged ? 206 : 200, "application/gzip", fd, first, last - first + 1);
}

static void delete_object(struct embedded *e, struct web_req *r, const char *key)
{
    struct ct_err err;

    if (store_remove(embedded_store(e), key, &err) != 0)
        refuse_err(r, &err);
    else
        web_answer(r, 204, NULL, "", 0);
}

/* CORS, as little of it as there can be: one page, what is shared, and no other method. */
static void let_page_read(struct embedded *e, struct web_req *r, const char *session_id)
{
    const char *page = embedded_shown_to(e), *origin = web_header(r, "Origin");

    if (page == NULL || !store_is_share(session_id) || strcmp(web_method(r), "GET") != 0)
        return;
    web_answer_header(r, "Vary", "Origin");
    if (origin != NULL && strcmp(origin, page) == 0)
        web_answer_header(r, "Access-Control-Allow-Origin", page);
}

static int is_known_method(const char *m)
{
    return strcmp(m, "PUT") == 0 || strcmp(m, "GET") == 0 || strcmp(m, "HEAD") == 0 ||
           strcmp(m, "DELETE") == 0;
}

static void begin(void *arg, struct web_req *r)
{
    struct embedded *e = arg;
    char key[STORE_KEY_MAX], user_id[UUID_SIZE], session_id[API_SESSION_ID_MAX + 1];
    char note[256];
    int64_t version;
    int is_live;

    web_set_route(r, "object");
    if (strcmp(web_target(r), "/healthz") == 0 &&
        (strcmp(web_method(r), "GET") == 0 || strcmp(web_method(r), "HEAD") == 0)) {
        web_set_route(r, "/healthz");
        web_answer(r, 200, "text/plain", "ok\n", 3);
        return;
    }
    if (!is_known_method(web_method(r))) {
        web_answer_header(r, "Allow", "PUT, GET, HEAD, DELETE");
        refuse(r, 405, "MethodNotAllowed", "The object store knows PUT, GET, HEAD and DELETE.");
        return;
    }
    if (!is_permitted(e, r))
        return;
    web_keep(r, 1);
    if (key_of(r, key) != 0 || store_key_parse(key, user_id, session_id, &version) != 0) {
        refuse(r, 404, "NoSuchKey", "There is no such object.");
        return;
    }
    /* The id of a share is half of a link. */
    snprintf(note, sizeof(note), " user=%s session=%s", user_id,
             store_is_share(session_id) ? "shared" : session_id);
    web_set_note(r, note);
    let_page_read(e, r, session_id);
    is_live = embedded_is_live(e, key);
    if (is_live < 0)
        refuse(r, 500, "InternalError", "The object store could not do this.");
    else if (is_live == 0)
        refuse(r, 403, "AccessDenied",
               store_is_share(session_id) ? "What was shared here has ended."
                                          : "The account is disabled or gone.");
    else if (strcmp(web_method(r), "PUT") == 0)
        begin_put(e, r, key);
    else if (strcmp(web_method(r), "DELETE") == 0)
        delete_object(e, r, key);
    else
        answer_object(e, r, key);
}

static void body(void *arg, struct web_req *r, const void *p, size_t n)
{
    struct incoming *in = web_data(r);
    struct ct_err err;

    (void)arg;
    if (in == NULL || in->put == NULL) {
        refuse(r, 400, "InvalidRequest", "This request has no body.");
    } else if (embedded_put_data(in->put, p, n, &err) != 0) {
        embedded_put_abort(in->put);
        in->put = NULL;
        refuse_err(r, &err);
    }
}

static void end(void *arg, struct web_req *r)
{
    struct incoming *in = web_data(r);
    struct embedded_put *put = in != NULL ? in->put : NULL;
    struct ct_err err;
    int rc;

    (void)arg;
    if (put == NULL) {
        refuse(r, 400, "InvalidRequest", "This request can't be answered.");
        return;
    }
    in->put = NULL;
    web_busy(r, 1);
    rc = embedded_put_finish(put, in->has_md5 ? in->md5 : NULL, &err);
    web_busy(r, 0);
    if (rc != 0)
        refuse_err(r, &err);
    else
        web_answer(r, 200, NULL, "", 0);
}

static void done(void *arg, struct web_req *r)
{
    struct incoming *in = web_data(r);

    (void)arg;
    if (in == NULL)
        return;
    embedded_put_abort(in->put);
    free(in);
}

static void fault(void *arg, struct web_req *r, int status)
{
    (void)arg;
    refuse(r, status, status >= 500 ? "InternalError" : "InvalidRequest",
           "The request is not one that this store can answer.");
}

/* Whoever was disabled gets no further, however slowly they read; nor does who reads a share. */
static int goes_on(void *arg, struct web_req *r)
{
    char key[STORE_KEY_MAX];

    return key_of(r, key) != 0 || embedded_is_live(arg, key) != 0;
}

void objects_handler(struct embedded *e, struct web_handler *ret)
{
    *ret = (struct web_handler){e, 1, begin, body, end, done, fault, goes_on};
}

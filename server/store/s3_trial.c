#include <string.h>

#include "common/base/hash.h"
#include "common/base/now.h"
#include "common/base/str.h"
#include "common/data/jdoc.h"

#include "server/store/s3_impl.h"

/* Below the same prefix as objects, for a key may be allowed no other; and no key of one. */
#define KEY "bundles/codeteleport-trial"
#define BODY "codeteleport"
#define DAMAGED "cOdeteleport"
#define TIMEOUT_MS 30000

static void describe(struct store_put *put, char checksum[7 + HASH_SHA256_HEX], char **ret_md5)
{
    unsigned char md5[HASH_MD5_BYTES];

    memcpy(checksum, "sha256:", 7);
    hash_sha256_hex(BODY, strlen(BODY), checksum + 7);
    hash_md5(BODY, strlen(BODY), md5);
    *ret_md5 = hash_base64(md5, sizeof(md5));
    *put = (struct store_put){KEY, (int64_t)strlen(BODY), checksum, *ret_md5, now_wall_ms()};
}

/* PUT ${body} as a client would that was told to put BODY.  ERR_RETRY if there was no answer. */
static int put(struct s3 *s, const char *body, struct ct_err *err)
{
    struct json_object *asked = json_object_new_object();
    struct strlist headers = {0};
    struct http_req http = HTTP_REQ_INIT;
    struct http_res res = {0};
    char checksum[7 + HASH_SHA256_HEX], *md5, *url;
    struct store_put what;
    int rc;

    describe(&what, checksum, &md5);
    url = s3_presign_put(&s->store, &what, asked);
    strlist_add(&headers, "Content-Type: application/gzip");
    json_object_object_foreach(asked, name, value)
    {
        char *line = str_printf("%s: %s", name, json_object_get_string(value));
        strlist_add(&headers, line);
        free(line);
    }
    http.method = "PUT";
    http.url = url;
    http.headers = &headers;
    http.body = body;
    http.body_len = (int64_t)strlen(body);
    http.timeout_ms = TIMEOUT_MS;
    rc = http_pool_perform(s->pool, &http, &res, err);
    if (rc == 0 && res.status / 100 != 2)
        rc = s3_refused(s, &res, "take an object", err);
    http_res_free(&res);
    strlist_free(&headers);
    json_object_put(asked);
    free(url);
    free(md5);
    return rc;
}

const char s3_trial_key[] = KEY;

int s3_trial_put(struct s3 *s, struct ct_err *err)
{
    return put(s, BODY, err);
}

/* Is it the header that it refuses? */
static int put_without_checksum(struct s3 *s, struct ct_err *err)
{
    struct s3 other = *s;
    struct ct_err said = *err;

    other.no_checksums = 1;
    if (s->no_checksums || put(&other, BODY, NULL) != 0)
        return -1;
    return err_set(err, ERR_CONFIG,
                   "%s; it takes one without x-amz-checksum-sha256: set s3_checksums = false",
                   said.msg);
}

static int look(struct s3 *s, struct ct_err *err)
{
    struct store_head head;

    if (s3_head(&s->store, KEY, &head, err) != 0)
        return -1;
    if (head.size_bytes != (int64_t)strlen(BODY))
        return err_set(err, ERR_FAIL, "the object store tells another size than it was given");
    return 0;
}

static int put_damaged(struct s3 *s, struct ct_err *err)
{
    if (put(s, DAMAGED, NULL) != 0)
        return 0;
    return err_set(err, ERR_FAIL,
                   "the object store took an object whose Content-MD5 is another one's: what is "
                   "damaged on its way there is found by \"check --full\" only");
}

int s3_trial(struct store *store, struct ct_err *err)
{
    struct s3 *s = (struct s3 *)store;
    struct ct_err why = {0};

    if (put(s, BODY, &why) != 0) {
        put_without_checksum(s, &why);
        (void)s3_remove(store, KEY, NULL);
        if (err != NULL)
            *err = why;
        return -1;
    }
    if (look(s, err) != 0 || put_damaged(s, err) != 0) {
        (void)s3_remove(store, KEY, NULL);
        return -1;
    }
    return s3_remove(store, KEY, err);
}

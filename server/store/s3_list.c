#include <stdlib.h>
#include <string.h>

#include "common/base/now.h"
#include "common/base/percent.h"
#include "common/base/str.h"

#include "server/store/s3_impl.h"
#include "server/store/s3_xml.h"
#include "server/store/sigv4_impl.h"

/* One page of a list, read as it comes. */
struct page {
    int (*one)(void *arg, const char *key, int64_t size_bytes, int64_t modified_ms);
    void *arg;
    char *key; /* of the object that is being read */
    int64_t size_bytes, modified_ms;
    int is_truncated;
    char *token; /* of the next page */
    int rc;
};

static void replace(char **member, char *value)
{
    free(*member);
    *member = value;
}

static void on_element(void *arg, const char *name, const char *text)
{
    struct page *p = arg;
    unsigned long long n;

    if (strcmp(name, "Key") == 0) {
        replace(&p->key, percent_decode(text, strlen(text)));
    } else if (strcmp(name, "Size") == 0) {
        p->size_bytes = str_parse_u64(text, &n) == 0 && n <= INT64_MAX ? (int64_t)n : -1;
    } else if (strcmp(name, "LastModified") == 0) {
        if (now_parse_rfc3339(text, &p->modified_ms) != 0)
            p->modified_ms = INT64_MAX; /* never old enough to be removed */
    } else if (strcmp(name, "IsTruncated") == 0) {
        p->is_truncated = strcmp(text, "true") == 0;
    } else if (strcmp(name, "NextContinuationToken") == 0) {
        replace(&p->token, str_dup(text));
    } else if (strcmp(name, "Contents") == 0) {
        if (p->rc == 0 && p->key != NULL)
            p->rc = p->one(p->arg, p->key, p->size_bytes, p->modified_ms);
        replace(&p->key, NULL);
        p->size_bytes = -1;
        p->modified_ms = INT64_MAX;
    }
}

/* One request; ${p}->token is that of the page to get, NULL for the first, and then of the next. */
static int get_page(struct s3 *s, struct page *p, const char *max_keys, struct ct_err *err)
{
    struct sigv4_request req = {.method = "GET",
                                .path = s->bucket_path[0] == '\0' ? "/" : "",
                                .query = {{"list-type", "2"},
                                          {"prefix", "bundles/"},
                                          {"max-keys", max_keys},
                                          {"encoding-type", "url"}},
                                .n_query = 4};
    struct http_res res = {0};
    int rc;

    if (p->token != NULL)
        req.query[req.n_query++] = (struct sigv4_header){"continuation-token", p->token};
    if (s3_request(s, &req, NULL, NULL, &res, err) != 0)
        return -1;
    replace(&p->token, NULL);
    p->is_truncated = 0;
    if (res.status != 200) {
        rc = s3_refused(s, &res, "list its objects", err);
        /* A list that is not there is no empty one. */
        if (err != NULL && err->code == ERR_GONE)
            err->code = ERR_FAIL;
    } else {
        rc = s3_xml_read(res.body.data, res.body.len, on_element, p, err);
    }
    http_res_free(&res);
    return rc;
}

int s3_each(struct store *store,
            int (*one)(void *arg, const char *key, int64_t size_bytes, int64_t modified_ms),
            void *arg, struct ct_err *err)
{
    struct page p = {.one = one, .arg = arg, .size_bytes = -1, .modified_ms = INT64_MAX};
    int rc;

    do {
        rc = get_page((struct s3 *)store, &p, "1000", err);
        if (rc == 0)
            rc = p.rc;
        if (rc == 0 && p.is_truncated && p.token == NULL)
            rc = err_set(err, ERR_CORRUPT, "the object store's list is cut and can't be gone on");
    } while (rc == 0 && p.is_truncated);
    free(p.key);
    free(p.token);
    return rc;
}

static int ignore(void *arg, const char *key, int64_t size_bytes, int64_t modified_ms)
{
    (void)arg;
    (void)key;
    (void)size_bytes;
    (void)modified_ms;
    return 0;
}

int s3_probe(struct store *store, struct ct_err *err)
{
    struct page p = {.one = ignore};
    int rc = get_page((struct s3 *)store, &p, "1", err);

    free(p.key);
    free(p.token);
    return rc;
}

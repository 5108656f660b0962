#include <stdlib.h>
#include <string.h>

#include "api/store_error.h"
#include "common/base/now.h"
#include "common/base/str.h"
#include "common/data/jdoc.h"

#include "api/put.h"

void api_put_begin(const char *api_url, const struct api_upload_res *reserved, struct api_put *ret)
{
    static const char *const known[] = {"Content-MD5", "x-amz-checksum-sha256", "If-None-Match"};

    *ret = (struct api_put){.http = HTTP_REQ_INIT};
    strlist_add(&ret->headers, "Content-Type: application/gzip");
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        const char *v = jdoc_str(reserved->upload_headers, known[i]);
        char *line;
        if (v == NULL || strpbrk(v, "\r\n") != NULL)
            continue;
        line = str_printf("%s: %s", known[i], v);
        strlist_add(&ret->headers, line);
        free(line);
    }
    ret->http.method = "PUT";
    ret->http.url = reserved->upload_url;
    ret->http.from = api_url;
    ret->http.max_answer = 65536;
}

void api_put_end(struct api_put *p)
{
    strlist_free(&p->headers);
}

int api_put_perform(const struct api_put *p, const struct http_policy *policy,
                    int64_t reserved_boot_ms, struct ct_err *err)
{
    struct http_req http = p->http;
    struct http_res res = {0};
    struct ct_err e = {0};
    int rc;

    http.headers = &p->headers;
    rc = http_perform(policy, &http, &res, &e);
    if (rc == 0 && res.status != 412 && (res.status < 200 || res.status > 299)) {
        store_error(&res, now_boot_ms() - reserved_boot_ms, &e);
        rc = -1;
    }
    if (rc != 0 && err != NULL)
        *err = e;
    http_res_free(&res);
    return rc;
}

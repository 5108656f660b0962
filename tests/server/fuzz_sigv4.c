/*
 * Whatever a request looks like, the check of its signature ends, and says yes only to who has the
 * secret, for the method that was signed, in time.  And what we sign we take.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/base/str.h"
#include "common/base/uuid.h"
#include "api/api.h"

#include "server/store/sigv4.h"
#include "server/store/store.h"

#define MAX_LINES 12
#define NOW_MS 1764100000000LL
#define WEEK_MS (8LL * 24 * 3600 * 1000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct sigv4_cred cred = {"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
                                       "auto"};
static const struct sigv4_cred forger = {"AKIDEXAMPLE", "guess", "auto"};

/* The method, the target, then "name: value" of each header. */
struct request {
    char *text;
    char *line[MAX_LINES];
    int n;
};

static void split(struct request *r, const uint8_t *data, size_t size)
{
    r->text = str_calloc(size + 1, 1);
    if (size > 0)
        memcpy(r->text, data, size);
    r->n = 0;
    for (char *s = r->text; s != NULL && r->n < MAX_LINES;)
        r->line[r->n++] = strsep(&s, "\n");
}

static const char *header(void *arg, const char *name)
{
    const struct request *r = arg;
    size_t n = strlen(name);

    for (int i = 2; i < r->n; i++) {
        if (strncasecmp(r->line[i], name, n) == 0 && r->line[i][n] == ':')
            return r->line[i] + n + 1;
    }
    return NULL;
}

static void judge(struct request *r)
{
    struct sigv4_check check = {.method = r->line[0],
                                .target = r->line[1],
                                .header = header,
                                .arg = r,
                                .must_sign = "content-length;host",
                                .now_ms = NOW_MS};
    enum sigv4_verdict v = sigv4_verify(&cred, &check);

    sigv4_is_signed(r->line[1], "content-md5");
    if (sigv4_verify(&forger, &check) == SIGV4_OK)
        abort();
    if (v != SIGV4_OK)
        return;
    check.now_ms = NOW_MS + WEEK_MS;
    if (sigv4_verify(&cred, &check) == SIGV4_OK)
        abort();
    check.now_ms = NOW_MS;
    check.method = "OTHER";
    if (sigv4_verify(&cred, &check) == SIGV4_OK)
        abort();
}

/* The target as a path, the first header as its Content-MD5, the second as a parameter. */
static void go_round(struct request *r)
{
    const char *base = "https://store.example:8443";
    char *path = str_printf("/%s", r->line[1]), *other = str_printf("/%sx", r->line[1]), *url;
    struct sigv4_request req = {.method = r->line[0],
                                .base_url = base,
                                .path = path,
                                .headers = {{"content-md5", r->n > 2 ? r->line[2] : ""}},
                                .n_headers = 1,
                                .query = {{"prefix", r->n > 3 ? r->line[3] : ""}},
                                .n_query = 1,
                                .now_ms = NOW_MS,
                                .expires_s = 300};
    struct request sent = {.n = 4};
    struct sigv4_check check = {.method = r->line[0],
                                .header = header,
                                .arg = &sent,
                                .must_sign = "content-md5;host",
                                .now_ms = NOW_MS};
    char *md5 = str_printf("Content-MD5:%s", req.headers[0].value);

    sent.line[2] = md5;
    sent.line[3] = (char *)(uintptr_t) "Host: store.example:8443";
    url = sigv4_presign(&cred, &req);
    check.target = url + strlen(base);
    if (sigv4_verify(&cred, &check) != SIGV4_OK)
        abort();
    free(url);
    req.path = other;
    url = sigv4_presign(&forger, &req);
    check.target = url + strlen(base);
    if (sigv4_verify(&cred, &check) != SIGV4_MISMATCH)
        abort();
    free(url);
    free(md5);
    free(path);
    free(other);
}

static void name_object(const char *key)
{
    char user_id[UUID_SIZE], session_id[API_SESSION_ID_MAX + 1], again[STORE_KEY_MAX];
    int64_t version;

    if (store_key_parse(key, user_id, session_id, &version) != 0)
        return;
    store_key(user_id, session_id, version, again);
    if (strcmp(again, key) != 0 || strstr(key, "..") != NULL)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct request r;

    split(&r, data, size);
    if (r.n >= 2) {
        judge(&r);
        go_round(&r);
        name_object(r.line[1]);
    }
    free(r.text);
    return 0;
}

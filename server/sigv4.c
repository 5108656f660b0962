#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "common/buf.h"
#include "common/hash.h"
#include "common/str.h"

#include "server/sigv4.h"

#define ALGORITHM "AWS4-HMAC-SHA256"
#define MAX_PARAMS 24
#define SKEW_MS (15 * 60 * 1000)
#define SIGNATURE "X-Amz-Signature"

struct param {
    char *name;
    char *value;
};

struct params {
    struct param v[MAX_PARAMS];
    int n;
};

/* RFC 3986 unreserved characters stay; AWS wants upper-case hex, and '/' kept in a path. */
static void add_encoded(struct buf *b, const char *s, int keep_slash)
{
    for (; *s != '\0'; s++) {
        unsigned char c = (unsigned char)*s;
        if ((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
            c == '-' || c == '_' || c == '.' || c == '~' || (c == '/' && keep_slash))
            buf_addc(b, (char)c);
        else
            buf_printf(b, "%%%02X", c);
    }
}

/* Strict: a broken escape or an encoded NUL is none.  '+' is a plus sign in a SigV4 query. */
static char *decode(const char *s, size_t n)
{
    struct buf b = {0};

    for (size_t i = 0; i < n; i++) {
        unsigned char c;
        if (s[i] != '%') {
            buf_addc(&b, s[i]);
            continue;
        }
        char hex[3] = {0};
        if (i + 2 >= n)
            goto err0;
        memcpy(hex, s + i + 1, 2);
        if (hash_unhex(hex, &c, 1) != 0 || c == '\0')
            goto err0;
        buf_addc(&b, (char)c);
        i += 2;
    }
    return buf_steal(&b);

err0:
    buf_free(&b);
    return NULL;
}

static void params_free(struct params *p)
{
    for (int i = 0; i < p->n; i++) {
        free(p->v[i].name);
        free(p->v[i].value);
    }
    p->n = 0;
}

static void params_add(struct params *p, const char *name, const char *value)
{
    p->v[p->n].name = str_dup(name);
    p->v[p->n++].value = str_dup(value);
}

/* A name that comes twice could mean one thing here and another elsewhere: refused. */
static int params_parse(const char *query, struct params *p)
{
    while (*query != '\0') {
        size_t len = strcspn(query, "&");
        const char *eq = memchr(query, '=', len);
        size_t name_len = eq != NULL ? (size_t)(eq - query) : len;
        struct param one = {0};

        if (p->n == MAX_PARAMS)
            return -1;
        one.name = decode(query, name_len);
        one.value = eq != NULL ? decode(eq + 1, len - name_len - 1) : str_dup("");
        p->v[p->n++] = one;
        if (one.name == NULL || one.value == NULL || one.name[0] == '\0')
            return -1;
        for (int i = 0; i < p->n - 1; i++) {
            if (strcmp(p->v[i].name, one.name) == 0)
                return -1;
        }
        query += len;
        if (*query == '&')
            query++;
    }
    return 0;
}

static const char *params_get(const struct params *p, const char *name)
{
    for (int i = 0; i < p->n; i++) {
        if (strcmp(p->v[i].name, name) == 0)
            return p->v[i].value;
    }
    return NULL;
}

static int compare_encoded(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* "name=value" pairs, encoded and then sorted by their bytes, without the signature itself. */
static void add_canonical_query(struct buf *b, const struct params *p)
{
    char *pairs[MAX_PARAMS];
    int n = 0;

    for (int i = 0; i < p->n; i++) {
        struct buf one = {0};
        if (strcmp(p->v[i].name, SIGNATURE) == 0)
            continue;
        add_encoded(&one, p->v[i].name, 0);
        buf_addc(&one, '=');
        add_encoded(&one, p->v[i].value, 0);
        pairs[n++] = buf_steal(&one);
    }
    qsort(pairs, (size_t)n, sizeof(pairs[0]), compare_encoded);
    for (int i = 0; i < n; i++) {
        if (i > 0)
            buf_addc(b, '&');
        buf_addstr(b, pairs[i]);
        free(pairs[i]);
    }
}

/* Leading and trailing blanks go, runs of blanks become one. */
static void add_trimmed(struct buf *b, const char *s)
{
    int pending = 0, any = 0;

    for (; *s != '\0'; s++) {
        if (*s == ' ' || *s == '\t') {
            pending = any;
            continue;
        }
        if (pending)
            buf_addc(b, ' ');
        pending = 0;
        any = 1;
        buf_addc(b, *s);
    }
}

static void signing_key(const struct sigv4_cred *cred, const char *day,
                        unsigned char key[HASH_SHA256_BYTES])
{
    char *first = str_printf("AWS4%s", cred->secret);

    hash_hmac_sha256(first, strlen(first), day, strlen(day), key);
    hash_hmac_sha256(key, HASH_SHA256_BYTES, cred->region, strlen(cred->region), key);
    hash_hmac_sha256(key, HASH_SHA256_BYTES, "s3", 2, key);
    hash_hmac_sha256(key, HASH_SHA256_BYTES, "aws4_request", 12, key);
    str_wipe(first, strlen(first));
    free(first);
}

/* ${canonical_headers} is "name:value\n..." and ${names} "name;...", both sorted. */
static void signature(const struct sigv4_cred *cred, const char *method, const char *path,
                      const struct params *params, const char *canonical_headers, const char *names,
                      const char *when, char out[HASH_SHA256_HEX])
{
    struct buf b = {0};
    char hash[HASH_SHA256_HEX], day[9] = {0};
    unsigned char key[HASH_SHA256_BYTES], mac[HASH_SHA256_BYTES];

    memcpy(day, when, 8);
    buf_printf(&b, "%s\n", method);
    add_encoded(&b, path, 1);
    buf_addc(&b, '\n');
    add_canonical_query(&b, params);
    buf_printf(&b, "\n%s\n%s\nUNSIGNED-PAYLOAD", canonical_headers, names);
    hash_sha256_hex(b.data, b.len, hash);
    buf_reset(&b);
    buf_printf(&b, ALGORITHM "\n%s\n%s/%s/s3/aws4_request\n%s", when, day, cred->region, hash);
    signing_key(cred, day, key);
    hash_hmac_sha256(key, sizeof(key), b.data, b.len, mac);
    hash_hex(mac, sizeof(mac), out);
    str_wipe(key, sizeof(key));
    buf_free(&b);
}

static int compare_headers(const void *a, const void *b)
{
    const struct sigv4_header *x = a, *y = b;

    return strcmp(x->name, y->name);
}

static void format_time(int64_t ms, char out[17])
{
    time_t t = (time_t)(ms / 1000);
    struct tm tm;

    gmtime_r(&t, &tm);
    strftime(out, 17, "%Y%m%dT%H%M%SZ", &tm);
}

char *sigv4_presign(const struct sigv4_cred *cred, const struct sigv4_request *req)
{
    struct sigv4_header headers[SIGV4_MAX_HEADERS + 1];
    struct params params = {0};
    struct buf names = {0}, lines = {0}, url = {0};
    char when[17], sig[HASH_SHA256_HEX], expires[24], *scope;
    int n = req->n_headers;

    memcpy(headers, req->headers, sizeof(req->headers[0]) * (size_t)n);
    headers[n].name = "host";
    headers[n++].value = strstr(req->base_url, "://") + 3;
    qsort(headers, (size_t)n, sizeof(headers[0]), compare_headers);
    for (int i = 0; i < n; i++) {
        buf_printf(&names, "%s%s", i > 0 ? ";" : "", headers[i].name);
        buf_printf(&lines, "%s:", headers[i].name);
        add_trimmed(&lines, headers[i].value);
        buf_addc(&lines, '\n');
    }
    format_time(req->now_ms, when);
    scope = str_printf("%s/%.8s/%s/s3/aws4_request", cred->key_id, when, cred->region);
    snprintf(expires, sizeof(expires), "%ld", req->expires_s);
    params_add(&params, "X-Amz-Algorithm", ALGORITHM);
    params_add(&params, "X-Amz-Credential", scope);
    params_add(&params, "X-Amz-Date", when);
    params_add(&params, "X-Amz-Expires", expires);
    params_add(&params, "X-Amz-SignedHeaders", names.data);
    signature(cred, req->method, req->path, &params, lines.data, names.data, when, sig);

    buf_addstr(&url, req->base_url);
    add_encoded(&url, req->path, 1);
    buf_addc(&url, '?');
    add_canonical_query(&url, &params);
    buf_printf(&url, "&" SIGNATURE "=%s", sig);
    params_free(&params);
    free(scope);
    buf_free(&names);
    buf_free(&lines);
    return buf_steal(&url);
}

static int list_has(const char *list, const char *name, size_t len)
{
    while (*list != '\0') {
        size_t n = strcspn(list, ";");
        if (n == len && strncmp(list, name, n) == 0)
            return 1;
        list += n;
        if (*list == ';')
            list++;
    }
    return 0;
}

static int parse_time(const char *s, int64_t *ret_ms)
{
    struct tm tm = {0};
    char again[17];

    if (strlen(s) != 16 || sscanf(s, "%4d%2d%2dT%2d%2d%2dZ", &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
                                  &tm.tm_hour, &tm.tm_min, &tm.tm_sec) != 6)
        return -1;
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    *ret_ms = (int64_t)timegm(&tm) * 1000;
    format_time(*ret_ms, again);
    return strcmp(again, s) == 0 ? 0 : -1;
}

/* What a presigned request says of itself, borrowed from its parameters. */
struct claim {
    const char *credential;
    const char *when;
    const char *names;
    const char *signature;
    int64_t when_ms;
    unsigned long long expires_s;
};

static enum sigv4_verdict claim_parse(const struct params *p, struct claim *c)
{
    const char *algorithm = params_get(p, "X-Amz-Algorithm");
    const char *expires = params_get(p, "X-Amz-Expires");

    c->credential = params_get(p, "X-Amz-Credential");
    c->when = params_get(p, "X-Amz-Date");
    c->names = params_get(p, "X-Amz-SignedHeaders");
    c->signature = params_get(p, SIGNATURE);
    if (algorithm == NULL && c->credential == NULL && c->signature == NULL)
        return SIGV4_ABSENT;
    if (algorithm == NULL || expires == NULL || c->credential == NULL || c->when == NULL ||
        c->names == NULL || c->signature == NULL || strcmp(algorithm, ALGORITHM) != 0)
        return SIGV4_MALFORMED;
    if (strlen(c->signature) != 64 || strspn(c->signature, "0123456789abcdef") != 64 ||
        parse_time(c->when, &c->when_ms) != 0 || str_parse_u64(expires, &c->expires_s) != 0 ||
        c->expires_s < 1 || c->expires_s > SIGV4_MAX_EXPIRES)
        return SIGV4_MALFORMED;
    return SIGV4_OK;
}

static enum sigv4_verdict check_scope(const struct sigv4_cred *cred, const struct claim *c)
{
    size_t id_len = strcspn(c->credential, "/");
    char *want;
    int same;

    if (id_len != strlen(cred->key_id) || strncmp(c->credential, cred->key_id, id_len) != 0)
        return SIGV4_KEY;
    want = str_printf("%s/%.8s/%s/s3/aws4_request", cred->key_id, c->when, cred->region);
    same = strcmp(want, c->credential) == 0;
    free(want);
    return same ? SIGV4_OK : SIGV4_SCOPE;
}

/* The signed headers as they came.  The list has to be sorted and in lower case, as it is signed.
 */
static enum sigv4_verdict gather_headers(const struct sigv4_check *check, const char *names,
                                         struct buf *lines)
{
    char last[64] = "";

    for (const char *s = check->must_sign; *s != '\0';) {
        size_t n = strcspn(s, ";");
        if (!list_has(names, s, n))
            return SIGV4_HEADERS;
        s += n;
        if (*s == ';')
            s++;
    }
    for (const char *s = names; *s != '\0';) {
        char name[64];
        size_t n = strcspn(s, ";");
        const char *value;
        if (n == 0 || n >= sizeof(name))
            return SIGV4_MALFORMED;
        memcpy(name, s, n);
        name[n] = '\0';
        value = check->header(check->arg, name);
        if (strcmp(last, name) >= 0 || strpbrk(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ:\n") != NULL)
            return SIGV4_MALFORMED;
        if (value == NULL)
            return SIGV4_MISMATCH;
        buf_printf(lines, "%s:", name);
        add_trimmed(lines, value);
        buf_addc(lines, '\n');
        memcpy(last, name, n + 1);
        s += n;
        if (*s == ';')
            s++;
    }
    return SIGV4_OK;
}

static enum sigv4_verdict check_claim(const struct sigv4_cred *cred,
                                      const struct sigv4_check *check, const struct params *params,
                                      const char *path)
{
    struct claim c;
    struct buf lines = {0};
    char want[HASH_SHA256_HEX];
    enum sigv4_verdict v;

    if ((v = claim_parse(params, &c)) != SIGV4_OK || (v = check_scope(cred, &c)) != SIGV4_OK)
        return v;
    v = gather_headers(check, c.names, &lines);
    if (v == SIGV4_OK) {
        signature(cred, check->method, path, params, lines.data != NULL ? lines.data : "", c.names,
                  c.when, want);
        if (!hash_equal(want, c.signature, 64))
            v = SIGV4_MISMATCH;
        else if (check->now_ms > c.when_ms + (int64_t)c.expires_s * 1000)
            v = SIGV4_EXPIRED;
        else if (c.when_ms > check->now_ms + SKEW_MS)
            v = SIGV4_FUTURE;
    }
    buf_free(&lines);
    return v;
}

enum sigv4_verdict sigv4_verify(const struct sigv4_cred *cred, const struct sigv4_check *check)
{
    size_t path_len = strcspn(check->target, "?");
    const char *query = check->target + path_len;
    struct params params = {0};
    enum sigv4_verdict v = SIGV4_MALFORMED;
    char *path = decode(check->target, path_len);

    if (path != NULL && path[0] == '/' &&
        params_parse(*query == '?' ? query + 1 : "", &params) == 0)
        v = check_claim(cred, check, &params, path);
    params_free(&params);
    free(path);
    return v;
}

int sigv4_is_signed(const char *target, const char *name)
{
    const char *query = strchr(target, '?');
    struct params params = {0};
    const char *names;
    int yes = 0;

    if (query != NULL && params_parse(query + 1, &params) == 0) {
        names = params_get(&params, "X-Amz-SignedHeaders");
        yes = names != NULL && list_has(names, name, strlen(name));
    }
    params_free(&params);
    return yes;
}

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/buf.h"
#include "common/base/hash.h"
#include "common/base/percent.h"
#include "common/base/str.h"

#include "server/store/sigv4_impl.h"

#define SKEW_MS (15 * 60 * 1000)

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
    sigv4_time(*ret_ms, again);
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

static enum sigv4_verdict claim_parse(const struct sigv4_params *p, struct claim *c)
{
    const char *algorithm = sigv4_params_get(p, "X-Amz-Algorithm");
    const char *expires = sigv4_params_get(p, "X-Amz-Expires");

    c->credential = sigv4_params_get(p, "X-Amz-Credential");
    c->when = sigv4_params_get(p, "X-Amz-Date");
    c->names = sigv4_params_get(p, "X-Amz-SignedHeaders");
    c->signature = sigv4_params_get(p, SIGV4_SIGNATURE);
    if (algorithm == NULL && c->credential == NULL && c->signature == NULL)
        return SIGV4_ABSENT;
    if (algorithm == NULL || expires == NULL || c->credential == NULL || c->when == NULL ||
        c->names == NULL || c->signature == NULL || strcmp(algorithm, SIGV4_ALGORITHM) != 0)
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
        sigv4_add_trimmed(lines, value);
        buf_addc(lines, '\n');
        memcpy(last, name, n + 1);
        s += n;
        if (*s == ';')
            s++;
    }
    return SIGV4_OK;
}

static enum sigv4_verdict check_claim(const struct sigv4_cred *cred,
                                      const struct sigv4_check *check,
                                      const struct sigv4_params *params, const char *path)
{
    struct claim c;
    struct buf lines = {0};
    char want[HASH_SHA256_HEX];
    enum sigv4_verdict v;

    if ((v = claim_parse(params, &c)) != SIGV4_OK || (v = check_scope(cred, &c)) != SIGV4_OK)
        return v;
    v = gather_headers(check, c.names, &lines);
    if (v == SIGV4_OK) {
        sigv4_signature(cred, check->method, path, params, lines.data != NULL ? lines.data : "",
                        c.names, SIGV4_UNSIGNED, c.when, want);
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
    struct sigv4_params params = {0};
    enum sigv4_verdict v = SIGV4_MALFORMED;
    char *path = percent_decode(check->target, path_len);

    if (path != NULL && path[0] == '/' &&
        sigv4_params_parse(*query == '?' ? query + 1 : "", &params) == 0)
        v = check_claim(cred, check, &params, path);
    sigv4_params_free(&params);
    free(path);
    return v;
}

int sigv4_is_signed(const char *target, const char *name)
{
    const char *query = strchr(target, '?');
    struct sigv4_params params = {0};
    const char *names;
    int yes = 0;

    if (query != NULL && sigv4_params_parse(query + 1, &params) == 0) {
        names = sigv4_params_get(&params, "X-Amz-SignedHeaders");
        yes = names != NULL && list_has(names, name, strlen(name));
    }
    sigv4_params_free(&params);
    return yes;
}

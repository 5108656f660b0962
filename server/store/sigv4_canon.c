#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/buf.h"
#include "common/base/hash.h"
#include "common/base/percent.h"
#include "common/base/str.h"

#include "server/store/sigv4_impl.h"

void sigv4_params_free(struct sigv4_params *p)
{
    for (int i = 0; i < p->n; i++) {
        free(p->v[i].name);
        free(p->v[i].value);
    }
    p->n = 0;
}

void sigv4_params_add(struct sigv4_params *p, const char *name, const char *value)
{
    p->v[p->n].name = str_dup(name);
    p->v[p->n++].value = str_dup(value);
}

int sigv4_params_parse(const char *query, struct sigv4_params *p)
{
    while (*query != '\0') {
        size_t len = strcspn(query, "&");
        const char *eq = memchr(query, '=', len);
        size_t name_len = eq != NULL ? (size_t)(eq - query) : len;
        struct sigv4_param one = {0};

        if (p->n == SIGV4_MAX_PARAMS)
            return -1;
        one.name = percent_decode(query, name_len);
        one.value = eq != NULL ? percent_decode(eq + 1, len - name_len - 1) : str_dup("");
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

const char *sigv4_params_get(const struct sigv4_params *p, const char *name)
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

void sigv4_add_query(struct buf *b, const struct sigv4_params *p)
{
    char *pairs[SIGV4_MAX_PARAMS];
    int n = 0;

    for (int i = 0; i < p->n; i++) {
        struct buf one = {0};
        if (strcmp(p->v[i].name, SIGV4_SIGNATURE) == 0)
            continue;
        percent_add(&one, p->v[i].name, strlen(p->v[i].name), "");
        buf_addc(&one, '=');
        percent_add(&one, p->v[i].value, strlen(p->v[i].value), "");
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

void sigv4_add_trimmed(struct buf *b, const char *s)
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

void sigv4_signature(const struct sigv4_cred *cred, const char *method, const char *path,
                     const struct sigv4_params *params, const char *canonical_headers,
                     const char *names, const char *payload, const char *when,
                     char out[HASH_SHA256_HEX])
{
    struct buf b = {0};
    char hash[HASH_SHA256_HEX], day[9] = {0};
    unsigned char key[HASH_SHA256_BYTES], mac[HASH_SHA256_BYTES];

    memcpy(day, when, 8);
    buf_printf(&b, "%s\n", method);
    percent_add(&b, path, strlen(path), "/");
    buf_addc(&b, '\n');
    sigv4_add_query(&b, params);
    buf_printf(&b, "\n%s\n%s\n%s", canonical_headers, names, payload);
    hash_sha256_hex(b.data, b.len, hash);
    buf_reset(&b);
    buf_printf(&b, SIGV4_ALGORITHM "\n%s\n%s/%s/s3/aws4_request\n%s", when, day, cred->region,
               hash);
    signing_key(cred, day, key);
    hash_hmac_sha256(key, sizeof(key), b.data, b.len, mac);
    hash_hex(mac, sizeof(mac), out);
    str_wipe(key, sizeof(key));
    buf_free(&b);
}

void sigv4_time(int64_t ms, char out[17])
{
    time_t t = (time_t)(ms / 1000);
    struct tm tm;

    gmtime_r(&t, &tm);
    strftime(out, 17, "%Y%m%dT%H%M%SZ", &tm);
}

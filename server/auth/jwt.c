#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/hash.h"
#include "common/data/jdoc.h"
#include "common/base/str.h"

#include "server/auth/jwt.h"

#define MAX_TOKEN_BYTES 2048

static char *encode(struct json_object *o)
{
    const char *text = jdoc_text(o);

    return hash_base64url(text, strlen(text));
}

static char *sign(const unsigned char key[JWT_KEY_BYTES], const char *p, size_t n)
{
    unsigned char mac[HASH_SHA256_BYTES];

    hash_hmac_sha256(key, JWT_KEY_BYTES, p, n, mac);
    return hash_base64url(mac, sizeof(mac));
}

char *jwt_make(const unsigned char key[JWT_KEY_BYTES], const struct jwt_claims *claims,
               const char *email)
{
    struct json_object *head = json_object_new_object(), *body = json_object_new_object();
    char *h, *b, *signed_part, *mac, *token, id[UUID_SIZE];

    jdoc_set_str(head, "alg", "HS256");
    jdoc_set_str(head, "typ", "JWT");
    uuid_random(id); /* two of the same second are two */
    jdoc_set_str(body, "jti", id);
    jdoc_set_str(body, "sub", claims->user_id);
    jdoc_set_str(body, "email", email);
    jdoc_set_int(body, "gen", claims->generation);
    jdoc_set_int(body, "iat", claims->issued_s);
    jdoc_set_int(body, "exp", claims->expires_s);
    h = encode(head);
    b = encode(body);
    signed_part = str_printf("%s.%s", h, b);
    mac = sign(key, signed_part, strlen(signed_part));
    token = str_printf("%s.%s", signed_part, mac);
    free(mac);
    free(signed_part);
    free(b);
    free(h);
    json_object_put(body);
    json_object_put(head);
    return token;
}

static struct json_object *decode(const char *p, size_t n)
{
    struct buf raw = {0};
    struct json_object *o = NULL;

    if (hash_unbase64(p, n, &raw) == 0 && raw.len > 0)
        jdoc_parse(raw.data, raw.len, &o, NULL);
    buf_free(&raw);
    return o;
}

/* The header is read after the signature holds; even then only HS256 is taken at its word. */
static int read_claims(const char *token, size_t head_len, size_t body_len, int64_t now_s,
                       struct jwt_claims *ret)
{
    struct json_object *head = decode(token, head_len);
    struct json_object *body = decode(token + head_len + 1, body_len);
    const char *alg = jdoc_str(head, "alg"), *sub = jdoc_str(body, "sub");
    int rc = -1;

    if (alg != NULL && strcmp(alg, "HS256") == 0 && sub != NULL && uuid_is_valid(sub)) {
        memcpy(ret->user_id, sub, UUID_SIZE);
        ret->generation = jdoc_int(body, "gen", 0);
        ret->issued_s = jdoc_int(body, "iat", 0);
        ret->expires_s = jdoc_int(body, "exp", 0);
        rc = now_s < ret->expires_s ? 0 : -1;
    }
    json_object_put(head);
    json_object_put(body);
    return rc;
}

int jwt_verify(const unsigned char key[JWT_KEY_BYTES], const char *token, int64_t now_s,
               struct jwt_claims *ret, struct ct_err *err)
{
    struct jwt_claims claims = {0};
    const char *dot1 = strchr(token, '.'), *dot2 = dot1 != NULL ? strchr(dot1 + 1, '.') : NULL;
    char *want;
    int good;

    if (dot2 == NULL || strlen(token) > MAX_TOKEN_BYTES)
        return err_set(err, ERR_AUTH, "this is no valid token");
    want = sign(key, token, (size_t)(dot2 - token));
    good = strlen(want) == strlen(dot2 + 1) && hash_equal(want, dot2 + 1, strlen(want));
    free(want);
    if (!good ||
        read_claims(token, (size_t)(dot1 - token), (size_t)(dot2 - dot1 - 1), now_s, &claims) != 0)
        return err_set(err, ERR_AUTH, "the log-in is not valid or has expired; log in again");
    *ret = claims;
    return 0;
}

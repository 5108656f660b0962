#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include "common/base/buf.h"
#include "common/base/hash.h"
#include "common/data/jdoc.h"

#include "server/auth/jwks.h"

#define MAX_TOKEN_BYTES 16384
#define MIN_RSA_BITS 2048
#define EC_BYTES 32 /* of P-256: a coordinate, and half a signature */

/* A token's three parts, still encoded. */
struct parts {
    const char *head, *body, *signature;
    size_t head_len, body_len, signature_len;
    size_t signed_len;
};

static int split(const char *token, struct parts *p)
{
    const char *dot1 = strchr(token, '.'), *dot2 = dot1 != NULL ? strchr(dot1 + 1, '.') : NULL;

    if (dot2 == NULL || strlen(token) > MAX_TOKEN_BYTES)
        return -1;
    *p = (struct parts){.head = token,
                        .body = dot1 + 1,
                        .signature = dot2 + 1,
                        .head_len = (size_t)(dot1 - token),
                        .body_len = (size_t)(dot2 - dot1 - 1),
                        .signature_len = strlen(dot2 + 1),
                        .signed_len = (size_t)(dot2 - token)};
    return 0;
}

static struct json_object *decode(const char *s, size_t n)
{
    struct json_object *o = NULL;
    struct buf raw = {0};

    if (hash_unbase64(s, n, &raw) == 0 && raw.len > 0)
        jdoc_parse(raw.data, raw.len, &o, NULL);
    buf_free(&raw);
    return o;
}

/* A member in base64; an empty one if it is none. */
static void member(const struct json_object *jwk, const char *name, struct buf *ret)
{
    const char *s = jdoc_str(jwk, name);

    if (s != NULL && hash_unbase64(s, strlen(s), ret) != 0)
        ret->len = 0;
}

static EVP_PKEY *make(const char *type, OSSL_PARAM_BLD *build)
{
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    EVP_PKEY *key = NULL;

    if (params != NULL && ctx != NULL && EVP_PKEY_fromdata_init(ctx) == 1 &&
        EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
        key = NULL;
    EVP_PKEY_CTX_free(ctx);
    OSSL_PARAM_free(params);
    return key;
}

static EVP_PKEY *rsa_key(const struct json_object *jwk)
{
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    struct buf n = {0}, e = {0};
    BIGNUM *bn_n, *bn_e;
    EVP_PKEY *key = NULL;

    member(jwk, "n", &n);
    member(jwk, "e", &e);
    bn_n = BN_bin2bn((const unsigned char *)n.data, (int)n.len, NULL);
    bn_e = BN_bin2bn((const unsigned char *)e.data, (int)e.len, NULL);
    if (build != NULL && BN_num_bits(bn_n) >= MIN_RSA_BITS && BN_num_bits(bn_e) > 1 &&
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, bn_n) == 1 &&
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, bn_e) == 1)
        key = make("RSA", build);
    OSSL_PARAM_BLD_free(build);
    BN_free(bn_n);
    BN_free(bn_e);
    buf_free(&n);
    buf_free(&e);
    return key;
}

static EVP_PKEY *ec_key(const struct json_object *jwk)
{
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    unsigned char point[1 + 2 * EC_BYTES] = {4}; /* uncompressed */
    const char *curve = jdoc_str(jwk, "crv");
    struct buf x = {0}, y = {0};
    EVP_PKEY *key = NULL;

    member(jwk, "x", &x);
    member(jwk, "y", &y);
    if (build != NULL && curve != NULL && strcmp(curve, "P-256") == 0 && x.len == EC_BYTES &&
        y.len == EC_BYTES) {
        memcpy(point + 1, x.data, EC_BYTES);
        memcpy(point + 1 + EC_BYTES, y.data, EC_BYTES);
        if (OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0) == 1 &&
            OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point,
                                             sizeof(point)) == 1)
            key = make("EC", build);
    }
    OSSL_PARAM_BLD_free(build);
    buf_free(&x);
    buf_free(&y);
    return key;
}

/* What an algorithm needs, in one place: no other is taken, whatever a token says. */
static const struct algorithm {
    const char *name, *kty;
    EVP_PKEY *(*key)(const struct json_object *jwk);
    int is_ec;
} algorithms[] = {{"RS256", "RSA", rsa_key, 0}, {"ES256", "EC", ec_key, 1}};

static const struct algorithm *algorithm_of(const struct json_object *head)
{
    const char *alg = jdoc_str(head, "alg");

    for (size_t i = 0; alg != NULL && i < sizeof(algorithms) / sizeof(algorithms[0]); i++) {
        if (strcmp(algorithms[i].name, alg) == 0)
            return &algorithms[i];
    }
    return NULL;
}

static int says(const struct json_object *jwk, const char *name, const char *value)
{
    const char *s = jdoc_str(jwk, name);

    return s == NULL || strcmp(s, value) == 0;
}

/* ECDSA as JOSE writes it, two numbers of equal length, to DER as OpenSSL reads it. */
static int to_der(struct buf *signature)
{
    const unsigned char *p = (const unsigned char *)signature->data;
    unsigned char *der = NULL;
    ECDSA_SIG *sig;
    int n = -1;

    if (signature->len != 2 * EC_BYTES || (sig = ECDSA_SIG_new()) == NULL)
        return -1;
    if (ECDSA_SIG_set0(sig, BN_bin2bn(p, EC_BYTES, NULL),
                       BN_bin2bn(p + EC_BYTES, EC_BYTES, NULL)) == 1)
        n = i2d_ECDSA_SIG(sig, &der);
    ECDSA_SIG_free(sig);
    if (n <= 0)
        return -1;
    buf_reset(signature);
    buf_add(signature, der, (size_t)n);
    OPENSSL_free(der);
    return 0;
}

static int is_signed_by(const struct json_object *jwk, const struct algorithm *a, const char *token,
                        const struct parts *p)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY *key = a->key(jwk);
    struct buf signature = {0};
    int good = 0;

    if (key != NULL && ctx != NULL &&
        hash_unbase64(p->signature, p->signature_len, &signature) == 0 &&
        (!a->is_ec || to_der(&signature) == 0) &&
        EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key) == 1)
        good = EVP_DigestVerify(ctx, (const unsigned char *)signature.data, signature.len,
                                (const unsigned char *)token, p->signed_len) == 1;
    buf_free(&signature);
    EVP_PKEY_free(key);
    EVP_MD_CTX_free(ctx);
    return good;
}

/* By the key that it names; one that names none by any. */
static int is_good(const struct json_object *keys, const struct json_object *head,
                   const char *token, const struct parts *p)
{
    const struct algorithm *a = algorithm_of(head);
    const char *kid = jdoc_str(head, "kid");
    struct json_object *list = jdoc_array(keys, "keys");

    if (a == NULL || list == NULL)
        return 0;
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        const struct json_object *jwk = json_object_array_get_idx(list, i);
        const char *kty = jdoc_str(jwk, "kty"), *id = jdoc_str(jwk, "kid");
        if (kty == NULL || strcmp(kty, a->kty) != 0 || !says(jwk, "use", "sig") ||
            !says(jwk, "alg", a->name) || (kid != NULL && (id == NULL || strcmp(id, kid) != 0)))
            continue;
        if (is_signed_by(jwk, a, token, p))
            return 1;
    }
    return 0;
}

int jwks_verify(const struct json_object *keys, const char *token, struct json_object **ret,
                struct ct_err *err)
{
    struct json_object *head, *claims = NULL;
    struct parts p;
    int good;

    if (split(token, &p) != 0)
        return err_set(err, ERR_AUTH, "this is no signed token");
    head = decode(p.head, p.head_len);
    good = head != NULL && !jdoc_has(head, "crit") && is_good(keys, head, token, &p) &&
           (claims = decode(p.body, p.body_len)) != NULL;
    json_object_put(head);
    if (!good)
        return err_set(err, ERR_AUTH, "the token is not signed with RS256 or ES256 by a known key");
    *ret = claims;
    return 0;
}

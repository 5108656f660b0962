#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <zlib.h>

#include "bundle/seal/seal.h"
#include "common/base/hash.h"
#include "common/base/str.h"

#include "ctctl/share/wrap.h"

#define MAGIC "CTSHARE1"
#define MAGIC_SIZE 8
#define NONCE 12
#define TAG 16
#define LENGTH 8

/* ${ret}: the length, the gzip data, the padding. */
static int pack(const void *p, size_t n, struct buf *ret, struct ct_err *err)
{
    z_stream z = {0};
    size_t most, padded;

    if (n > UINT32_MAX / 2 || deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 16 + MAX_WBITS, 8,
                                           Z_DEFAULT_STRATEGY) != Z_OK)
        return err_set(err, ERR_REFUSED, "this is too much to be shared");
    most = deflateBound(&z, n);
    buf_reserve(ret, LENGTH + (size_t)seal_padded((int64_t)most));
    memset(ret->data, 0, LENGTH + (size_t)seal_padded((int64_t)most));
    z.next_in = (unsigned char *)(uintptr_t)p;
    z.avail_in = (unsigned)n;
    z.next_out = (unsigned char *)ret->data + LENGTH;
    z.avail_out = (unsigned)most;
    if (deflate(&z, Z_FINISH) != Z_STREAM_END) {
        deflateEnd(&z);
        return err_set(err, ERR_BUG, "zlib could not compress what is to be shared");
    }
    for (int i = 0; i < LENGTH; i++)
        ret->data[i] = (char)(unsigned char)((uint64_t)z.total_out >> (8 * (LENGTH - 1 - i)));
    padded = (size_t)seal_padded((int64_t)z.total_out);
    ret->len = LENGTH + padded;
    deflateEnd(&z);
    return 0;
}

/* Of ${n} bytes at ${p} into as many and the tag at ${to}. */
static int encrypt(const void *p, size_t n, const unsigned char key[WRAP_KEY],
                   const unsigned char nonce[NONCE], unsigned char *to)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int len = 0, rest = 0, ok;

    ok = ctx != NULL && EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, nonce) == 1 &&
         EVP_EncryptUpdate(ctx, NULL, &len, (const unsigned char *)MAGIC, MAGIC_SIZE) == 1 &&
         EVP_EncryptUpdate(ctx, to, &len, p, (int)n) == 1 &&
         EVP_EncryptFinal_ex(ctx, to + len, &rest) == 1 && (size_t)(len + rest) == n &&
         EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, TAG, to + n) == 1;
    EVP_CIPHER_CTX_free(ctx);
    return ok ? 0 : -1;
}

int wrap(const void *p, size_t n, const unsigned char key[WRAP_KEY], struct buf *ret,
         struct ct_err *err)
{
    unsigned char nonce[NONCE];
    struct buf plain = {0};
    int rc = pack(p, n, &plain, err);

    if (rc == 0) {
        hash_random(nonce, sizeof(nonce));
        buf_add(ret, MAGIC, MAGIC_SIZE);
        buf_add(ret, nonce, sizeof(nonce));
        buf_reserve(ret, plain.len + TAG);
        rc = encrypt(plain.data, plain.len, key, nonce, (unsigned char *)ret->data + ret->len);
        if (rc != 0)
            err_set(err, ERR_BUG, "OpenSSL could not seal what is to be shared");
        else
            ret->len += plain.len + TAG;
    }
    buf_free(&plain);
    return rc;
}

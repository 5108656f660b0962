#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "common/data/hkdf.h"
#include "common/sys/secret.h"
#include "common/base/str.h"

#include "bundle/seal/cobble_core.h"

#define NONCE 12
#define AES_KEY 32

static const char label[] = "c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM"; /* with its NUL */

struct cobble {
    EVP_CIPHER_CTX *ctx; /* wipes its key schedule when freed */
    unsigned char base_nonce[NONCE];
    unsigned char commitment[COBBLE_COMMITMENT];
    uint64_t chunk; /* the next one's number */
    int is_sealing;
};

static void must(int ok)
{
    if (!ok)
        abort();
}

struct cobble *cobble_new(const unsigned char key[COBBLE_KEY],
                          const unsigned char salt[COBBLE_SALT], const void *context, size_t n,
                          int is_sealing)
{
    size_t info_n = sizeof(label) + COBBLE_SALT + n;
    unsigned char *info = str_calloc(info_n, 1);
    unsigned char *okm = secret_alloc(AES_KEY + NONCE + COBBLE_COMMITMENT);
    struct cobble *c = str_calloc(1, sizeof(*c));

    memcpy(info, label, sizeof(label));
    memcpy(info + sizeof(label), salt, COBBLE_SALT);
    if (n > 0)
        memcpy(info + sizeof(label) + COBBLE_SALT, context, n);
    hkdf_expand_sha512(key, COBBLE_KEY, info, info_n, okm, AES_KEY + NONCE + COBBLE_COMMITMENT);
    free(info);
    memcpy(c->base_nonce, okm + AES_KEY, NONCE);
    memcpy(c->commitment, okm + AES_KEY + NONCE, COBBLE_COMMITMENT);
    c->is_sealing = is_sealing;
    c->ctx = EVP_CIPHER_CTX_new();
    must(c->ctx != NULL &&
         EVP_CipherInit_ex(c->ctx, EVP_aes_256_gcm(), NULL, okm, NULL, is_sealing) == 1);
    secret_free(okm);
    return c;
}

void cobble_free(struct cobble *c)
{
    if (c == NULL)
        return;
    EVP_CIPHER_CTX_free(c->ctx);
    free(c);
}

const unsigned char *cobble_commitment(const struct cobble *c)
{
    return c->commitment;
}

/* The base nonce XOR the chunk's number, as a big-endian integer of 96 bits. */
static void next_nonce(struct cobble *c)
{
    unsigned char nonce[NONCE];

    memcpy(nonce, c->base_nonce, NONCE);
    for (int i = 0; i < 8; i++)
        nonce[NONCE - 1 - i] ^= (unsigned char)(c->chunk >> 8 * i);
    must(++c->chunk != 0);
    must(EVP_CipherInit_ex(c->ctx, NULL, NULL, NULL, nonce, c->is_sealing) == 1);
}

void cobble_seal(struct cobble *c, const void *p, size_t n, unsigned char *out)
{
    int len = 0;

    next_nonce(c);
    if (n > 0)
        must(EVP_EncryptUpdate(c->ctx, out, &len, p, (int)n) == 1 && (size_t)len == n);
    must(EVP_EncryptFinal_ex(c->ctx, out + n, &len) == 1);
    must(EVP_CIPHER_CTX_ctrl(c->ctx, EVP_CTRL_AEAD_GET_TAG, COBBLE_TAG, out + n) == 1);
}

int cobble_open(struct cobble *c, const void *p, size_t n, unsigned char *out)
{
    unsigned char tag[COBBLE_TAG];
    size_t plain = n - COBBLE_TAG;
    int len = 0;

    memcpy(tag, (const unsigned char *)p + plain, COBBLE_TAG);
    next_nonce(c);
    if (plain > 0)
        must(EVP_DecryptUpdate(c->ctx, out, &len, p, (int)plain) == 1 && (size_t)len == plain);
    must(EVP_CIPHER_CTX_ctrl(c->ctx, EVP_CTRL_AEAD_SET_TAG, COBBLE_TAG, tag) == 1);
    if (EVP_DecryptFinal_ex(c->ctx, out + plain, &len) == 1)
        return 0;
    str_wipe(out, plain);
    return -1;
}

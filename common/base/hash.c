#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "common/base/file.h"
#include "common/base/str.h"

#include "common/base/hash.h"

#define CHUNK_BYTES (256 << 10)

struct hash {
    EVP_MD_CTX *ctx;
};

static void must(int ok)
{
    if (!ok)
        abort();
}

/* Fetched once: EVP_sha256() is looked up anew by each digest, which costs more than a short one.
 */
static EVP_MD *sha256, *md5;

static void fetch(void)
{
    sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    md5 = EVP_MD_fetch(NULL, "MD5", NULL);
}

static const EVP_MD *md_of(enum hash_kind kind)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    const EVP_MD *md;

    pthread_once(&once, fetch);
    md = kind == HASH_MD5 ? md5 : sha256;
    must(md != NULL); /* in FIPS mode there is no MD5: only who uploads needs it */
    return md;
}

struct hash *hash_new(enum hash_kind kind)
{
    struct hash *h = str_calloc(1, sizeof(*h));

    h->ctx = EVP_MD_CTX_new();
    must(h->ctx != NULL && EVP_DigestInit_ex(h->ctx, md_of(kind), NULL) == 1);
    return h;
}

void hash_update(struct hash *h, const void *p, size_t n)
{
    must(EVP_DigestUpdate(h->ctx, p, n) == 1);
}

struct hash *hash_copy(const struct hash *h)
{
    struct hash *c = str_calloc(1, sizeof(*c));

    c->ctx = EVP_MD_CTX_new();
    must(c->ctx != NULL && EVP_MD_CTX_copy_ex(c->ctx, h->ctx) == 1);
    return c;
}

void hash_final(struct hash *h, unsigned char *out)
{
    must(EVP_DigestFinal_ex(h->ctx, out, NULL) == 1);
    hash_free(h);
}

void hash_final_hex(struct hash *h, char out[HASH_SHA256_HEX])
{
    unsigned char d[HASH_SHA256_BYTES];

    hash_final(h, d);
    hash_hex(d, sizeof(d), out);
}

void hash_free(struct hash *h)
{
    if (h == NULL)
        return;
    EVP_MD_CTX_free(h->ctx);
    free(h);
}

void hash_sha256(const void *p, size_t n, unsigned char out[HASH_SHA256_BYTES])
{
    must(EVP_Digest(p, n, out, NULL, md_of(HASH_SHA256), NULL) == 1);
}

void hash_sha256_hex(const void *p, size_t n, char out[HASH_SHA256_HEX])
{
    unsigned char d[HASH_SHA256_BYTES];

    hash_sha256(p, n, d);
    hash_hex(d, sizeof(d), out);
}

void hash_md5(const void *p, size_t n, unsigned char out[HASH_MD5_BYTES])
{
    must(EVP_Digest(p, n, out, NULL, md_of(HASH_MD5), NULL) == 1);
}

void hash_hmac_sha256(const void *key, size_t key_len, const void *p, size_t n,
                      unsigned char out[HASH_SHA256_BYTES])
{
    must(HMAC(md_of(HASH_SHA256), key, (int)key_len, p, n, out, NULL) != NULL);
}

int hash_sha256_fd(int fd, int64_t *ret_size_bytes, char out[HASH_SHA256_HEX])
{
    unsigned char digest[HASH_SHA256_BYTES], *chunk = str_calloc(1, CHUNK_BYTES);
    struct hash *h = hash_new(HASH_SHA256);
    int64_t size = 0;
    ssize_t n;

    while ((n = file_pread_all(fd, chunk, CHUNK_BYTES, (off_t)size)) > 0) {
        hash_update(h, chunk, (size_t)n);
        size += n;
    }
    hash_final(h, digest);
    free(chunk);
    if (n < 0)
        return -1;
    hash_hex(digest, sizeof(digest), out);
    *ret_size_bytes = size;
    return 0;
}

void hash_hex(const void *p, size_t n, char *out)
{
    static const char hex[] = "0123456789abcdef";
    const unsigned char *s = p;

    for (size_t i = 0; i < n; i++) {
        out[2 * i] = hex[s[i] >> 4];
        out[2 * i + 1] = hex[s[i] & 15];
    }
    out[2 * n] = '\0';
}

int hash_unhex(const char *s, unsigned char *out, size_t n)
{
    if (strlen(s) != 2 * n)
        return -1;
    for (size_t i = 0; i < n; i++) {
        int hi = str_hex_digit(s[2 * i]), lo = str_hex_digit(s[2 * i + 1]);
        if (hi < 0 || lo < 0)
            return -1;
        out[i] = (unsigned char)(hi << 4 | lo);
    }
    return 0;
}

char *hash_base64(const void *p, size_t n)
{
    char *out = str_calloc((n + 2) / 3 * 4 + 1, 1);

    EVP_EncodeBlock((unsigned char *)out, p, (int)n);
    return out;
}

char *hash_base64url(const void *p, size_t n)
{
    char *out = hash_base64(p, n);

    for (char *s = out; *s != '\0'; s++) {
        if (*s == '+')
            *s = '-';
        else if (*s == '/')
            *s = '_';
        else if (*s == '=')
            *s = '\0';
    }
    return out;
}

static int base64_digit(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+' || c == '-')
        return 62;
    if (c == '/' || c == '_')
        return 63;
    return -1;
}

int hash_unbase64(const char *s, size_t n, struct buf *ret)
{
    unsigned int bits = 0;
    int have = 0;

    while (n > 0 && s[n - 1] == '=')
        n--;
    if (n % 4 == 1)
        return -1;
    for (size_t i = 0; i < n; i++) {
        int d = base64_digit(s[i]);
        if (d < 0)
            return -1;
        bits = bits << 6 | (unsigned int)d;
        have += 6;
        if (have >= 8) {
            have -= 8;
            buf_addc(ret, (char)(bits >> have & 0xFF));
        }
    }
    return 0;
}

/* FNV-1a, and the high half folded into the low one. */
uint64_t hash_quick(uint64_t seed, const char *s)
{
    uint64_t h = seed;

    for (; *s != '\0'; s++)
        h = (h ^ (unsigned char)*s) * 0x100000001b3ULL;
    return h ^ h >> 32;
}

int hash_equal(const void *a, const void *b, size_t n)
{
    return CRYPTO_memcmp(a, b, n) == 0;
}

void hash_random(void *p, size_t n)
{
    must(RAND_bytes(p, (int)n) == 1);
}

#include <openssl/crypto.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/sys/secret_impl.h"
#include "common/base/str.h"

#include "common/sys/secret.h"

/*
 * The arena is OpenSSL's, which keeps its own private keys and generators there too and fails where
 * it finds no room: so it is larger than we need (a server with 500 connections took 40 KiB).  Only
 * pages that are used are locked; the whole counts against RLIMIT_MEMLOCK, usually 8 MiB.
 */
#define ARENA_BYTES (512 << 10)
#define SMALLEST_BYTES 32

/* In front of what lies in ordinary memory. */
struct plain {
    size_t n;
    max_align_t data[];
};

static int is_locked;

void secret_init(void)
{
    secret_no_dumps();
    /* 1: all of it worked; 2: an arena, but not locked. */
    if (!CRYPTO_secure_malloc_initialized())
        is_locked = CRYPTO_secure_malloc_init(ARENA_BYTES, SMALLEST_BYTES) == 1;
}

int secret_is_locked(void)
{
    return is_locked;
}

void *secret_alloc(size_t n)
{
    struct plain *p;
    void *s = NULL;

    if (n == 0)
        n = 1;
    if (CRYPTO_secure_malloc_initialized())
        s = OPENSSL_secure_zalloc(n);
    if (s != NULL)
        return s;
    if (n > SIZE_MAX - sizeof(*p))
        abort();
    p = str_calloc(1, sizeof(*p) + n);
    p->n = n;
    return p->data;
}

char *secret_dup(const char *s)
{
    size_t n;
    char *copy;

    if (s == NULL)
        return NULL;
    n = strlen(s) + 1;
    copy = secret_alloc(n);
    memcpy(copy, s, n);
    return copy;
}

void secret_free(void *s)
{
    struct plain *p;

    if (s == NULL)
        return;
    if (CRYPTO_secure_allocated(s)) {
        OPENSSL_secure_clear_free(s, CRYPTO_secure_actual_size(s));
        return;
    }
    p = (struct plain *)(void *)((char *)s - offsetof(struct plain, data));
    str_wipe(p, sizeof(*p) + p->n);
    free(p);
}

void secret_clear_stack(void)
{
    unsigned char left[64 * 1024];

    str_wipe(left, sizeof(left));
}

/*
 * How fast bundles are sealed, beside what `openssl speed` says of the cipher alone.  One number on
 * stdout: bytes a second of processor time.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "bundle/seal/seal.h"
#include "common/config/keyring.h"
#include "common/base/str.h"

#define PIECE ((size_t)64 << 10)
#define PIECES 8192 /* half a gigabyte */

static int count(void *arg, const void *p, size_t n, struct ct_err *err)
{
    (void)p;
    (void)err;
    *(int64_t *)arg += (int64_t)n;
    return 0;
}

static double cpu_s(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

int main(void)
{
    struct keyring *ring = keyring_new();
    struct seal_header h = {.kind = SEAL_BUNDLE, .is_padded = 1, .generation = 1};
    unsigned char *piece = str_calloc(PIECE, 1);
    int64_t bytes = 0;
    struct sealer *s;
    struct ct_err err;
    double start = cpu_s();
    int rc = sealer_new(keyring_generate(ring, 1), &h, count, &bytes, &s, &err);

    if (rc != 0)
        goto done0;
    for (int i = 0; rc == 0 && i < PIECES; i++)
        rc = sealer_add(s, piece, PIECE, &err);
    if (rc == 0)
        rc = sealer_end(s, &err);
    sealer_free(s);
done0:
    if (rc == 0)
        printf("%.0f\n", (double)bytes / (cpu_s() - start));
    else
        fprintf(stderr, "bench/seal: %s\n", err.msg);
    free(piece);
    keyring_free(ring);
    return rc == 0 ? 0 : 1;
}

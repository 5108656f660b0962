#include <stdlib.h>

#include <zlib.h>

#include "common/base/str.h"

#include "bundle/format/gzip.h"

#include "bundle/pack/compress.h"

#define LEVEL 6

struct compress {
    z_stream z;
};

struct compress *compress_new(void)
{
    struct compress *c = str_calloc(1, sizeof(*c));

    /* Negative window bits: raw deflate, the frame is ours. */
    if (deflateInit2(&c->z, LEVEL, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        abort();
    return c;
}

void compress_free(struct compress *c)
{
    if (c == NULL)
        return;
    deflateEnd(&c->z);
    free(c);
}

const char *compress_name(void)
{
    return "zlib-" ZLIB_VERSION "-6";
}

size_t compress_bound(void)
{
    return GZIP_HEADER + compressBound(COMPRESS_BLOCK) + 64 + GZIP_TRAILER;
}

size_t compress_member(struct compress *c, const void *p, size_t n, unsigned char *out)
{
    if (deflateReset(&c->z) != Z_OK)
        abort();
    c->z.next_in = (Bytef *)(uintptr_t)p;
    c->z.avail_in = (uInt)n;
    c->z.next_out = out + GZIP_HEADER;
    c->z.avail_out = (uInt)(compress_bound() - GZIP_HEADER - GZIP_TRAILER);
    if (deflate(&c->z, Z_FINISH) != Z_STREAM_END)
        abort();
    return gzip_frame(out, c->z.total_out, compress_crc32(p, n), n);
}

unsigned int compress_crc32(const void *p, size_t n)
{
    return (unsigned int)crc32(crc32(0, NULL, 0), p, (uInt)n);
}

#include <stdlib.h>

#include <libdeflate.h>

#include "common/base/str.h"

#include "bundle/format/gzip.h"

#include "bundle/pack/compress.h"

#define LEVEL 5

struct compress {
    struct libdeflate_compressor *z;
};

struct compress *compress_new(void)
{
    struct compress *c = str_calloc(1, sizeof(*c));

    c->z = libdeflate_alloc_compressor(LEVEL);
    if (c->z == NULL)
        abort();
    return c;
}

void compress_free(struct compress *c)
{
    if (c == NULL)
        return;
    libdeflate_free_compressor(c->z);
    free(c);
}

const char *compress_name(void)
{
    return "libdeflate-" LIBDEFLATE_VERSION_STRING "-5";
}

size_t compress_bound(void)
{
    return GZIP_HEADER + libdeflate_deflate_compress_bound(NULL, COMPRESS_BLOCK) + GZIP_TRAILER;
}

size_t compress_member(struct compress *c, const void *p, size_t n, unsigned char *out)
{
    size_t room = compress_bound() - GZIP_HEADER - GZIP_TRAILER;
    size_t deflated = libdeflate_deflate_compress(c->z, p, n, out + GZIP_HEADER, room);

    if (deflated == 0)
        abort(); /* the bound is large enough for every block */
    return gzip_frame(out, deflated, compress_crc32(p, n), n);
}

unsigned int compress_crc32(const void *p, size_t n)
{
    return libdeflate_crc32(0, p, n);
}

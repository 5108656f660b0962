#include <string.h>

#include "bundle/format/gzip.h"

static void put32(unsigned char *at, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        at[i] = (unsigned char)(v >> (8 * i));
}

size_t gzip_frame(unsigned char *out, size_t deflated, uint32_t crc, size_t raw_bytes)
{
    static const unsigned char header[GZIP_HEADER] = {0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF};
    unsigned char *trailer = out + GZIP_HEADER + deflated;

    memcpy(out, header, sizeof(header));
    put32(trailer, crc);
    put32(trailer + 4, (uint32_t)raw_bytes);
    return GZIP_HEADER + deflated + GZIP_TRAILER;
}

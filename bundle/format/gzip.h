#ifndef BUNDLE_FORMAT_GZIP_H
#define BUNDLE_FORMAT_GZIP_H

#include <stddef.h>
#include <stdint.h>

#define GZIP_HEADER 10
#define GZIP_TRAILER 8

/**
 * gzip_frame(out, deflated, crc, raw_bytes):
 * Put the header and the trailer of a gzip member (RFC 1952: no name, no time, system unknown)
 * around the ${deflated} bytes at out + GZIP_HEADER, and return the member's length.
 */
size_t gzip_frame(unsigned char *out, size_t deflated, uint32_t crc, size_t raw_bytes);

#endif

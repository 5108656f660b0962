#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "common/base/file.h"
#include "common/base/hash.h"
#include "common/base/str.h"
#include "common/data/jdoc.h"

#include "server/upkeep/adopt_meta.h"

#define FIRST_BYTES (64 * 1024) /* packed, and unpacked */
#define BLOCK 512
#define GZIP 16 /* zlib: there is gzip's header */
#define SEAL_MAGIC "CTS1"
#define SEAL_HEADER_BYTES 48 /* bundle/seal/seal.h: which key, which object; no secret */

/* The first bytes of what is packed in ${in}: how many, or 0. */
static size_t unpack(const unsigned char *in, size_t n, unsigned char *out)
{
    z_stream z = {0};

    if (inflateInit2(&z, MAX_WBITS + GZIP) != Z_OK)
        return 0;
    z.next_in = (unsigned char *)(uintptr_t)in;
    z.avail_in = (unsigned int)n;
    z.next_out = out;
    z.avail_out = FIRST_BYTES;
    inflate(&z, Z_SYNC_FLUSH);
    n = FIRST_BYTES - z.avail_out;
    inflateEnd(&z);
    return n;
}

/* A tar's first entry, if it is the one that is looked for and all of it is there. */
static struct json_object *first_entry(const unsigned char *tar, size_t n)
{
    struct json_object *o = NULL;
    char octal[13] = "", *end;
    unsigned long size;

    if (n < BLOCK || strncmp((const char *)tar, "meta.json", 100) != 0)
        return NULL;
    memcpy(octal, tar + 124, 12);
    size = strtoul(octal, &end, 8);
    if (end == octal || size > n - BLOCK ||
        jdoc_parse((const char *)tar + BLOCK, size, &o, NULL) != 0)
        return NULL;
    return o;
}

/* All that can be known without the key is the header, and that it is sealed. */
static struct json_object *sealed_meta(const unsigned char *p)
{
    struct json_object *o = json_object_new_object();
    char *header = hash_base64(p, SEAL_HEADER_BYTES);

    jdoc_set_str(o, ADOPT_SEALED, header);
    free(header);
    return o;
}

struct json_object *adopt_meta(int fd)
{
    unsigned char *in = str_calloc(2, FIRST_BYTES), *out = in + FIRST_BYTES;
    ssize_t n = file_pread_all(fd, in, FIRST_BYTES, 0);
    struct json_object *o = NULL;

    if (n >= SEAL_HEADER_BYTES && memcmp(in, SEAL_MAGIC, strlen(SEAL_MAGIC)) == 0)
        o = sealed_meta(in);
    else if (n > 0)
        o = first_entry(out, unpack(in, (size_t)n, out));
    /* What is in clear does not make itself a sealed one. */
    if (o != NULL && memcmp(in, SEAL_MAGIC, strlen(SEAL_MAGIC)) != 0)
        json_object_object_del(o, ADOPT_SEALED);
    free(in);
    return o;
}

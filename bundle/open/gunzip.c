#include <stdlib.h>

#include <zlib.h>

#include "common/base/str.h"

#include "bundle/open/gunzip.h"

#define OUT_BYTES (128 << 10)
#define WINDOW_GZIP (15 + 16) /* inflateInit2(): largest window, gzip and nothing else */

struct gunzip {
    struct source *source;
    int is_plain;
    int64_t offset; /* of what comes next */
    int64_t members_end;
    int is_eof;     /* nothing more to read */
    int is_between; /* no member is open */
    int is_padding; /* zeros follow and nothing else */
    int64_t out_bytes;
    z_stream z;
    unsigned char out[OUT_BYTES];
};

struct gunzip *gunzip_new(struct source *source, int is_plain)
{
    struct gunzip *g = str_calloc(1, sizeof(*g));

    g->source = source;
    g->is_plain = is_plain;
    g->is_between = 1;
    if (inflateInit2(&g->z, WINDOW_GZIP) != Z_OK)
        abort(); /* out of memory */
    return g;
}

void gunzip_free(struct gunzip *g)
{
    if (g == NULL)
        return;
    inflateEnd(&g->z);
    free(g);
}

int64_t gunzip_in(const struct gunzip *g)
{
    return g->offset - (int64_t)g->z.avail_in;
}

int64_t gunzip_members(const struct gunzip *g)
{
    return g->members_end;
}

int64_t gunzip_out(const struct gunzip *g)
{
    return g->out_bytes;
}

static int fill(struct gunzip *g, struct ct_err *err)
{
    const void *in;
    int n;

    if (g->z.avail_in > 0 || g->is_eof)
        return 0;
    n = source_next(g->source, &in, err);
    if (n < 0)
        return -1;
    g->is_eof = n == 0;
    g->offset += n;
    g->z.next_in = (Bytef *)(uintptr_t)in;
    g->z.avail_in = (unsigned int)n;
    return 0;
}

static int next_plain(struct gunzip *g, const void **ret, struct ct_err *err)
{
    int n;

    if (fill(g, err) != 0)
        return -1;
    n = (int)g->z.avail_in;
    g->z.avail_in = 0;
    g->out_bytes += n;
    *ret = g->z.next_in;
    return n;
}

/* Between members: does another begin, or is this the end? */
static int between(struct gunzip *g, struct ct_err *err)
{
    if (g->offset == g->z.avail_in && *g->z.next_in != 0x1F)
        return err_set(err, ERR_CORRUPT, "this is no bundle: it does not begin as gzip does");
    if (*g->z.next_in == 0)
        g->is_padding = 1;
    else if (g->is_padding || *g->z.next_in != 0x1F)
        return err_set(err, ERR_CORRUPT, "the bundle is damaged: something follows its end");
    if (g->is_padding) {
        g->z.next_in++;
        g->z.avail_in--;
        return 0;
    }
    g->is_between = 0;
    if (inflateReset(&g->z) != Z_OK)
        return err_set(err, ERR_BUG, "zlib can't begin anew");
    return 0;
}

/* Inflate what there is; return Z_OK, Z_STREAM_END, or -1. */
static int step(struct gunzip *g, struct ct_err *err)
{
    int rc = inflate(&g->z, Z_NO_FLUSH);

    if (rc == Z_OK || rc == Z_STREAM_END || rc == Z_BUF_ERROR)
        return rc == Z_STREAM_END ? rc : Z_OK;
    if (rc == Z_MEM_ERROR)
        abort();
    return err_set(err, ERR_CORRUPT, "the bundle is damaged: %s",
                   g->z.msg != NULL ? g->z.msg : "its compression makes no sense");
}

int gunzip_next(struct gunzip *g, const void **ret, struct ct_err *err)
{
    int n, rc;

    if (g->is_plain)
        return next_plain(g, ret, err);
    g->z.next_out = g->out;
    g->z.avail_out = sizeof(g->out);
    while (g->z.avail_out > 0) {
        if (fill(g, err) != 0)
            return -1;
        if (g->is_eof && g->is_between)
            break;
        if (g->is_eof)
            return err_set(err, ERR_CORRUPT, "the bundle is cut short");
        if (g->is_between) {
            if (between(g, err) != 0)
                return -1;
            continue;
        }
        rc = step(g, err);
        if (rc < 0)
            return -1;
        g->is_between = rc == Z_STREAM_END;
        if (g->is_between)
            g->members_end = gunzip_in(g);
    }
    n = (int)(sizeof(g->out) - g->z.avail_out);
    if (g->offset == 0)
        return err_set(err, ERR_CORRUPT, "this is no bundle: it is empty");
    g->out_bytes += n;
    *ret = g->out;
    return n;
}

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/base/str.h"

#include "bundle/pack/out.h"

struct out {
    char *path;
    char *tmp;
    int fd;
    int64_t room_bytes;
    int64_t size_bytes, gzip_bytes, raw_bytes;
    struct sealer *sealer; /* NULL: in clear */
    struct hash *sha256, *md5;
    struct compress *compress;
    char *pending; /* of the member under way */
    size_t n_pending;
    unsigned char *member;
};

int out_new(const char *path, int64_t room_bytes, struct out **ret, struct ct_err *err)
{
    char *tmp = str_printf("%s.tmp", path);
    struct out *o;
    int fd;

    /* What a crash left there was never a bundle. */
    fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        err_sys(err, "can't write to the spool");
        free(tmp);
        return -1;
    }
    o = str_calloc(1, sizeof(*o));
    o->path = str_dup(path);
    o->tmp = tmp;
    o->fd = fd;
    o->room_bytes = room_bytes;
    o->sha256 = hash_new(HASH_SHA256);
    o->md5 = hash_new(HASH_MD5);
    o->compress = compress_new();
    o->pending = str_realloc(NULL, COMPRESS_BLOCK, 1);
    o->member = str_realloc(NULL, compress_bound(), 1);
    *ret = o;
    return 0;
}

void out_free(struct out *o)
{
    if (o == NULL)
        return;
    if (o->fd >= 0) {
        close(o->fd);
        unlink(o->tmp);
    }
    hash_free(o->sha256);
    hash_free(o->md5);
    compress_free(o->compress);
    sealer_free(o->sealer);
    free(o->pending);
    free(o->member);
    free(o->path);
    free(o->tmp);
    free(o);
}

/* What goes into the file, and nothing else, is what the digests are of. */
static int write_out(void *arg, const void *p, size_t n, struct ct_err *err)
{
    struct out *o = arg;

    if (o->room_bytes > 0 && o->size_bytes + (int64_t)n > o->room_bytes)
        return err_set(err, ERR_NOSPACE, "the bundle is larger than the room in the spool");
    if (file_write_all(o->fd, p, n) != 0)
        return err_sys(err, "can't write to the spool");
    hash_update(o->sha256, p, n);
    hash_update(o->md5, p, n);
    o->size_bytes += (int64_t)n;
    return 0;
}

int out_seal(struct out *o, const struct key *key, struct seal_header *header, struct ct_err *err)
{
    return sealer_new(key, header, write_out, o, &o->sealer, err);
}

static int put(struct out *o, const void *p, size_t n, struct ct_err *err)
{
    o->gzip_bytes += (int64_t)n;
    return o->sealer != NULL ? sealer_add(o->sealer, p, n, err) : write_out(o, p, n, err);
}

/* Zeros after the gzip data, which gzip takes for padding. */
static int end_seal(struct out *o, struct ct_err *err)
{
    if (o->sealer == NULL)
        return 0;
    if (sealer_pad(o->sealer, seal_padded(o->gzip_bytes) - o->gzip_bytes, err) != 0)
        return -1;
    return sealer_end(o->sealer, err);
}

static int flush(struct out *o, struct ct_err *err)
{
    size_t n;

    if (o->n_pending == 0)
        return 0;
    n = compress_member(o->compress, o->pending, o->n_pending, o->member);
    o->n_pending = 0;
    return put(o, o->member, n, err);
}

int out_add(struct out *o, const void *p, size_t n, struct ct_err *err)
{
    const char *at = p;

    o->raw_bytes += (int64_t)n;
    while (n > 0) {
        size_t room = COMPRESS_BLOCK - o->n_pending;
        size_t part = n < room ? n : room;
        memcpy(o->pending + o->n_pending, at, part);
        o->n_pending += part;
        at += part;
        n -= part;
        if (o->n_pending == COMPRESS_BLOCK && flush(o, err) != 0)
            return -1;
    }
    return 0;
}

int out_member(struct out *o, const void *member, size_t n, int64_t raw_bytes, struct ct_err *err)
{
    o->raw_bytes += raw_bytes;
    if (flush(o, err) != 0)
        return -1;
    return put(o, member, n, err);
}

int out_block(struct out *o, const void *p, size_t n, struct ct_err *err)
{
    size_t len;

    if (flush(o, err) != 0)
        return -1;
    len = compress_member(o->compress, p, n, o->member);
    return out_member(o, o->member, len, (int64_t)n, err);
}

int out_publish(struct out *o, struct ct_err *err)
{
    if (flush(o, err) != 0 || end_seal(o, err) != 0)
        return -1;
    if (file_sync(o->fd) != 0)
        return err_sys(err, "can't fsync a bundle in the spool");
    /* A full network file system may say so only now. */
    if (close(o->fd) != 0) {
        o->fd = -1;
        err_sys(err, "can't close a bundle in the spool");
        unlink(o->tmp);
        return -1;
    }
    o->fd = -1;
    if (rename(o->tmp, o->path) != 0) {
        err_sys(err, "can't name a bundle in the spool");
        unlink(o->tmp);
        return -1;
    }
    if (file_sync_parent(o->path, err) != 0) {
        unlink(o->path);
        return -1;
    }
    return 0;
}

int64_t out_raw_bytes(const struct out *o)
{
    return o->raw_bytes;
}

int64_t out_gzip_bytes(const struct out *o)
{
    return o->gzip_bytes;
}

int64_t out_size(const struct out *o)
{
    return o->size_bytes;
}

void out_digests(struct out *o, char sha256[HASH_SHA256_HEX], unsigned char md5[HASH_MD5_BYTES])
{
    hash_final_hex(o->sha256, sha256);
    hash_final(o->md5, md5);
    o->sha256 = o->md5 = NULL;
}

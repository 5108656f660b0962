#include <sys/stat.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zlib.h>

#include "bundle/pack/compress.h"
#include "common/base/file.h"
#include "common/base/path.h"
#include "common/base/str.h"

#include "bundle/pack/cache_index.h"

#define FILE_MAX (256 << 20)

struct header {
    char magic[8];
    char build[56]; /* which compressor made the members */
    unsigned char generation[16];
    uint64_t n;
    int64_t scan_blocks;
    unsigned char scan_digest[HASH_SHA256_BYTES];
    uint64_t scan_raw, scan_packed; /* bytes of the scan state, before and after deflate */
};

static const char magic[8] = "CTCACHE2";

struct cache_entry *cache_index_add(struct cache_index *x)
{
    if (x->n == x->cap) {
        x->cap = x->cap == 0 ? 64 : x->cap * 2;
        x->entries = str_realloc(x->entries, x->cap, sizeof(*x->entries));
    }
    memset(&x->entries[x->n], 0, sizeof(*x->entries));
    return &x->entries[x->n++];
}

void cache_index_free(struct cache_index *x)
{
    free(x->entries);
    buf_free(&x->scan_state);
    memset(x, 0, sizeof(*x));
}

static void build_mark(char mark[56])
{
    memset(mark, 0, 56);
    snprintf(mark, 56, "%s", compress_name());
}

static int take_scan(const struct header *h, const char *p, struct cache_index *ret)
{
    uLongf n = (uLongf)h->scan_raw;

    if (h->scan_blocks <= 0)
        return 0;
    if (h->scan_raw > FILE_MAX)
        return -1;
    if (uncompress((Bytef *)buf_reserve(&ret->scan_state, n), &n, (const Bytef *)p,
                   (uLong)h->scan_packed) != Z_OK ||
        n != h->scan_raw)
        return -1;
    ret->scan_state.len = n;
    ret->scan_blocks = h->scan_blocks;
    memcpy(ret->scan_digest, h->scan_digest, sizeof(h->scan_digest));
    return 0;
}

static int parse(const struct buf *b, struct cache_index *ret)
{
    struct header h;
    unsigned char sum[HASH_SHA256_BYTES];
    char mark[sizeof(h.build)];
    size_t body, entries;

    if (b->len < sizeof(h) + sizeof(sum))
        return -1;
    body = b->len - sizeof(sum);
    hash_sha256(b->data, body, sum);
    memcpy(&h, b->data, sizeof(h));
    build_mark(mark);
    if (memcmp(sum, b->data + body, sizeof(sum)) != 0 ||
        memcmp(h.magic, magic, sizeof(magic)) != 0 || memcmp(h.build, mark, sizeof(mark)) != 0)
        return -1;
    body -= sizeof(h);
    if (h.n > body / sizeof(struct cache_entry) || h.n > UINT32_MAX - 1)
        return -1;
    entries = (size_t)h.n * sizeof(struct cache_entry);
    if (h.scan_packed != body - entries)
        return -1;
    memcpy(ret->generation, h.generation, sizeof(h.generation));
    ret->entries = str_calloc((size_t)h.n + 1, sizeof(struct cache_entry));
    memcpy(ret->entries, b->data + sizeof(h), entries);
    ret->n = (size_t)h.n;
    ret->cap = ret->n + 1;
    return take_scan(&h, b->data + sizeof(h) + entries, ret);
}

/* What is sealed for one session's index can't take the place of another's. */
static int open_sealed(const char *path, const struct vault *vault, struct buf *b)
{
    const char *name = path_base(path);
    struct buf plain = {0};
    int64_t n = vault_open(vault, name, strlen(name), b->data, b->len,
                           (unsigned char *)buf_reserve(&plain, b->len));

    plain.len = n >= 0 ? (size_t)n : 0;
    buf_free(b);
    *b = plain;
    return n >= 0 ? 0 : -1;
}

static void seal(const char *path, const struct vault *vault, struct buf *b)
{
    const char *name = path_base(path);
    struct buf sealed = {0};

    vault_seal(vault, name, strlen(name), b->data, b->len,
               (unsigned char *)buf_reserve(&sealed, vault_size(b->len)));
    sealed.len = vault_size(b->len);
    buf_free(b);
    *b = sealed;
}

int cache_index_read(const char *path, const struct vault *vault, struct cache_index *ret)
{
    struct buf b = {0};
    int rc;

    memset(ret, 0, sizeof(*ret));
    rc = file_read(path, FILE_MAX, &b, NULL);
    if (rc == 0 && vault != NULL)
        rc = open_sealed(path, vault, &b);
    if (rc == 0)
        rc = parse(&b, ret);
    if (rc != 0)
        cache_index_free(ret);
    buf_free(&b);
    return rc;
}

static void pack(const struct cache_index *x, struct buf *b)
{
    struct header h;
    unsigned char sum[HASH_SHA256_BYTES];
    uLongf packed = compressBound((uLong)x->scan_state.len);

    memset(&h, 0, sizeof(h));
    memcpy(h.magic, magic, sizeof(magic));
    build_mark(h.build);
    memcpy(h.generation, x->generation, sizeof(h.generation));
    h.n = x->n;
    buf_add(b, &h, sizeof(h));
    buf_add(b, x->entries, x->n * sizeof(struct cache_entry));
    /* Most of the state is the unused part of its buffers. */
    if (x->scan_blocks > 0 &&
        compress2((Bytef *)buf_reserve(b, packed), &packed, (const Bytef *)x->scan_state.data,
                  (uLong)x->scan_state.len, 1) == Z_OK) {
        b->len += packed;
        h.scan_blocks = x->scan_blocks;
        h.scan_raw = x->scan_state.len;
        h.scan_packed = packed;
        memcpy(h.scan_digest, x->scan_digest, sizeof(h.scan_digest));
        memcpy(b->data, &h, sizeof(h));
    }
    hash_sha256(b->data, b->len, sum);
    buf_add(b, sum, sizeof(sum));
}

int cache_index_write(const char *path, const struct vault *vault, const struct cache_index *x)
{
    char *tmp = str_printf("%s.tmp", path);
    struct buf b = {0};
    int fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600), rc = -1;

    pack(x, &b);
    if (vault != NULL)
        seal(path, vault, &b);
    /* No fsync: after a crash the sums tell what is whole. */
    if (fd >= 0 && file_write_all(fd, b.data, b.len) == 0 && rename(tmp, path) == 0)
        rc = 0;
    if (fd >= 0) {
        close(fd);
        if (rc != 0)
            unlink(tmp);
    }
    buf_free(&b);
    free(tmp);
    return rc;
}

void cache_index_touch(const char *path)
{
    utimensat(AT_FDCWD, path, NULL, AT_SYMLINK_NOFOLLOW);
}

#include <sys/file.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bundle/pack/cache_index.h"
#include "bundle/pack/cache_trim.h"
#include "bundle/pack/compress.h"
#include "bundle/seal/vault.h"
#include "common/base/file.h"
#include "common/base/path.h"
#include "common/base/str.h"
#include "common/base/uuid.h"

#include "bundle/pack/cache.h"

/* The blocks file begins with a random number that the index repeats: they belong together. */
#define GENERATION_BYTES 16
#define SEALED_WITH "sealed-with" /* in the folder: id of the key */

struct cache {
    char *dir;
    char *blocks_path, *index_path;
    int64_t limit_bytes;
    struct vault *vault;   /* NULL: in clear */
    unsigned char *sealed; /* the member under way, if there is a vault */
    size_t sealed_size;
    int fd; /* the blocks, or -1: none yet */
    int64_t old_bytes;
    int64_t end; /* of what the index counts */
    int has_news;
    struct cache_index index;
    struct cache_slot *slots; /* open addressing: entry number + 1, 0 is empty */
    size_t n_slots;
};

struct cache_slot {
    uint32_t entry;
};

/* ---- finding entries ---------------------------------------------------------------------------
 */

static size_t slot_of(const struct cache *c, const unsigned char *digest)
{
    uint64_t h;
    size_t i;

    memcpy(&h, digest, sizeof(h));
    i = (size_t)h & (c->n_slots - 1);
    while (c->slots[i].entry != 0 &&
           memcmp(c->index.entries[c->slots[i].entry - 1].digest, digest, HASH_SHA256_BYTES) != 0)
        i = (i + 1) & (c->n_slots - 1);
    return i;
}

static void rehash(struct cache *c)
{
    size_t n = 64;

    while (n / 2 <= c->index.n)
        n *= 2;
    free(c->slots);
    c->slots = str_calloc(n, sizeof(*c->slots));
    c->n_slots = n;
    for (size_t i = 0; i < c->index.n; i++)
        c->slots[slot_of(c, c->index.entries[i].digest)].entry = (uint32_t)(i + 1);
}

static struct cache_entry *find(struct cache *c, const unsigned char *digest)
{
    uint32_t e = c->slots[slot_of(c, digest)].entry;

    return e == 0 ? NULL : &c->index.entries[e - 1];
}

/* ---- opening -----------------------------------------------------------------------------------
 */

static int open_blocks(struct cache *c, int flags)
{
    int fd = open(c->blocks_path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | flags, 0600);

    if (fd < 0)
        return -1;
    /* Two processes with one cache would tear it. */
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static void start_over(struct cache *c)
{
    cache_index_free(&c->index);
    hash_random(c->index.generation, sizeof(c->index.generation));
    c->end = GENERATION_BYTES;
    if (c->fd >= 0 && ftruncate(c->fd, 0) == 0 &&
        pwrite(c->fd, c->index.generation, GENERATION_BYTES, 0) != GENERATION_BYTES) {
        close(c->fd);
        c->fd = -1;
    }
}

static int64_t size_of(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 ? (int64_t)st.st_size : 0;
}

static void load(struct cache *c)
{
    unsigned char generation[GENERATION_BYTES];
    struct stat st;

    c->old_bytes = size_of(c->blocks_path) + size_of(c->index_path);
    if (cache_index_read(c->index_path, c->vault, &c->index) != 0 || c->fd < 0 ||
        fstat(c->fd, &st) != 0 ||
        file_pread_all(c->fd, generation, sizeof(generation), 0) != (ssize_t)sizeof(generation) ||
        memcmp(generation, c->index.generation, sizeof(generation)) != 0) {
        start_over(c);
        return;
    }
    c->end = GENERATION_BYTES;
    for (size_t i = 0; i < c->index.n; i++) {
        struct cache_entry *e = &c->index.entries[i];
        e->is_used = 0;
        if (e->offset + e->bytes > c->end)
            c->end = e->offset + e->bytes;
    }
    if (c->end > (int64_t)st.st_size)
        start_over(c);
}

/* A file there names the key that the caches are of; in clear there is none. */
void cache_settle(const char *dir, const struct key *key)
{
    const char *wanted = key != NULL ? key->id_hex : "";
    char *path = path_join(dir, SEALED_WITH);
    struct buf b = {0};
    int is_there = file_read(path, KEY_ID_HEX, &b, NULL) == 0 || access(path, F_OK) == 0;

    if ((is_there || key != NULL) && (b.len == 0 || strcmp(b.data, wanted) != 0)) {
        cache_trim_all(dir);
        if (key != NULL)
            file_replace(path, wanted, strlen(wanted), 0600, NULL);
    }
    buf_free(&b);
    free(path);
}

static void release(struct cache *c)
{
    vault_free(c->vault);
    cache_index_free(&c->index);
    free(c->sealed);
    free(c->slots);
    free(c->dir);
    free(c->blocks_path);
    free(c->index_path);
    free(c);
}

struct cache *cache_open(const char *dir, int64_t limit_bytes, const char *session_id,
                         const struct key *key)
{
    struct cache *c;
    int fd;

    if (dir == NULL || limit_bytes <= 0 || path_make_private(dir, NULL) != 0)
        return NULL;
    cache_settle(dir, key);
    c = str_calloc(1, sizeof(*c));
    c->vault = vault_new(key);
    c->sealed_size = key != NULL ? vault_size(compress_bound()) : compress_bound();
    c->sealed = key != NULL ? str_calloc(c->sealed_size, 1) : NULL;
    c->dir = str_dup(dir);
    c->blocks_path = str_printf("%s/%s.blocks", dir, session_id);
    c->index_path = str_printf("%s/%s.index", dir, session_id);
    c->limit_bytes = limit_bytes;
    fd = open_blocks(c, 0);
    c->fd = fd;
    if (fd < 0 && access(c->blocks_path, F_OK) == 0) {
        release(c);
        return NULL;
    }
    load(c);
    rehash(c);
    return c;
}

/* ---- use ---------------------------------------------------------------------------------------
 */

int cache_has(struct cache *c, const unsigned char digest[HASH_SHA256_BYTES])
{
    struct cache_entry *e = c != NULL ? find(c, digest) : NULL;

    if (e == NULL || e->bytes == 0)
        return 0;
    e->is_used = 1;
    return 1;
}

/* Read and check what is kept; return the member's length, or 0. */
static size_t get(struct cache *c, const struct cache_entry *e, void *out, size_t size)
{
    void *to = c->vault != NULL ? c->sealed : out;
    int64_t n;

    if (e->bytes > (c->vault != NULL ? c->sealed_size : size) ||
        file_pread_all(c->fd, to, e->bytes, (off_t)e->offset) != (ssize_t)e->bytes)
        return 0;
    if (c->vault == NULL)
        return compress_crc32(out, e->bytes) == e->crc ? e->bytes : 0;
    if (e->bytes > vault_size(size))
        return 0;
    n = vault_open(c->vault, e->digest, HASH_SHA256_BYTES, c->sealed, e->bytes, out);
    return n > 0 ? (size_t)n : 0;
}

size_t cache_get(struct cache *c, const unsigned char digest[HASH_SHA256_BYTES], void *out,
                 size_t size)
{
    struct cache_entry *e = c != NULL ? find(c, digest) : NULL;
    size_t n;

    if (e == NULL || e->bytes == 0 || c->fd < 0)
        return 0;
    n = get(c, e, out, size);
    if (n == 0) {
        e->bytes = 0; /* damaged: as if it had never been there */
        c->has_news = 1;
    }
    return n;
}

static int make_blocks(struct cache *c)
{
    c->fd = open_blocks(c, O_CREAT);
    if (c->fd < 0)
        return -1;
    start_over(c);
    rehash(c);
    return c->fd < 0 ? -1 : 0;
}

void cache_put(struct cache *c, const unsigned char digest[HASH_SHA256_BYTES], const void *member,
               size_t n)
{
    struct cache_entry *e;

    if (c == NULL || c->end + (int64_t)n > c->limit_bytes)
        return;
    if (c->vault != NULL) {
        vault_seal(c->vault, digest, HASH_SHA256_BYTES, member, n, c->sealed);
        member = c->sealed;
        n = vault_size(n);
    }
    if (c->fd < 0 && make_blocks(c) != 0)
        return;
    if (lseek(c->fd, (off_t)c->end, SEEK_SET) < 0 || file_write_all(c->fd, member, n) != 0)
        return;
    e = find(c, digest);
    if (e == NULL) {
        e = cache_index_add(&c->index);
        memcpy(e->digest, digest, HASH_SHA256_BYTES);
        if (c->index.n > c->n_slots / 2)
            rehash(c);
        else
            c->slots[slot_of(c, digest)].entry = (uint32_t)c->index.n;
    }
    e->offset = c->end;
    e->bytes = (uint32_t)n;
    e->crc = c->vault != NULL ? 0 : compress_crc32(member, n);
    e->is_used = 1;
    c->end += (int64_t)n;
    c->has_news = 1;
}

const struct buf *cache_scan(const struct cache *c, int64_t *ret_blocks,
                             unsigned char ret_digest[HASH_SHA256_BYTES])
{
    if (c == NULL || c->index.scan_blocks == 0)
        return NULL;
    *ret_blocks = c->index.scan_blocks;
    memcpy(ret_digest, c->index.scan_digest, HASH_SHA256_BYTES);
    return &c->index.scan_state;
}

void cache_set_scan(struct cache *c, int64_t blocks, const unsigned char digest[HASH_SHA256_BYTES],
                    struct buf *state)
{
    if (c == NULL)
        return;
    c->index.scan_blocks = blocks;
    memcpy(c->index.scan_digest, digest, HASH_SHA256_BYTES);
    buf_free(&c->index.scan_state);
    c->index.scan_state = *state;
    memset(state, 0, sizeof(*state));
    c->has_news = 1;
}

/* ---- closing -----------------------------------------------------------------------------------
 */

static int64_t used_bytes(const struct cache *c)
{
    int64_t n = 0;

    for (size_t i = 0; i < c->index.n; i++) {
        if (c->index.entries[i].is_used)
            n += c->index.entries[i].bytes;
    }
    return n;
}

/* Copy what is used into ${fd}, entry by entry, and point the index there. */
static int copy_used(struct cache *c, int fd)
{
    size_t size = c->sealed_size, kept = 0;
    char *p = str_calloc(size, 1);
    int64_t end = GENERATION_BYTES;
    int rc = 0;

    hash_random(c->index.generation, sizeof(c->index.generation));
    if (file_write_all(fd, c->index.generation, GENERATION_BYTES) != 0)
        rc = -1;
    for (size_t i = 0; rc == 0 && i < c->index.n; i++) {
        struct cache_entry e = c->index.entries[i];
        if (!e.is_used || e.bytes > size ||
            file_pread_all(c->fd, p, e.bytes, (off_t)e.offset) != (ssize_t)e.bytes)
            continue;
        if (file_write_all(fd, p, e.bytes) != 0)
            rc = -1;
        e.offset = end;
        end += e.bytes;
        c->index.entries[kept++] = e;
    }
    c->index.n = kept;
    c->end = end;
    free(p);
    return rc;
}

/* Without what nobody asked for.  If it fails, nothing is left: it is only a cache. */
static void compact(struct cache *c)
{
    char *tmp = str_printf("%s.tmp", c->blocks_path);
    int fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0 || copy_used(c, fd) != 0 || rename(tmp, c->blocks_path) != 0) {
        unlink(tmp);
        unlink(c->blocks_path);
        cache_index_free(&c->index);
    }
    if (fd >= 0)
        close(fd);
    c->has_news = 1;
    free(tmp);
}

static void publish(struct cache *c, int is_complete)
{
    if (c->fd >= 0 && is_complete && used_bytes(c) < (c->end - GENERATION_BYTES) / 2)
        compact(c);
    if (c->fd < 0)
        return;
    if (c->index.n == 0) {
        unlink(c->index_path);
        unlink(c->blocks_path);
    } else if (!c->has_news || cache_index_write(c->index_path, c->vault, &c->index) != 0) {
        cache_index_touch(c->index_path);
    }
    cache_trim_account(c->dir, size_of(c->blocks_path) + size_of(c->index_path) - c->old_bytes,
                       c->limit_bytes);
}

void cache_close(struct cache *c, int is_complete)
{
    if (c == NULL)
        return;
    publish(c, is_complete);
    if (c->fd >= 0)
        close(c->fd);
    release(c);
}

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bundle/pack/content.h"
#include "common/base/str.h"

#include "bundle/pack/content_id.h"

struct file {
    char *entry;
    int64_t length;
    unsigned char digest[HASH_SHA256_BYTES];
};

struct content_id {
    struct file *files;
    size_t n, cap;

    /* The file under way. */
    struct hash *blocks;
    struct hash *block;
    size_t block_bytes;
};

struct content_id *content_id_new(void)
{
    return str_calloc(1, sizeof(struct content_id));
}

void content_id_free(struct content_id *c)
{
    if (c == NULL)
        return;
    for (size_t i = 0; i < c->n; i++)
        free(c->files[i].entry);
    free(c->files);
    hash_free(c->blocks);
    hash_free(c->block);
    free(c);
}

void content_id_begin(struct content_id *c, const char *entry)
{
    if (c->n == c->cap) {
        c->cap = c->cap == 0 ? 16 : c->cap * 2;
        c->files = str_realloc(c->files, c->cap, sizeof(*c->files));
    }
    memset(&c->files[c->n], 0, sizeof(*c->files));
    c->files[c->n++].entry = str_dup(entry);
    c->blocks = hash_new(HASH_SHA256);
    c->block_bytes = 0;
}

static void end_block(struct content_id *c)
{
    unsigned char d[HASH_SHA256_BYTES];

    if (c->block == NULL)
        return;
    hash_final(c->block, d);
    c->block = NULL;
    c->block_bytes = 0;
    hash_update(c->blocks, d, sizeof(d));
}

void content_id_feed(struct content_id *c, const void *p, size_t n)
{
    const char *at = p;

    c->files[c->n - 1].length += (int64_t)n;
    while (n > 0) {
        size_t part = CONTENT_BLOCK - c->block_bytes < n ? CONTENT_BLOCK - c->block_bytes : n;
        if (c->block == NULL)
            c->block = hash_new(HASH_SHA256);
        hash_update(c->block, at, part);
        c->block_bytes += part;
        if (c->block_bytes == CONTENT_BLOCK)
            end_block(c);
        at += part;
        n -= part;
    }
}

void content_id_file(struct content_id *c, char ret_digest[HASH_SHA256_HEX])
{
    struct file *f = &c->files[c->n - 1];

    end_block(c);
    hash_final(c->blocks, f->digest);
    c->blocks = NULL;
    if (ret_digest != NULL)
        hash_hex(f->digest, sizeof(f->digest), ret_digest);
}

void content_id_mix(struct hash *h, const char *entry, int64_t length,
                    const unsigned char digest[HASH_SHA256_BYTES])
{
    unsigned char bytes[8];

    for (int b = 0; b < 8; b++)
        bytes[b] = (unsigned char)((uint64_t)length >> (56 - 8 * b));
    hash_update(h, entry, strlen(entry) + 1);
    hash_update(h, bytes, sizeof(bytes));
    hash_update(h, digest, HASH_SHA256_BYTES);
}

static int by_entry(const void *a, const void *b)
{
    return strcmp(((const struct file *)a)->entry, ((const struct file *)b)->entry);
}

void content_id_final(struct content_id *c, char ret[HASH_SHA256_HEX])
{
    struct hash *h = hash_new(HASH_SHA256);

    if (c->n > 0)
        qsort(c->files, c->n, sizeof(*c->files), by_entry);
    for (size_t i = 0; i < c->n; i++)
        content_id_mix(h, c->files[i].entry, c->files[i].length, c->files[i].digest);
    hash_final_hex(h, ret);
}

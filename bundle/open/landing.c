#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bundle/pack/content.h"
#include "common/base/file.h"
#include "common/base/str.h"

#include "bundle/open/landing.h"

#define BUFFER (256 << 10)

struct landing {
    int fd; /* -1: nothing is written */
    struct relocator *relocator;
    struct hash *sum, *block; /* over the blocks' digests; of the block under way */
    size_t block_bytes;
    int64_t stage_bytes;
    size_t n;
    char *buffer;
};

static int flush(struct landing *l, struct ct_err *err)
{
    if (l->n > 0 && file_write_all(l->fd, l->buffer, l->n) != 0)
        return err_sys(err, "can't write to the stage");
    l->n = 0;
    return 0;
}

static int put(void *arg, const void *p, size_t n, struct ct_err *err)
{
    struct landing *l = arg;
    const char *at = p;

    l->stage_bytes += (int64_t)n;
    while (l->fd >= 0 && n > 0) {
        size_t part = BUFFER - l->n < n ? BUFFER - l->n : n;
        memcpy(l->buffer + l->n, at, part);
        l->n += part;
        at += part;
        n -= part;
        if (l->n == BUFFER && flush(l, err) != 0)
            return -1;
    }
    return 0;
}

/* The folders above ${name}. */
static int make_folders(int stage_fd, const char *name)
{
    char *path = str_dup(name);
    int rc = 0;

    for (char *slash = strchr(path, '/'); rc == 0 && slash != NULL;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdirat(stage_fd, path, 0700) != 0 && errno != EEXIST)
            rc = -1;
        *slash = '/';
    }
    free(path);
    return rc;
}

static int make_file(int stage_fd, const char *name, struct ct_err *err)
{
    int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    int fd = openat(stage_fd, name, flags, 0600);

    if (fd < 0 && errno == ENOENT && make_folders(stage_fd, name) == 0)
        fd = openat(stage_fd, name, flags, 0600);
    if (fd >= 0)
        return fd;
    if (errno == EEXIST || errno == ENOTDIR || errno == EISDIR)
        return err_set(err, ERR_CONFLICT, "something else has its name");
    return err_sys(err, "can't make a file in the stage");
}

int landing_new(int stage_fd, const char *name, const struct relocation *relocation,
                struct landing **ret, struct ct_err *err)
{
    struct landing *l;
    int fd = -1;

    if (stage_fd >= 0) {
        fd = make_file(stage_fd, name, err);
        if (fd < 0)
            return -1;
    }
    l = str_calloc(1, sizeof(*l));
    l->fd = fd;
    if (fd >= 0)
        l->buffer = str_calloc(BUFFER, 1);
    if (fd >= 0 && relocation != NULL && !relocation_is_idle(relocation))
        l->relocator = relocator_new(relocation, put, l);
    l->sum = hash_new(HASH_SHA256);
    l->block = hash_new(HASH_SHA256);
    *ret = l;
    return 0;
}

void landing_free(struct landing *l)
{
    if (l == NULL)
        return;
    if (l->fd >= 0)
        close(l->fd);
    relocator_free(l->relocator);
    hash_free(l->sum);
    hash_free(l->block);
    free(l->buffer);
    free(l);
}

static void end_block(struct landing *l)
{
    unsigned char d[HASH_SHA256_BYTES];

    hash_final(l->block, d);
    hash_update(l->sum, d, sizeof(d));
    l->block = hash_new(HASH_SHA256);
    l->block_bytes = 0;
}

static void digest(struct landing *l, const char *p, size_t n)
{
    while (n > 0) {
        size_t room = CONTENT_BLOCK - l->block_bytes, part = n < room ? n : room;
        hash_update(l->block, p, part);
        l->block_bytes += part;
        p += part;
        n -= part;
        if (l->block_bytes == CONTENT_BLOCK)
            end_block(l);
    }
}

int landing_feed(struct landing *l, const void *p, size_t n, struct ct_err *err)
{
    digest(l, p, n);
    return l->relocator != NULL ? relocator_feed(l->relocator, p, n, err) : put(l, p, n, err);
}

static int end_relocation(struct landing *l, struct ct_err *err)
{
    int rc = l->relocator != NULL ? relocator_end(l->relocator, err) : 0;

    relocator_free(l->relocator);
    l->relocator = NULL;
    return rc;
}

int landing_add(struct landing *l, const void *p, size_t n, struct ct_err *err)
{
    return end_relocation(l, err) == 0 ? put(l, p, n, err) : -1;
}

int landing_end(struct landing *l, unsigned char ret_digest[HASH_SHA256_BYTES],
                int64_t *ret_stage_bytes, struct ct_err *err)
{
    if (end_relocation(l, err) != 0 || (l->fd >= 0 && flush(l, err) != 0))
        return -1;
    if (l->block_bytes > 0)
        end_block(l);
    hash_final(l->sum, ret_digest);
    l->sum = NULL;
    *ret_stage_bytes = l->stage_bytes;
    return 0;
}

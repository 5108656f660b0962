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
    int fd;                              /* -1: nothing is written */
    const struct relocation *relocation; /* or NULL */
    struct relocator *relocator;         /* NULL: nothing moves */
    const struct agent *agent;
    struct rebuild *rebuild; /* NULL: it comes as it is */
    int is_ended, is_nothing;
    int64_t fed_bytes, folders;
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

/* The folders above ${name}; count those that were not there. */
static int make_folders(int stage_fd, const char *name, int64_t *folders)
{
    char *path = str_dup(name);
    int rc = 0;

    for (char *slash = strchr(path, '/'); rc == 0 && slash != NULL;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdirat(stage_fd, path, 0700) == 0)
            ++*folders;
        else if (errno != EEXIST)
            rc = -1;
        *slash = '/';
    }
    free(path);
    return rc;
}

static int make_file(int stage_fd, const char *name, int64_t *folders, struct ct_err *err)
{
    int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    int fd = openat(stage_fd, name, flags, 0600);

    if (fd < 0 && errno == ENOENT && make_folders(stage_fd, name, folders) == 0)
        fd = openat(stage_fd, name, flags, 0600);
    if (fd >= 0)
        return fd;
    if (errno == EEXIST || errno == ENOTDIR || errno == EISDIR)
        return err_set(err, ERR_CONFLICT, "something else has its name");
    return err_sys(err, "can't make a file in the stage");
}

/* ---- from the agent ----------------------------------------------------------------------------
 */

static char *moved(void *arg, const char *path)
{
    const struct landing *l = arg;

    return l->relocation != NULL ? relocation_path(l->relocation, path) : str_dup(path);
}

static int put_rebuilt(void *arg, const void *p, size_t n, int is_exact, struct ct_err *err)
{
    struct landing *l = arg;

    if (l->relocator == NULL)
        return put(l, p, n, err);
    return is_exact ? relocator_exact(l->relocator, p, n, err)
                    : relocator_feed(l->relocator, p, n, err);
}

static void begin_rebuild(struct landing *l, const struct landing_place *place)
{
    struct rebuild_opts opts = *place->rebuild;

    opts.moved = moved;
    opts.put = put_rebuilt;
    opts.arg = l;
    l->agent = place->agent;
    l->rebuild = place->agent->rebuild_new(&opts, place->name);
}

/* ---- */

int landing_new(const struct landing_place *place, struct landing **ret, struct ct_err *err)
{
    struct landing *l;
    int64_t folders = 0;
    int fd = -1;

    if (place->stage_fd >= 0) {
        fd = make_file(place->stage_fd, place->name, &folders, err);
        if (fd < 0)
            return -1;
    }
    l = str_calloc(1, sizeof(*l));
    l->fd = fd;
    l->folders = folders;
    if (fd >= 0)
        l->buffer = str_calloc(BUFFER, 1);
    l->relocation = place->relocation;
    if (fd >= 0 && place->relocation != NULL && !relocation_is_idle(place->relocation))
        l->relocator = relocator_new(place->relocation, put, l);
    if (place->agent != NULL)
        begin_rebuild(l, place);
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
    if (l->rebuild != NULL)
        l->agent->rebuild_free(l->rebuild);
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
    l->fed_bytes += (int64_t)n;
    if (l->rebuild != NULL)
        return l->agent->rebuild_feed(l->rebuild, p, n, err);
    return l->relocator != NULL ? relocator_feed(l->relocator, p, n, err) : put(l, p, n, err);
}

int64_t landing_grown(const struct landing *l)
{
    return l->stage_bytes > l->fed_bytes ? l->stage_bytes - l->fed_bytes : 0;
}

int64_t landing_folders(const struct landing *l)
{
    return l->folders;
}

/* All of the content is through. */
static int end_content(struct landing *l, struct ct_err *err)
{
    int rc;

    if (l->is_ended)
        return 0;
    l->is_ended = 1;
    if (l->rebuild != NULL) {
        rc = l->agent->rebuild_end(l->rebuild, err);
        if (rc < 0)
            return -1;
        l->is_nothing = rc > 0;
    }
    return l->relocator != NULL ? relocator_end(l->relocator, err) : 0;
}

int landing_add(struct landing *l, const void *p, size_t n, struct ct_err *err)
{
    return end_content(l, err) == 0 ? put(l, p, n, err) : -1;
}

int landing_end(struct landing *l, unsigned char ret_digest[HASH_SHA256_BYTES],
                int64_t *ret_stage_bytes, struct ct_err *err)
{
    if (end_content(l, err) != 0 || (l->fd >= 0 && flush(l, err) != 0))
        return -1;
    if (l->block_bytes > 0)
        end_block(l);
    hash_final(l->sum, ret_digest);
    l->sum = NULL;
    *ret_stage_bytes = l->stage_bytes;
    return l->is_nothing;
}

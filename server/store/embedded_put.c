#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/base/hash.h"
#include "common/base/path.h"
#include "common/base/str.h"

#include "server/store/embedded_impl.h"

/* So that the last fsync is short, and a disk slower than the network slows the network. */
#define SYNC_EVERY_BYTES (64 * 1024 * 1024)
#define COMPARE_BYTES (64 * 1024)

struct embedded_put {
    struct embedded *e;
    char *final;
    char *tmp;
    int fd;
    int64_t size_bytes;
    int64_t got;
    int64_t unsynced;
    struct hash *md5;
};

int embedded_put_begin(struct embedded *e, const char *key, int64_t size_bytes, int want_md5,
                       struct embedded_put **ret, struct ct_err *err)
{
    struct embedded_put *p = str_calloc(1, sizeof(*p));

    p->e = e;
    p->fd = -1;
    p->size_bytes = size_bytes;
    p->final = embedded_path(e, key);
    if (p->final == NULL) {
        err_set(err, ERR_GONE, "this is not the key of an object");
        goto err0;
    }
    p->tmp = path_join(e->tmp, "put.XXXXXX");
    p->fd = mkostemp(p->tmp, O_CLOEXEC);
    if (p->fd < 0) {
        err_sys(err, "can't make a file in %s", e->tmp);
        goto err1;
    }
    if (want_md5)
        p->md5 = hash_new(HASH_MD5);
    *ret = p;
    return 0;

err1:
    free(p->tmp);
    free(p->final);
err0:
    free(p);
    return -1;
}

int embedded_put_data(struct embedded_put *p, const void *data, size_t n, struct ct_err *err)
{
    if ((int64_t)n > p->size_bytes - p->got)
        return err_set(err, ERR_CORRUPT, "an object is longer than announced");
    if (file_write_all(p->fd, data, n) != 0)
        return err_sys(err, "can't write an object");
    if (p->md5 != NULL)
        hash_update(p->md5, data, n);
    p->got += (int64_t)n;
    p->unsynced += (int64_t)n;
    if (p->unsynced >= SYNC_EVERY_BYTES) {
        if (file_sync(p->fd) != 0)
            return err_sys(err, "can't fsync an object");
        p->unsynced = 0;
    }
    return 0;
}

static int same_content(int a, int b)
{
    char *x = str_calloc(2, COMPARE_BYTES), *y = x + COMPARE_BYTES;
    struct stat sa, sb;
    int same = fstat(a, &sa) == 0 && fstat(b, &sb) == 0 && sa.st_size == sb.st_size;

    for (off_t at = 0; same && at < sa.st_size; at += COMPARE_BYTES) {
        ssize_t n = file_pread_all(a, x, COMPARE_BYTES, at);
        same =
            n > 0 && file_pread_all(b, y, COMPARE_BYTES, at) == n && memcmp(x, y, (size_t)n) == 0;
    }
    free(x);
    return same;
}

/* A client that never saw the first answer sends it all again: that is fine, if it is the same. */
static int already_there(struct embedded_put *p, struct ct_err *err)
{
    int fd = open(p->final, O_RDONLY | O_CLOEXEC | O_NOFOLLOW), same;

    if (fd < 0)
        return err_sys(err, "can't open an object");
    same = same_content(p->fd, fd);
    close(fd);
    return same ? 0 : err_set(err, ERR_CONFLICT, "there is another object with this key");
}

/* link(2) and not rename(2): it never replaces what is there. */
static int publish(struct embedded_put *p, struct ct_err *err)
{
    char *dir = path_parent(p->final);
    int rc = path_make_dirs(dir, 0700, err);

    if (rc == 0 && link(p->tmp, p->final) != 0)
        rc = errno == EEXIST ? already_there(p, err) : err_sys(err, "can't publish an object");
    if (rc == 0)
        rc = file_sync_dir(dir, err);
    if (rc == 0)
        rc = file_sync_parent(dir, err);
    free(dir);
    return rc;
}

static int verify(struct embedded_put *p, const unsigned char *md5, struct ct_err *err)
{
    unsigned char got[HASH_MD5_BYTES];

    if (p->got != p->size_bytes) {
        err_set(err, ERR_CORRUPT, "an object is shorter than announced");
        snprintf(err->reason, sizeof(err->reason), "IncompleteBody");
        return -1;
    }
    if (p->md5 == NULL)
        return 0;
    hash_final(p->md5, got);
    p->md5 = NULL;
    if (md5 != NULL && memcmp(got, md5, sizeof(got)) != 0) {
        err_set(err, ERR_CORRUPT, "an object does not have the MD5 that was announced");
        snprintf(err->reason, sizeof(err->reason), "BadDigest");
        return -1;
    }
    return 0;
}

int embedded_put_finish(struct embedded_put *p, const unsigned char *md5, struct ct_err *err)
{
    int rc = verify(p, md5, err);

    if (rc == 0 && file_sync(p->fd) != 0)
        rc = err_sys(err, "can't fsync an object");
    if (rc == 0)
        rc = publish(p, err);
    embedded_put_abort(p);
    return rc;
}

void embedded_put_abort(struct embedded_put *p)
{
    if (p == NULL)
        return;
    unlink(p->tmp);
    close(p->fd);
    hash_free(p->md5);
    free(p->tmp);
    free(p->final);
    free(p);
}

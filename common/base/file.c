#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/path.h"
#include "common/base/str.h"

#include "common/base/file.h"

int file_read_fd(int fd, const char *what, size_t max, struct buf *ret, struct ct_err *err)
{
    size_t start = ret->len;

    for (;;) {
        char *at = buf_reserve(ret, 16384);
        ssize_t n = read(fd, at, 16384);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_sys(err, "can't read %s", what);
        if (n == 0)
            break;
        ret->len += (size_t)n;
        if (ret->len - start > max)
            return err_set(err, ERR_REFUSED, "%s is larger than %zu bytes", what, max);
    }
    buf_add(ret, "", 0);
    return 0;
}

int file_read(const char *path, size_t max, struct buf *ret, struct ct_err *err)
{
    int fd, rc;

    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return err_sys(err, "can't open %s", path);
    rc = file_read_fd(fd, path, max, ret, err);
    close(fd);
    return rc;
}

int file_write_all(int fd, const void *p, size_t n)
{
    const char *at = p;

    while (n > 0) {
        ssize_t w = write(fd, at, n);
        if (w < 0 && errno == EINTR)
            continue;
        if (w < 0)
            return -1;
        at += w;
        n -= (size_t)w;
    }
    return 0;
}

ssize_t file_pread_all(int fd, void *p, size_t n, off_t offset)
{
    size_t got = 0;

    while (got < n) {
        ssize_t r = pread(fd, (char *)p + got, n - got, offset + (off_t)got);
        if (r < 0 && errno == EINTR)
            continue;
        if (r < 0)
            return -1;
        if (r == 0)
            break;
        got += (size_t)r;
    }
    return (ssize_t)got;
}

int file_sync_dir(const char *path, struct ct_err *err)
{
    int fd, rc = 0;

    fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return err_sys(err, "can't open the folder %s", path);
    /* Some file systems have no fsync for folders; there a rename is all one can do. */
    if (file_sync(fd) != 0 && errno != EINVAL && errno != ENOTSUP)
        rc = err_sys(err, "can't fsync the folder %s", path);
    close(fd);
    return rc;
}

/* What is in the folder ${fd}, which it closes. */
static int remove_content(int fd)
{
    DIR *d = fdopendir(fd);
    struct dirent *e;
    int rc = 0, kept = 0;

    if (d == NULL) {
        kept = errno;
        close(fd);
        errno = kept;
        return -1;
    }
    while ((e = readdir(d)) != NULL) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        if (file_remove_tree(dirfd(d), e->d_name) != 0 && rc == 0) {
            rc = -1;
            kept = errno;
        }
    }
    closedir(d);
    errno = kept;
    return rc;
}

int file_remove_tree(int dir_fd, const char *name)
{
    int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0 && errno == ENOENT)
        return 0;
    if (fd < 0 && errno != ENOTDIR && errno != ELOOP)
        return -1;
    if (fd >= 0 && remove_content(fd) != 0)
        return -1;
    if (unlinkat(dir_fd, name, fd >= 0 ? AT_REMOVEDIR : 0) == 0 || errno == ENOENT)
        return 0;
    return -1;
}

int file_sync_parent(const char *path, struct ct_err *err)
{
    char *dir = path_parent(path);
    int rc = file_sync_dir(dir, err);

    free(dir);
    return rc;
}

int file_replace(const char *path, const void *p, size_t n, mode_t mode, struct ct_err *err)
{
    char *tmp = str_printf("%s.XXXXXX", path);
    int fd;

    fd = mkostemp(tmp, O_CLOEXEC);
    if (fd < 0) {
        err_sys(err, "can't make a file beside %s", path);
        goto err0;
    }
    if (fchmod(fd, mode) != 0 || file_write_all(fd, p, n) != 0 || file_sync(fd) != 0) {
        err_sys(err, "can't write %s", tmp);
        goto err1;
    }
    close(fd);
    fd = -1;
    if (rename(tmp, path) != 0) {
        err_sys(err, "can't rename %s to %s", tmp, path);
        goto err1;
    }
    free(tmp);
    return file_sync_parent(path, err);

err1:
    if (fd >= 0)
        close(fd);
    unlink(tmp);
err0:
    free(tmp);
    return -1;
}

int file_publish(const char *tmp, const char *to, struct ct_err *err)
{
    int fd = open(tmp, O_RDONLY | O_CLOEXEC), rc = 0;

    if (fd < 0 || file_sync(fd) != 0 || rename(tmp, to) != 0)
        rc = err_sys(err, "can't write %s", to);
    if (fd >= 0)
        close(fd);
    return rc == 0 ? file_sync_parent(to, err) : -1;
}

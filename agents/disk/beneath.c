#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agents/disk/beneath.h"

#define SAFE_FLAGS (O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY)

int beneath_open_root(const char *root)
{
    return open(root, O_RDONLY | O_CLOEXEC | O_DIRECTORY);
}

int64_t beneath_size(const struct stat *st)
{
    uid_t uid = geteuid();

    if (!S_ISREG(st->st_mode) || st->st_uid != uid || (uid != 0 && (st->st_mode & S_IRUSR) == 0))
        return 0;
    return (int64_t)st->st_size;
}

/* One component.  With O_DIRECTORY a symbolic link shows as ENOTDIR; tell them apart. */
static int step(int dir_fd, const char *name, int flags)
{
    int fd = openat(dir_fd, name, SAFE_FLAGS | flags);
    struct stat st;

    if (fd < 0 && errno == ENOTDIR) {
        errno = fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode)
                    ? ELOOP
                    : ENOTDIR;
    }
    return fd;
}

int beneath_walk(int root_fd, const char *path, int flags)
{
    char name[NAME_MAX + 1];
    int dir_fd = root_fd, fd, e;

    for (;;) {
        size_t n = strcspn(path, "/");
        if (n > NAME_MAX) {
            fd = -1;
            errno = ENAMETOOLONG;
            break;
        }
        memcpy(name, path, n);
        name[n] = '\0';
        if (n == 0 || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
            fd = -1;
            errno = EINVAL;
            break;
        }
        fd = step(dir_fd, name, path[n] == '/' ? O_DIRECTORY : flags);
        if (fd < 0 || path[n] == '\0')
            break;
        if (dir_fd != root_fd)
            close(dir_fd);
        dir_fd = fd;
        path += n + 1;
    }
    e = errno;
    if (dir_fd != root_fd)
        close(dir_fd);
    errno = e;
    return fd;
}

int beneath_make(int root_fd, const char *path)
{
    char name[NAME_MAX + 1];
    int dir_fd = openat(root_fd, ".", SAFE_FLAGS | O_DIRECTORY), next, e;

    while (dir_fd >= 0 && *path != '\0') {
        size_t n = strcspn(path, "/");
        if (n == 0 || n > NAME_MAX) {
            errno = n == 0 ? EINVAL : ENAMETOOLONG;
            next = -1;
        } else {
            memcpy(name, path, n);
            name[n] = '\0';
            next = mkdirat(dir_fd, name, 0700) == 0 || errno == EEXIST
                       ? beneath_walk(dir_fd, name, O_DIRECTORY)
                       : -1;
        }
        e = errno;
        close(dir_fd);
        errno = e;
        dir_fd = next;
        path += n + (path[n] == '/');
    }
    return dir_fd;
}

const char *beneath_reason(int e, char *buf, size_t size)
{
    switch (e) {
    case ELOOP:
        snprintf(buf, size, "symbolic link");
        break;
    case ENXIO: /* a socket, or a device that is not there */
    case ENODEV:
    case EISDIR:
        snprintf(buf, size, "not a regular file");
        break;
    default:
        snprintf(buf, size, "can't be read: %s", strerror(e));
    }
    return buf;
}

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "watcher/backend/fs.h"

int fs_walk_dir(int root_fd, const char *path, int is_readable)
{
    const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK;
    char name[256];
    size_t len;
    int fd, next, e;

    if ((fd = openat(root_fd, ".", flags)) == -1)
        return -1;
    (void)is_readable; /* to open as a place only is a matter of one system */
    for (; *path != '\0'; path += len + (path[len] == '/')) {
        len = strcspn(path, "/");
        if (len >= sizeof(name)) {
            errno = ENAMETOOLONG;
            goto err0;
        }
        memcpy(name, path, len);
        name[len] = '\0';
        if ((next = openat(fd, name, flags)) == -1)
            goto err0;
        close(fd);
        fd = next;
    }

    /* Success! */
    return fd;

err0:
    e = errno;
    close(fd);
    errno = e;

    /* Failure! */
    return -1;
}

#include <sys/stat.h>
#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <linux/fs.h>
#include <linux/openat2.h>

#include "agents/disk/beneath.h"

#define RACES 100 /* EAGAIN: something was renamed during the look-up */

int beneath_open(int root_fd, const char *path, int flags)
{
    struct open_how how = {
        .flags = (unsigned int)(O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | flags),
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
    };

    for (int i = 0; i < RACES; i++) {
        long fd = syscall(SYS_openat2, root_fd, path, &how, sizeof(how));
        if (fd >= 0)
            return (int)fd;
        if (errno != EAGAIN && errno != EINTR)
            break;
    }
    /* An old kernel, or a system call filter that does not know the call; or a link in the place of
     * a folder, which the walk tells from a file in its place. */
    if (errno == ENOSYS || errno == EPERM || errno == ENOTDIR)
        return beneath_walk(root_fd, path, flags);
    return -1;
}

int beneath_rename_new(int from_fd, const char *from, int to_fd, const char *to)
{
    struct stat st;

    if (syscall(SYS_renameat2, from_fd, from, to_fd, to, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return -1;
    if (fstatat(to_fd, to, &st, AT_SYMLINK_NOFOLLOW) == 0) {
        errno = EEXIST;
        return -1;
    }
    return renameat(from_fd, from, to_fd, to);
}

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "agents/disk/beneath.h"

int beneath_open(int root_fd, const char *path, int flags)
{
    return beneath_walk(root_fd, path, flags);
}

int beneath_rename_new(int from_fd, const char *from, int to_fd, const char *to)
{
    struct stat st;

    if (fstatat(to_fd, to, &st, AT_SYMLINK_NOFOLLOW) == 0) {
        errno = EEXIST;
        return -1;
    }
    return renameat(from_fd, from, to_fd, to);
}

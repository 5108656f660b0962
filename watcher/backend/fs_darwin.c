/* Written from fcntl(2), statfs(2) and <malloc/malloc.h> of macOS, and compiled with its headers;
 * not yet run on one. */
#include <sys/param.h>
#include <sys/mount.h>

#include <fcntl.h>
#include <malloc/malloc.h>

#include "watcher/backend/fs.h"

int fs_open_dir(int root_fd, const char *path, int is_readable)
{
    return fs_walk_dir(root_fd, path, is_readable);
}

int fs_path(int fd, char buf[PATH_MAX])
{
    return fcntl(fd, F_GETPATH, buf) == -1 ? -1 : 0;
}

int fs_is_remote(int fd)
{
    struct statfs st;

    return fstatfs(fd, &st) == 0 && !(st.f_flags & MNT_LOCAL);
}

void fs_give_memory_back(void)
{
    malloc_zone_pressure_relief(NULL, 0);
}

/* Written from fcntl(2) and stat(2) of macOS, and compiled with its headers; not yet run on one. */
#include <sys/stat.h>

#include <fcntl.h>
#include <unistd.h>

#include "common/base/file.h"

static int64_t ns_of(const struct timespec *t)
{
    return (int64_t)t->tv_sec * 1000000000 + t->tv_nsec;
}

struct timespec file_mtime(const struct stat *st)
{
    return st->st_mtimespec;
}

int64_t file_mtime_ns(const struct stat *st)
{
    return ns_of(&st->st_mtimespec);
}

int64_t file_ctime_ns(const struct stat *st)
{
    return ns_of(&st->st_ctimespec);
}

/* fsync() stops at the drive's cache here.  Not every file system knows F_FULLFSYNC. */
int file_sync(int fd)
{
    return fcntl(fd, F_FULLFSYNC) == 0 ? 0 : fsync(fd);
}

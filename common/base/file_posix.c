#include <sys/stat.h>

#include <unistd.h>

#include "common/base/file.h"

static int64_t ns_of(const struct timespec *t)
{
    return (int64_t)t->tv_sec * 1000000000 + t->tv_nsec;
}

struct timespec file_mtime(const struct stat *st)
{
    return st->st_mtim;
}

int64_t file_mtime_ns(const struct stat *st)
{
    return ns_of(&st->st_mtim);
}

int64_t file_ctime_ns(const struct stat *st)
{
    return ns_of(&st->st_ctim);
}

int file_sync(int fd)
{
    return fsync(fd);
}

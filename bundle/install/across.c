#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agents/disk/beneath.h"
#include "common/base/file.h"
#include "common/base/str.h"
#include "common/base/uuid.h"

#include "bundle/install/across.h"

#define WINDOW (256 << 10)

/* A file on its way into another folder, under a name of its own there. */
struct copy {
    int fd; /* of the original */
    off_t bytes;
    char *name;
};

/* Copy what comes behind ${at} in ${from}, and count it. */
static int copy_bytes(int from, int to, off_t *at)
{
    char *buf = str_calloc(WINDOW, 1);
    ssize_t n;

    while ((n = file_pread_all(from, buf, WINDOW, *at)) > 0) {
        if (file_write_all(to, buf, (size_t)n) != 0) {
            n = -1;
            break;
        }
        *at += n;
    }
    free(buf);
    return n < 0 ? -1 : 0;
}

/* With its mode and its times, and on disk. */
static int copy_file(struct copy *c, int to)
{
    struct timespec times[2];
    struct stat st;

    if (fstat(c->fd, &st) != 0)
        return -1;
    if (!S_ISREG(st.st_mode)) {
        errno = EXDEV;
        return -1;
    }
    if (copy_bytes(c->fd, to, &c->bytes) != 0 || fchmod(to, st.st_mode & 0777) != 0)
        return -1;
    times[0] = (struct timespec){.tv_nsec = UTIME_OMIT};
    times[1] = file_mtime(&st);
    return futimens(to, times) != 0 || file_sync(to) != 0 ? -1 : 0;
}

static void end(struct copy *c)
{
    int e = errno;

    if (c->fd >= 0)
        close(c->fd);
    free(c->name);
    errno = e;
}

/* Copy ${from} into the folder ${to_fd} and give the copy the name ${to}.  On error nothing is left
 * of it.  The caller ends it either way. */
static int copy_to(struct copy *c, int from_fd, const char *from, int to_fd, const char *to,
                   int is_replacing)
{
    char id[UUID_SIZE];
    int out, rc, e;

    memset(c, 0, sizeof(*c));
    c->fd = openat(from_fd, from, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (c->fd < 0)
        return -1;
    uuid_random(id);
    c->name = str_printf(BENEATH_TEMP "%s", id);
    out = openat(to_fd, c->name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (out < 0)
        return -1;
    rc = copy_file(c, out);
    if (rc == 0)
        rc = is_replacing ? renameat(to_fd, c->name, to_fd, to)
                          : beneath_rename_new(to_fd, c->name, to_fd, to);
    e = errno;
    if (rc != 0)
        (void)unlinkat(to_fd, c->name, 0);
    close(out);
    errno = e;
    return rc;
}

/* Let go of the original once its copy is sure to be found.  Whoever has it open may have written
 * to it meanwhile: that goes on at the end of the copy. */
static int let_go(struct copy *c, int from_fd, const char *from, int to_fd, const char *to)
{
    int out, rc;

    if (file_sync(to_fd) != 0 && errno != EINVAL && errno != ENOTSUP)
        return -1;
    out = openat(to_fd, to, O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC);
    rc = out < 0 || unlinkat(from_fd, from, 0) != 0 ? -1 : copy_bytes(c->fd, out, &c->bytes);
    if (out >= 0)
        close(out);
    return rc;
}

static int move(int from_fd, const char *from, int to_fd, const char *to, int is_replacing)
{
    struct copy c;
    int rc = copy_to(&c, from_fd, from, to_fd, to, is_replacing);

    if (rc == 0)
        rc = let_go(&c, from_fd, from, to_fd, to);
    end(&c);
    return rc;
}

int across_link(int from_fd, const char *from, int to_fd, const char *to)
{
    struct copy c;
    int rc;

    if (linkat(from_fd, from, to_fd, to, 0) == 0)
        return 0;
    if (errno != EXDEV)
        return -1;
    rc = copy_to(&c, from_fd, from, to_fd, to, 0);
    end(&c);
    return rc;
}

int across_rename_new(int from_fd, const char *from, int to_fd, const char *to)
{
    if (beneath_rename_new(from_fd, from, to_fd, to) == 0)
        return 0;
    return errno == EXDEV ? move(from_fd, from, to_fd, to, 0) : -1;
}

int across_rename(int from_fd, const char *from, int to_fd, const char *to)
{
    if (renameat(from_fd, from, to_fd, to) == 0)
        return 0;
    return errno == EXDEV ? move(from_fd, from, to_fd, to, 1) : -1;
}

#include <sys/stat.h>
#include <sys/statvfs.h>

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/path.h"
#include "common/base/str.h"

#include "server/store/space.h"

#define BALLAST_BYTES (16LL * 1024 * 1024)
#define PIECE_BYTES (1024 * 1024)
#define MB (1000 * 1000)

struct space {
    pthread_mutex_t mutex;
    char *dir;
    char *ballast;
    int64_t min_free;
    int64_t set_aside;
};

struct space *space_new(const char *dir, int64_t min_free)
{
    struct space *s = str_calloc(1, sizeof(*s));

    pthread_mutex_init(&s->mutex, NULL);
    s->dir = str_dup(dir);
    s->ballast = path_join(dir, "ballast");
    s->min_free = min_free;
    return s;
}

void space_free(struct space *s)
{
    if (s == NULL)
        return;
    pthread_mutex_destroy(&s->mutex);
    free(s->dir);
    free(s->ballast);
    free(s);
}

void space_set_min(struct space *s, int64_t min_free)
{
    pthread_mutex_lock(&s->mutex);
    s->min_free = min_free;
    pthread_mutex_unlock(&s->mutex);
}

/* What is free for us and not set aside; -1 if that can't be told. */
static int64_t left(const struct space *s)
{
    struct statvfs v;

    if (statvfs(s->dir, &v) != 0)
        return -1;
    return (int64_t)v.f_bavail * (int64_t)v.f_frsize - s->set_aside;
}

static int check(const struct space *s, int64_t bytes, struct ct_err *err)
{
    int64_t n = left(s);

    if (n < 0)
        return err_sys(err, "can't tell how full the disk of %s is", s->dir);
    if (n - bytes < s->min_free)
        return err_set(err, ERR_NOSPACE,
                       "the disk of the server has %lld MB left, and %lld are to stay free "
                       "(min_free_space)",
                       (long long)(n / MB), (long long)(s->min_free / MB));
    return 0;
}

int space_take(struct space *s, int64_t bytes, struct ct_err *err)
{
    int rc;

    pthread_mutex_lock(&s->mutex);
    rc = check(s, bytes, err);
    if (rc == 0)
        s->set_aside += bytes;
    pthread_mutex_unlock(&s->mutex);
    return rc;
}

void space_give(struct space *s, int64_t bytes)
{
    pthread_mutex_lock(&s->mutex);
    s->set_aside -= bytes;
    pthread_mutex_unlock(&s->mutex);
}

int space_check(struct space *s, int64_t bytes, struct ct_err *err)
{
    int rc;

    pthread_mutex_lock(&s->mutex);
    rc = check(s, bytes, err);
    pthread_mutex_unlock(&s->mutex);
    return rc;
}

/* Written, and not only allocated: a copy of the folder has it too. */
static void make_ballast(struct space *s)
{
    int fd = open(s->ballast, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    char *piece;
    int rc = 0;

    if (fd < 0)
        return;
    piece = str_calloc(1, PIECE_BYTES);
    for (int64_t n = 0; n < BALLAST_BYTES && rc == 0; n += PIECE_BYTES)
        rc = file_write_all(fd, piece, PIECE_BYTES);
    free(piece);
    close(fd);
    if (rc != 0)
        unlink(s->ballast);
}

int space_relieve(struct space *s)
{
    int was_there = unlink(s->ballast) == 0;

    if (was_there)
        log_error("disk-full effect=\"gave up the ballast; uploads are refused, deleting works\"");
    return was_there;
}

int space_tend(struct space *s)
{
    int64_t n, min;
    struct stat st;

    pthread_mutex_lock(&s->mutex);
    n = left(s);
    min = s->min_free;
    pthread_mutex_unlock(&s->mutex);
    if (n < 0)
        return 0;
    if (n < BALLAST_BYTES / 2)
        space_relieve(s);
    else if (n >= min + 2 * BALLAST_BYTES && lstat(s->ballast, &st) != 0)
        make_ballast(s);
    return n < min;
}

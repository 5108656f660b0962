#include <sys/stat.h>

#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/file.h"
#include "common/base/path.h"
#include "common/base/str.h"

#include "tests/scratch.h"

char *scratch_new(void)
{
    const char *base = getenv("TMPDIR");
    char *dir = str_printf("%s/ct-test.XXXXXX", base != NULL ? base : "/tmp");

    assert_non_null(mkdtemp(dir));
    return dir;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

void scratch_free(char *dir)
{
    assert_int_equal(nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
    free(dir);
}

char *scratch_path(const char *dir, const char *fmt, ...)
{
    char name[4096];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(name, sizeof(name), fmt, ap);
    va_end(ap);
    return path_join(dir, name);
}

static void put(const char *path, const void *p, size_t n, int flags)
{
    char *parent = path_parent(path);
    int fd;

    assert_int_equal(path_make_dirs(parent, 0700, NULL), 0);
    fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0600);
    assert_true(fd >= 0);
    assert_int_equal(file_write_all(fd, p, n), 0);
    close(fd);
    free(parent);
}

void scratch_write(const char *path, const void *p, size_t n)
{
    put(path, p, n, O_TRUNC);
}

void scratch_puts(const char *path, const char *text)
{
    put(path, text, strlen(text), O_TRUNC);
}

void scratch_append(const char *path, const char *text)
{
    put(path, text, strlen(text), O_APPEND);
}

struct buf scratch_read(const char *path)
{
    struct buf b = {0};

    assert_int_equal(file_read(path, SIZE_MAX / 2, &b, NULL), 0);
    return b;
}

void scratch_age(const char *path, int seconds)
{
    struct timespec t[2];

    assert_int_equal(clock_gettime(CLOCK_REALTIME, &t[0]), 0);
    t[0].tv_sec -= seconds;
    t[1] = t[0];
    assert_int_equal(utimensat(AT_FDCWD, path, t, 0), 0);
}

/*
 * What Debian's static libraries, built for glibc, call and musl has not: enough to have the unit
 * tests of a build for musl link with them (tests/full_systems.sh).  Our own objects know musl
 * alone.
 */
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef __GLIBC__

/* The names are glibc's. */
#pragma GCC diagnostic ignored "-Wmissing-prototypes"

static void *checked(void *p, size_t n, size_t room)
{
    if (n > room)
        abort();
    return p;
}

void *__memcpy_chk(void *to, const void *from, size_t n, size_t room)
{
    return memcpy(checked(to, n, room), from, n);
}

void *__memmove_chk(void *to, const void *from, size_t n, size_t room)
{
    return memmove(checked(to, n, room), from, n);
}

void *__memset_chk(void *to, int c, size_t n, size_t room)
{
    return memset(checked(to, n, room), c, n);
}

char *__strcpy_chk(char *to, const char *from, size_t room)
{
    return strcpy(checked(to, strlen(from) + 1, room), from);
}

char *__strncpy_chk(char *to, const char *from, size_t n, size_t room)
{
    return strncpy(checked(to, n, room), from, n);
}

char *__strcat_chk(char *to, const char *from, size_t room)
{
    return strcat(checked(to, strlen(to) + strlen(from) + 1, room), from);
}

char *__strdup(const char *s)
{
    return strdup(s);
}

int __vfprintf_chk(FILE *f, int flag, const char *fmt, va_list ap)
{
    (void)flag;
    return vfprintf(f, fmt, ap);
}

int __fprintf_chk(FILE *f, int flag, const char *fmt, ...)
{
    va_list ap;
    int n;

    (void)flag;
    va_start(ap, fmt);
    n = vfprintf(f, fmt, ap);
    va_end(ap);
    return n;
}

int __vsnprintf_chk(char *to, size_t n, int flag, size_t room, const char *fmt, va_list ap)
{
    (void)flag;
    return vsnprintf(checked(to, n, room), n, fmt, ap);
}

int __snprintf_chk(char *to, size_t n, int flag, size_t room, const char *fmt, ...)
{
    va_list ap;

    (void)flag;
    va_start(ap, fmt);
    n = (size_t)vsnprintf(checked(to, n, room), n, fmt, ap);
    va_end(ap);
    return (int)n;
}

int __sprintf_chk(char *to, int flag, size_t room, const char *fmt, ...)
{
    va_list ap;
    int n;

    (void)flag;
    va_start(ap, fmt);
    n = vsnprintf(to, room, fmt, ap);
    va_end(ap);
    return n;
}

long __fdelt_chk(long fd)
{
    return fd / (8 * (long)sizeof(long));
}

void __explicit_bzero_chk(void *p, size_t n, size_t room)
{
    explicit_bzero(checked(p, n, room), n);
}

unsigned long gnu_dev_makedev(unsigned major, unsigned minor)
{
    return makedev(major, minor);
}

unsigned gnu_dev_major(unsigned long dev)
{
    return major(dev);
}

unsigned gnu_dev_minor(unsigned long dev)
{
    return minor(dev);
}

/* Offsets have 64 bits in any case. */
FILE *fopen64(const char *path, const char *mode)
{
    return fopen(path, mode);
}

int open64(const char *path, int flags, ...)
{
    va_list ap;
    mode_t mode = 0;

    va_start(ap, flags);
    if (flags & O_CREAT)
        mode = va_arg(ap, mode_t);
    va_end(ap);
    return open(path, flags, mode);
}

int fcntl64(int fd, int command, void *p)
{
    return fcntl(fd, command, p);
}

int stat64(const char *path, struct stat *st)
{
    return stat(path, st);
}

int lstat64(const char *path, struct stat *st)
{
    return lstat(path, st);
}

int fstat64(int fd, struct stat *st)
{
    return fstat(fd, st);
}

int ftruncate64(int fd, off_t n)
{
    return ftruncate(fd, n);
}

off_t lseek64(int fd, off_t at, int whence)
{
    return lseek(fd, at, whence);
}

ssize_t pread64(int fd, void *p, size_t n, off_t at)
{
    return pread(fd, p, n, at);
}

ssize_t pwrite64(int fd, const void *p, size_t n, off_t at)
{
    return pwrite(fd, p, n, at);
}

void *mmap64(void *p, size_t n, int protection, int flags, int fd, off_t at)
{
    return mmap(p, n, protection, flags, fd, at);
}

void *readdir64(DIR *dir)
{
    return readdir(dir);
}

void arc4random_buf(void *p, size_t n)
{
    for (size_t some; n > 0; n -= some, p = (char *)p + some) {
        some = n < 256 ? n : 256;
        if (getentropy(p, some) != 0)
            abort();
    }
}

unsigned arc4random(void)
{
    unsigned n;

    arc4random_buf(&n, sizeof(n));
    return n;
}

/* OpenSSL's asynchronous jobs, which nobody here starts. */
int getcontext(void *context)
{
    (void)context;
    return -1;
}

int setcontext(const void *context)
{
    (void)context;
    return -1;
}

void makecontext(void *context, void (*f)(void), int n, ...)
{
    (void)context;
    (void)f;
    (void)n;
}

#endif

#ifndef COMMON_BASE_FILE_H
#define COMMON_BASE_FILE_H

#include <sys/types.h>

#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/err.h"

struct stat;

/**
 * file_read(path, max, ret, err):
 * Append the content of ${path} to ${ret}.  More than ${max} bytes is ERR_REFUSED; a missing file
 * is ERR_GONE.
 */
int file_read(const char *path, size_t max, struct buf *ret, struct ct_err *err);

/**
 * file_read_fd(fd, what, max, ret, err):
 * As file_read(), from ${fd} to its end; ${what} names it in errors.
 */
int file_read_fd(int fd, const char *what, size_t max, struct buf *ret, struct ct_err *err);

/**
 * file_write_all(fd, p, n):
 * Write all ${n} bytes.  Return 0, or -1 with errno.
 */
int file_write_all(int fd, const void *p, size_t n);

/**
 * file_pread_all(fd, p, n, offset):
 * Read ${n} bytes at ${offset}.  Return how many there were before the end of the file, or -1 with
 * errno.
 */
ssize_t file_pread_all(int fd, void *p, size_t n, off_t offset);

/**
 * file_replace(path, p, n, mode, err):
 * Put ${n} bytes into ${path} so that a crash leaves the old file or the new one, never half:
 * temporary file beside it, fsync, rename, fsync of the folder.
 */
int file_replace(const char *path, const void *p, size_t n, mode_t mode, struct ct_err *err);

/**
 * file_remove_tree(dir_fd, name):
 * Remove ${name} in the folder ${dir_fd} and, if it is a folder, all that is in it; symbolic links
 * are removed, not followed.  What is not there is fine.  Return 0, or -1 with errno of the first
 * thing that would not go.
 */
int file_remove_tree(int dir_fd, const char *name);

/**
 * file_mtime(st), file_mtime_ns(st), file_ctime_ns(st):
 * When the content (the content or the inode) last changed, the numbers in nanoseconds since 1970.
 */
struct timespec file_mtime(const struct stat *st);
int64_t file_mtime_ns(const struct stat *st);
int64_t file_ctime_ns(const struct stat *st);

/**
 * file_sync(fd):
 * Return when what was written to ${fd} is on the disk, not just on its way: 0, or -1 with errno.
 */
int file_sync(int fd);

/**
 * file_sync_dir(path, err):
 * fsync the folder ${path}.
 */
int file_sync_dir(const char *path, struct ct_err *err);

/**
 * file_sync_parent(path, err):
 * fsync the folder that holds ${path}.
 */
int file_sync_parent(const char *path, struct ct_err *err);

/**
 * file_publish(tmp, to, err):
 * Flush the finished file ${tmp} to the disk and give it the name ${to}, in the same folder, for
 * good.
 */
int file_publish(const char *tmp, const char *to, struct ct_err *err);

#endif

#ifndef AGENTS_BENEATH_H
#define AGENTS_BENEATH_H

#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

/*
 * Opening what lies below a data folder without ever leaving it: no symbolic link below the root is
 * followed, not even in the middle of a path.  See linked.h for those that are.
 */

/* Our own files that are not finished begin with this, and are nobody's. */
#define BENEATH_TEMP ".codeteleport-"

/**
 * beneath_open_root(root):
 * Open the data folder itself (which may be a symbolic link).  Return a descriptor, or -1 with
 * errno.
 */
int beneath_open_root(const char *root);

/**
 * beneath_open(root_fd, path, flags):
 * Open ${path} (relative, no "..") below ${root_fd} for reading, with O_CLOEXEC, O_NOFOLLOW,
 * O_NONBLOCK, O_NOCTTY and ${flags} (O_DIRECTORY or 0).  A FIFO or a device opens as well: fstat(2)
 * it.  Return a descriptor, or -1 with errno; ELOOP: there is a symbolic link in the path.
 */
int beneath_open(int root_fd, const char *path, int flags);

/**
 * beneath_size(st):
 * Return the size of a file as far as it counts for us: 0 for what is never read, that is what is
 * no regular file, not this user's, or kept from its owner by its mode.  So that both become one
 * question: a file that changes hands, or becomes readable, has another size than before.
 */
int64_t beneath_size(const struct stat *st);

/**
 * beneath_make(root_fd, path):
 * Open the folder ${path} ("" is the root) below ${root_fd}, and make with mode 0700 what is
 * missing of it.  No symbolic link is followed.  Return a descriptor, or -1 with errno; ELOOP as
 * above.
 */
int beneath_make(int root_fd, const char *path);

/**
 * beneath_rename_new(from_fd, from, to_fd, to):
 * renameat(2) that replaces nothing: EEXIST if there is something called ${to}.  Where the system
 * can't, it looks first.
 */
int beneath_rename_new(int from_fd, const char *from, int to_fd, const char *to);

/**
 * beneath_walk(root_fd, path, flags):
 * The same, component by component, where the kernel can't do it in one step.
 */
int beneath_walk(int root_fd, const char *path, int flags);

/**
 * beneath_reason(e, buf, size):
 * Write why an open failed with errno ${e} into ${buf}, for a person, and return it.
 */
const char *beneath_reason(int e, char *buf, size_t size);

#endif

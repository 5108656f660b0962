#ifndef WATCHER_BACKEND_FS_H
#define WATCHER_BACKEND_FS_H

#include <limits.h>

/*
 * What the scans ask of the file system.  Never anything that writes, never a file's content.
 */

/**
 * fs_open_dir(root_fd, path, is_readable):
 * Open the folder ${path} ("" is the root) below ${root_fd} without following a symbolic link, to
 * read its entries or, unless ${is_readable}, as a place only.  Return the descriptor, or -1 with
 * errno: ENOENT, ENOTDIR or ELOOP if no folder is there.
 */
int fs_open_dir(int root_fd, const char *path, int is_readable);

/**
 * fs_walk_dir(root_fd, path, is_readable):
 * The same, step by step, for systems (and sandboxes) where one call does not do it.
 */
int fs_walk_dir(int root_fd, const char *path, int is_readable);

/**
 * fs_path(fd, buf):
 * Write the path of the folder that ${fd} is open on, wherever it is now, free of links.  Return 0,
 * or -1 with errno.  Only for a backend that goes by paths, and only where there is one.
 */
int fs_path(int fd, char buf[PATH_MAX]);

/**
 * fs_is_remote(fd):
 * Return whether ${fd} lies on a file system that others can change without this kernel's knowing:
 * network and FUSE ones.
 */
int fs_is_remote(int fd);

/**
 * fs_give_memory_back():
 * After much was freed: let the system have what the allocator keeps.
 */
void fs_give_memory_back(void);

#endif

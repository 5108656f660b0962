#ifndef COMMON_BASE_FD_H
#define COMMON_BASE_FD_H

/*
 * Descriptors that no program started from here inherits, on systems too that can't make them so in
 * one step.  (There a program that another thread starts at that very moment does inherit.)
 */

/**
 * fd_socket(family):
 * Return a stream socket, or -1 with errno.
 */
int fd_socket(int family);

/**
 * fd_accept(fd):
 * Return the next connection of the listening socket ${fd}, or -1 with errno.
 */
int fd_accept(int fd);

/**
 * fd_pipe(ret_fds):
 * Make a pipe: ${ret_fds}[0] is for reading.  Return 0, or -1 with errno.
 */
int fd_pipe(int ret_fds[2]);

/**
 * fd_no_wait(fd):
 * From now on reading from and writing to ${fd} does not block.  Return 0, or -1 with errno.
 */
int fd_no_wait(int fd);

#endif

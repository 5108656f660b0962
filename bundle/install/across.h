#ifndef BUNDLE_INSTALL_ACROSS_H
#define BUNDLE_INSTALL_ACROSS_H

/*
 * Moving and linking files of a data folder, of which parts may lie on another disk (see
 * agents/linked.h): where the system can't do it across file systems, the file is copied into the
 * folder under another name, flushed, and gets its name then.  All return 0, or -1 with errno.
 * These copies' names begin with BENEATH_TEMP.
 */

/**
 * across_link(from_fd, from, to_fd, to):
 * As linkat(2); across file systems it is a copy.  EEXIST if there is something called ${to}.
 */
int across_link(int from_fd, const char *from, int to_fd, const char *to);

/**
 * across_rename_new(from_fd, from, to_fd, to):
 * As beneath_rename_new().
 */
int across_rename_new(int from_fd, const char *from, int to_fd, const char *to);

/**
 * across_rename(from_fd, from, to_fd, to):
 * As renameat(2): what is called ${to} is replaced.
 */
int across_rename(int from_fd, const char *from, int to_fd, const char *to);

#endif

#ifndef BUNDLE_INSTALL_DESTINATION_H
#define BUNDLE_INSTALL_DESTINATION_H

#include "bundle/install/publishing.h"

/*
 * Places below the data folder, for publishing: reached through no symbolic link, flushed when all
 * is done; and the backups.
 */
struct destination {
    int dir_fd; /* the folder, open */
    char *dir;  /* its path */
    const char *base;
};

/**
 * destination_open(p, path, ret, err):
 * Open the folder that ${path} is in, and make what is missing of it.  ${ret} borrows from ${path};
 * end it with destination_close().  ERR_FAIL if something is in the way.
 */
int destination_open(const struct publishing *p, const char *path, struct destination *ret,
                     struct ct_err *err);
void destination_close(struct destination *s);

/**
 * destination_note(p, dir), destination_flush(p, err):
 * The folder ${dir} changed; have all of those, and what is above them, on disk.
 */
void destination_note(struct publishing *p, const char *dir);
int destination_flush(struct publishing *p, struct ct_err *err);

/**
 * destination_back_up(p, path, err), destination_put_away(p, path, err):
 * Give ${path}, which is going to be replaced, a second name in the backups; move it there.  A
 * second one of the same path is kept as NAME.1 and so on.  What is not there is fine.
 */
int destination_back_up(struct publishing *p, const char *path, struct ct_err *err);
int destination_put_away(struct publishing *p, const char *path, struct ct_err *err);

#endif

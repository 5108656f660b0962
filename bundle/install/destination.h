#ifndef BUNDLE_PLACES_H
#define BUNDLE_PLACES_H

#include "bundle/publish.h"

/*
 * Places below the data folder, for publishing: reached through no symbolic link, flushed when all
 * is done; and the backups.
 */
struct place {
    int dir_fd; /* the folder, open */
    char *dir;  /* its path */
    const char *base;
};

/**
 * places_open(p, path, ret, err):
 * Open the folder that ${path} is in, and make what is missing of it.  ${ret} borrows from ${path};
 * end it with places_close().  ERR_FAIL if something is in the way.
 */
int places_open(const struct publishing *p, const char *path, struct place *ret,
                struct ct_err *err);
void places_close(struct place *s);

/**
 * places_note(p, dir), places_flush(p, err):
 * The folder ${dir} changed; have all of those, and what is above them, on disk.
 */
void places_note(struct publishing *p, const char *dir);
int places_flush(struct publishing *p, struct ct_err *err);

/**
 * places_back_up(p, path, err), places_put_away(p, path, err):
 * Give ${path}, which is going to be replaced, a second name in the backups; move it there.  A
 * second one of the same path is kept as NAME.1 and so on.  What is not there is fine.
 */
int places_back_up(struct publishing *p, const char *path, struct ct_err *err);
int places_put_away(struct publishing *p, const char *path, struct ct_err *err);

#endif

#ifndef SERVER_STORE_SPACE_H
#define SERVER_STORE_SPACE_H

#include <stdint.h>

#include "common/base/err.h"

/*
 * The room on the disk of one folder.  What is about to be written is set aside first, so that so
 * much stays free as the settings say.  A file of ballast is given up when others have filled the
 * disk all the same: deleting has to be written down too.  All may be called from any thread.
 */
struct space;

/**
 * space_new(dir, min_free), space_free(s):
 * Look after the disk of ${dir}; NULL is harmless to free.
 */
struct space *space_new(const char *dir, int64_t min_free);
void space_free(struct space *s);

/**
 * space_set_min(s, min_free):
 * From now on so many bytes are to stay free.
 */
void space_set_min(struct space *s, int64_t min_free);

/**
 * space_take(s, bytes, err), space_give(s, bytes):
 * Set ${bytes} aside: ERR_NOSPACE if less than the minimum would be left then.  They are written
 * now, or won't be.
 */
int space_take(struct space *s, int64_t bytes, struct ct_err *err);
void space_give(struct space *s, int64_t bytes);

/**
 * space_check(s, bytes, err):
 * Could they be taken?
 */
int space_check(struct space *s, int64_t bytes, struct ct_err *err);

/**
 * space_tend(s):
 * Give the ballast up if the disk is all but full, and make it (anew) when there is room.  Return
 * whether less than the minimum is free.
 */
int space_tend(struct space *s);

/**
 * space_relieve(s):
 * Something could not be written: give the ballast up.  Return whether there was any.
 */
int space_relieve(struct space *s);

#endif

#ifndef BUNDLE_INSTALL_PUBLISH_H
#define BUNDLE_INSTALL_PUBLISH_H

#include "bundle/install/publishing.h"
#include "common/base/err.h"

/*
 * From the stage into the data folder, by rename.  The transcript comes last: until then the
 * session is what it was, with more beside it; and all else is on disk when it comes.  What gives
 * way is linked into the backups first, unless the new one begins with it to the byte.  Whatever
 * was done, doing it again does the rest.
 */

/**
 * publish(p, err):
 * Do it.  ERR_RETRY if the session changed here meanwhile or its prompt history stays locked;
 * ERR_NOSPACE; ERR_FAIL if something is in the way.  The caller ends it with publish_clear().
 */
int publish(struct publishing *p, struct ct_err *err);
void publish_clear(struct publishing *p);

#endif

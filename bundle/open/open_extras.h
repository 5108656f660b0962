#ifndef BUNDLE_OPEN_OPEN_EXTRAS_H
#define BUNDLE_OPEN_OPEN_EXTRAS_H

#include "bundle/open/extraction.h"

/**
 * open_extras_leave_out(x):
 * All entries were read: say of each file that the user of a stock client named where it was, moved
 * as its paths are, and that it is left out.  Where it lay can be any place.
 */
void open_extras_leave_out(struct extraction *x);

#endif

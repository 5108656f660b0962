#ifndef BUNDLE_COMPARE_MERGE_H
#define BUNDLE_COMPARE_MERGE_H

#include "common/base/buf.h"

/**
 * merge_lines(ours, theirs, ret):
 * Append to ${ret} all of the text ${ours} and then, in their order, the lines of ${theirs} that it
 * has not.  Return whether there were any; empty lines are none.
 */
int merge_lines(const struct buf *ours, const struct buf *theirs, struct buf *ret);

#endif

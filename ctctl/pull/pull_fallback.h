#ifndef CTCTL_PULL_PULL_FALLBACK_H
#define CTCTL_PULL_PULL_FALLBACK_H

#include "ctctl/pull/pull.h"

/**
 * pull_fall_back(c, wire_id, opts, ret, err):
 * ${err} is why pull_session() failed for the version that would be taken, and ${ret} what it left.
 * If that version is none that this device can read (junk, damaged, in clear, of another key), pull
 * the best that is: of what stands side by side, then of all there is, the newest that opens.
 * ret->unread says what did not.  Return 0, or -1 with ${err} as it was, or that of a version that
 * opens and can't be installed.
 */
int pull_fall_back(struct ctx *c, const char *wire_id, const struct pull_opts *opts,
                   struct pull_result *ret, struct ct_err *err);

#endif

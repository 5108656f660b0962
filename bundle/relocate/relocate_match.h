#ifndef BUNDLE_RELOCATE_RELOCATE_MATCH_H
#define BUNDLE_RELOCATE_RELOCATE_MATCH_H

#include <stddef.h>

#include "bundle/relocate/relocate_edge.h"
#include "common/base/buf.h"

/*
 * Is there a root at this place of a text, and how is the other one written there?  For relocate.c.
 */

/**
 * match_root(w, at, r, ret):
 * Does ${r} begin at ${at} (its first slash or backslash, or the drive's letter) and end where a
 * name ends?
 */
enum match match_root(const struct window *w, size_t at, const struct root *r, struct hit *ret);

/**
 * match_spell(hit, ret):
 * Append the root's target, spelled as the source was.
 */
void match_spell(const struct hit *hit, struct buf *ret);

#endif

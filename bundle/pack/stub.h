#ifndef BUNDLE_PACK_STUB_H
#define BUNDLE_PACK_STUB_H

#include "bundle/pack/snapshot.h"

/*
 * Agents leave files behind that hold no session yet, or never will: a transcript with a title and
 * nothing said, an empty one.
 */

/**
 * stub_is(s):
 * Return whether nothing in the snapshot is what a person, a model or a tool said: no record of
 * conversation, no summary of one, no line that can't be judged, no prompt but commands, and no
 * other file of the session that holds anything.  What can't be read counts as something.
 */
int stub_is(const struct snapshot *s);

#endif

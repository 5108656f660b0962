#ifndef BUNDLE_PACK_BESIDE_H
#define BUNDLE_PACK_BESIDE_H

#include "bundle/pack/content.h"

/*
 * What a session has in other places than the one of its transcript, and other copies of that: the
 * guard (snapshot.h) says what of it stays here.
 */

/**
 * beside_judge(s, c, ret_stays, err):
 * Does the copy ${c} of the transcript that counts stay here?  If so it is named, its place
 * remembered, and ${c} cleared.
 */
int beside_judge(struct snapshot *s, struct content *c, int *ret_stays, struct ct_err *err);

#endif

#ifndef BUNDLE_PACK_BESIDE_H
#define BUNDLE_PACK_BESIDE_H

#include "common/base/err.h"

struct content;
struct snapshot;

/*
 * What a session has in other places than the one of its transcript, and other copies of that: the
 * guard (guard.h) says what of it stays here.
 */

/**
 * beside_judge(s, c, ret_stays, err):
 * Does the copy ${c} of the transcript that counts stay here?  If so it is named, its place
 * remembered, and ${c} cleared.
 */
int beside_judge(struct snapshot *s, struct content *c, int *ret_stays, struct ct_err *err);

/**
 * beside_leave_out(s):
 * Leave out what the guard says stays here of other copies of the transcript, and of what lies in
 * other project folders or data folders than the transcript.
 */
void beside_leave_out(struct snapshot *s);

#endif

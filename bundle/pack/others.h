#ifndef BUNDLE_PACK_OTHERS_H
#define BUNDLE_PACK_OTHERS_H

#include "bundle/pack/content.h"

/*
 * Several transcripts with one id: in several project folders, and copies that the agent put aside.
 * One is chosen; what the others have and it lacks goes into the bundle beside it.
 */

/**
 * others_settle(s, preferred, err):
 * The contents of ${s} are all its transcripts, and copies put aside.  Leave the one that counts,
 * first, and name its project folder in ${s}; leave out copies that stay here.  It is that in the
 * project folder ${preferred} (NULL or "": none), as long as no other one contains it, else the
 * longest, then the newest.  Those that it contains become duplicates; of each other one, the lines
 * that it lacks become an entry named ENTRY_OTHERS<digest>.jsonl, after the first of them, so that
 * the name stays while the copy grows.  ERR_GONE if there is nothing but copies put aside;
 * ERR_RETRY if something changed under our hands; ERR_CANCELLED.
 */
int others_settle(struct snapshot *s, const char *preferred, struct ct_err *err);

#endif

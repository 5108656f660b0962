#ifndef CTCTL_KEY_KEY_RETIRE_H
#define CTCTL_KEY_KEY_RETIRE_H

#include "common/base/strlist.h"
#include "ctctl/ctx/ctx.h"

/**
 * key_retire_look(c, is_agreed, digests):
 * List what the keys of this device have sealed in the account so far, show it and, unless
 * ${is_agreed}, ask whether all of it is the person's own.  The digests of its bundles and
 * descriptions are added to ${digests}.  Return the exit status; CTX_OK if it may go on.
 */
int key_retire_look(struct ctx *c, int is_agreed, struct strlist *digests);

#endif

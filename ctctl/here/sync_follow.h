#ifndef CTCTL_HERE_SYNC_FOLLOW_H
#define CTCTL_HERE_SYNC_FOLLOW_H

#include "ctctl/ctx/ctx.h"

/*
 * Shows how far the daemon is while somebody waits for it, or why nothing moves and when it is
 * tried again, from a thread and a connection of its own.  Elsewhere than on a terminal in few
 * lines.
 */
struct sync_follow;

/**
 * sync_follow_start(c), sync_follow_stop(f):
 * Begin, and end leaving nothing on the terminal.  Returns NULL where there is no daemon, which
 * the others take.
 */
struct sync_follow *sync_follow_start(struct ctx *c);
void sync_follow_stop(struct sync_follow *f);

/**
 * sync_follow_why(f, buf, size):
 * Write why nothing moved when it was last looked at, or "".
 */
void sync_follow_why(struct sync_follow *f, char *buf, size_t size);

#endif

#ifndef CTCTL_HERE_SYNC_FOLLOW_H
#define CTCTL_HERE_SYNC_FOLLOW_H

#include "ctctl/ctx/ctx.h"

/*
 * Shows on the terminal how far the daemon is while somebody waits for it, from a thread and a
 * connection of its own.
 */
struct sync_follow;

/**
 * sync_follow_start(c), sync_follow_stop(f):
 * Begin, and end leaving nothing on the terminal.  Returns NULL where there is no terminal or no
 * daemon, which sync_follow_stop() takes.
 */
struct sync_follow *sync_follow_start(struct ctx *c);
void sync_follow_stop(struct sync_follow *f);

#endif

#ifndef DAEMON_SESSION_WITHHOLD_H
#define DAEMON_SESSION_WITHHOLD_H

#include "bundle/pack/snapshot.h"
#include "daemon/session/job.h"

/**
 * withhold_guard(j):
 * Return what a snapshot for ${j} asks about what is excluded, or NULL if nothing is; it is part of
 * ${j}.
 */
const struct snapshot_guard *withhold_guard(struct job *j);

/**
 * withhold(j, s):
 * On the worker: memory that an excluded session could have written, and what the session itself
 * has in other places that are excluded, leave the snapshot ${s}, and are named.  All project
 * folders whose memory it had are noted in j->memories.
 */
void withhold(struct job *j, struct snapshot *s);

#endif

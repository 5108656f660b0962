#ifndef DAEMON_SESSION_WITHHOLD_H
#define DAEMON_SESSION_WITHHOLD_H

#include "bundle/pack/snapshot.h"
#include "daemon/session/job.h"

/**
 * withhold_memory(j, s):
 * On the worker: memory that a session of an excluded folder could have written leaves the snapshot
 * ${s}, and is named.  All project folders whose memory it had are noted in j->memories.
 */
void withhold_memory(struct job *j, struct snapshot *s);

#endif

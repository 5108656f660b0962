#ifndef DAEMON_SESSION_WITHHOLD_H
#define DAEMON_SESSION_WITHHOLD_H

#include "bundle/pack/snapshot.h"
#include "daemon/session/job.h"

/**
 * withhold(j, s):
 * On the worker: memory that a session of an excluded folder could have written, and what the
 * session itself has in the project folders of excluded ones, leave the snapshot ${s}, and are
 * named.  All project folders whose memory it had are noted in j->memories.
 */
void withhold(struct job *j, struct snapshot *s);

#endif

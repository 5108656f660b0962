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
 * withhold_reason(j, id, project, first, last):
 * Return why a session stays here that began in ${first} ("": nobody knows), lies in ${project} and
 * was last in ${last} (or ""), or NULL.  Where it lies decides if it did not begin there, else
 * where it was last, else where it began.
 */
const char *withhold_reason(const struct job *j, const char *id, const char *project,
                            const char *first, const char *last);

/**
 * withhold_has_excluded(j, root, project):
 * Return whether there is another session in the project folder ${project} that stays here.
 */
int withhold_has_excluded(const struct job *j, const char *root, const char *project);

/**
 * withhold(j, s):
 * On the worker: memory that an excluded session could have written, and what the session itself
 * has in other places that are excluded, leave the snapshot ${s}, and are named.  All project
 * folders whose memory it had are noted in j->memories.
 */
void withhold(struct job *j, struct snapshot *s);

#endif

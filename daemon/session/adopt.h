#ifndef DAEMON_SESSION_ADOPT_H
#define DAEMON_SESSION_ADOPT_H

#include "daemon/session/job.h"

/*
 * Sessions that a pull installed: they are a version in the cloud with other paths, and as long as
 * they are just that, there is nothing to upload (see bundle/install/adopted.h).
 */

/**
 * adopt_look(j, known):
 * If a pull left a record of the job's session that is newer than what is ${known} to be safe, or
 * of the other kind (in clear, sealed), have the bundle compared with what it says.  For a session
 * with a bundle in the queue it waits.
 */
void adopt_look(struct job *j, const struct state_session *known);

/**
 * adopt_judge(j):
 * The job came back.  Return whether the session is what a pull installed.  If it is what was safe
 * before the pull, the pull was broken off: nothing was bundled then.
 */
int adopt_judge(struct job *j);

/**
 * adopt_is_void(j):
 * The job came back.  Return whether the record speaks of a merge that is not in what was bundled:
 * it was broken off, or rewritten since, or files of it are gone.  Then the record counts for
 * nothing and the job is to be done anew.
 */
int adopt_is_void(const struct job *j);

/**
 * adopt_confirm(j, err):
 * Put into the books that the session is safe as the pulled version; within a transaction.
 */
int adopt_confirm(const struct job *j, struct ct_err *err);

/**
 * adopt_forget(d, session_id):
 * The record counts for nothing any more.
 */
void adopt_forget(const struct daemon *d, const char *session_id);

/**
 * adopt_confirmed(d, item):
 * The bundle ${item} is a version: the record of what it was made of has done its work.  One that
 * a pull left while the bundle waited is looked at now.
 */
void adopt_confirmed(struct daemon *d, const struct queue_item *item);

#endif

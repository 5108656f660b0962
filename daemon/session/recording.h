#ifndef DAEMON_SESSION_RECORDING_H
#define DAEMON_SESSION_RECORDING_H

#include "daemon/session/job.h"

/*
 * What a job found goes into the books.
 */

/**
 * recording_write(j, old, pin_wire, is_thinner, is_adopted, err):
 * In one transaction: the session's files, its metadata, and the bundle's place in the queue; or,
 * if it ${is_adopted}, that it is safe.  Only then may the bundle that this one replaces go. ${old}
 * is what the books say so far, with the pin that the bundle is to carry; ${pin_wire}: what that is
 * a version of (see state_session.wire_id).  ${is_thinner}: it lacks something of what was stored.
 */
int recording_write(struct job *j, const struct state_session *old, const char *pin_wire,
                    int is_thinner, int is_adopted, struct ct_err *err);

/**
 * recording_files(j, err):
 * The session's files as the job met them, in place of those that were on record.
 */
int recording_files(struct job *j, struct ct_err *err);

/**
 * recording_writers(j, err):
 * Who can have written the memory that is the session's, for good.
 */
int recording_writers(const struct job *j, struct ct_err *err);

#endif

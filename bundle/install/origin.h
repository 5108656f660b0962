#ifndef BUNDLE_INSTALL_ORIGIN_H
#define BUNDLE_INSTALL_ORIGIN_H

#include "agents/trust.h"
#include "common/base/err.h"

/*
 * Who vouched for what was installed of a session.  It sticks: a stranger's stays one, whatever it
 * is merged with and whoever seals it later, and so says every description that is sealed here.
 * One small file in origins/ in the state folder for each session that is not one's own.
 */

/**
 * origin_note(state_dir, session_id, trust, err):
 * Something that ${trust} vouches for is about to be part of the session.  What was noted before is
 * never raised.
 */
int origin_note(const char *state_dir, const char *session_id, enum trust trust,
                struct ct_err *err);

/**
 * origin_of(state_dir, session_id):
 * Return what was noted; TRUST_OWN if nothing was, TRUST_STRANGER if it can't be read.
 */
enum trust origin_of(const char *state_dir, const char *session_id);

#endif

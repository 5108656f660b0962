#ifndef BUNDLE_INSTALL_ORIGIN_H
#define BUNDLE_INSTALL_ORIGIN_H

#include "agents/agent.h"
#include "agents/trust.h"
#include "common/base/err.h"
#include "common/base/strlist.h"

/*
 * Who vouched for what was installed of a session.  It sticks: a stranger's stays one, whatever it
 * is merged with and whoever seals it later, and so says every description that is sealed here.
 * (Ids of sessions are keys here, see origin_key().)
 * One small file in origins/ in the state folder for each session that is not one's own; and the
 * same in our folder of the data folder, beside the session, for the state may be lost before any
 * description said it.  Its first line is that word; each other one is the id of a record that
 * something in the session begins with, for a fork has these too, and says nowhere what it is a
 * fork of.  No symbolic link is followed to it.
 */

/**
 * origin_key(agent_id, session_id, buf):
 * Return by what the session is called below: its id, and where it is another agent's than
 * agent_unnamed()'s, that behind a dot.  So what is noted of one agent's says nothing of another's.
 * ${agent_id} may be NULL, and is not looked at if no agent has it.
 */
#define ORIGIN_KEY_SIZE (UUID_SIZE + AGENT_ID_SIZE)
const char *origin_key(const char *agent_id, const char *session_id, char buf[ORIGIN_KEY_SIZE]);

/**
 * origin_note(state_dir, root, session_id, trust, begins, err):
 * Something that ${trust} vouches for is about to be part of the session, with records ${begins}
 * (news_begins(); may be NULL): note that in ${state_dir} and for the data folder ${root} (NULL:
 * not there), or in neither.  What was noted before is never raised.
 */
int origin_note(const char *state_dir, const char *root, const char *session_id, enum trust trust,
                const struct strlist *begins, struct ct_err *err);

/**
 * origin_of(state_dir, roots, session_id):
 * Return the least that was noted in the state folder or in any of the data folders; TRUST_OWN if
 * nothing was, TRUST_STRANGER if it can't be read.
 */
enum trust origin_of(const char *state_dir, const struct strlist *roots, const char *session_id);

/**
 * origin_inherit(state_dir, roots, session_id, begins, err):
 * A session of which there is no version yet begins with the records ${begins}: if something noted
 * does so too, it is a fork of that, and the same is noted of it, in ${state_dir}.
 */
int origin_inherit(const char *state_dir, const struct strlist *roots, const char *session_id,
                   const struct strlist *begins, struct ct_err *err);

/**
 * origin_each(state_dir, roots, each, arg):
 * Call ${each} for every session of which something was noted: none is one's own.  An id may come
 * more than once.
 */
void origin_each(const char *state_dir, const struct strlist *roots,
                 void (*each)(void *arg, const char *session_id), void *arg);

#endif

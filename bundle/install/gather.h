#ifndef BUNDLE_INSTALL_GATHER_H
#define BUNDLE_INSTALL_GATHER_H

#include "bundle/install/publishing.h"

/*
 * The folder beside a session's transcript, <id>/, may be in several project folders: the session
 * moves from one to another, or once did.  Claude Code looks only beside the transcript.  So all of
 * it comes to where the session is to be before the transcript does, by second names, and the other
 * ones go when that is there: a session that somebody kills us over has its folder at any moment.
 */

/**
 * gather_find(agent, root_fd, session_id, project, ret):
 * Append the names of all project folders but ${project} in which the session has a folder.
 */
void gather_find(const struct agent *agent, int root_fd, const char *session_id,
                 const char *project, struct strlist *ret);

/**
 * gather_link(p, err):
 * Give every file of those folders a second name in the one of ${p}->project.  Of two of the same
 * name the longer one counts, of transcripts the one with more records, else the one of the copy
 * that counts; what gives way goes to the backups.
 */
int gather_link(struct publishing *p, struct ct_err *err);

/**
 * gather_clear(p, err):
 * Remove those folders: what has a second name there is let go, what has not goes to the backups.
 */
int gather_clear(struct publishing *p, struct ct_err *err);

#endif

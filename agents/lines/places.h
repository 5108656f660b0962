#ifndef AGENTS_PLACES_H
#define AGENTS_PLACES_H

#include <stdatomic.h>

#include "agents/agent.h"

/*
 * All transcripts of a data folder, by the places that the agent's row names.
 */

/**
 * places_each(agent, root_fd, f, arg, cancel, err):
 * Call ${f} with the path of each file in the folder ${root_fd} that is a transcript by its name,
 * and with what it says, in no order.  A folder that can't be opened is passed over.  ${cancel} may
 * be NULL.  Return -1 if ${cancel} said so.
 */
int places_each(const struct agent *agent, int root_fd,
                void (*f)(void *arg, const char *path, const struct agent_path *place), void *arg,
                const _Atomic int *cancel, struct ct_err *err);

/**
 * places_list(agent, root_fd, session_id, ops, arg, cancel, err):
 * For rows that need no more than that: contract of list_transcripts().
 */
int places_list(const struct agent *agent, int root_fd, const char *session_id,
                const struct agent_list_ops *ops, void *arg, const _Atomic int *cancel,
                struct ct_err *err);

#endif

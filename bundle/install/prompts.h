#ifndef BUNDLE_INSTALL_PROMPTS_H
#define BUNDLE_INSTALL_PROMPTS_H

#include <stdint.h>

#include "agents/agent.h"
#include "common/base/err.h"

/**
 * prompts_append(root_fd, agent, session_id, lines_fd, clock_fd, ret_added, err):
 * Append those lines of the file ${lines_fd} that are of the session to the prompt history of the
 * data folder, unless it has the same prompt of the same moment already: under the history's own
 * lock, with one write, flushed.  ${clock_fd} is a folder of ours in the same file system; -1: only
 * count what is missing.  ERR_RETRY if somebody keeps the lock.
 */
int prompts_append(int root_fd, const struct agent *agent, const char *session_id, int lines_fd,
                   int clock_fd, int64_t *ret_added, struct ct_err *err);

#endif

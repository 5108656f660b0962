#ifndef BUNDLE_COMPARE_REST_H
#define BUNDLE_COMPARE_REST_H

#include <stddef.h>

#include "agents/unite.h"
#include "agents/agent.h"
#include "common/base/err.h"
#include "common/base/strlist.h"

/*
 * What a transcript that takes the place of others lacks of them, line by line: another body of a
 * record that it has, a prompt that waited in the branch that gave way, a record of a kind that
 * nobody knows.  It goes on beside the session, under a name that comes from its content, as what
 * several files of one id have (bundle/pack/others.h).
 */

/**
 * rest_stage(agent, whole, parts, n, stage_fd, ret, err):
 * Put the lines of the ${n} ${parts} that ${whole} lacks, and that are not idle, into the stage.
 * If there are any, append to ${ret} the name that they have in a bundle and the file below the
 * stage.
 */
int rest_stage(const struct agent *agent, const struct unite_side *whole,
               const struct unite_side *parts, size_t n, int stage_fd, struct strlist *ret,
               struct ct_err *err);

#endif

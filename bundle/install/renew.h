#ifndef BUNDLE_INSTALL_RENEW_H
#define BUNDLE_INSTALL_RENEW_H

#include "bundle/open/open.h"
#include "common/base/err.h"
#include "common/base/uuid.h"

/**
 * renew_stage(stage_fd, opened, from, to, err):
 * Make what lies in the stage a session of its own: the id ${from} becomes ${to} in the JSON text
 * of the stage's files (both have the same length, so nothing else moves), and in the names that
 * have it.
 */
int renew_stage(int stage_fd, struct open_result *opened, const char from[UUID_SIZE],
                const char to[UUID_SIZE], struct ct_err *err);

#endif

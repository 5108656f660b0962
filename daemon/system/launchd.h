#ifndef DAEMON_SYSTEM_LAUNCHD_H
#define DAEMON_SYSTEM_LAUNCHD_H

#include <stdio.h>

#include "common/base/err.h"
#include "common/config/config.h"

#define LAUNCHD_LABEL "com.codeteleport.codeteleportd"

/**
 * launchd_agent(program, file, config, f, err):
 * Write to ${f} the agent for this user's launchd: how it starts ${program} (as in argv[0]), with
 * the configuration ${file} unless that is NULL, and the socket that it hands over.  launchd makes
 * neither the socket's folder nor a log that is nobody else's to read: both are made here.
 */
int launchd_agent(const char *program, const char *file, const struct config *config, FILE *f,
                  struct ct_err *err);

#endif

#ifndef COMMON_CONFIG_KEY_COMMAND_H
#define COMMON_CONFIG_KEY_COMMAND_H

#include <stddef.h>

#include "common/base/err.h"

/*
 * What the configuration's key_command prints.  Only keyring.c needs it.
 */
#define KEY_COMMAND_TIMEOUT_MS 60000 /* somebody may have to type a PIN */
#define KEY_COMMAND_MAX 16384        /* bytes of output */

/**
 * key_command_run(command, timeout_ms, ret, err):
 * Run ${command} by /bin/sh, without standard input, and write what it prints as a string into
 * ${ret}, which the caller ends with secret_free().  Its messages go where ours go.  ERR_CONFIG if
 * it can't be run, ends in failure or by a signal, prints too much or a NUL, or has not ended after
 * ${timeout_ms} (then it is killed).
 */
int key_command_run(const char *command, int timeout_ms, char **ret, struct ct_err *err);

#endif

#ifndef COMMON_CONFIG_KEYRING_OPEN_H
#define COMMON_CONFIG_KEYRING_OPEN_H

#include "common/base/err.h"
#include "common/config/config.h"
#include "common/config/keyring.h"

/**
 * keyring_open(config, ret, err):
 * The keys of this device: those that key_command prints (one recovery text a line, oldest first),
 * if the configuration names one, else those of the file; with what is retired.  No file: an empty
 * ring.  ERR_CONFIG, with the cure, if a file or the command fails.  The caller frees with
 * keyring_free().
 */
int keyring_open(const struct config *config, struct keyring **ret, struct ct_err *err);

#endif

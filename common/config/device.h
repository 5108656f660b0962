#ifndef COMMON_CONFIG_DEVICE_H
#define COMMON_CONFIG_DEVICE_H

#include "common/base/err.h"
#include "common/base/uuid.h"

/**
 * device_id(state_dir, ret, err):
 * Read the id by which this machine names itself at a log-in, <state>/device; make it at random if
 * there is none, or none that can be read as one.  It says nothing about the machine, and a new
 * log-in is the same device.
 */
int device_id(const char *state_dir, char ret[UUID_SIZE], struct ct_err *err);

#endif

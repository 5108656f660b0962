#ifndef COMMON_CONFIG_KEYRING_FILE_H
#define COMMON_CONFIG_KEYRING_FILE_H

#include "common/base/err.h"
#include "common/config/keyring.h"

/*
 * The keyring's file: ~/.codeteleport/keyring (0600).
 */

/**
 * keyring_path():
 * Return the path of the file; the caller frees it.
 */
char *keyring_path(void);

/**
 * keyring_load(path, ret, err):
 * Read the ring of the file ${path}; no file: an empty ring.  ERR_CONFIG, with the cure, if others
 * can read the file, or it is not ours or not valid.  The caller frees with keyring_free().
 */
int keyring_load(const char *path, struct keyring **ret, struct ct_err *err);

/**
 * keyring_save(path, r, err):
 * Write the file (0600, folder 0700, atomic); what it was before stays beside it as a backup
 * ("<path>.before-<time>", 0600).  Of older backups some are kept, and all that hold a key which
 * ${r} has not.  ERR_CONFLICT if the file holds a key that ${r} has not (somebody else wrote it
 * meanwhile: load again); ERR_CONFIG if it is there and keyring_load() would refuse it.
 */
int keyring_save(const char *path, const struct keyring *r, struct ct_err *err);

#endif

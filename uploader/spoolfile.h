#ifndef UPLOADER_SPOOLFILE_H
#define UPLOADER_SPOOLFILE_H

#include <stdint.h>

#include "common/base/err.h"

/*
 * A bundle's file in the spool: is it what was put there?
 */

/**
 * spoolfile_open(path, ret_fd, err):
 * Open it for reading.  ERR_CORRUPT: it is not there any more, or no file; else the trouble is
 * this machine's (too many open files, permissions) and may pass.
 */
int spoolfile_open(const char *path, int *ret_fd, struct ct_err *err);

/**
 * spoolfile_check(path, size_bytes, sha256, err):
 * Read it all and compare; blocks.  ERR_CORRUPT: the bytes are other ones, or can't be read.
 */
int spoolfile_check(const char *path, int64_t size_bytes, const char *sha256, struct ct_err *err);

#endif

#ifndef BUNDLE_OPEN_WORKING_FILES_H
#define BUNDLE_OPEN_WORKING_FILES_H

#include <stdint.h>

#include "bundle/seal/seal.h"
#include "common/base/err.h"
#include "common/base/strlist.h"

/*
 * The working files that a stock client's bundle brings (extra-files/), taken out into a folder of
 * their own: never over a project's.
 */

/**
 * working_files_take(bundle, unseal, source_cwd, dir, ret, err):
 * Put those of the bundle at the path ${bundle} into the new folder ${dir}, which it makes (mode
 * 0700) if there are any, each with mode 0600 where it lay below ${source_cwd}; what lay elsewhere
 * below elsewhere/.  A name that begins with a dot begins with "_" there, for a tool that looks
 * would take it for its own.  ${ret} gets their paths below ${dir}.  ERR_CONFLICT if there is
 * something at ${dir}; else as of untar_next().
 */
int working_files_take(const char *bundle, const struct unseal_opts *unseal, const char *source_cwd,
                       const char *dir, struct strlist *ret, struct ct_err *err);

#endif

#ifndef BUNDLE_PACK_ORIGIN_H
#define BUNDLE_PACK_ORIGIN_H

#include "bundle/pack/snapshot.h"

#define ORIGIN_SIZE 4097

/**
 * origin_cwd(s, ret):
 * Write the folder in which the session began, without reading all of it: what the first 4 MiB of
 * its transcript say, else a sidechain, else its first prompt; "" if nothing says.
 */
void origin_cwd(const struct snapshot *s, char ret[ORIGIN_SIZE]);

/**
 * origin_elsewhere(s, ret):
 * The same from all but the transcript.
 */
void origin_elsewhere(const struct snapshot *s, char ret[ORIGIN_SIZE]);

#endif

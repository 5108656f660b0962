#ifndef BUNDLE_PACK_ORIGIN_H
#define BUNDLE_PACK_ORIGIN_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/strlist.h"

struct content;
struct snapshot;

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

/**
 * origin_slug(s):
 * Return the last slug of a plan in the first 4 MiB of the transcript, or NULL; the caller frees
 * it.
 */
char *origin_slug(const struct snapshot *s);

/**
 * origin_last_cwd(s, ret), origin_last_in(fd, length, ret):
 * Write the folder that the last 256 KiB of the transcript, or of the first ${length} bytes of the
 * open one, name last; "" if they name none.
 */
void origin_last_cwd(const struct snapshot *s, char ret[ORIGIN_SIZE]);
void origin_last_in(int fd, int64_t length, char ret[ORIGIN_SIZE]);

/**
 * origin_each_cwd(fd, c, limit, ret):
 * Append all folders that the first ${limit} bytes of what goes in of ${c}, open at ${fd}, name as
 * a cwd, each once.  What is nested in a record counts too: it names too many rather than too few.
 */
void origin_each_cwd(int fd, const struct content *c, int64_t limit, struct strlist *ret);

/**
 * origin_begins(s, from, ret):
 * Append what of the transcript, from the byte ${from} on, where a line begins, something begins
 * with (see news_begins()).  As far as it can be read.
 */
void origin_begins(const struct snapshot *s, int64_t from, struct strlist *ret);

#endif

#ifndef CTCTL_HERE_WATCHED_H
#define CTCTL_HERE_WATCHED_H

#include <json-c/json.h>

/**
 * watched_missing(status):
 * A service does not see the variables of a shell.  Return the data folder that Claude Code uses in
 * this shell if the daemon, whose status this is, does not watch it; else NULL.  The caller frees
 * it.
 */
char *watched_missing(const struct json_object *status);

/**
 * watched_cure(folder, buf, size):
 * Write what to do about it into ${buf} and return that.
 */
const char *watched_cure(const char *folder, char *buf, size_t size);

#endif

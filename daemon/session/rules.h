#ifndef DAEMON_EXCLUDE_H
#define DAEMON_EXCLUDE_H

#include <json-c/json.h>

#include "common/config.h"
#include "common/err.h"

/*
 * Which sessions stay on this machine because of the folder in which they began.  Rules come from
 * the configuration (exclude, include) and from `ctctl exclude` and `ctctl include`, which lie in
 * <state>/exclude.json: they hold for whatever account this machine has.  Of all rules whose folder
 * is the session's or lies above it the longest counts; of two for the same folder the one that was
 * said with ctctl.
 */
struct exclude;

/**
 * exclude_new(config, ret, err):
 * Take the rules of the configuration and read what was said before.  A damaged exclude.json is
 * ERR_CONFIG: without the rules nothing may go out.  The caller frees with exclude_free(), which
 * takes NULL.
 */
int exclude_new(const struct config *config, struct exclude **ret, struct ct_err *err);
void exclude_free(struct exclude *e);

/**
 * exclude_copy(e):
 * Return a copy, for another thread.
 */
struct exclude *exclude_copy(const struct exclude *e);

/**
 * exclude_configure(e, config):
 * Replace the rules of the configuration.
 */
void exclude_configure(struct exclude *e, const struct config *config);

/**
 * exclude_reason(e, cwd, project):
 * Return why a session that began in ${cwd} stays here, with the cure, borrowed until the rules
 * change; NULL if it may go.  As long as nobody knows where it began (NULL or ""), it counts as one
 * of the home folder, and as one of any folder that its project folder, ${project} (or NULL), may
 * stand for.
 */
const char *exclude_reason(const struct exclude *e, const char *cwd, const char *project);

/**
 * exclude_say(e, path, is_excluded, ret_changed, err):
 * From now on sessions below the absolute ${path} stay here, or may go; written to disk before it
 * holds.  ${ret_changed}: whether it was otherwise before.
 */
int exclude_say(struct exclude *e, const char *path, int is_excluded, int *ret_changed,
                struct ct_err *err);

/**
 * exclude_any(e):
 * Return whether there are rules at all.
 */
int exclude_any(const struct exclude *e);

/**
 * exclude_rules(e):
 * Return the rules: [{"path","excluded","from":"configuration"|"ctctl"}], by path.
 */
struct json_object *exclude_rules(const struct exclude *e);

#endif

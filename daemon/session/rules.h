#ifndef DAEMON_SESSION_RULES_H
#define DAEMON_SESSION_RULES_H

#include <json-c/json.h>

#include "common/config/config.h"
#include "common/base/err.h"

/*
 * Which sessions stay on this machine because of the folder in which they began.  Rules come from
 * the configuration (exclude, include) and from `ctctl exclude` and `ctctl include`, which lie in
 * exclude.json of the shared folder: they hold for whatever account and name this machine has, and
 * sessions that are excluded by their id stand there too.  Of all rules whose folder
 * is the session's or lies above it the longest counts; of two for the same folder the one that was
 * said with ctctl.
 */
struct rules;

/**
 * rules_new(config, ret, err):
 * Take the rules of the configuration and read what was said before.  A damaged exclude.json is
 * ERR_CONFIG: without the rules nothing may go out.  The caller frees with rules_free(), which
 * takes NULL.
 */
int rules_new(const struct config *config, struct rules **ret, struct ct_err *err);
void rules_free(struct rules *e);

/**
 * rules_copy(e):
 * Return a copy, for another thread.
 */
struct rules *rules_copy(const struct rules *e);

/**
 * rules_configure(e, config):
 * Replace the rules of the configuration.
 */
void rules_configure(struct rules *e, const struct config *config);

/**
 * rules_reason(e, id, cwd, project):
 * Return why the session ${id} (NULL: any) that began in ${cwd} stays here, with the cure, borrowed
 * until the rules change; NULL if it may go.  As long as nobody knows where it began (NULL or ""),
 * it counts as one of the home folder, and as one of any folder that its project folder, ${project}
 * (or NULL), may stand for.
 */
const char *rules_reason(const struct rules *e, const char *id, const char *cwd,
                         const char *project);

/**
 * rules_say(e, path, is_excluded, ret_changed, err):
 * From now on sessions below the absolute ${path} stay here, or may go; written to disk before it
 * holds.  ${ret_changed}: whether it was otherwise before.
 */
int rules_say(struct rules *e, const char *path, int is_excluded, int *ret_changed,
              struct ct_err *err);

/**
 * rules_say_id(e, id, is_excluded, err), rules_has_id(e, id), rules_ids(e):
 * The same for one session, by its whole id; return whether it is excluded so; all that are.
 */
int rules_say_id(struct rules *e, const char *id, int is_excluded, struct ct_err *err);
int rules_has_id(const struct rules *e, const char *id);
const struct strlist *rules_ids(const struct rules *e);

/**
 * rules_path(e), rules_reload(e, err):
 * The file of what was said; it changed: read it again.  On error what was known holds.
 */
const char *rules_path(const struct rules *e);
int rules_reload(struct rules *e, struct ct_err *err);

/**
 * rules_hold(e, project, cwd):
 * Sessions in the project folder ${project} began in ${cwd}: should these stay here, so does what
 * that project folder holds for all of its sessions.  On a copy.
 */
void rules_hold(struct rules *e, const char *project, const char *cwd);

/**
 * rules_hold_session(e, id, project, cwd, slug):
 * The session ${id}, of ${cwd} (or NULL), stays here, by whatever rule: so does what its project
 * folder, and those in which sessions of that ${cwd} write, hold for all of their sessions, and the
 * plan ${slug} ("": none).  On a copy, before rules_hold().
 */
void rules_hold_session(struct rules *e, const char *id, const char *project, const char *cwd,
                        const char *slug);

/**
 * rules_holds_id(e, id), rules_holds_slug(e, slug):
 * Return whether that session stays here, by its id or by what rules_hold_session() was told;
 * whether it is the plan of such a session.
 */
int rules_holds_id(const struct rules *e, const char *id);
int rules_holds_slug(const struct rules *e, const char *slug);

/**
 * rules_memory_reason(e, project):
 * Return why the memory in ${project} stays here: a session of an excluded folder could have
 * written it, by what rules_hold() was told, or there is no telling; NULL if it may go.  Two
 * working folders can have one project folder, for its name has a dash for every odd character.
 */
const char *rules_memory_reason(const struct rules *e, const char *project);

/**
 * rules_is_above(e, project):
 * Return whether the project folder ${project} may be that of a folder in which an excluded one
 * lies, whose sessions keep their memory above them if it is of the same repository.
 */
int rules_is_above(const struct rules *e, const char *project);

/**
 * rules_any(e):
 * Return whether there are rules at all.
 */
int rules_any(const struct rules *e);

/**
 * rules_json(e):
 * Return the rules: [{"path","excluded","from":"configuration"|"ctctl"}], by path.
 */
struct json_object *rules_json(const struct rules *e);

#endif

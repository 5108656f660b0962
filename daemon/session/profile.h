#ifndef DAEMON_SESSION_PROFILE_H
#define DAEMON_SESSION_PROFILE_H

#include <json-c/json.h>

#include "common/base/err.h"
#include "common/base/uuid.h"

/*
 * What belongs to no session: memory of folders without sessions, agents' memory, named lists of
 * tasks, teams, plans and prompts of nobody.  It is bundled, queued, sealed and stored as a session
 * of its own, one for each device and data folder.  Only if somebody has said so, and to a server
 * that knows of it.
 */
struct daemon;
struct job;
struct snapshot;

enum profile_state {
    PROFILE_UNSAID, /* nobody has said whether to save it */
    PROFILE_OFF,
    PROFILE_NOT_ASKED, /* the server could not be asked yet */
    PROFILE_NO_SERVER, /* it does not know of such things */
    PROFILE_ON,
};

/**
 * profile_state(d):
 * As the configuration and the server say.
 */
enum profile_state profile_state(struct daemon *d);

/**
 * profile_id(d, root, ret), profile_root(d, id):
 * The id under which that of the root with this index is stored, the same as long as machine and
 * folder are; the index of the root whose profile ${id} is, or -1.
 */
void profile_id(struct daemon *d, int root, char ret[UUID_SIZE]);
int profile_root(struct daemon *d, const char *id);

/**
 * profile_is_off(d, id):
 * Return whether that is the profile of a root, and profiles are not saved.
 */
int profile_is_off(struct daemon *d, const char *id);

/**
 * profile_touch(d, root):
 * Something that belongs to no session may have changed in that root.  (Of all of them, and when
 * what is said of it or of what is excluded changes: daemon.h.)
 */
void profile_touch(struct daemon *d, int root);

/**
 * profile_prepare(d, j), profile_take(j, ret, err):
 * On the loop: note in ${j} what the worker needs, if its session is a profile.  On the worker:
 * take the snapshot.
 */
void profile_prepare(struct daemon *d, struct job *j);
int profile_take(struct job *j, struct snapshot **ret, struct ct_err *err);

/**
 * profile_has_given(j, path):
 * Return whether the job is of a profile, and a session has taken ${path}, which it may have held.
 */
int profile_has_given(const struct job *j, const char *path);

/**
 * profile_withheld(d, ret_id):
 * Return how many files stay here by the rules as they are now that are in the newest version of a
 * profile in the cloud; and, if any, the id of such a profile.
 */
int64_t profile_withheld(struct daemon *d, char ret_id[UUID_SIZE]);

/**
 * profile_is_unsafe(d):
 * Return whether somebody has to see to one, as status says: it failed, there is no room for it, or
 * it changed since it was deleted in the cloud.
 */
int profile_is_unsafe(struct daemon *d);

/**
 * profile_report(d):
 * Return the part of status about it: {state, savedAt, notSaved: [{path, reason}]}, and, as long as
 * the newest one is not safe, {upload, reason, changedSince} with the words of a session's state
 * (changedSince: since it was deleted in the cloud).
 */
struct json_object *profile_report(struct daemon *d);

#endif

#ifndef DAEMON_SESSION_EXCLUSION_H
#define DAEMON_SESSION_EXCLUSION_H

#include <json-c/json.h>

#include "daemon/account/state.h"
#include "ipc/ipc.h"

/*
 * What follows from the rules of rules.h.
 */
struct daemon;
struct session;
struct job;

/**
 * exclusion_apply(d):
 * Look at all sessions on record, after the rules have changed or may have: those that are to stay
 * here stay, those that may go again are saved.
 */
void exclusion_apply(struct daemon *d);

/**
 * exclusion_refresh(d):
 * The file of the rules changed: read it again, and apply it.
 */
void exclusion_refresh(struct daemon *d);

/**
 * exclusion_make_anew(d):
 * The rules have changed: bundles that wait may hold copies, memory or plans of what is to stay
 * here now, and are made anew.  One whose object is stored has left.
 */
void exclusion_make_anew(struct daemon *d);

/**
 * exclusion_by_job(d, s, j):
 * Return whether the bundle of the session that ${j} made, or would have made, is to stay here; it
 * is removed then, the session put on record, and ${s} forgotten.
 */
int exclusion_by_job(struct daemon *d, struct session *s, const struct job *j);

/**
 * exclusion_is_final(d, id):
 * Return whether the session is excluded, and not only until it is known where it began.
 */
int exclusion_is_final(struct daemon *d, const char *id);

/**
 * exclusion_reason(d, id, meta, project):
 * Return rules_reason() of the session by what is known of it: by where it is, and by where it
 * began if it was moved.
 */
const char *exclusion_reason(const struct daemon *d, const char *id, struct json_object *meta,
                             const char *project);

/**
 * exclusion_why(d, ss):
 * Return why the session is excluded, borrowed until the rules change; NULL if it is not.
 */
const char *exclusion_why(const struct daemon *d, const struct state_session *ss);

/**
 * exclusion_cure_deleted(id, ret, size):
 * Write what can be done about one that changed here since.
 */
void exclusion_cure_deleted(const char *id, char *ret, size_t size);

/**
 * exclusion_request(d, rq, params, is_excluded):
 * The methods exclude and include of the control socket, after control.c has made params.id whole.
 */
void exclusion_request(struct daemon *d, struct ipc_request *rq, struct json_object *params,
                       const char *id, int is_excluded);

#endif

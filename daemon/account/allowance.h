#ifndef DAEMON_PLAN_H
#define DAEMON_PLAN_H

#include <stdint.h>

#include "common/err.h"

/*
 * What the account's plan at the server allows.
 */
struct daemon;
struct session;
struct plan;

struct plan *plan_new(struct daemon *d);
void plan_free(struct plan *p);

/**
 * plan_ask(p), plan_recall(p), plan_forget(p):
 * Ask the server what the plan allows; go by what it said last, for the account is open; the
 * account is closed.
 */
void plan_recall(struct plan *p);
void plan_ask(struct plan *p);
void plan_forget(struct plan *p);

/**
 * plan_refused(p, session_id, err), plan_try(p):
 * The server refused the session, for its plan is full; try once more whether it has room.
 */
void plan_refused(struct plan *p, const char *session_id, const struct ct_err *err);
void plan_try(struct plan *p);

/**
 * plan_is_awaited(d, s), plan_why(p):
 * Return whether the session waits for room in the plan; the server's words, or NULL.
 */
int plan_is_awaited(const struct daemon *d, const struct session *s);
const struct ct_err *plan_why(const struct plan *p);

/**
 * plan_versions(p, ret_name), plan_distance_ms(p):
 * Return how many versions of a session the server keeps (0: not known), and the plan's name,
 * borrowed; the shortest distance between two uploads of a session.
 */
int64_t plan_versions(const struct plan *p, const char **ret_name);
int64_t plan_distance_ms(const struct plan *p);

#endif

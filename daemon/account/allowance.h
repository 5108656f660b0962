#ifndef DAEMON_ACCOUNT_ALLOWANCE_H
#define DAEMON_ACCOUNT_ALLOWANCE_H

#include <stdint.h>

#include "common/base/err.h"

/*
 * What the account's plan at the server allows.
 */
struct daemon;
struct session;
struct allowance;

struct allowance *allowance_new(struct daemon *d);
void allowance_free(struct allowance *p);

/**
 * allowance_ask(p), allowance_recall(p), allowance_forget(p):
 * Ask the server what the plan allows; go by what it said last, for the account is open; the
 * account is closed.
 */
void allowance_recall(struct allowance *p);
void allowance_ask(struct allowance *p);
void allowance_forget(struct allowance *p);

/**
 * allowance_refused(p, session_id, err), allowance_try(p):
 * The server refused the session, for its plan is full; try once more whether it has room.
 */
void allowance_refused(struct allowance *p, const char *session_id, const struct ct_err *err);
void allowance_try(struct allowance *p);

/**
 * allowance_is_awaited(d, s), allowance_why(p):
 * Return whether the session waits for room in the plan; the server's words, or NULL.
 */
int allowance_is_awaited(const struct daemon *d, const struct session *s);
const struct ct_err *allowance_why(const struct allowance *p);

/**
 * allowance_versions(p, ret_name), allowance_distance_ms(p):
 * Return how many versions of a session the server keeps (0: not known), and the plan's name,
 * borrowed; the shortest distance between two uploads of a session.
 */
int64_t allowance_versions(const struct allowance *p, const char **ret_name);
int64_t allowance_distance_ms(const struct allowance *p);

#endif

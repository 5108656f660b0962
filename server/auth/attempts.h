#ifndef SERVER_AUTH_ATTEMPTS_H
#define SERVER_AUTH_ATTEMPTS_H

#include <stdint.h>

/*
 * How often something was tried in a window of time, by name: failed log-ins of an account, of an
 * address.  Kept in memory, in a table of fixed size: under a flood the least recent names go
 * first.
 */
struct attempts;

/**
 * attempts_new(max, window_ms):
 * Allow ${max} attempts of one name within ${window_ms} of its first.
 */
struct attempts *attempts_new(int max, int64_t window_ms);

/**
 * attempts_free(a):
 * Free it; NULL is harmless.
 */
void attempts_free(struct attempts *a);

/**
 * attempts_wait_s(a, name, now_ms):
 * Return 0 if ${name} may try, else the seconds until it may.
 */
int attempts_wait_s(struct attempts *a, const char *name, int64_t now_ms);

/**
 * attempts_count(a, name, now_ms):
 * Note one attempt.
 */
void attempts_count(struct attempts *a, const char *name, int64_t now_ms);

/**
 * attempts_take_back(a, name):
 * The one that was noted was none.
 */
void attempts_take_back(struct attempts *a, const char *name);

/**
 * attempts_forget(a, name):
 * Start ${name} anew.
 */
void attempts_forget(struct attempts *a, const char *name);

#endif

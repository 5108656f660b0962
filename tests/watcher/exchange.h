#ifndef TESTS_WATCHER_EXCHANGE_H
#define TESTS_WATCHER_EXCHANGE_H

/**
 * exchange(a, b):
 * Give two files or folders each other's name; in one step where the system can.  Return 0, or -1
 * with errno.
 */
int exchange(const char *a, const char *b);

/**
 * exchange_user():
 * Become root of a user namespace, which has limits of its own.  Return 0, or -1 if there are none.
 */
int exchange_user(void);

#endif

#ifndef TESTS_WATCHER_EXCHANGE_H
#define TESTS_WATCHER_EXCHANGE_H

/**
 * exchange(a, b):
 * Give two files or folders each other's name; in one step where the system can.  Return 0, or -1
 * with errno.
 */
int exchange(const char *a, const char *b);

#endif

#ifndef DAEMON_SYSTEM_SLEEP_H
#define DAEMON_SYSTEM_SLEEP_H

/*
 * The machine is about to be suspended, as systemd-logind says, where there is one: it can be asked
 * to wait a moment, once it has granted us that (a delay inhibitor; by default it waits 5 s at
 * most).
 */
struct event_base;
struct sleep_lock;

/**
 * sleep_lock_new(base, going, arg):
 * Ask for the right to delay, and have ${going} called from the loop when the machine is about to
 * sleep; sleep_lock_release() lets it.  After each sleep it is asked for anew.  Nothing here
 * blocks. Never NULL; where nobody grants it nothing is called.
 */
struct sleep_lock *sleep_lock_new(struct event_base *base, void (*going)(void *arg), void *arg);

/**
 * sleep_lock_release(l):
 * Go to sleep.  Harmless when nobody wants to.
 */
void sleep_lock_release(struct sleep_lock *l);

/**
 * sleep_lock_free(l):
 * NULL is harmless.
 */
void sleep_lock_free(struct sleep_lock *l);

#endif

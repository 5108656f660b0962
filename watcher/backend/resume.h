#ifndef WATCHER_BACKEND_RESUME_H
#define WATCHER_BACKEND_RESUME_H

#include <stdint.h>

#include "common/base/err.h"

/*
 * Noticing that the machine was suspended and is awake again.  The kernel wakes us for it, so that
 * nobody has to look at a clock every now and then.
 */
struct event_base;
struct resume;

/**
 * resume_new(base, woke, arg, ret, err):
 * Call ${woke} from the loop when the machine has been suspended for more than a moment.  A clock
 * that somebody sets is no suspend.  Where the system tells of neither, resume_look() does it
 * alone.
 */
int resume_new(struct event_base *base, void (*woke)(void *arg), void *arg, struct resume **ret,
               struct ct_err *err);

/**
 * resume_free(r):
 * Stop looking; NULL is harmless.
 */
void resume_free(struct resume *r);

/**
 * resume_look(r):
 * Something else is at work: look on this occasion too, and call ${woke} as above.
 */
void resume_look(struct resume *r);

/* ---- what the system must offer: resume_linux.c or resume_posix.c -------------------------------
 */

/**
 * resume_system_open():
 * Return a new descriptor that can be read from whenever the machine may have been suspended
 * (and perhaps at other times), and never otherwise; or -1 if the system has none.
 */
int resume_system_open(void);

/**
 * resume_system_asleep_ms():
 * Return how long the machine has been suspended since it started, all in all; 0 if it can't tell.
 */
int64_t resume_system_asleep_ms(void);

#endif

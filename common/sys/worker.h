#ifndef COMMON_SYS_WORKER_H
#define COMMON_SYS_WORKER_H

#include "common/base/err.h"

/*
 * A worker thread: what may block (reading, hashing, compressing, fsync) runs there, one job after
 * another, and its result comes back to the event loop.
 */
struct event_base;
struct worker;

/**
 * worker_new(base, begin, ret, err):
 * Start the thread, which calls ${begin} first (NULL: nothing).
 */
int worker_new(struct event_base *base, void (*begin)(void), struct worker **ret,
               struct ct_err *err);

/**
 * worker_free(w):
 * Wait for the job under way, discard it and those that wait, and end the thread; set the jobs' own
 * cancel flags before to make that quick.  NULL is harmless.
 */
void worker_free(struct worker *w);

/**
 * worker_submit(w, run, done, discard, arg):
 * Have ${run} called on the thread and then ${done} from the loop; or, if the worker is freed
 * before that, ${discard} instead of ${done}, to free ${arg}.
 */
void worker_submit(struct worker *w, void (*run)(void *arg), void (*done)(void *arg),
                   void (*discard)(void *arg), void *arg);

/**
 * worker_pending(w):
 * Return how many jobs have not come back yet.
 */
int worker_pending(const struct worker *w);

#endif

#ifndef CTCTL_WEB_ERRAND_H
#define CTCTL_WEB_ERRAND_H

#include <stddef.h>

#include <event2/event.h>

#include "common/base/buf.h"
#include "common/base/err.h"

/*
 * ctctl itself, sent to do one verb.  So a page says what the verb says, several things happen at
 * once, what takes long can be called off, and the keys are in the listening program never.
 */
struct errand;

/* How it ended: its exit status, -1 if a signal ended it or it said more than ERRAND_MAX; what it
 * printed and what it said on stderr, borrowed. */
typedef void errand_f(void *arg, int status, const struct buf *out, const struct buf *said);

#define ERRAND_MAX (64 << 20)      /* bytes that it may print */
#define ERRAND_SAID_MAX (64 << 10) /* ... and say; what comes after that is dropped */

/**
 * errand_start(base, argv, out_fd, f, arg, ret, err):
 * Run this program with ${argv}, which begins with its name and ends with NULL, in the background.
 * ${f} is called once, unless errand_cancel() comes first.  With ${out_fd}, not -1, what it prints
 * goes there instead.
 */
int errand_start(struct event_base *base, char *const argv[], int out_fd, errand_f *f, void *arg,
                 struct errand **ret, struct ct_err *err);

/**
 * errand_stop(e):
 * Have it end now; ${f} is told so.
 *
 * errand_cancel(e):
 * The same, and nobody is called.  It goes when the event loop sees that it has ended; NULL is
 * harmless.
 */
void errand_stop(struct errand *e);
void errand_cancel(struct errand *e);

#endif

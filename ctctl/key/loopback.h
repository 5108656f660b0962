#ifndef CTCTL_KEY_LOOPBACK_H
#define CTCTL_KEY_LOOPBACK_H

#include <stdint.h>

#include "common/base/err.h"

/*
 * Where a browser brings the result of a sign-in: http://localhost:PORT/callback, on loopback
 * addresses only, for as long as somebody waits.
 */
struct loopback;

/**
 * loopback_new(ret, err):
 * Listen on a port that the system chooses, on 127.0.0.1 and, where there is one, on ::1.  The
 * caller frees with loopback_free(), which takes NULL.
 */
int loopback_new(struct loopback **ret, struct ct_err *err);
void loopback_free(struct loopback *l);

/**
 * loopback_port(l):
 * Return the port.
 */
int loopback_port(const struct loopback *l);

struct loopback_answer {
    char *token;   /* a secret; loopback_answer_clear() wipes it */
    int has_state; /* it came with our state, so it is the answer to our question */
};

/**
 * loopback_wait(l, state, timeout_ms, ret, err):
 * Wait for the browser.  What comes with another state than ${state} is turned away and waited on.
 * ERR_AUTH with what the server says if the sign-in failed; ERR_RETRY if the time ran out.
 */
int loopback_wait(struct loopback *l, const char *state, int64_t timeout_ms,
                  struct loopback_answer *ret, struct ct_err *err);
void loopback_answer_clear(struct loopback_answer *a);

#endif

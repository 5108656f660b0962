#ifndef SERVER_AUTH_SIGNIN_H
#define SERVER_AUTH_SIGNIN_H

#include <stdint.h>

#include "server/auth/keys.h"

/*
 * A sign-in at another site that somebody has set out for.  All that has to be known when they come
 * back is kept by their browser, in a signed cookie: the server keeps nothing of those who never
 * do.
 */
#define SIGNIN_LIFETIME_S 600
#define SIGNIN_SECRET_SIZE 44
#define SIGNIN_STATE_MAX 64

struct signin {
    char secret[SIGNIN_SECRET_SIZE];         /* known to this browser only */
    int port;                                /* on the user's own machine */
    char client_state[SIGNIN_STATE_MAX + 1]; /* what the program there wants to see again, or "" */
};

/**
 * signin_is_state(s):
 * Can ${s} be what a program wants to see again?  At most 64 letters, digits, '-' and '_'.
 */
int signin_is_state(const char *s);

/**
 * signin_seal(keys, site, s, now_ms):
 * Return the cookie's value for ${s}, good at ${site} ("github") for ten minutes.  It is a secret,
 * and the caller frees it.
 */
char *signin_seal(const struct keys *keys, const char *site, const struct signin *s,
                  int64_t now_ms);

/**
 * signin_open(keys, site, cookie, now_ms, ret):
 * Take apart what signin_seal() made.  Return 0, or -1 if it is not one of ours, another site's, or
 * too old.
 */
int signin_open(const struct keys *keys, const char *site, const char *cookie, int64_t now_ms,
                struct signin *ret);

/**
 * signin_derive(s, what):
 * Return a digest of the secret, for the purpose ${what}; the caller frees it.
 */
char *signin_derive(const struct signin *s, const char *what);

#endif

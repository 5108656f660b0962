#ifndef SERVER_AUTH_LIMITS_H
#define SERVER_AUTH_LIMITS_H

#include "server/auth/attempts.h"

/*
 * What keeps log-ins from being guessed and from taking the machine.  One for the life of the
 * server: a reload must not give anybody new attempts.
 */
struct limits {
    struct attempts *by_account;
    struct attempts *by_address;
    struct attempts *by_neighbourhood; /* of addresses, of which one person can have all */
    struct attempts *registrations;
    struct attempts *signins; /* begun with GitHub */
    struct attempts *returns; /* by their state: each comes back once */
    struct attempts *holders; /* passwords that are asked for again, by token or log-in */
    struct attempts *tokens; /* the same by all tokens of a user, for a log-in makes more of them */
    struct attempts *mints_at_all; /* tokens that a user makes, */
    struct attempts *mints;        /* from one end of all log-ins to the next, a new start, */
    struct attempts *mints_of_one; /* and by one log-in, which uses up no other's */
    struct attempts *shares;       /* of a user */
    struct attempts *openings;     /* of what is shared, by address */
    struct attempts *undeletes; /* of a user: what is taken out of the trash can go there again */
    struct attempts *ended;     /* log-ins of pages that were signed out */
    struct limits_gate *gate;
};

/**
 * limits_new(), limits_free(l):
 * Make them; free them, NULL is harmless.
 */
struct limits *limits_new(void);
void limits_free(struct limits *l);

/**
 * limits_enter(l, name, is_ours), limits_leave(l, name):
 * Around everything that hashes a password: few at a time.  Who comes by a token, a log-in or a
 * device of an account (${is_ours}) need not wait for all others, who may be guessing; ${name} is
 * the user's id then, of which there may be two ("": nobody counts).  Of others it is the
 * neighbourhood: where all places are taken that these have, one of the neighbourhood that has most
 * of them goes for a newcomer.  Return 0, or -1 if too many wait, or 1 if those are of this name.
 */
int limits_enter(struct limits *l, const char *name, int is_ours);
void limits_leave(struct limits *l, const char *name);

/**
 * limits_go_out(l), limits_come_back(l):
 * Around what asks another site, which may be slow: few at a time.  Return 0, or -1 if there are
 * that many.
 */
int limits_go_out(struct limits *l);
void limits_come_back(struct limits *l);

#endif

#ifndef CTCTL_KEY_KEY_ACCOUNT_H
#define CTCTL_KEY_KEY_ACCOUNT_H

#include <stddef.h>
#include <stdint.h>

#include "common/config/keyring.h"
#include "ctctl/ctx/ctx.h"

/* A key as the account's sealed sessions show it. */
struct key_use {
    char id[KEY_ID_HEX];
    int64_t sessions;
    int is_here;
};

/* Which keys the sessions in the cloud are sealed with, from the server's list of them. */
struct key_account {
    int64_t sealed, plain;
    int64_t opened;        /* of the sealed ones: their metadata opens with the keys here */
    struct key_use *seals; /* keys that they are sealed with */
    size_t n_seals;
    struct key_use *firsts; /* keys that their ids are made with, of those that open */
    size_t n_firsts;
    char newest[KEY_ID_HEX]; /* the one that was used last, or "" */
};

/**
 * key_account_look(c, ring, ret, err):
 * Ask the server.  The caller ends ${ret} with key_account_clear(), after a failure too.
 */
int key_account_look(struct ctx *c, const struct keyring *ring, struct key_account *ret,
                     struct ct_err *err);
void key_account_clear(struct key_account *a);

/**
 * key_account_add(a, ring, item):
 * Count one session of the server's list, newest first.
 */
void key_account_add(struct key_account *a, const struct keyring *ring,
                     const struct json_object *item);

/**
 * key_account_n_missing(a):
 * Return how many keys that sessions are sealed with, or their ids made with, are not here.
 */
size_t key_account_n_missing(const struct key_account *a);

/**
 * key_account_first(a):
 * Return the id of the account's first key if that is known, that is if a session could be opened:
 * of several the one that most sessions have.  Else NULL.
 */
const char *key_account_first(const struct key_account *a);

/* What stands against keys that are to be used with this account. */
enum key_verdict {
    KEY_FITS,
    KEY_IS_FOREIGN,    /* none of the account's sealed sessions opens with it */
    KEY_FIRST_IS_AWAY, /* they open, but the first key, which names sessions, is not here */
};

/**
 * key_account_judge(a, ring):
 * Say how ${ring}, with which ${a} was had, goes with the account.
 */
enum key_verdict key_account_judge(const struct key_account *a, const struct keyring *ring);

#endif

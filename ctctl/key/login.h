#ifndef CTCTL_KEY_LOGIN_H
#define CTCTL_KEY_LOGIN_H

#include "common/config/cred.h"
#include "ctctl/ctx/ctx.h"

#define LOGIN_SECRET_SIZE (4096 + 2)

struct login {
    const char *email, *api_url, *invite; /* as given, or NULL */
    int is_new, has_token, from_stdin;
    int by_github, by_oidc;
    int must_agree; /* nothing shows that it is the person here who has signed in */
    /* Names the token; asked when the person is known and none is made yet.  NULL: the device. */
    char *(*token_name)(void *arg);
    void *token_name_arg;
    char device[UUID_SIZE]; /* what this machine calls itself */
    struct http_policy policy;
    struct cred cred;  /* what is saved in the end */
    int64_t set_aside; /* sessions from before somebody proved that the address is theirs */
    char *account_id, *account_email, *plan;
    char *secret; /* password or token: LOGIN_SECRET_SIZE bytes of secret_alloc() */
};

/**
 * login_authenticate(c, l, err):
 * Find out who the person here is, in the way that ${l} says, and have a lasting token made: asks
 * on the terminal for what is missing.  Fills in the account and l->cred.token.
 */
int login_authenticate(struct ctx *c, struct login *l, struct ct_err *err);

/**
 * login_fresh(c, site, ret_token, err):
 * Have the person sign in once more, by the browser and at ${site} ("github", "oidc"), at the
 * server that ${c} is logged in to:
 * ${ret_token} is a log-in that shows it, freed with secret_free(), and may be another account's.
 */
int login_fresh(struct ctx *c, const char *site, char **ret_token, struct ct_err *err);

/**
 * login_revoke(c, err):
 * Have the server end the token that ${c} works with.
 */
int login_revoke(struct ctx *c, struct ct_err *err);

#endif

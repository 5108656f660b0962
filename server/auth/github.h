#ifndef SERVER_AUTH_GITHUB_H
#define SERVER_AUTH_GITHUB_H

#include "common/base/err.h"
#include "common/base/strlist.h"

#include "server/settings/settings.h"

/*
 * GitHub's OAuth for web applications, with PKCE: who is it that comes back with this code?
 * https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps
 */

#define GITHUB_SUBJECT_SIZE 24

struct github_person {
    char subject[GITHUB_SUBJECT_SIZE]; /* the account's number, which never changes */
    struct strlist emails;             /* the verified ones, the primary one first */
    int is_member;                     /* of the organisation in the settings */
};

/**
 * github_authorize_url(s, redirect_uri, state, challenge):
 * Return where to send a browser; the caller frees it.
 */
char *github_authorize_url(const struct settings *s, const char *redirect_uri, const char *state,
                           const char *challenge);

/**
 * github_fetch(s, code, verifier, redirect_uri, ret, err):
 * Trade ${code} for a token, ask whose it is and forget it.  Blocks for up to half a minute.
 * ERR_AUTH if the code is not good; else what went wrong on the way.  github_person_clear(ret)
 * afterwards.
 */
int github_fetch(const struct settings *s, const char *code, const char *verifier,
                 const char *redirect_uri, struct github_person *ret, struct ct_err *err);

/**
 * github_person_clear(p):
 * Free what it holds.
 */
void github_person_clear(struct github_person *p);

#endif

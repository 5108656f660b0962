#ifndef SERVER_AUTH_GITHUB_MEMBER_H
#define SERVER_AUTH_GITHUB_MEMBER_H

#include "common/base/err.h"

#include "server/settings/settings.h"

/**
 * github_is_member(s, subject, ret, err):
 * Is whoever signed in as ${subject} still an active member of s->github_organization?  Asked with
 * the operator's s->github_token.  May block for a minute.
 */
int github_is_member(const struct settings *s, const char *subject, int *ret, struct ct_err *err);

#endif

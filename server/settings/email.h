#ifndef SERVER_SETTINGS_EMAIL_H
#define SERVER_SETTINGS_EMAIL_H

#include "common/base/err.h"

/**
 * email_normal(s, ret, err):
 * See that ${s} has the shape of an e-mail address and return it as we keep it: without blanks
 * around it, ASCII letters in lower case.  The caller frees ${ret}.  ERR_REFUSED if it has not.
 */
int email_normal(const char *s, char **ret, struct ct_err *err);

/**
 * email_check_new(email, err):
 * May an account be made with this one, as email_normal() returned it?  It looks like one word to
 * people, too, and is no second name of another mailbox.  ERR_REFUSED if not.
 */
int email_check_new(const char *email, struct ct_err *err);

#endif

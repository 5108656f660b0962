#ifndef SERVER_ADMIN_PROMPT_H
#define SERVER_ADMIN_PROMPT_H

#include "common/base/err.h"

/**
 * prompt_new_password(ret, err):
 * Ask for a new password, twice and without echo on a terminal; else read one line of standard
 * input.  The caller frees ${ret} with secret_free().
 */
int prompt_new_password(char **ret, struct ct_err *err);

/**
 * prompt_yes(question):
 * On a terminal, ask and return whether the answer was yes; elsewhere the answer is yes.
 */
int prompt_yes(const char *question);

#endif

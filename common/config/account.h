#ifndef COMMON_CONFIG_ACCOUNT_H
#define COMMON_CONFIG_ACCOUNT_H

#include "common/base/err.h"

/*
 * The account that this machine's sessions go to, as its user confirmed it: <state>/account.json.
 * It stands apart from the credentials on purpose: whoever swaps those must not receive everything.
 */
struct account {
    char *api_url; /* as in struct cred */
    char *account_id;
    char *email;
    char *token_sha256; /* of the token that this was learnt with, in hex; may be NULL */
};

/**
 * account_dir(state_dir, api_url, account_id):
 * Return the folder in which the state of that account lies, so that another account never gets
 * what it left.  The caller frees it.
 */
char *account_dir(const char *state_dir, const char *api_url, const char *account_id);

/**
 * account_record_load(state_dir, ret, err):
 * Read the record.  ERR_GONE if there is none yet; a damaged one is ERR_CORRUPT.  The caller frees
 * with account_record_free().
 */
int account_record_load(const char *state_dir, struct account **ret, struct ct_err *err);

/**
 * account_record_save(state_dir, api_url, account_id, email, token, err):
 * Write the record (0600, atomic).  ${token} may be NULL; only its SHA-256 is kept.
 */
int account_record_save(const char *state_dir, const char *api_url, const char *account_id,
                        const char *email, const char *token, struct ct_err *err);

/**
 * account_record_free(a):
 * Free it; NULL is harmless.
 */
void account_record_free(struct account *a);

#endif

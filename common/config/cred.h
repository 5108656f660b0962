#ifndef COMMON_CONFIG_CRED_H
#define COMMON_CONFIG_CRED_H

#include "common/base/err.h"

/*
 * ~/.codeteleport/config.json, shared with the stock client: {token, apiUrl, deviceName, email?,
 * agent?}.
 * The token goes to the origin that is stored beside it and to no other.
 */
struct cred {
    char *token;       /* of secret_dup() */
    char *api_url;     /* with /v1 at its end and no slash behind it */
    char *device_name; /* never NULL */
    char *email;       /* of the last log-in, to be offered at the next one; or NULL */
};

#define CRED_DEFAULT_URL "https://api.codeteleport.com/v1"

/**
 * cred_path():
 * Return the path of the file; the caller frees it.
 */
char *cred_path(void);

/**
 * cred_load(path, ret, err):
 * Read the credentials.  ERR_AUTH if the file is absent or holds no token; ERR_CONFIG, with the
 * command that mends it, if others can read it, if it is not ours or not valid.  The caller frees
 * with cred_free().
 */
int cred_load(const char *path, struct cred **ret, struct ct_err *err);

/**
 * cred_recall(path, ret, err):
 * As cred_load(), also where there is no token (any more): it is NULL then.  What a log-in begins
 * with.
 */
int cred_recall(const char *path, struct cred **ret, struct ct_err *err);

/**
 * cred_save(path, c, err):
 * Write the credentials (0600, folder 0700, atomic); members of the old file that we do not know
 * stay.
 */
int cred_save(const char *path, const struct cred *c, struct ct_err *err);

/**
 * cred_forget(path, err):
 * Remove the token from the file and keep the rest; a missing file is fine.
 */
int cred_forget(const char *path, struct ct_err *err);

/**
 * cred_free(c):
 * Wipe and free it; NULL is harmless.
 */
void cred_free(struct cred *c);

/**
 * cred_normal_url(url):
 * Return ${url} without trailing slashes and with /v1 at its end; the caller frees it.
 */
char *cred_normal_url(const char *url);

#endif

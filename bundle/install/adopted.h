#ifndef BUNDLE_INSTALL_ADOPTED_H
#define BUNDLE_INSTALL_ADOPTED_H

#include <stdint.h>

#include "common/base/err.h"
#include "common/base/hash.h"
#include "common/config/keyring.h"
#include "common/base/uuid.h"

/*
 * What a pull leaves for the daemon: "what I have installed of this session is version N, with
 * other paths".  A daemon that finds just that content has nothing to upload.  One small file for
 * each session in adopted/ in the folder of the account (account_dir()), written before the session
 * changes, so that there is no moment in which the daemon could miss it.
 */
struct adopted {
    char session_id[UUID_SIZE];
    int64_t version;
    char content_id[HASH_SHA256_HEX]; /* of the session as it was installed */
    char sha256[HASH_SHA256_HEX];     /* of the bundle in the cloud */
    int64_t size_bytes;               /* of that bundle */
    int64_t transcript_bytes;         /* of the transcript as it was installed */
    char transcript_digest[HASH_SHA256_HEX];
    int is_loopback; /* the bundle lies on this machine */

    /* Of a sealed version; "", "" and 0 of one in clear, and in records of older builds. */
    char wire_id[UUID_SIZE]; /* the opaque id under which the server knows it */
    char key_id[KEY_ID_HEX];
    int64_t generation;
};

/**
 * adopted_save(account_dir, a, err):
 * Write the record (0600, atomic), instead of the session's earlier one.
 */
int adopted_save(const char *account_dir, const struct adopted *a, struct ct_err *err);

/**
 * adopted_load(account_dir, session_id, ret):
 * Return 1 and the record, or 0 if there is none that makes sense.
 */
int adopted_load(const char *account_dir, const char *session_id, struct adopted *ret);

/**
 * adopted_forget(account_dir, session_id):
 * Remove the record; none is fine.
 */
void adopted_forget(const char *account_dir, const char *session_id);

#endif

#ifndef BUNDLE_OPEN_GENERATIONS_H
#define BUNDLE_OPEN_GENERATIONS_H

#include <stdint.h>

#include "common/base/err.h"

/*
 * The highest generation that this device has seen of each sealed session, in small files in seen/
 * in the folder of the account (account_dir()).  Daemon and client both write there, and neither
 * needs the other: a server that hands out a lower one than is noted here has gone back in time.
 */

/**
 * generations_highest(account_dir, session_id):
 * Return the highest generation noted of the session (its real id), or 0.
 */
int64_t generations_highest(const char *account_dir, const char *session_id);

/**
 * generations_note(account_dir, session_id, generation, err):
 * Note ${generation}, unless a higher one is there.  Note only what was authenticated: what
 * sealed_open() said, or the header of a bundle whose chunks were verified.
 */
int generations_note(const char *account_dir, const char *session_id, int64_t generation,
                     struct ct_err *err);

/**
 * generations_forget(account_dir, session_id):
 * Whatever comes next is no surprise, for the newest version was deleted on purpose.
 */
void generations_forget(const char *account_dir, const char *session_id);

#endif

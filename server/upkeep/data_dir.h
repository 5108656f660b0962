#ifndef SERVER_HOUSE_H
#define SERVER_HOUSE_H

#include "common/err.h"

#include "server/embedded.h"
#include "server/keys.h"
#include "server/ledger.h"
#include "server/settings.h"

/* The data folder, opened: what the server and the verbs beside it both need. */
struct house {
    struct keys keys;
    struct ledger *ledger;
    struct embedded *embedded; /* NULL: the store is somebody's S3 */
    struct store *store;
    int lock_fd; /* -1: not locked */
};

/**
 * house_open(s, objects_url, ret, err):
 * Open or make the folder of ${s} and what is in it.  ${objects_url} is where clients reach the
 * embedded store ("" if nobody will).
 */
int house_open(const struct settings *s, const char *objects_url, struct house *ret,
               struct ct_err *err);

/**
 * house_lock(s, ret_fd, err):
 * Make the folder and become its only server until ${ret_fd} is closed; ERR_CONFLICT if there is
 * one already.
 */
int house_lock(const struct settings *s, int *ret_fd, struct ct_err *err);

/**
 * house_close(h):
 * Close all of it.
 */
void house_close(struct house *h);

#endif

#ifndef SERVER_UPKEEP_DATA_DIR_H
#define SERVER_UPKEEP_DATA_DIR_H

#include "common/base/err.h"

#include "server/store/embedded.h"
#include "server/auth/keys.h"
#include "server/ledger/ledger.h"
#include "server/settings/settings.h"

/* The data folder, opened: what the server and the verbs beside it both need. */
struct data_dir {
    struct keys keys;
    struct ledger *ledger;
    struct embedded *embedded; /* NULL: the store is somebody's S3 */
    struct store *store;
    struct space *space;
    int lock_fd; /* -1: not locked */
};

/**
 * data_dir_open(s, objects_url, ret, err):
 * Open or make the folder of ${s} and what is in it.  ${objects_url} is where clients reach the
 * embedded store ("" if nobody will).
 */
int data_dir_open(const struct settings *s, const char *objects_url, struct data_dir *ret,
                  struct ct_err *err);

/**
 * data_dir_lock(s, ret_fd, err):
 * Make the folder and become its only server until ${ret_fd} is closed; ERR_CONFLICT if there is
 * one already.
 */
int data_dir_lock(const struct settings *s, int *ret_fd, struct ct_err *err);

/**
 * data_dir_close(h):
 * Close all of it.
 */
void data_dir_close(struct data_dir *h);

#endif

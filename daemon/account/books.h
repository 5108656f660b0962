#ifndef DAEMON_ACCOUNT_BOOKS_H
#define DAEMON_ACCOUNT_BOOKS_H

#include "common/base/err.h"
#include "daemon/account/state.h"
#include "uploader/uploader.h"

/*
 * What is kept of one account on this machine: its state, the queue with the spool, the caches.
 * They are whole or not there: d->books is NULL while no account is known.
 */
struct daemon;

struct books {
    struct state *state;
    struct uploader *uploader;
    char *dir;       /* state.db, spool/ and all else lie there */
    char *cache_dir; /* of compressed blocks */
};

/**
 * books_open(d, dir, err), books_close(d):
 * Open the books of the account in ${dir} and look at everything anew; close them, leaving all on
 * disk.  A damaged database is set aside and made anew, also while it is in use.
 */
int books_open(struct daemon *d, const char *dir, struct ct_err *err);
void books_close(struct daemon *d);

/**
 * books_tidy(d):
 * Remove cached blocks of sessions that have been gone here for a week.
 */
void books_tidy(struct daemon *d);

/**
 * books_damage_event(d):
 * Make the event for d->damage.
 */
struct event *books_damage_event(struct daemon *d);

#endif

#ifndef DAEMON_ACCOUNT_ROOM_H
#define DAEMON_ACCOUNT_ROOM_H

#include <stdint.h>

#include "common/base/err.h"

/*
 * Room on the disk, in the spool and in one upload.
 */
struct daemon;
struct session;
struct job;

/* Reasons of errors: */
#define ROOM_TOO_LARGE "too_large"     /* more than one upload can carry */
#define ROOM_SPOOL_SMALL "spool_small" /* more than the whole spool may hold */
#define ROOM_SPOOL_FULL "spool_full"   /* it has to wait for uploads */

/**
 * room_new(), room_free(r):
 * There is room, as far as anybody knows.
 */
struct room *room_new(void);
void room_free(struct room *r);

/**
 * room_err(d), room_is_looked_for(d):
 * Return why nothing is bundled for the moment, or NULL; whether somebody is about to find out
 * that there is room again: the block cache is being given up, or the next bundle tries.
 */
const struct ct_err *room_err(const struct daemon *d);
int room_is_looked_for(const struct daemon *d);

/**
 * room_try(d):
 * Somebody asked for a session: do not wait until the disk is looked at again.
 */
void room_try(struct daemon *d);

/**
 * room_for_bundle(d, ret_is_disk):
 * Return how large the next bundle may become, and whether it is the disk that has no more.
 */
int64_t room_for_bundle(struct daemon *d, int *ret_is_disk);

/**
 * room_beside(d, taken_bytes):
 * The same for a second bundle, beside one that may take ${taken_bytes}; less than 0 if there is
 * none.
 */
int64_t room_beside(struct daemon *d, int64_t taken_bytes);

/**
 * room_wait_ms(d, now_ms), room_to_begin(d), room_is_awaited(d, s):
 * Return how long nothing is to be bundled, for the disk is full; whether there is room to begin
 * with a bundle; whether this session waits until something has left the spool.
 */
int64_t room_wait_ms(struct daemon *d, int64_t now_ms);
int room_to_begin(struct daemon *d);
int room_is_awaited(struct daemon *d, const struct session *s);

/**
 * room_is_there(d), room_left_spool(d), room_disk_failed(d, err):
 * Something was written; something left the spool; something could not be written (${err} is looked
 * at): the block cache is given up, and bundling waits.
 */
void room_is_there(struct daemon *d);
void room_left_spool(struct daemon *d);
void room_disk_failed(struct daemon *d, const struct ct_err *err);

/**
 * room_refused(d, s, j):
 * The bundle did not fit.  Return 1 if it is settled what becomes of the session, 0 if it is tried
 * again as after any failure.
 */
int room_refused(struct daemon *d, struct session *s, const struct job *j);

/**
 * room_is_too_large(s):
 * Return whether the session's bundle can't fit at all.
 */
int room_is_too_large(const struct session *s);

#endif

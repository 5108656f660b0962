#ifndef SERVER_LEDGER_LEDGER_SHARE_H
#define SERVER_LEDGER_LEDGER_SHARE_H

#include <stdint.h>

#include <json-c/json.h>

#include "server/ledger/ledger.h"

/*
 * Shares: objects that whoever has a link may fetch, until their end.  The bytes of one are those
 * of a version, in the states "sharing" and "shared", of a session that no client can name
 * (store_share_session()): so they count for every quota, and go as all others do.  Who has no
 * account any more, or was disabled, shares nothing.
 */

#define LEDGER_MAX_SHARES 200 /* of a user at one time */

struct ledger_new_share {
    const char *session_id; /* of what, as the client calls it: when that is deleted it ends */
    int64_t size_bytes;
    const char *checksum; /* "sha256:..." */
    int64_t expires_ms;
};

/**
 * ledger_share_add(l, who, s, limits, now_ms, ret_id, err):
 * Reserve the place of one.  ERR_REFUSED, quota or too_many_shares; ERR_NOSPACE.
 */
int ledger_share_add(struct ledger *l, const struct ledger_who *who,
                     const struct ledger_new_share *s, const struct ledger_limits *limits,
                     int64_t now_ms, char ret_id[UUID_SIZE], struct ct_err *err);

struct ledger_share {
    char user_id[UUID_SIZE];
    int64_t size_bytes;
    char checksum[API_CHECKSUM_SIZE];
    int64_t expires_ms;
    int is_open; /* its object was there: the link counts */
};

/**
 * ledger_share_find(l, user_id, id, now_ms, ret, err):
 * One of this user's (NULL: of anybody who is not disabled) that has not ended.  ERR_GONE.
 *
 * ledger_share_open(l, user_id, id, now_ms, err):
 * Its object is there: from now on the link counts.  ERR_GONE.
 */
int ledger_share_find(struct ledger *l, const char *user_id, const char *id, int64_t now_ms,
                      struct ledger_share *ret, struct ct_err *err);
int ledger_share_open(struct ledger *l, const char *user_id, const char *id, int64_t now_ms,
                      struct ct_err *err);

/**
 * ledger_share_visited(l, id, now_ms, err):
 * Somebody opens it.
 */
int ledger_share_visited(struct ledger *l, const char *id, int64_t now_ms, struct ct_err *err);

/**
 * ledger_shares(l, user_id, now_ms, ret, err):
 * The open ones as the wire has them, newest first.  The caller owns ${ret}.
 */
int ledger_shares(struct ledger *l, const char *user_id, int64_t now_ms, struct json_object **ret,
                  struct ct_err *err);

/**
 * ledger_share_end(l, user_id, id, now_ms, err), ledger_shares_end(l, user_id, session_id, now_ms,
 * ret_n, err):
 * It ends at once (ERR_GONE if there is none); all of a session (NULL: of this user) do, ${ret_n}
 * of them.  The objects are due.
 */
int ledger_share_end(struct ledger *l, const char *user_id, const char *id, int64_t now_ms,
                     struct ct_err *err);
int ledger_shares_end(struct ledger *l, const char *user_id, const char *session_id, int64_t now_ms,
                      int64_t *ret_n, struct ct_err *err);

/**
 * ledger_share_is_live(l, user_id, id, now_ms):
 * Return 1 if its object may come and go, 0 if it has ended, -1 if that can't be told.
 */
int ledger_share_is_live(struct ledger *l, const char *user_id, const char *id, int64_t now_ms);

#endif

#ifndef SERVER_LEDGER_LEDGER_H
#define SERVER_LEDGER_LEDGER_H

#include <stdint.h>

#include <json-c/json.h>

#include "common/base/err.h"
#include "common/base/hash.h"
#include "common/base/strlist.h"
#include "common/base/uuid.h"
#include "api/api.h"

#include "server/ledger/event.h"
#include "server/sql/hrana.h"

/*
 * Accounts and metadata: users, tokens, devices, sessions and their versions, and every rule about
 * them.  All of it may be called from any thread.  Each change is one transaction.  Every call
 * about a user's things takes that user's id, and somebody else's thing is ERR_GONE like one that
 * never was.  Errors with a word in err->reason carry the wire's error code.
 */
struct ledger;

/**
 * ledger_open(path, ret, err), ledger_open_at(place, ret, err), ledger_close(l):
 * Open or make it, in a file or on a libSQL server; several processes may have it open.  NULL is
 * harmless to close.
 */
int ledger_open(const char *path, struct ledger **ret, struct ct_err *err);
int ledger_open_at(const struct hrana_place *place, struct ledger **ret, struct ct_err *err);
void ledger_close(struct ledger *l);

/**
 * ledger_ping(l, err), ledger_integrity(l, err):
 * See that it answers; that it is sound all through (ERR_CORRUPT), which takes time.
 */
int ledger_ping(struct ledger *l, struct ct_err *err);
int ledger_integrity(struct ledger *l, struct ct_err *err);

/* ---- users -------------------------------------------------------------------------------- */

struct ledger_user {
    char id[UUID_SIZE];
    char *email;
    char *password; /* the hash */
    int64_t generation;
    int64_t created_ms;
    int64_t signed_in_ms; /* by way of another site, the last time; 0: never */
    int is_disabled;
};

/**
 * ledger_user_clear(u):
 * Free what it holds.
 */
void ledger_user_clear(struct ledger_user *u);

struct ledger_new_user {
    const char *email;
    const char *password; /* the hash; "": no log-in with a password */
    int email_is_proven;  /* it is known to be theirs, not just what somebody typed in */
    int64_t now_ms;
};

/**
 * ledger_user_add(l, u, ret_id, err):
 * Add a user.  ERR_CONFLICT, email_taken, if the e-mail is in use; ERR_REFUSED, account_removed,
 * if the operator removed that account.
 */
int ledger_user_add(struct ledger *l, const struct ledger_new_user *u, char ret_id[UUID_SIZE],
                    struct ct_err *err);

/**
 * ledger_user_by_email(l, email, ret, err), ledger_user_by_id(l, id, ret, err):
 * Find one, or ERR_GONE.  ledger_user_clear(ret) afterwards.
 */
int ledger_user_by_email(struct ledger *l, const char *email, struct ledger_user *ret,
                         struct ct_err *err);
int ledger_user_by_id(struct ledger *l, const char *id, struct ledger_user *ret,
                      struct ct_err *err);

/**
 * ledger_user_passwd(l, email, hash, err):
 * Set a new password, which ends every log-in (API tokens stay).  ERR_GONE without such a user.
 */
int ledger_user_passwd(struct ledger *l, const char *email, const char *hash, struct ct_err *err);

/**
 * ledger_user_delete(l, email, now_ms, purge_ms, err):
 * Remove a user and all that is theirs; the objects wait in the trash until ${purge_ms}, and are
 * theirs again if they sign in elsewhere as the same person until then.
 */
int ledger_user_delete(struct ledger *l, const char *email, int64_t now_ms, int64_t purge_ms,
                       struct ct_err *err);

/**
 * ledger_user_remove(l, email, now_ms, purge_ms, ret_was_there, err):
 * The same by the operator, also of who is not there (any more): nobody registers with this e-mail
 * or signs in as this person any more (ERR_REFUSED, account_removed), until ledger_user_allow().
 *
 * ledger_user_allow(l, email, by_sign_in, err):
 * Let that e-mail have an account again, and (${by_sign_in}) the person who had one by another
 * site; else that can be somebody else's by now.  ERR_GONE if no account of that e-mail was removed
 * so.
 */
int ledger_user_remove(struct ledger *l, const char *email, int64_t now_ms, int64_t purge_ms,
                       int *ret_was_there, struct ct_err *err);
int ledger_user_allow(struct ledger *l, const char *email, int by_sign_in, struct ct_err *err);

/* Of one account that the operator removed: its e-mail, or a sign-in of whoever had it. */
struct ledger_removed {
    int64_t at_ms;
    const char
        *email; /* NULL: the audit table does not remember it any more; then the hash tells */
    const char *email_hash;
    const char *issuer, *subject; /* "" for the e-mail */
};

/**
 * ledger_removed_each(l, each, arg, err):
 * Tell of all of these, in the order of time.
 */
int ledger_removed_each(struct ledger *l,
                        void (*each)(void *arg, const struct ledger_removed *removed), void *arg,
                        struct ct_err *err);

/**
 * ledger_user_disable(l, email, now_ms, err):
 * Let nobody in as this user, by whatever log-in or token, until (${now_ms} 0) they are enabled
 * again.  ERR_GONE without such a user.
 */
int ledger_user_disable(struct ledger *l, const char *email, int64_t now_ms, struct ct_err *err);

/**
 * ledger_user_revoke(l, email, err):
 * End all log-ins and tokens of a user.  ERR_GONE without such a user.
 */
int ledger_user_revoke(struct ledger *l, const char *email, struct ct_err *err);

/**
 * ledger_user_revoke_others(l, id, token_id, err):
 * End all log-ins of user ${id}, and all tokens but ${token_id} ("": all).
 */
int ledger_user_revoke_others(struct ledger *l, const char *id, const char *token_id,
                              struct ct_err *err);

/**
 * ledger_user_is_active(l, id):
 * Return 1 if there is such a user and nobody disabled them, 0 if not, -1 if that can't be told.
 */
int ledger_user_is_active(struct ledger *l, const char *id);

/**
 * ledger_user_usage(l, id, each, arg, err):
 * Call ${each} for every state in which this user has something: "reserved", "confirmed", "trash",
 * "dropped", "purging", and "metadata", which all of it takes in the database.
 */
int ledger_user_usage(struct ledger *l, const char *id,
                      void (*each)(void *arg, const char *state, int64_t n, int64_t bytes),
                      void *arg, struct ct_err *err);

/**
 * ledger_users(l, each, arg, err):
 * Call ${each} for every user, by e-mail, with the number of their sessions and bytes.
 */
int ledger_users(struct ledger *l,
                 void (*each)(void *arg, const char *email, int64_t created_ms, int64_t sessions,
                              int64_t bytes),
                 void *arg, struct ct_err *err);

/**
 * ledger_invite_add(l, sha256, now_ms, expires_ms, err):
 * Let whoever has the code with this digest register once.
 */
int ledger_invite_add(struct ledger *l, const char *sha256, int64_t now_ms, int64_t expires_ms,
                      struct ct_err *err);

/**
 * ledger_invite_check(l, sha256, now_ms, err), ledger_invite_redeem(l, sha256, u, ret_id, err):
 * Is it good (ERR_REFUSED, invite_invalid)?  Add a user by it, which uses it up.
 */
int ledger_invite_check(struct ledger *l, const char *sha256, int64_t now_ms, struct ct_err *err);
int ledger_invite_redeem(struct ledger *l, const char *sha256, const struct ledger_new_user *u,
                         char ret_id[UUID_SIZE], struct ct_err *err);

/**
 * ledger_device_is_known(l, email, device):
 * Has ${device}, which only itself and we know, logged in to this account before?
 */
int ledger_device_is_known(struct ledger *l, const char *email, const char *device);

/* Who somebody is elsewhere. */
struct ledger_identity {
    const char *issuer;  /* "https://github.com" */
    const char *subject; /* what they are called there and what never changes */
    const char *email;   /* verified there; NULL: none is */
    int proves_email;    /* the operator takes the issuer's word for it */
    int may_create;
};

/* How somebody came in who signed in elsewhere. */
enum ledger_arrival {
    LEDGER_KNOWN,     /* to an account that is theirs */
    LEDGER_NEW,       /* one was made for them */
    LEDGER_BACK,      /* to the one that they had deleted */
    LEDGER_TOOK_OVER, /* to one whose address nobody had shown to be theirs */
};

/**
 * ledger_identity_login(l, i, now_ms, ret_id, ret_arrival, err):
 * The user who that is: one who came this way before, whatever their e-mail is now; else the one
 * with this e-mail, from now on; else a new one.  If nobody had shown yet that the e-mail of that
 * account is theirs, its password, log-ins, tokens and devices end, and its sessions go into the
 * trash.  ERR_REFUSED with email_not_verified,
 * registration_closed, account_removed or email_in_use (by another identity of the same issuer, or
 * by anybody if the issuer proves no e-mail).
 */
int ledger_identity_login(struct ledger *l, const struct ledger_identity *i, int64_t now_ms,
                          char ret_id[UUID_SIZE], enum ledger_arrival *ret_arrival,
                          struct ct_err *err);

/**
 * ledger_user_comes_from(l, user_id, issuer):
 * Return 1 if that user has signed in by ${issuer} (NULL: nobody has), 0 if not or if that can't be
 * told.
 */
int ledger_user_comes_from(struct ledger *l, const char *user_id, const char *issuer);

/**
 * ledger_identities(l, issuer, each, arg, err):
 * Call ${each} for everybody who signs in there and is not disabled.
 */
int ledger_identities(struct ledger *l, const char *issuer,
                      void (*each)(void *arg, const char *user_id, const char *subject,
                                   const char *email),
                      void *arg, struct ct_err *err);

/**
 * ledger_user_set_aside(l, user_id, ret_sessions, err):
 * How many sessions lie in the trash because of that?
 */
int ledger_user_set_aside(struct ledger *l, const char *user_id, int64_t *ret_sessions,
                          struct ct_err *err);

/* ---- tokens and devices --------------------------------------------------------------------- */

/* Who asks: a user, through a token of theirs or ("") a log-in, from a device ("": not known yet).
 */
struct ledger_who {
    char user_id[UUID_SIZE];
    char token_id[UUID_SIZE];
    char device_id[UUID_SIZE];
};

struct ledger_new_token {
    const char *name;
    const char *sha256; /* its digest in hex */
    const char *last4;
    const char *device; /* what the machine calls itself; NULL: the token is a device of its own */
    int64_t now_ms;
    int64_t expires_ms; /* 0: never */
};

/**
 * ledger_token_add(l, user_id, t, ret_id, ret_device_id, err):
 * Add an API token.  ${ret_device_id} is "" if it belongs to no device yet.  ERR_REFUSED,
 * too_many_tokens.
 */
int ledger_token_add(struct ledger *l, const char *user_id, const struct ledger_new_token *t,
                     char ret_id[UUID_SIZE], char ret_device_id[UUID_SIZE], struct ct_err *err);

/**
 * ledger_limit_tokens(l, max_age_ms, max_signed_in_ms):
 * From now on no token counts that is older than ${max_age_ms}, whatever it says, and none of
 * somebody who came by way of another site and did so longer ago than ${max_signed_in_ms}; 0: no
 * limit.
 */
void ledger_limit_tokens(struct ledger *l, int64_t max_age_ms, int64_t max_signed_in_ms);

/**
 * ledger_signed_in_since(l, now_ms):
 * Return since when somebody who signs in elsewhere has to have done so; -1: it does not matter.
 */
int64_t ledger_signed_in_since(const struct ledger *l, int64_t now_ms);

/**
 * ledger_token_find(l, sha256, now_ms, ret, err):
 * Whose token is it?  Notes its use (by the minute, for ledger_write_uses()).  ERR_AUTH if there is
 * none, it has expired, or its user is disabled.
 */
int ledger_token_find(struct ledger *l, const char *sha256, int64_t now_ms, struct ledger_who *ret,
                      struct ct_err *err);

/**
 * ledger_write_uses(l, err):
 * Write down when tokens were used last; closing does so too.
 */
int ledger_write_uses(struct ledger *l, struct ct_err *err);

/**
 * ledger_device_json(id, name):
 * A device as the wire has it, or NULL for the id "".
 */
struct json_object *ledger_device_json(const char *id, const char *name);

/**
 * ledger_tokens(l, who, ret, err), ledger_devices(l, who, ret, err):
 * The lists as the wire has them.  The caller owns ${ret}.
 */
int ledger_tokens(struct ledger *l, const struct ledger_who *who, struct json_object **ret,
                  struct ct_err *err);
int ledger_devices(struct ledger *l, const struct ledger_who *who, struct json_object **ret,
                   struct ct_err *err);

/**
 * ledger_token_revoke(l, user_id, id, err), ledger_device_delete(l, user_id, id, err):
 * End a token; forget a device and end its tokens.  What they uploaded stays.
 */
int ledger_token_revoke(struct ledger *l, const char *user_id, const char *id, struct ct_err *err);
int ledger_device_delete(struct ledger *l, const char *user_id, const char *id, struct ct_err *err);

/**
 * ledger_usage(l, user_id, ret_sessions, ret_devices, err):
 * How many there are.
 */
int ledger_usage(struct ledger *l, const char *user_id, int64_t *ret_sessions, int64_t *ret_devices,
                 struct ct_err *err);

/* ---- sessions and versions ------------------------------------------------------------------ */

struct ledger_limits {
    int64_t max_bytes;     /* of a user; 0: no limit */
    int64_t max_all_bytes; /* of all users together; 0: no limit */
};

struct ledger_reserved {
    char record_id[UUID_SIZE];
    int64_t version;
    int pinned;        /* the version that was to be pinned is there and kept */
    int64_t elsewhere; /* newest head of another device that this one does not contain, newer than
                          the version that the device knows, or 0 */
};

/**
 * ledger_reserve(l, who, req, limits, now_ms, ret, err):
 * Reserve the next version number of a session for a day.  ERR_CONFLICT, deleted, if the session
 * was deleted and the request does not ask for it by name; ERR_REFUSED, quota, if all that the user
 * has there, in whatever state, is past ${limits} with it, or too_many_heads, if it would be one
 * too many; ERR_NOSPACE if all users are.
 */
int ledger_reserve(struct ledger *l, const struct ledger_who *who, const struct api_upload_req *req,
                   const struct ledger_limits *limits, int64_t now_ms, struct ledger_reserved *ret,
                   struct ct_err *err);

/**
 * ledger_deletion(l, who, session_id, o, err):
 * Add to ${o} when the session was deleted and by which device (deletedAt, deletedBy), and whether
 * that was the asking one (thisDevice); nothing if it is not deleted.
 */
int ledger_deletion(struct ledger *l, const struct ledger_who *who, const char *session_id,
                    struct json_object *o, struct ct_err *err);

/**
 * ledger_skip(l, user_id, session_id, version, err):
 * There is an object already where the reserved ${version} was to lie, one that this database has
 * forgotten (it was put back from a backup).  Forget the reservation, so that no purge takes that
 * object for its own, and number on well past it.
 */
int ledger_skip(struct ledger *l, const char *user_id, const char *session_id, int64_t version,
                struct ct_err *err);

/**
 * ledger_confirm_failed(l, user_id, session_id, version, now_ms, err):
 * The object of the reserved ${version} is not what was promised: it goes into the trash.
 */
int ledger_confirm_failed(struct ledger *l, const char *user_id, const char *session_id,
                          int64_t version, int64_t now_ms, struct ct_err *err);

struct ledger_pending {
    int64_t version;
    int64_t size_bytes;
    char checksum[API_CHECKSUM_SIZE];
    int confirmed; /* it was confirmed before: there is nothing left to do */
};

/**
 * ledger_pending(l, who, session_id, req, now_ms, ret, err):
 * Which version does ${req} confirm?  With a version, exactly that one with that checksum; else the
 * newest reservation, of the same token if it has one.  ERR_GONE without such a session,
 * ERR_CONFLICT, no_reservation, without such a version.
 */
int ledger_pending(struct ledger *l, const struct ledger_who *who, const char *session_id,
                   const struct api_confirm_req *req, int64_t now_ms, struct ledger_pending *ret,
                   struct ct_err *err);

/**
 * ledger_confirm(l, who, session_id, version, keep, now_ms, err):
 * Make a reserved version part of its session.  What it contains is no head any more; it is one,
 * and the current one if it contains that, or does not say what it contains.  What it amends (never
 * with a log-in, which is no device) and the versions beyond the newest ${keep} go into the trash,
 * unless pinned or heads.  ERR_CONFLICT, no_reservation; ERR_REFUSED, too_many_heads.
 */
int ledger_confirm(struct ledger *l, const struct ledger_who *who, const char *session_id,
                   int64_t version, int keep, int64_t now_ms, struct ct_err *err);

/**
 * ledger_download(l, user_id, session_id, version, ret, err):
 * All of ${ret} but the URL, for a confirmed version (0: the current one).
 * api_download_res_clear(ret) afterwards.
 */
int ledger_download(struct ledger *l, const char *user_id, const char *session_id, int64_t version,
                    struct api_download_res *ret, struct ct_err *err);

struct ledger_filter {
    const char *machine, *tag, *agent; /* NULL: any */
    int64_t limit, offset;
};

/**
 * ledger_sessions(l, who, filter, ret, err), ledger_versions(l, who, session_id, limit, offset,
 * ret, err): The lists as the wire has them, newest first; of sessions perhaps fewer than asked
 * for, so that an answer has a bound.  The caller owns ${ret}.
 */
int ledger_sessions(struct ledger *l, const struct ledger_who *who,
                    const struct ledger_filter *filter, struct json_object **ret,
                    struct ct_err *err);
int ledger_versions(struct ledger *l, const struct ledger_who *who, const char *session_id,
                    int64_t limit, int64_t offset, struct json_object **ret, struct ct_err *err);

/**
 * ledger_heads(l, who, session_id, version, ret_current, ret, err):
 * The session's current version, or 0, and as the wire has them, newest first: with ${version} 0
 * what stands beside it, else every head that the reserved ${version} does not contain.
 */
int ledger_heads(struct ledger *l, const struct ledger_who *who, const char *session_id,
                 int64_t version, int64_t *ret_current, struct json_object **ret,
                 struct ct_err *err);

/**
 * ledger_sessions_since(l, who, since, limit, ret, err):
 * What changed after the cursor ${since}, as the wire has it, at most ${limit} sessions, oldest
 * change first.  Return 1 with ${ret}, 0 if nothing did, -1.  ERR_GONE: the cursor is not of this
 * database.
 */
int ledger_sessions_since(struct ledger *l, const struct ledger_who *who, int64_t since,
                          int64_t limit, struct json_object **ret, struct ct_err *err);

/**
 * ledger_session_delete(l, who, session_id, now_ms, err),
 * ledger_version_delete(l, who, session_id, version, now_ms, err):
 * Into the trash for 30 days.  A session without versions leaves a tombstone; its numbers are never
 * used again.  What only the deleted version contained is a head again.  A version that is reserved
 * by the same token is given up.
 */
int ledger_session_delete(struct ledger *l, const struct ledger_who *who, const char *session_id,
                          int64_t now_ms, struct ct_err *err);
int ledger_version_delete(struct ledger *l, const struct ledger_who *who, const char *session_id,
                          int64_t version, int64_t now_ms, struct ct_err *err);

/**
 * ledger_undelete(l, user_id, session_id, version, now_ms, ret_n, err):
 * Take ${version} out of the trash, for whatever reason it is there, or with 0 what the last
 * deletion took, ${ret_n} versions.  ERR_GONE if there is nothing.
 */
int ledger_undelete(struct ledger *l, const char *user_id, const char *session_id, int64_t version,
                    int64_t now_ms, int64_t *ret_n, struct ct_err *err);

/**
 * ledger_trash(l, user_id, limit, offset, ret, err):
 * What could be undeleted, what was let go last first, and why, as the wire has it.  The caller
 * owns ${ret}.
 */
int ledger_trash(struct ledger *l, const char *user_id, int64_t limit, int64_t offset,
                 struct json_object **ret, struct ct_err *err);

/* ---- objects -------------------------------------------------------------------------------- */

struct ledger_object {
    char user_id[UUID_SIZE];
    char session_id[API_SESSION_ID_MAX + 1];
    int64_t version;
    int64_t size_bytes;
    char checksum[API_CHECKSUM_SIZE];
    int is_lapsed; /* of a reservation that was never confirmed */
};

/**
 * ledger_purge_next(l, now_ms, ret, err):
 * Take one version whose time has come so that nobody can confirm it or take it back any more.
 * Return 1 with ${ret}, 0 if there is none, -1.  The object of one that is_lapsed is not to be
 * removed yet: in a database put back from a backup it may be one that was confirmed since.
 */
int ledger_purge_next(struct ledger *l, int64_t now_ms, struct ledger_object *ret,
                      struct ct_err *err);

/**
 * ledger_due(l, now_ms, err):
 * How many versions there are whose time has come; -1 on error.
 */
int64_t ledger_due(struct ledger *l, int64_t now_ms, struct ct_err *err);

/**
 * ledger_room_next(l, user_id, now_ms, ret, err):
 * Likewise, one that has been in the trash for seven days, of this user or (NULL) of all: such may
 * make room.
 */
int ledger_room_next(struct ledger *l, const char *user_id, int64_t now_ms,
                     struct ledger_object *ret, struct ct_err *err);

/**
 * ledger_purged(l, o, err), ledger_purge_later(l, o, now_ms, err):
 * There is no object of such a version (any more): forget it.  There is one and it lapsed: into the
 * trash.
 */
int ledger_purged(struct ledger *l, const struct ledger_object *o, struct ct_err *err);
int ledger_purge_later(struct ledger *l, const struct ledger_object *o, int64_t now_ms,
                       struct ct_err *err);

/**
 * ledger_idle_after(l, user_id, now_ms, after, ret, err), ledger_idle_forget(l, o, err):
 * The next reservation after ${after} (zeroed: the first), of this user or (NULL) of all, whose URL
 * has expired: return 1, 0 at the end, -1.  Forget it, if it is not confirmed by now.
 */
int ledger_idle_after(struct ledger *l, const char *user_id, int64_t now_ms,
                      const struct ledger_object *after, struct ledger_object *ret,
                      struct ct_err *err);
int ledger_idle_forget(struct ledger *l, const struct ledger_object *o, struct ct_err *err);

/**
 * ledger_knows(l, user_id, session_id, version):
 * Return 1 if there is such a version in any state, 0 if not, -1 if that can't be told.
 */
int ledger_knows(struct ledger *l, const char *user_id, const char *session_id, int64_t version);

/**
 * ledger_confirmed_after(l, after, ret, err):
 * The next version whose object has to be there, confirmed or in the trash, in the order of keys
 * after ${after} (zeroed: the first), for walking through all of them without holding anything.
 * Return 1, 0 at the end, -1.
 */
int ledger_confirmed_after(struct ledger *l, const struct ledger_object *after,
                           struct ledger_object *ret, struct ct_err *err);

/* ---- what was lost -------------------------------------------------------------------------- */

/* An object that no version knows, and what it says of itself. */
struct ledger_adoption {
    struct ledger_object o;
    int64_t modified_ms;
    const char *cwd, *user_dir;
    const char *agent, *machine;  /* NULL: not said */
    struct json_object *metadata; /* of which is kept what clients know; NULL: nothing */
};

/**
 * ledger_adopt(l, a, err):
 * Make a version of it, as part of its session's line.  Its user has to be there.
 */
int ledger_adopt(struct ledger *l, const struct ledger_adoption *a, struct ct_err *err);

/**
 * ledger_user_is_there(l, id):
 * Return 1 if there is such a user, 0 if not, -1 if that can't be told.
 */
int ledger_user_is_there(struct ledger *l, const char *id);

/**
 * ledger_user_restore(l, id, u, err):
 * As ledger_user_add(), with an id that is given.  ERR_CONFLICT if the e-mail or the id is in use.
 */
int ledger_user_restore(struct ledger *l, const char *id, const struct ledger_new_user *u,
                        struct ct_err *err);

/**
 * ledger_clock(l, now_ms, ret_seen_ms, err):
 * Note that it is ${now_ms}, and tell what was noted before; 0: nothing.
 */
int ledger_clock(struct ledger *l, int64_t now_ms, int64_t *ret_seen_ms, struct ct_err *err);

/**
 * ledger_hold_purges(l, hold), ledger_purges_are_held(l):
 * From now on nothing (or, with 0, again what is due) is to be purged, in this process.
 */
void ledger_hold_purges(struct ledger *l, int hold);
int ledger_purges_are_held(struct ledger *l);

/* ---- traces -------------------------------------------------------------------------------- */

/* Of all users together. */
struct ledger_totals {
    int64_t users, disabled, sessions;
    int64_t due_ms; /* when the first thing that is to be purged is due; 0: nothing is */
};

/**
 * ledger_totals(l, ret, each, arg, err):
 * Count what there is; ${each} gets each state of versions.
 */
int ledger_totals(struct ledger *l, struct ledger_totals *ret,
                  void (*each)(void *arg, const char *state, int64_t n, int64_t bytes), void *arg,
                  struct ct_err *err);

/**
 * ledger_audit(l, e, err):
 * Write it down.  The database itself keeps the rows from being changed, and for 400 days from
 * being removed.  Log-ins, new passwords and ends of all log-ins beyond a thousand of a user in an
 * hour are counted only; and what can't be written now and is no part of an act.
 *
 * ledger_audit_floods(l, err):
 * Write down what was counted: how many, and the last; closing does so too.
 */
int ledger_audit(struct ledger *l, const struct ledger_event *e, struct ct_err *err);
int ledger_audit_floods(struct ledger *l, struct ct_err *err);

/**
 * ledger_act(l, err), ledger_acted(l, rc, e, err):
 * Around calls of this file that belong together: all of them, and ${e} (may be NULL) in the audit
 * table, are one transaction of this thread, which is undone if ${rc} is not 0.  What ${e} points
 * to may have become known in between.  Return 0, ${rc}, or -1.  Acts don't nest, and nothing in
 * one may wait for anything else.
 */
int ledger_act(struct ledger *l, struct ct_err *err);
int ledger_acted(struct ledger *l, int rc, const struct ledger_event *e, struct ct_err *err);

/**
 * ledger_audit_each(l, since_ms, each, arg, err):
 * Call ${each} for what was written down since then, in the order of that.
 */
int ledger_audit_each(struct ledger *l, int64_t since_ms,
                      void (*each)(void *arg, const struct ledger_event *e), void *arg,
                      struct ct_err *err);

/**
 * ledger_audit_forget(l, now_ms, err):
 * Remove what is older than 400 days.
 */
int ledger_audit_forget(struct ledger *l, int64_t now_ms, struct ct_err *err);

#endif

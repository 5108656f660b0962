#ifndef SERVER_LEDGER_LEDGER_IMPL_H
#define SERVER_LEDGER_LEDGER_IMPL_H

#include <pthread.h>
#include <stdatomic.h>

#include "common/base/hash.h"

#include "server/ledger/ledger.h"
#include "server/sql/sql.h"

/* What the ledger_*.c share; nobody else includes it. */

#define LEDGER_RESERVATION_MS (24LL * 3600 * 1000)
#define LEDGER_TRASH_MS (30LL * 24 * 3600 * 1000)
#define LEDGER_DROPPED_MS (10LL * 60 * 1000) /* longer than a presigned URL lives */
#define LEDGER_PASSING_MS (24LL * 3600 * 1000)
#define LEDGER_SHARING_MS (60LL * 60 * 1000) /* for a share whose object never comes */
#define LEDGER_IDLE_MS (10LL * 60 * 1000)    /* nobody can begin a PUT for a reservation any more */
/* What was let go since then makes no room for an upload. */
#define LEDGER_KEPT_MS (7LL * 24 * 3600 * 1000)
#define LEDGER_PASSING_KEPT_MS (3600LL * 1000)

/* Why a version is in the trash.  All but the passing ones stay there for LEDGER_TRASH_MS. */
#define LEDGER_DELETED "deleted"
#define LEDGER_ROTATED "rotated"
#define LEDGER_AMENDED "amended" /* the oldest of those that were amended within an hour */
#define LEDGER_PASSING "passing" /* the others of that hour: for LEDGER_PASSING_MS */
#define LEDGER_FAILED "failed"   /* its object is not what was promised */
#define LEDGER_UNPROVEN \
    "unproven" /* from before the account's address was proved: perhaps somebody else's */
#define LEDGER_LAPSED "lapsed" /* never confirmed, and yet there is an object */

#define LEDGER_AUDIT_MS (400LL * 24 * 3600 * 1000)

#define LEDGER_MAX_TOKENS 200
#define LEDGER_DEFAULT_AGENT "claude-code" /* what a client that names none is */
#define LEDGER_MAX_HEADS 50        /* of a session: beyond it a token without any adds one */
#define LEDGER_MAX_HEADS_OF_ONE 25 /* token */
#define LEDGER_MAX_HEADS_AT_ALL 250
#define LEDGER_MAX_PINS 20

/* Every change that the database's tables went through, in order; what was released stays. */
extern const char *const ledger_schema[];
extern const int ledger_schema_n;

struct ledger {
    struct sql *db;
    struct uses *uses; /* of tokens, not written down yet */
    struct floods *floods;
    _Atomic int holds_purges;
    _Atomic int64_t max_token_ms;     /* 0: tokens live as long as they say */
    _Atomic int64_t max_signed_in_ms; /* 0: who signed in elsewhere once need not do so again */
    pthread_key_t acting;             /* is the thread between ledger_act() and ledger_acted()? */
};

/**
 * ledger_lock(l), ledger_unlock(l):
 * Around everything that reads l->db outside of a transaction.
 */
void ledger_lock(struct ledger *l);
void ledger_unlock(struct ledger *l);

/**
 * ledger_begin(l, err), ledger_end(l, rc, err):
 * Begin a transaction; commit it if ${rc} is 0, else roll it back.  Return 0 or -1.  Not while
 * ledger_lock() is held.  In an act (ledger_act()) these four leave all to that.
 */
int ledger_begin(struct ledger *l, struct ct_err *err);
int ledger_end(struct ledger *l, int rc, struct ct_err *err);

/**
 * ledger_fail(err, code, reason, sentence):
 * Fill ${err} with the wire's ${reason} too.  Return -1.
 */
int ledger_fail(struct ct_err *err, enum err_code code, const char *reason, const char *sentence);

/**
 * ledger_null(s), ledger_when(ms):
 * ${s}, or NULL if it is empty; ${ms} as a JSON string in RFC 3339, or null for 0.
 */
const char *ledger_null(const char *s);
struct json_object *ledger_when(int64_t ms);

/**
 * ledger_copy(to, from, size):
 * Copy a string that is known to fit.
 */
void ledger_copy(char *to, const char *from, size_t size);

/**
 * ledger_audit_add(l, e, err):
 * In a transaction: a row of the audit table.
 */
int ledger_audit_add(struct ledger *l, const struct ledger_event *e, struct ct_err *err);

/**
 * ledger_insert_user(l, u, id, err):
 * In a transaction: ledger_user_add() with an id that was made before.
 */
int ledger_insert_user(struct ledger *l, const struct ledger_new_user *u, const char *id,
                       struct ct_err *err);

/**
 * ledger_remove_user(l, email, now_ms, purge_ms, may_return, err):
 * As ledger_user_delete(), within a transaction; without ${may_return} nobody comes back to it.
 */
int ledger_remove_user(struct ledger *l, const char *email, int64_t now_ms, int64_t purge_ms,
                       int may_return, struct ct_err *err);

/**
 * ledger_was_removed(l, issuer, subject, email, err):
 * Did the operator remove an account of that sign-in (NULL: none is asked for), or (NULL: any) of
 * that e-mail?  1, 0, or -1 on error.
 *
 * ledger_refuse_removed(err):
 * Say so.  Return -1.
 */
int ledger_was_removed(struct ledger *l, const char *issuer, const char *subject, const char *email,
                       struct ct_err *err);
int ledger_refuse_removed(struct ct_err *err);

/**
 * ledger_hash_email(l, email, ret, err):
 * What is kept of the e-mail of an account that is gone: a hash, keyed in this database.
 */
struct ledger_hash {
    char hex[2 * HASH_SHA256_BYTES + 1];
};
int ledger_hash_email(struct ledger *l, const char *email, struct ledger_hash *ret,
                      struct ct_err *err);

/**
 * ledger_forget_former(l, now_ms, err):
 * In a transaction: nobody gets an account's id back whose objects have gone.
 */
int ledger_forget_former(struct ledger *l, int64_t now_ms, struct ct_err *err);

/**
 * ledger_check_quota(l, user_id, limits, err):
 * In a transaction, after what comes was counted: ERR_REFUSED, quota, if it is too much for this
 * user, ERR_NOSPACE if it is for all of them.
 */
int ledger_check_quota(struct ledger *l, const char *user_id, const struct ledger_limits *limits,
                       struct ct_err *err);

/**
 * ledger_end_shares(l, user_id, session_id, now_ms, err):
 * In a transaction: whatever this user shares of the session, or at all (NULL), ends.
 */
int ledger_end_shares(struct ledger *l, const char *user_id, const char *session_id, int64_t now_ms,
                      struct ct_err *err);

/**
 * ledger_see_device(l, who, machine, now_ms, id, err):
 * In a transaction: the device of ${who}, made if need be; by the name of its ${machine} (may be
 * NULL) if ${who} came by a log-in.
 */
int ledger_see_device(struct ledger *l, const struct ledger_who *who, const char *machine,
                      int64_t now_ms, char id[UUID_SIZE], struct ct_err *err);

/**
 * ledger_add_device(l, user_id, source, name, now_ms, id, err):
 * In a transaction: the device of this source, made if need be; its name is ${name} from now on.
 * Those that have no token make room, the one not seen for longest first.
 */
int ledger_add_device(struct ledger *l, const char *user_id, const char *source, const char *name,
                      int64_t now_ms, char id[UUID_SIZE], struct ct_err *err);

/**
 * ledger_refresh(l, user_id, session_id, current, device_id, now_ms, err):
 * After versions came or went, in a transaction: make ${current} the session's current version; 0:
 * the one that is, if it still is a head, else the newest head.  Without any the session becomes a
 * tombstone that says which device did it (NULL: none).
 */
int ledger_refresh(struct ledger *l, const char *user_id, const char *session_id, int64_t current,
                   const char *device_id, int64_t now_ms, struct ct_err *err);

/*
 * Heads, in a transaction, of one session.  A version builds on what ledger_heads_build() was told,
 * and on what those build on.
 */

/**
 * ledger_heads_bases(l, user_id, session_id, version, bases, ret, err):
 * What of ${bases}, as a request for ${version} has them, is true: the numbers, as JSON, which the
 * caller frees.  One with a checksum that is not that version's names another database's version.
 */
int ledger_heads_bases(struct ledger *l, const char *user_id, const char *session_id,
                       int64_t version, struct json_object *bases, char **ret, struct ct_err *err);

/**
 * ledger_heads_build_on(l, user_id, session_id, version, err),
 * ledger_heads_build(l, user_id, session_id, version, device_id, err):
 * ${version} was reserved: it builds on the bases that its row has; on the newest version of its
 * device.
 */
int ledger_heads_build_on(struct ledger *l, const char *user_id, const char *session_id,
                          int64_t version, struct ct_err *err);
int ledger_heads_build(struct ledger *l, const char *user_id, const char *session_id,
                       int64_t version, const char *device_id, struct ct_err *err);

/**
 * ledger_heads_check(l, who, session_id, version, err):
 * May the reserved ${version} become a head?  Always if it contains one; ERR_REFUSED,
 * too_many_heads.
 */
int ledger_heads_check(struct ledger *l, const struct ledger_who *who, const char *session_id,
                       int64_t version, struct ct_err *err);

/**
 * ledger_heads_elsewhere(l, user_id, session_id, version, device_id, after, err):
 * The newest head that ${version} does not contain, is not ${device_id}'s, and is newer than
 * ${after}; 0 if there is none, -1 on error.
 */
int64_t ledger_heads_elsewhere(struct ledger *l, const char *user_id, const char *session_id,
                               int64_t version, const char *device_id, int64_t after,
                               struct ct_err *err);

/**
 * ledger_heads_join(l, user_id, session_id, version, device_id, has_bases, ret_is_current, err):
 * ${version} was just confirmed: what it contains is no head any more, it is one, and
 * ${ret_is_current} says whether it is the session's current one from now on.
 */
int ledger_heads_join(struct ledger *l, const char *user_id, const char *session_id,
                      int64_t version, const char *device_id, int has_bases, int *ret_is_current,
                      struct ct_err *err);

/**
 * ledger_heads_leave(l, user_id, session_id, version, err),
 * ledger_heads_return(l, user_id, session_id, version, err):
 * ${version} went into the trash, or came out of it: what only it contained are heads again, or are
 * not any more.
 */
int ledger_heads_leave(struct ledger *l, const char *user_id, const char *session_id,
                       int64_t version, struct ct_err *err);
int ledger_heads_return(struct ledger *l, const char *user_id, const char *session_id,
                        int64_t version, struct ct_err *err);

/**
 * ledger_heads_forget(l, user_id, session_id, version, err):
 * ${version} will never come back: take it out of the lines that lead through it.
 */
int ledger_heads_forget(struct ledger *l, const char *user_id, const char *session_id,
                        int64_t version, struct ct_err *err);

/*
 * Behind "versions v": read those only.  SQLite would rather read all of a session's versions, for
 * it can't know that there are many.  The query has to say is_head = 1, or state = 'confirmed' (and
 * pinned = 1), or state = 'reserved' all the same.
 */
#define BY_HEADS " INDEXED BY versions_heads "
#define BY_PINNED " INDEXED BY versions_pinned "
#define BY_CONFIRMED " INDEXED BY versions_confirmed "
#define BY_RESERVED " INDEXED BY versions_reserved "

/* The columns of a version as the wire has it: of versions v, descriptions d, devices dv. */
#define LEDGER_ITEM_COLUMNS \
    "v.version, v.size_bytes, v.checksum, v.confirmed_ms, v.pinned, v.device_id, dv.name," \
    " v.machine, v.bases, v.is_head, d.metadata"
#define LEDGER_ITEM_N 11
#define LEDGER_ITEM_JOINS \
    " JOIN descriptions d ON d.user_id = v.user_id AND d.session_id = v.session_id" \
    " AND d.version = v.version LEFT JOIN devices dv ON dv.id = v.device_id"

/*
 * What one answer may take.  A list ends sooner when that is used up; and what has to be told all
 * the same is told without its metadata.
 */
#define LEDGER_ANSWER_BYTES (512 * 1024)

/**
 * ledger_item(st, who, left):
 * A row of these as an object of the wire; the caller's.  ${left} bytes may be used; what it takes
 * is subtracted.
 */
struct json_object *ledger_item(struct sql_rows *st, const struct ledger_who *who, int64_t *left);

/**
 * ledger_known_metadata(metadata):
 * What of an upload's metadata is kept: members that clients know, of a decent size.  As JSON,
 * which the caller frees; NULL for NULL.
 */
char *ledger_known_metadata(struct json_object *metadata);

/* The columns of a session: of these, and sessions s.  The last: has it more than one to show? */
#define LEDGER_SESSION_COLUMNS \
    LEDGER_ITEM_COLUMNS \
    ", s.session_id, d.label, d.cwd, d.user_dir, d.tags, s.version_count, s.changed," \
    " EXISTS (SELECT 1 FROM versions b" BY_HEADS "WHERE b.user_id = s.user_id" \
    "  AND b.session_id = s.session_id AND b.is_head = 1 AND b.version <> s.current_version)" \
    " OR EXISTS (SELECT 1 FROM versions b" BY_PINNED "WHERE b.user_id = s.user_id" \
    "  AND b.session_id = s.session_id AND b.pinned = 1 AND b.state = 'confirmed'" \
    "  AND b.version <> s.current_version)"

/**
 * ledger_session_items(l, who, st, rows, ret_changed, ret_cut, err):
 * Add a query's rows of these to ${rows}, as many as one answer may have, and end it.
 * ${ret_changed} is the last one's change, ${ret_cut} whether there were more.
 */
int ledger_session_items(struct ledger *l, const struct ledger_who *who, struct sql_rows *st,
                         struct json_object *rows, int64_t *ret_changed, int *ret_cut,
                         struct ct_err *err);

/**
 * ledger_set_cursor(o, cursor):
 * Give the answer ${o} its cursor.
 */
void ledger_set_cursor(struct json_object *o, int64_t cursor);

/* Every head of session ?2 that the reserved version ?3 does not contain. */
extern const char ledger_beside_reserved[];

/**
 * ledger_stored(st, column), ledger_set_text(o, key, st, column):
 * JSON that was checked when it came in, to pass on (jdoc_new_raw()); a text, or null.
 */
struct json_object *ledger_stored(struct sql_rows *st, int column);
void ledger_set_text(struct json_object *o, const char *key, struct sql_rows *st, int column);

/**
 * ledger_amended(l, user_id, session_id, version, now_ms, err):
 * Which version would go for ${version}, as long as that is not a head yet: the one that it amends,
 * if that is a head of the same device, a base of ${version}, young, and not pinned.  0: none, -1
 * on error.
 */
int64_t ledger_amended(struct ledger *l, const char *user_id, const char *session_id,
                       int64_t version, int64_t now_ms, struct ct_err *err);

/**
 * ledger_rotate(l, user_id, session_id, version, amended, keep, now_ms, err):
 * ${version} was just confirmed, in this transaction: ${amended} (0: nothing) and what is beyond
 * the newest ${keep} go into the trash.  Heads and what is pinned stay.  It costs what it drops.
 */
int ledger_rotate(struct ledger *l, const char *user_id, const char *session_id, int64_t version,
                  int64_t amended, int keep, int64_t now_ms, struct ct_err *err);

#endif

#ifndef DAEMON_ACCOUNT_CLOUD_H
#define DAEMON_ACCOUNT_CLOUD_H

#include <stdint.h>

#include "common/base/err.h"
#include "common/base/hash.h"

/*
 * What the server has already, as its list says.
 */
struct daemon;
struct map;
struct queue_item;
struct cloud;

struct cloud *cloud_new(struct daemon *d);
void cloud_free(struct cloud *c);

/**
 * cloud_refresh(c), cloud_forget(c):
 * Ask the server what sessions it has, unless that is being asked; the account is closed: forget
 * it.  The first answer, or that there is none, goes to login_view_listed().
 */
void cloud_refresh(struct cloud *c);
void cloud_forget(struct cloud *c);

/**
 * cloud_look(c, max_age_ms, is_patient, done, arg), cloud_unlook(c, arg):
 * Unless it is known what the server had ${max_age_ms} ago: ask what changed since.  ${done} (may
 * be NULL) is called within a second, or (${is_patient}) once the server has answered or can't be
 * reached; or from within this call.  Not ${is_fresh}: the server could not be asked, or has not
 * answered yet.  Whoever looks with ${arg} does not want to know any more.
 */
void cloud_look(struct cloud *c, int64_t max_age_ms, int is_patient,
                void (*done)(void *arg, int is_fresh), void *arg);
void cloud_unlook(struct cloud *c, const void *arg);

/**
 * cloud_contact(c, is_lost):
 * The server could not be reached, or an upload came through: the list may want to be read again.
 */
void cloud_contact(struct cloud *c, int is_lost);

/**
 * cloud_failures(c, ret_err), cloud_try_now(c):
 * Return how often in a row the server could not be asked; try again without waiting longer.
 */
int cloud_failures(const struct cloud *c, const struct ct_err **ret_err);

/**
 * cloud_is_in_the_way(c, ret_err):
 * Return whether uploads wait for what the server has, because it could not be asked; why, then.
 */
int cloud_is_in_the_way(const struct cloud *c, const struct ct_err **ret_err);
void cloud_try_now(struct cloud *c);

/**
 * cloud_consider(c, session_id):
 * The session's bundle is queued and no version of it is recorded as confirmed.  If the server may
 * have the session all the same (the record was lost), have it asked before anything is uploaded.
 */
void cloud_consider(struct cloud *c, const char *session_id);

/**
 * cloud_is_known(c):
 * Return whether all of the list was read since the books were opened.
 */
int cloud_is_known(const struct cloud *c);

/**
 * cloud_in_clear(c, ret_late, ret_which):
 * Return how many sessions of the list are there in clear and not in the books.  ${ret_late}: how
 * many sessions were uploaded in clear since this device seals; ${ret_which} names one of them and
 * its machine, as the server tells it: escape it.
 */
int64_t cloud_in_clear(const struct cloud *c, int64_t *ret_late, const char **ret_which);

/**
 * cloud_has(c, session_id):
 * Return 1 if the server listed the session although no version of it is recorded here, 0 if it did
 * not, -1 if that is not known.
 */
int cloud_has(const struct cloud *c, const char *session_id);

/**
 * cloud_confirmed(c, item, version, err), cloud_adopted(c, session_id, is_told):
 * ${version} of ${item} was recorded as confirmed; inside that transaction: note what is elsewhere.
 * The session is what a pull installed; ${is_told}: that version was heard of before.
 */
int cloud_confirmed(struct cloud *c, const struct queue_item *item, int64_t version,
                    struct ct_err *err);
void cloud_adopted(struct cloud *c, const char *session_id, int is_told);

/**
 * cloud_is_doubtful(c, session_id):
 * Return whether the server is being asked if it has the version that a pull installed: the record
 * of that may be older than what happened to the server.
 */
int cloud_is_doubtful(const struct cloud *c, const char *session_id);

/**
 * cloud_passed(c, item):
 * ${item} was not uploaded, for the server has more: what the list said before that is old.
 */
void cloud_passed(struct cloud *c, const struct queue_item *item);

/**
 * cloud_own_version(c, item, ret_sha256):
 * Return the newest version that the list names as this very device's, of a session of which
 * nothing is recorded here (the books were lost), and the digest of its object; 0: none, or the
 * server doesn't say.
 */
int64_t cloud_own_version(const struct cloud *c, const struct queue_item *item,
                          char ret_sha256[HASH_SHA256_HEX]);

/**
 * cloud_generation(c, wire_id):
 * Return the generation of the sealed session in the list, if no version of it is recorded here; 0
 * if it is not known.
 */
int64_t cloud_generation(const struct cloud *c, const char *wire_id);

/**
 * cloud_rollbacks(c):
 * Return the sessions (their real ids) of which the list has less than was seen before, and of
 * which the books say nothing, for they are not on this machine.  Borrowed.
 */
const struct map *cloud_rollbacks(const struct cloud *c);

/**
 * cloud_unreadable(c, ret_why):
 * Return how many sealed sessions of the list could not be opened, and why not (the last).
 */
int64_t cloud_unreadable(const struct cloud *c, const char **ret_why);

#endif

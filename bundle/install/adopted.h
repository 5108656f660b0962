#ifndef BUNDLE_INSTALL_ADOPTED_H
#define BUNDLE_INSTALL_ADOPTED_H

#include <stdint.h>

#include <json-c/json.h>

#include "common/base/err.h"
#include "common/base/hash.h"
#include "common/base/strlist.h"
#include "common/config/keyring.h"
#include "common/base/uuid.h"

/*
 * What a pull leaves for the daemon: "what I have installed of this session is version N, with
 * other paths".  A daemon that finds just that content has nothing to upload.  Of a merge it says
 * which versions are in it, and what is uploaded builds on them, as long as the transcript begins
 * with what was merged.  If nothing was installed, for what is here holds all of that version, it
 * says just that of the transcript as it is here.  One small file for each session in adopted/ in
 * the folder of the account (account_dir()), written before the session changes, so that there is
 * no moment in which the daemon could miss it.
 */
#define ADOPTED_ALSO_MAX 32

struct adopted_version {
    int64_t version;
    char sha256[HASH_SHA256_HEX]; /* of its bundle in the cloud */
};

struct adopted {
    char session_id[UUID_SIZE];
    int64_t version;
    char content_id[HASH_SHA256_HEX]; /* of the session as it was installed; zeros: of what was
                                         merged, which is no version yet */
    char sha256[HASH_SHA256_HEX];     /* of the bundle in the cloud */
    int64_t size_bytes;               /* of that bundle */
    int64_t transcript_bytes;         /* of the transcript as it was installed, or as it is here */
    char transcript_digest[HASH_SHA256_HEX];
    int is_here;     /* what is here was left alone: it holds all of ${version} already */
    int is_loopback; /* the bundle lies on this machine */
    int is_thinner;  /* something that is in the bundle's records is not here */
    int is_instead;  /* it took the place of what was here before, which is not in it */

    /* Other versions of the same kind that are in what was installed, or is here. */
    struct adopted_version also[ADOPTED_ALSO_MAX];
    size_t n_also;

    /* Of a sealed version; "", "" and 0 of one in clear, and in records of older builds. */
    char wire_id[UUID_SIZE]; /* the opaque id under which the server knows it */
    char key_id[KEY_ID_HEX];
    int64_t generation;
};

/**
 * adopted_is_merged(a):
 * Return whether what is here holds ${a}->version and perhaps more: it is no version itself.
 */
int adopted_is_merged(const struct adopted *a);

/**
 * adopted_add(a, version, sha256):
 * That version is in what ${a} speaks of, too; what is more than ADOPTED_ALSO_MAX is left out.
 */
void adopted_add(struct adopted *a, int64_t version, const char *sha256);

/**
 * adopted_merge(a, before):
 * What ${before} speaks of is in what ${a} does, too: note its versions; but of which not all is
 * here stays a head.
 */
void adopted_merge(struct adopted *a, const struct adopted *before);

/**
 * adopted_json(a):
 * Return all versions that it speaks of as an array of {"version","sha256"}, which the caller puts.
 */
struct json_object *adopted_json(const struct adopted *a);

/**
 * adopted_measure(a, fd):
 * Note that ${a} speaks of the transcript open as ${fd}, all of it.
 */
void adopted_measure(struct adopted *a, int fd);

/**
 * adopted_fits(a, fd):
 * Return whether the transcript open as ${fd} begins with the one that ${a} speaks of.
 */
int adopted_fits(const struct adopted *a, int fd);

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
 * adopted_each(account_dir, f, arg):
 * Call ${f} with the session's id of each record there is, whether it makes sense or not.
 */
void adopted_each(const char *account_dir, void (*f)(void *arg, const char *session_id), void *arg);

/**
 * adopted_note_files(account_dir, session_id, names, is_more, err):
 * Before adopted_save(): what it speaks of has these files too, below the data folder; ${is_more}:
 * and those that were noted before.
 */
int adopted_note_files(const char *account_dir, const char *session_id, const struct strlist *names,
                       int is_more, struct ct_err *err);

/**
 * adopted_lacks(account_dir, session_id, is_there, arg):
 * Return whether one of these files is not there: then what is here does not hold all that the
 * record speaks of.
 */
int adopted_lacks(const char *account_dir, const char *session_id,
                  int (*is_there)(void *arg, const char *name), void *arg);

/**
 * adopted_forget(account_dir, session_id):
 * Remove the record; none is fine.
 */
void adopted_forget(const char *account_dir, const char *session_id);

/**
 * adopted_note_deleted(account_dir, session_id, err), adopted_take_deleted(account_dir,
 * session_id): While no daemon runs: this machine deletes the session in the cloud, and it stays
 * here.  Return whether that was noted, and forget it.  Nobody but the user of this machine can
 * note it, unlike what a server says of who deleted something.
 */
int adopted_note_deleted(const char *account_dir, const char *session_id, struct ct_err *err);
int adopted_take_deleted(const char *account_dir, const char *session_id);

#endif

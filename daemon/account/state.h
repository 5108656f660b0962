#ifndef DAEMON_ACCOUNT_STATE_H
#define DAEMON_ACCOUNT_STATE_H

#include <stdint.h>

#include <json-c/json.h>

#include "common/base/buf.h"
#include "agents/agent.h"
#include "common/data/db.h"
#include "common/base/err.h"
#include "common/base/hash.h"
#include "common/config/keyring.h"
#include "common/base/uuid.h"

/*
 * What the daemon remembers of one account: the sessions that it has seen and how far each is safe,
 * and the size, time and inode that each of their files had when it was last bundled.
 */
struct state;

/* Why a session is not saved any more. */
enum state_excluded {
    STATE_NOT_EXCLUDED,
    STATE_EXCLUDED_ITSELF, /* deleted in the cloud from here, or told to stay here */
    STATE_EXCLUDED_FOLDER, /* it began in a folder whose sessions stay here */
    STATE_DELETED,         /* another device deleted it in the cloud; nothing changed here since */
    STATE_DELETED_CHANGED, /* ... and here it changed since: somebody has to say what is wanted */
};

/* Why a session is to be uploaded once more although its content is the same. */
enum state_renewed {
    STATE_NOT_RENEWED,
    STATE_RENEWED,       /* it was asked for, or what is there is in clear */
    STATE_RENEWED_BASES, /* the server is to learn that it contains what stands beside it */
    STATE_RENEWED_NAMES, /* ... or what people call it */
};

#define STATE_TAG_SIZE 17

#define STATE_PROFILE "//profile" /* the project of what belongs to no session */

struct state_session {
    char session_id[UUID_SIZE];
    char agent[AGENT_ID_SIZE]; /* whose it is (id of agents/agent.h), "" in what is new */
    char *root;                /* data folder that it lies in */
    char *project;             /* name of the project folder */
    struct json_object *meta;  /* all metadata, titles too: it stays on this machine; may be NULL */
    char *slug;                /* name of its plan, or "" */
    int64_t modified_ms;       /* newest file */
    int64_t raw_bytes;         /* of the last bundle, uncompressed */
    int64_t transcript_bytes;  /* of the last bundle */
    char transcript_digest[HASH_SHA256_HEX];
    int is_rewritten; /* a bundle since then did not go on where the one before it ended */
    int is_archived;  /* gone here, safe there */
    int is_excluded;  /* enum state_excluded */
    int revive;       /* asked for by name after it was deleted */
    char *deleted;    /* who deleted it and when, of STATE_DELETED_CHANGED; else of no meaning */

    /* The newest confirmed version; version 0: none yet.  ${is_within}: it is another device's,
     * which holds all of what is here and more. */
    int64_t version;
    int is_within;
    char content_id[HASH_SHA256_HEX];
    char sha256[HASH_SHA256_HEX];
    int64_t size_bytes;
    int64_t confirmed_ms;
    int is_loopback;                /* its store is on this machine */
    int64_t server_ms;              /* when it was confirmed, by the server's clock */
    char token_tag[STATE_TAG_SIZE]; /* says with which token, and not the token */

    /* A session in clear and the same session sealed are two sessions to a server, each with
     * versions of its own.  Which one ${version} and ${pin} are of: the opaque id, "" in clear. */
    char wire_id[UUID_SIZE];
    char key_id[KEY_ID_HEX]; /* what it was sealed with, "" in clear */
    int64_t generation;      /* the highest that was seen of it sealed, whichever version has it */
    int64_t rollback;        /* a lower one than that, which the server hands out now; 0: it does
                                not */
    int64_t clear_version;   /* the newest that is in the cloud in clear, or 0 */
    int is_renewed;          /* enum state_renewed: to be uploaded once more, as it is */

    int64_t pin; /* a fuller version that the next one is to keep beyond rotation, or 0 */

    /* A version from another device that this one does not contain, or 0. */
    int64_t elsewhere;
    char elsewhere_wire[UUID_SIZE]; /* in clear or sealed: as ${wire_id} */
    int is_apart;               /* it doesn't contain this one either: both went on, each alone */
    char *elsewhere_device;     /* whose it is, "": not known */
    int64_t elsewhere_messages; /* how many it has, -1: not known */
};

struct state_file {
    const char *root;
    const char *path;
    int64_t size_bytes;
    int64_t mtime_ns;
    uint64_t inode;
    int is_attachment; /* of its session alone, and not the transcript */
};

/**
 * state_open(path, ret, err):
 * Open or make the database ${path}.  After an end that was not clean it is checked whole.  A
 * damaged one is ERR_CORRUPT: see state_set_aside().
 */
int state_open(const char *path, struct state **ret, struct ct_err *err);

/**
 * state_set_aside(path, spool, ret_aside, err):
 * Give a damaged database, and the folder ${spool} that goes with it, other names; nothing is ever
 * removed.  ${ret_aside} gets the new name of the database (the caller frees it); that of the spool
 * is the same with ".spool".  A crash in the middle leaves nothing that would be taken for sound.
 */
int state_set_aside(const char *path, const char *spool, char **ret_aside, struct ct_err *err);

/**
 * state_close(s):
 * Close it; NULL is harmless.
 */
void state_close(struct state *s);

/**
 * state_db(s):
 * The handle, for rooms with tables of their own and for transactions.
 */
struct db *state_db(struct state *s);

/**
 * state_get(s, session_id, ret), state_get_bare(s, session_id, ret):
 * Fill in ${ret} and return 1, or return 0 if the session is not known (${ret} is empty then).
 * state_session_clear() frees what is in it.  The second leaves out the metadata, which take longer
 * than all else: for what is asked at each step of an upload.
 */
int state_get(struct state *s, const char *session_id, struct state_session *ret);
int state_get_bare(struct state *s, const char *session_id, struct state_session *ret);
void state_session_clear(struct state_session *ss);

/**
 * state_agent(s, session_id, ret):
 * Write the id of the agent whose the session is and return 1, or 0 if it is not known.
 */
int state_agent(struct state *s, const char *session_id, char ret[AGENT_ID_SIZE]);

/**
 * state_put(s, ss, err):
 * Insert or update all of ${ss} but the confirmed version, which only state_confirm() changes, and
 * what is elsewhere.
 */
int state_put(struct state *s, const struct state_session *ss, struct ct_err *err);

/* What is known of a version when it is confirmed. */
struct state_confirmed {
    int64_t version;
    const char *content_id;
    const char *sha256;
    int64_t size_bytes;
    int is_loopback;
    int is_pulled;           /* it was installed here: older versions elsewhere are in it */
    int is_within;           /* see struct state_session */
    int64_t goes_on_from;    /* an older version of this device or one that was pulled, or 0 */
    const char *base_sha256; /* of that version's object, "" or NULL: not known */
    int64_t pin;             /* the version that it was to keep beyond rotation, or 0 */
    int64_t wall_ms;         /* now */
    int64_t server_ms;       /* now, by the server's clock */
    const char *token_tag; /* says with which token, and not the token; "": it was there already */
    const char *wire_id;   /* in clear: this and the next NULL or "", and 0 */
    const char *key_id;
    int64_t generation;
};

/**
 * state_confirm(s, session_id, c, err):
 * The session is safe up to what the bundle holds.
 */
int state_confirm(struct state *s, const char *session_id, const struct state_confirmed *c,
                  struct ct_err *err);

/* What another device has that this one lacks; version 0: nothing. */
struct state_elsewhere {
    int64_t version;
    const char *wire_id; /* sealed as this, or in clear ("") */
    const char *device;  /* NULL: not known */
    int64_t messages;    /* -1: not known */
    int is_apart;        /* it was made without what is here */
};

/**
 * state_set_elsewhere(s, session_id, e, err):
 * The server has that version of the session, or none that is not contained here.
 */
int state_set_elsewhere(struct state *s, const char *session_id, const struct state_elsewhere *e,
                        struct ct_err *err);

/**
 * state_base(ss):
 * Return the confirmed version that what is here is or goes on from, or 0: only that is a base of
 * what is made of it.
 */
int64_t state_base(const struct state_session *ss);

/**
 * state_set_verified(s, session_id, mark, err), state_is_verified(s, session_id, mark):
 * The server has the confirmed version, though no head any more, below what it lists as ${mark}
 * says (beside_mark()); return whether that is known.
 */
int state_set_verified(struct state *s, const char *session_id, const char *mark,
                       struct ct_err *err);
int state_is_verified(struct state *s, const char *session_id, const char *mark);

/**
 * state_unconfirm(s, session_id, err):
 * The server has the confirmed version no more: there is none.
 */
int state_unconfirm(struct state *s, const char *session_id, struct ct_err *err);

/**
 * state_drop_contained(s, session_id, err):
 * It lost something: it contains nothing for sure.
 */
int state_drop_contained(struct state *s, const char *session_id, struct ct_err *err);

/**
 * state_contain(s, session_id, c, err), state_each_contained(s, session_id, wire_id, is_untold, f,
 * arg):
 * ${c} is being confirmed: remember what the session contains from now on, should the server lose
 * its newest versions; call ${f} for each, the newest first, or (${is_untold}) only for those that
 * no upload has named yet.
 */
int state_contain(struct state *s, const char *session_id, const struct state_confirmed *c,
                  struct ct_err *err);
void state_each_contained(struct state *s, const char *session_id, const char *wire_id,
                          int is_untold, void (*f)(void *arg, int64_t version, const char *sha256),
                          void *arg);

/**
 * state_note_contained(s, session_id, wire_id, version, sha256, is_untold, err):
 * That version of another device turned out to be contained in what is here, or (not ${is_untold})
 * was named by an upload: it is nothing that is elsewhere.
 */
int state_note_contained(struct state *s, const char *session_id, const char *wire_id,
                         int64_t version, const char *sha256, int is_untold, struct ct_err *err);

/**
 * state_is_contained(s, session_id, wire_id, version, sha256):
 * Return whether that version is known to be contained in what is here.
 */
int state_is_contained(struct state *s, const char *session_id, const char *wire_id,
                       int64_t version, const char *sha256);

/**
 * state_each_apart(s, f, arg):
 * Call ${f} for each session that went on here and on another device.
 */
void state_each_apart(struct state *s, void (*f)(void *arg, const struct state_session *ss),
                      void *arg);

/**
 * state_pin(s, session_id, err):
 * Have the next version keep the present one beyond rotation.
 */
int state_pin(struct state *s, const char *session_id, struct ct_err *err);

/**
 * state_set_archived(s, session_id, wall_ms, err), state_set_excluded(s, session_id, why, revive,
 * err):
 * It is gone here, since ${wall_ms}; change one thing (${why} is an enum state_excluded).
 */
int state_set_archived(struct state *s, const char *session_id, int64_t wall_ms,
                       struct ct_err *err);
int state_set_excluded(struct state *s, const char *session_id, int why, int revive,
                       struct ct_err *err);

/**
 * state_is_deleted(ss):
 * Return whether another device deleted it in the cloud, changed here or not.
 */
int state_is_deleted(const struct state_session *ss);

/**
 * state_set_deleted(s, session_id, why, err), state_each_deleted(s, f, arg):
 * It is STATE_DELETED_CHANGED, and ${why} says who deleted it and when; call ${f} for each of that
 * kind.
 */
int state_set_deleted(struct state *s, const char *session_id, const char *why, struct ct_err *err);
void state_each_deleted(struct state *s,
                        void (*f)(void *arg, const char *session_id, const char *why), void *arg);

/**
 * state_each_confirmed(s, f, arg):
 * Call ${f} for each session that has a confirmed version and is not excluded; ${wire_id} as in
 * struct state_session.
 */
void state_each_confirmed(struct state *s,
                          void (*f)(void *arg, const char *session_id, const char *wire_id),
                          void *arg);

/**
 * state_is_excluded(s, session_id), state_has_excluded(s, why):
 * Return whether the session is known and excluded; whether any is for that reason.
 */
int state_is_excluded(struct state *s, const char *session_id);
int state_has_excluded(struct state *s, enum state_excluded why);

/**
 * state_is_revived(s, session_id):
 * Return whether somebody asked for the session by name after it was deleted, and it is not
 * confirmed since.
 */
int state_is_revived(struct state *s, const char *session_id);

/**
 * state_forget(s, session_id, err):
 * Forget a session of which no version was ever confirmed.
 */
int state_forget(struct state *s, const char *session_id, struct ct_err *err);

/**
 * state_next_archived(s, before_ms, ret), state_archive_tidied(s, session_id, err):
 * Write the id of a session that is gone here since before ${before_ms} and was not tidied up
 * after; return 1, or 0 if there is none.  Remember that it was.
 */
int state_next_archived(struct state *s, int64_t before_ms, char ret[UUID_SIZE]);
int state_archive_tidied(struct state *s, const char *session_id, struct ct_err *err);

/**
 * state_put_file(s, session_id, f, err), state_drop_files(s, session_id, err):
 * Record one file of a session; forget all of its files.
 */
int state_put_file(struct state *s, const char *session_id, const struct state_file *f,
                   struct ct_err *err);
int state_drop_files(struct state *s, const char *session_id, struct ct_err *err);

/**
 * state_outdate_files(s, session_id, err):
 * Keep the session's files on record, but so that each looks changed at the next scan.
 */
int state_outdate_files(struct state *s, const char *session_id, struct ct_err *err);

/**
 * state_file(s, root, path, ret_size_bytes, ret_mtime_ns, ret_inode):
 * Return 1 and what is recorded of a file, or 0.
 */
int state_file(struct state *s, const char *root, const char *path, int64_t *ret_size_bytes,
               int64_t *ret_mtime_ns, uint64_t *ret_inode);

/**
 * state_each_file(s, root, f, arg):
 * Call ${f} for each file recorded below ${root}.
 */
void state_each_file(struct state *s, const char *root,
                     void (*f)(void *arg, const char *session_id, const char *path), void *arg);

/**
 * state_each_claimed(s, root, f, arg):
 * Call ${f} for each plan and each file of project memory below ${root} that a session which is
 * saved has bundled.
 */
void state_each_claimed(struct state *s, const char *root,
                        void (*f)(void *arg, const char *session_id, const char *path), void *arg);

/**
 * state_each_excluded_project(s, f, arg):
 * Call ${f} for each project folder that holds a session which stays here, for whatever reason.
 */
void state_each_excluded_project(struct state *s, void (*f)(void *arg, const char *project),
                                 void *arg);

/**
 * state_each_old(s, root, mtime_ns, f, arg):
 * Call ${f} for each file below ${root}, no attachment, that was last written before ${mtime_ns}.
 */
void state_each_old(struct state *s, const char *root, int64_t mtime_ns,
                    void (*f)(void *arg, const char *session_id, const char *path,
                              int64_t mtime_ns),
                    void *arg);

/**
 * state_each_attachment(s, session_id, f, arg):
 * Call ${f} for each attachment recorded for the session.
 */
void state_each_attachment(struct state *s, const char *session_id,
                           void (*f)(void *arg, const char *path, int64_t size_bytes), void *arg);

/**
 * state_each(s, project, offset, limit, f, arg):
 * Call ${f} for sessions, newest first, leaving out ${offset} and stopping after ${limit}; only
 * those whose project folder or project name is ${project}, unless it is NULL.
 */
void state_each(struct state *s, const char *project, int64_t offset, int64_t limit,
                void (*f)(void *arg, const struct state_session *ss), void *arg);

/**
 * state_each_excluded(s, f, arg):
 * Call ${f} for each session that is not saved, for whatever reason.
 */
void state_each_excluded(struct state *s, void (*f)(void *arg, const struct state_session *ss),
                         void *arg);

/**
 * state_newest_of_memory(s, root, project, ret):
 * Write the id of the most recent session that the memory in ${project} may belong to: of the
 * project, else one that has bundled some of it, else of the folders below it, as their names go.
 * Return 1, or 0 if there is none.
 */
int state_newest_of_memory(struct state *s, const char *root, const char *project,
                           char ret[UUID_SIZE]);

/**
 * state_by_slug(s, slug, f, arg):
 * Call ${f} for each session whose plan has that name.
 */
void state_by_slug(struct state *s, const char *slug, void (*f)(void *arg, const char *session_id),
                   void *arg);

/**
 * state_by_prefix(s, prefix, ret):
 * Look for the session ids that begin with ${prefix}; write the first one.  Return how many there
 * are, at most 2.
 */
int state_by_prefix(struct state *s, const char *prefix, char ret[UUID_SIZE]);

/**
 * state_each_prefixed(s, prefix, f, arg):
 * Call ${f} for each session whose id begins with ${prefix}.
 */
void state_each_prefixed(struct state *s, const char *prefix,
                         void (*f)(void *arg, const char *session_id), void *arg);

struct state_counts {
    int64_t known, safe, archived, excluded, rewritten, bytes, last_confirmed_ms, behind, diverged;
    int64_t deleted;         /* in the cloud, by another device */
    int64_t deleted_changed; /* ... of these, changed here since */
    int64_t sealed;          /* safe, and sealed */
    int64_t in_clear;        /* have a version in the cloud that is not */
    int64_t rollbacks;       /* of which the server hands out less than was seen */
};

/**
 * state_counts(s, ret):
 * Count; ${bytes} are uncompressed.
 */
void state_counts(struct state *s, struct state_counts *ret);

/* ---- state_seal.c: what is sealed ---------------------------------------------------------------
 */

/**
 * state_see_generation(s, session_id, generation, rollback, err):
 * ${generation} was seen of a sealed session; only a higher one than before is recorded.
 * ${rollback}: the lower one that the server hands out, or 0.
 */
int state_see_generation(struct state *s, const char *session_id, int64_t generation,
                         int64_t rollback, struct ct_err *err);

/**
 * state_any_sealed(s):
 * Return whether any confirmed version is sealed.
 */
int state_any_sealed(struct state *s);

/**
 * state_by_wire(s, wire_id, ret):
 * Write the id of the session that has a confirmed version under that id of the server's.  Return
 * 1, or 0 if there is none.
 */
int state_by_wire(struct state *s, const char *wire_id, char ret[UUID_SIZE]);

/**
 * state_set_clear(s, session_id, version, err):
 * The newest version that is in the cloud in clear is ${version}; 0: none is.
 */
int state_set_clear(struct state *s, const char *session_id, int64_t version, struct ct_err *err);

/**
 * state_renew(s, session_id, err):
 * Have the session uploaded once more, although its content may be the same; also after a restart.
 */
int state_renew(struct state *s, const char *session_id, struct ct_err *err);

/**
 * state_renew_bases(s, session_id, err):
 * Have the session uploaded once more for the sake of what it contains, which the server does not
 * know; not if something else turns up meanwhile that it lacks.
 */
int state_renew_bases(struct state *s, const char *session_id, struct ct_err *err);

/**
 * state_renew_names(s, session_id, err):
 * Have it uploaded once more, although it has no news.
 */
int state_renew_names(struct state *s, const char *session_id, struct ct_err *err);

/**
 * state_each_clear(s, f, arg), state_each_rollback(s, f, arg), state_each_to_seal(s, f, arg):
 * Call ${f} for each session of which a version is in the cloud in clear; for each of which the
 * server hands out less than was seen; for each that is here and safe in clear only, and was not
 * renewed yet.  ${is_here}: it is neither gone from this machine nor excluded.
 */
void state_each_to_seal(struct state *s, void (*f)(void *arg, const char *session_id, int is_here),
                        void *arg);
void state_each_clear(struct state *s, void (*f)(void *arg, const char *session_id, int is_here),
                      void *arg);
void state_each_rollback(struct state *s, void (*f)(void *arg, const char *session_id, int is_here),
                         void *arg);

/* ---- state_manifest.c: what versions held
 * --------------------------------------------------------
 */

/**
 * state_stored_manifest(s, ss, ret):
 * Append to ${ret} what the newest confirmed version of ${ss} held (bundle/pack/manifest.h). Return
 * 1, or 0 if that is not known.
 */
int state_stored_manifest(struct state *s, const struct state_session *ss, struct buf *ret);

/**
 * state_queue_manifest(s, session_id, content_id, contains, manifest, err):
 * Remember what the bundle that goes into the queue holds, and which version it contains (0: none).
 */
int state_queue_manifest(struct state *s, const char *session_id, const char *content_id,
                         int64_t contains, const struct buf *manifest, struct ct_err *err);

/**
 * state_store_manifest(s, session_id, content_id, version, err):
 * The bundle with that content was confirmed as ${version}.
 */
int state_store_manifest(struct state *s, const char *session_id, const char *content_id,
                         int64_t version, struct ct_err *err);

/**
 * state_forget_queued(s, session_id, err), state_is_unsaved(s, session_id):
 * What went into the queue last holds nothing that has to be saved; return whether it went in, and
 * neither was it confirmed since nor forgotten.
 */
int state_forget_queued(struct state *s, const char *session_id, struct ct_err *err);
int state_is_unsaved(struct state *s, const char *session_id);

/**
 * state_contains(s, session_id, content_id, version):
 * Return whether the bundle in the queue, which has that content, holds all that ${version} holds.
 */
int state_contains(struct state *s, const char *session_id, const char *content_id,
                   int64_t version);

/* ---- state_writer.c: who could have written memory ----------------------------------------------
 */

/**
 * state_put_writer(s, project, cwd, err), state_seed_writers(s), state_each_writer(s, f, arg):
 * A session in the project folder ${project} began in ${cwd} (either may be NULL: nothing is
 * recorded): remember that for good, for memory outlives the session; take all that is on record
 * already, once; call ${f} for each pair.
 */
int state_put_writer(struct state *s, const char *project, const char *cwd, struct ct_err *err);
void state_seed_writers(struct state *s);
void state_each_writer(struct state *s, void (*f)(void *arg, const char *project, const char *cwd),
                       void *arg);

/* ---- small texts --------------------------------------------------------------------------------
 */

/**
 * state_note(s, key, value, err), state_noted(s, key):
 * Keep a small text; return one (the caller frees it) or NULL.
 */
int state_note(struct state *s, const char *key, const char *value, struct ct_err *err);
char *state_noted(struct state *s, const char *key);

#endif

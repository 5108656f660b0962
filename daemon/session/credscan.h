#ifndef DAEMON_SESSION_CREDSCAN_H
#define DAEMON_SESSION_CREDSCAN_H

#include <json-c/json.h>

#include "bundle/pack/snapshot.h"
#include "daemon/daemon.h"

/*
 * scan_secrets: credentials in what leaves this machine are told of, and leave all the same.  The
 * books hold where they are (session, file, line, rule) and how far each file was looked at, never
 * what was found.
 */
struct credscan_job;

/**
 * credscan_configure(d, config, err), credscan_end(d):
 * Read the rules that ${config} names, if it asks for any; ERR_CONFIG leaves all as it was.  At the
 * end, give them up.
 */
int credscan_configure(struct daemon *d, const struct config *config, struct ct_err *err);
void credscan_end(struct daemon *d);

/**
 * credscan_open(db, err):
 * Make the tables in the database of books that are being opened.
 */
int credscan_open(struct db *db, struct ct_err *err);

/**
 * credscan_job_new(d, session_id):
 * On the loop: what the worker needs to know, or NULL if nothing is to be scanned.
 */
struct credscan_job *credscan_job_new(struct daemon *d, const char *session_id);
void credscan_job_free(struct credscan_job *j);

/**
 * credscan_run(j, s, is_rewritten, cancel):
 * On the worker: look at what is new in the snapshot that was just bundled.  What can't be read now
 * is looked at the next time.  NULL is harmless.
 */
void credscan_run(struct credscan_job *j, const struct snapshot *s, int is_rewritten,
                  const _Atomic int *cancel);

/**
 * credscan_record(d, session_id, j):
 * On the loop: into the books, and what is new into the log.  NULL is harmless.
 */
void credscan_record(struct daemon *d, const char *session_id, const struct credscan_job *j);

/**
 * credscan_forget(d, session_id):
 * The session was deleted or stays here from now on.
 */
void credscan_forget(struct daemon *d, const char *session_id);

/**
 * credscan_of(d, session_id), credscan_counts(d, ret_sessions):
 * What was found in a session: an array of {"rule","about","path","line"}, at most 200; how many
 * places there are in all sessions, and in how many.
 */
struct json_object *credscan_of(struct daemon *d, const char *session_id);
int64_t credscan_counts(struct daemon *d, int64_t *ret_sessions);

#endif

#ifndef BUNDLE_PACK_SNAPSHOT_H
#define BUNDLE_PACK_SNAPSHOT_H

#include <stdatomic.h>
#include <stdint.h>

#include <json-c/json.h>

#include "agents/agent.h"
#include "bundle/pack/guard.h"
#include "common/base/err.h"

/*
 * A frozen list of what belongs to one session: names, exact lengths, a transcript cut at its last
 * complete line.  Blocking; runs on the worker thread.
 */
struct snapshot;

struct snapshot_opts {
    const char *root;          /* absolute path of the data folder */
    const struct agent *agent; /* NULL: agent_unnamed() */
    const char *session_id;
    const char *project; /* that of the last bundle, or NULL: of several transcripts with this
                            id, which one counts does not change without need */
    const struct strlist *also;         /* all data folders, or NULL: what
                                           a session with this id has more in others goes along */
    const char *user_dir;               /* the home folder that goes into sourceUserDir */
    const _Atomic int *cancel;          /* becomes non-zero: stop with ERR_CANCELLED; may be NULL */
    const struct snapshot_guard *guard; /* borrowed as long as the snapshot is there; or NULL */
};

/* err->reason if the transcript is nothing that we read: only its owner can change that. */
#define SNAPSHOT_NOT_OURS "not_ours"

/**
 * snapshot_take(opts, ret, err):
 * List and freeze the session.  ERR_GONE if it has no transcript (any more); ERR_FAIL with
 * SNAPSHOT_NOT_OURS if the only one is nothing that we read (a symbolic link, a FIFO, another
 * user's file), or without if the one that counts lies in another data folder; ERR_RETRY if it
 * changed under our hands too often; ERR_NOSPACE and ERR_FAIL from the system.  The caller frees
 * it.
 */
int snapshot_take(const struct snapshot_opts *opts, struct snapshot **ret, struct ct_err *err);
void snapshot_free(struct snapshot *s);

/**
 * snapshot_take_profile(opts, profile, ret, err):
 * The same of what belongs to no session: it is packed as a session, with an empty transcript.
 * ERR_GONE if there is nothing.
 */
int snapshot_take_profile(const struct snapshot_opts *opts, const struct agent_profile *profile,
                          struct snapshot **ret, struct ct_err *err);

struct snapshot_file {
    const char *path;   /* relative to the root */
    int64_t size_bytes; /* as fstat(2) said, not cut */
    int64_t mtime_ns;
    uint64_t inode;
    int is_attachment; /* it is of this session and not its transcript: its absence is a loss.
                          (Not project memory.) */
    int is_as_stored;  /* pack_write() found it as it is in the version that is stored */
};

/**
 * snapshot_each_file(s, f, arg):
 * Call ${f} for every file of the data folder that was looked at (but not for the prompt history,
 * which is shared by all sessions), so that its state can be recorded.
 */
void snapshot_each_file(const struct snapshot *s,
                        void (*f)(void *arg, const struct snapshot_file *file), void *arg);

/**
 * snapshot_memory_may_be(s, ret):
 * Append the project folders in whose memory the session can write, as its transcript says.
 */
void snapshot_memory_may_be(const struct snapshot *s, struct strlist *ret);

/**
 * snapshot_each_memory(s, f, arg), snapshot_leave_out(s, folder, reason):
 * Call ${f} once for each folder of project memory that went in, with the name of its project
 * folder; leave out all that lies below ${folder} (relative to the root).
 */
void snapshot_each_memory(const struct snapshot *s, void (*f)(void *arg, const char *project),
                          void *arg);
void snapshot_leave_out(struct snapshot *s, const char *folder, const char *reason);

/**
 * snapshot_each_skipped(s, f, arg):
 * Call ${f} for every file that would belong to the session and was left out, with the reason
 * ("symbolic link", "not a regular file", "belongs to another user", "can't be read: ...").
 */
void snapshot_each_skipped(const struct snapshot *s,
                           void (*f)(void *arg, const char *path, const char *reason), void *arg);

/**
 * snapshot_project(s), snapshot_transcript_bytes(s):
 * Name of the project folder that holds the transcript; the transcript's length up to its last
 * newline.
 */
const char *snapshot_project(const struct snapshot *s);
int64_t snapshot_transcript_bytes(const struct snapshot *s);

/**
 * snapshot_each_duplicate(s, f, arg):
 * Call ${f} for each further transcript (path below the root) with the same session id, of which
 * all records are in the one that counts.
 */
void snapshot_each_duplicate(const struct snapshot *s, void (*f)(void *arg, const char *path),
                             void *arg);

/**
 * snapshot_each_other(s, f, arg):
 * Call ${f} for each that has more, with the number of records of conversation that the one that
 * counts lacks.  They are in the bundle, beside it.
 */
void snapshot_each_other(const struct snapshot *s,
                         void (*f)(void *arg, const char *path, size_t records), void *arg);

#endif

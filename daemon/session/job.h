#ifndef DAEMON_SESSION_JOB_H
#define DAEMON_SESSION_JOB_H

#include <stdatomic.h>

#include "bundle/install/adopted.h"
#include "bundle/pack/origin.h"
#include "bundle/pack/pack.h"
#include "bundle/pack/snapshot.h"
#include "common/base/strlist.h"
#include "daemon/daemon.h"
#include "daemon/account/sealing.h"

/*
 * Bundling one session on the worker: all that it needs, and all that it found.
 */
struct job_file {
    char *path;
    int64_t size_bytes;
    int64_t mtime_ns;
    uint64_t inode;
    int is_attachment;
    int is_as_stored; /* what the stored version holds, whenever it was written */
};

struct job {
    struct daemon *d;
    uint64_t generation; /* of the books that it is for */
    char session_id[UUID_SIZE];
    struct strlist roots, root_agents; /* as in the configuration */
    const struct agent *agent;         /* whose the session is: of j->root */
    char *spool_path;
    char *cache_dir;
    int64_t cache_bytes;
    int64_t spool_room_bytes;
    int64_t spool_used_bytes;
    int is_disk_short; /* the room is what the disk has, not what the spool may hold */
    char known_id[HASH_SHA256_HEX];
    int64_t previous_bytes;
    char previous_digest[HASH_SHA256_HEX];
    int profile_root;               /* the root whose profile it is (profile.h), or -1 */
    struct strlist claimed;         /* of a profile: plans and memory that sessions have */
    struct strlist withheld;        /* ... and the project folders of sessions that stay here */
    struct map *known;              /* ... and all sessions that are or were */
    int is_place_unknown;           /* ... and not all of these are known */
    char *last_root;                /* the data folder of the last bundle, or NULL */
    char last_agent[AGENT_ID_SIZE]; /* whose it was then, or "" */
    char *last_project;             /* where the transcript of the last bundle lay, or NULL */
    struct buf stored;              /* manifest of the newest version, if that is known ... */
    int64_t stored_version;         /* ... and its number, else 0 */
    struct adopted adopted;         /* what a pull installed; version 0: nothing (adopt.c) */
    char own_id[HASH_SHA256_HEX];   /* known_id without that */
    struct credscan_job *scan;      /* credentials are looked for, or NULL */
    _Atomic int cancel;
    int is_beside;               /* another one is made meanwhile: it has not all the room */
    char *notes_dir;             /* the state folder, with what is noted of origins */
    unsigned terms_seq;          /* d->terms_seq as it was */
    struct rules *exclude;       /* a copy of the rules */
    struct snapshot_guard guard; /* that asks these (withhold.h) */
    int is_unheard_of;           /* no version of it was ever made: it may be no session yet */
    struct sealing_keys *keys;   /* to seal the bundle with, NULL: it goes in clear */
    char wire_id[UUID_SIZE];     /* what it is to a server then, or "" */
    int64_t bundle_generation;   /* ... and its generation */

    int rc;
    struct ct_err err;
    char *root;
    char *project;
    struct pack_result result;
    struct job_file *files;
    size_t n_files, cap_files;
    struct strlist memories; /* project folders in whose memory the session can have written */
    struct json_object *skipped;
    struct json_object *duplicates;
    struct json_object *others; /* transcripts that hold more than the one that counts */
    int64_t modified_ms;
    int has_news;    /* conversation or files that the last bundle did not hold */
    int is_stub;     /* nothing is in it yet: nothing was made, rc is -1, files are there */
    int is_excluded; /* by the folder in which it began: nothing else was read, rc is -1; of the
                        results metadata (cwd, projectName), project and files are there */
};

/**
 * job_run(arg), job_free(arg):
 * The worker's part; free a job.  ${arg} is a struct job.
 */
void job_run(void *arg);
void job_free(void *arg);

/**
 * job_rules(d, own_id):
 * Return a copy of the rules that knows which sessions but ${own_id} stay here, and who wrote the
 * memory that folders share; the caller owns it.
 */
struct rules *job_rules(struct daemon *d, const char *own_id);

#endif

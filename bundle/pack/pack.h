#ifndef BUNDLE_PACK_PACK_H
#define BUNDLE_PACK_PACK_H

#include <stdatomic.h>
#include <stdint.h>

#include <json-c/json.h>

#include "bundle/seal/seal.h"
#include "bundle/pack/snapshot.h"
#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/hash.h"

/*
 * Snapshot -> content id -> one gzip-compressed tar, sealed if there is a key, in the spool.
 * Blocking; runs on the worker thread, in constant memory.
 */

struct pack_opts {
    const char *cache_dir;     /* block cache (0700, made when needed), or NULL: none */
    int64_t cache_bytes;       /* its limit */
    const char *known_id;      /* content id that is safe (or spooled) already: stop if it is the
                                  same; NULL: none */
    const char *spool_path;    /* where the bundle goes: written beside as .tmp, fsync, rename */
    int64_t spool_room_bytes;  /* more than that is ERR_NOSPACE; 0: no limit */
    const struct key *key;     /* seal bundle and cache with it; NULL: in clear */
    int64_t generation;        /* of the sealed object, from 1 on */
    const _Atomic int *cancel; /* may be NULL */

    /* The transcript that the last bundle held, as its pack_result said; 0 and NULL: none.  Is its
     * content no longer the beginning of the present one, then the session was rewritten. */
    int64_t previous_bytes;
    const char *previous_digest;

    /* The manifest of a version that is stored, as its pack_result said; NULL and 0: none. */
    const void *stored;
    size_t stored_bytes;
};

struct pack_result {
    char content_id[HASH_SHA256_HEX];
    int is_same;                  /* equal to known_id: nothing was written */
    int64_t size_bytes;           /* of the bundle as it lies in the spool */
    char sha256[HASH_SHA256_HEX]; /* the same */
    unsigned char md5[HASH_MD5_BYTES];
    unsigned char object_id[SEAL_OBJECT_ID_BYTES]; /* random; zeros if it is in clear */
    int64_t gzip_bytes;                            /* without seal and padding */
    int64_t raw_bytes;                             /* tar, uncompressed */
    int64_t read_bytes;                            /* read from the data folder */
    int64_t reused_bytes;     /* raw bytes whose compressed form came from the cache */
    int64_t transcript_bytes; /* for previous_bytes and previous_digest of the next bundle */
    char transcript_digest[HASH_SHA256_HEX];
    int is_rewritten;             /* the transcript shrank or its earlier part changed */
    struct buf manifest;          /* what is in it, see manifest.h */
    int contains_stored;          /* all that the stored version held is in this one */
    int has_news;                 /* ... or it holds conversation that the last bundle's lacks; also
                                     if there was no last bundle */
    struct json_object *metadata; /* all of the wire API's metadata members and, for local use,
                                     title, cwd, gitBranch, slug */
};

/**
 * pack_write(s, opts, ret, err):
 * Compute the content id and, unless it is known, write the bundle.  Plans and pastes that the
 * transcript names are found on the way and join the snapshot: list its files afterwards. ERR_RETRY
 * if a file shrank, was replaced or rewritten under our hands (take a new snapshot); ERR_NOSPACE;
 * ERR_CANCELLED.  On error nothing is left behind.  The caller ends ${ret} with
 * pack_result_clear(), on success only.
 */
int pack_write(struct snapshot *s, const struct pack_opts *opts, struct pack_result *ret,
               struct ct_err *err);

/**
 * pack_result_clear(r):
 * Free what is in it.
 */
void pack_result_clear(struct pack_result *r);

/**
 * pack_settle_cache(cache_dir, key):
 * A key came, changed or went: remove the cached blocks of all sessions unless they are sealed with
 * ${key} (NULL: in clear).  pack_write() does that by itself, but only when there is something to
 * pack.
 */
void pack_settle_cache(const char *cache_dir, const struct key *key);

/**
 * pack_give_up_cache(cache_dir):
 * Remove the cached blocks of all sessions.  Return how many bytes that was.
 */
int64_t pack_give_up_cache(const char *cache_dir);

/**
 * pack_forget_cache(cache_dir, session_id):
 * Remove the cached blocks of a session (it was deleted, excluded, or is long gone).  Harmless if
 * there are none.
 */
void pack_forget_cache(const char *cache_dir, const char *session_id);

#endif

#ifndef BUNDLE_OPEN_OPEN_H
#define BUNDLE_OPEN_OPEN_H

#include <stdatomic.h>
#include <stdint.h>

#include "agents/trust.h"
#include "bundle/format/meta.h"
#include "bundle/relocate/relocate.h"
#include "bundle/seal/seal.h"
#include "common/base/err.h"
#include "common/base/hash.h"
#include "common/base/strlist.h"

/*
 * A bundle being opened: seal (if there is one), gzip, tar, meta.json, then everything else into a
 * private folder.  Nothing in it is believed.  Blocking, in constant memory.
 *
 * Refused as a whole (ERR_CORRUPT, one sentence): what is no whole gzip or tar to its last byte,
 * names that lead out of the bundle, names twice, sparse files, a meta.json that is missing or not
 * right, no transcript, more entries or bytes than the limits, contents that are out
 * of proportion to the compressed size.  Left out by name with the reason: what we don't install
 * (session environments, shell snapshots, settings, hooks...), what we don't know, what is neither
 * file nor folder, names with control characters or that are not UTF-8, a history.jsonl that is too
 * large, and the files that the user of a stock client named, each as the place that it came from.
 * A hard link to an entry of the same kind that came before is a copy of it, and counts for the
 * limits as one; from or to the transcript or the history there is none, and a transcript that is a
 * link is refused.
 */
struct opener;

/* Why a file that a stock client's user had named is left out. */
#define OPEN_WORKING_FILE "a working file; --with-files DIR takes it out"

#define OPEN_META_MAX (64 << 10)              /* bytes of meta.json */
#define OPEN_ENTRIES_MAX 100000               /* entries of any kind */
#define OPEN_HISTORY_MAX (64 << 20)           /* of history.jsonl, which is in memory once */
#define OPEN_RATIO_MAX 200                    /* bytes for each compressed byte... */
#define OPEN_RATIO_FLOOR (INT64_C(256) << 20) /* ...once there are more than these */
#define OPEN_BYTES_MAX (INT64_C(64) << 30)    /* all contents */

struct open_opts {
    const char *session_id;    /* the bundle has to be of this session; NULL: of any */
    struct unseal_opts unseal; /* keys, and what is known of it beforehand */
    enum trust trust; /* who vouches for it.  With TRUST_OWN no proportion is too good to be true */
    int with_memory;  /* take memory/ from a stranger's bundle */
    int with_file_history;     /* the same: files that /rewind writes, below the session's folder */
    int keep_mode;             /* leave the permission mode of one's own session as it is */
    int64_t max_bytes;         /* limit on all contents; 0: OPEN_BYTES_MAX */
    const _Atomic int *cancel; /* non-zero: stop with ERR_CANCELLED; may be NULL */

    /* Called now and then with the compressed bytes read so far, of how many; may be NULL. */
    void (*progress)(void *arg, int64_t done_bytes, int64_t total_bytes);
    void *progress_arg;

    /* Called with the transcript as it is in the bundle, piece by piece, and with what other
     * transcripts of the session had more (bundle/pack/others.h); may be NULL. */
    void (*transcript)(void *arg, const void *p, size_t n);
    void *transcript_arg;
};

/* One file of the stage. */
struct open_entry {
    char *name; /* as it comes (see arrival() of agent.h), its path below the stage */
    enum agent_kind kind;
    int64_t size_bytes;                      /* as in the bundle */
    int64_t stage_bytes;                     /* as it lies in the stage: relocation may change it */
    int64_t lines;                           /* of a .jsonl, which no relocation changes; else 0 */
    unsigned char digest[HASH_SHA256_BYTES]; /* as in the bundle */
};

struct open_result {
    enum trust trust; /* who vouches for it, as its opener was told; see also held_vouch() */
    struct open_entry *entries; /* sorted by name; without meta.json and the manifest */
    size_t n;
    struct strlist left_out; /* name, reason, name, reason, ...; escape names for a terminal */
    struct losses losses;    /* what was left out within files */
    struct losses used;      /* agents and skills that it calls */
    int64_t raw_bytes;       /* of all contents */
    int has_mode_reset;      /* a permission mode was set back to default */
    char content_id[HASH_SHA256_HEX]; /* of what is in the bundle (see content.h) */
};

/**
 * opener_new(path, opts, ret, err):
 * Open the bundle and read meta.json.  ERR_CORRUPT if it is none, ERR_REFUSED if it is of another
 * session, an unknown agent or a newer format, or sealed with a key that is not in the ring (reason
 * KEY_MISSING) or is another (KEY_WRONG), or in clear and must not be; ERR_GONE if there is no such
 * file.  The caller frees it.
 */
int opener_new(const char *path, const struct open_opts *opts, struct opener **ret,
               struct ct_err *err);
void opener_free(struct opener *o);

/**
 * opener_meta(o), opener_seal(o):
 * What meta.json says; the header of the seal, NULL if the bundle is in clear.  Borrowed.
 */
const struct meta *opener_meta(const struct opener *o);
const struct seal_header *opener_seal(const struct opener *o);

/**
 * opener_extract(o, stage_dir, relocation, ret, err):
 * Read all the rest, once.  ${stage_dir} is an empty folder that only this user can enter; files go
 * there under their names in the bundle, with mode 0600 in folders of 0700, flushed to the disk by
 * whoever publishes them.  NULL: nothing is written, which checks the bundle.  ${relocation} (may
 * be NULL) moves the paths in JSON text: in the transcript, .jsonl and .json of session-subdir/,
 * tasks/ and todos/, and history.jsonl.  Unless it is one's own, a
 * transcript that ends in another permission mode than "default" gets a record that sets it back
 * (records.h says what counts).
 *
 * Success means that the gzip stream and the tar were whole, there is a transcript, and the content
 * id is the one that meta.json names, if it names one.  ERR_CORRUPT as above, ERR_NOSPACE,
 * ERR_CANCELLED; the caller removes the stage then.  On success the caller ends ${ret} with
 * open_result_free().
 */
int opener_extract(struct opener *o, const char *stage_dir, const struct relocation *relocation,
                   struct open_result *ret, struct ct_err *err);

/**
 * open_result_free(r):
 * Empty it.
 */
void open_result_free(struct open_result *r);

#endif

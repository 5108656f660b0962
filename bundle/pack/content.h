#ifndef BUNDLE_PACK_CONTENT_H
#define BUNDLE_PACK_CONTENT_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "agents/agent.h"
#include "bundle/pack/guard.h"
#include "common/base/err.h"
#include "common/base/hash.h"
#include "common/base/strlist.h"
#include "common/base/uuid.h"

/*
 * The inside of a snapshot, for the files of this room that pack it.
 */

#define CONTENT_BLOCK (1 << 20)   /* contents are read, hashed and compressed in blocks of this */
#define CONTENT_ENTRIES_MAX 99000 /* more than 100,000 are refused on the way back in */

#define SNAPSHOT_ALSO_MAX 16 /* data folders beside the first */

struct content_range {
    int64_t offset, bytes;
};

/* One file of the bundle to be: ${length} bytes of the file ${path}. */
struct content {
    char *path;  /* below the root */
    int root_fd; /* of that: the snapshot's, or another data folder's */
    char *entry; /* name in the bundle */
    enum agent_kind kind;
    int64_t length;     /* what goes in */
    int64_t size_bytes; /* the file as it was frozen */
    int64_t whole;      /* all that can be read of it: that, or what is packed in it */
    int unpacked;       /* the descriptor of that, and one more; 0: it is not packed */
    int64_t mtime_ns, ctime_ns;
    int is_executable; /* a file of file history, whose mode /rewind takes over */
    uint64_t inode, device;
    struct content_range *ranges; /* the parts that go in; NULL: the first ${length} bytes */
    size_t n_ranges;
    int is_cited;   /* another session's, that this one names */
    size_t records; /* of conversation that the transcript lacks, in what another one has */

    /* What the first reading found (pack.c). */
    unsigned char *blocks;                   /* SHA-256 of each block */
    unsigned char digest[HASH_SHA256_BYTES]; /* SHA-256 over those */
    int is_as_stored;                        /* the stored version holds just that */
    int must_verify; /* it may have changed while it was read: read again before it is used */
};

struct snapshot {
    char *root;
    int root_fd;
    int look_fd; /* the data folder that is looked at: root_fd, or one of ${also} */
    struct {
        int fd;
        char *root;
    } also[SNAPSHOT_ALSO_MAX];
    size_t n_also;
    const struct agent *agent;
    char session_id[UUID_SIZE];
    char *user_dir;
    const _Atomic int *cancel;
    char project[256];
    struct content *contents; /* sorted by entry after content_sort() */
    size_t n, cap;
    struct strlist skipped; /* path, reason, path, reason, ... */
    struct content *twins;  /* transcripts that are all in the one that counts */
    size_t n_twins;
    int is_profile;
    const char *preferred; /* project folder whose transcript counts, if others are there too */
    char *history_project; /* the folder of the first prompt, or NULL */
    const struct snapshot_guard *guard;
    struct {
        int root_fd;
        char *project;
        const char *why; /* the guard's */
    } * held;            /* places other than the transcript's, of which nothing goes in */
    size_t n_held;
};

/**
 * content_freeze(s, kind, path, entry, err):
 * Open the file, note its state and add it to the snapshot.  One that is gone is passed over in
 * silence; one that we don't take is reported as skipped.  Return 1 if it was added, 0 if not, -1
 * on error.
 */
int content_freeze(struct snapshot *s, enum agent_kind kind, const char *path, const char *entry,
                   struct ct_err *err);

/**
 * content_clear(c):
 * Free what it holds.
 */
void content_clear(struct content *c);

/**
 * content_place(s, c):
 * Return where it lies: below the root, or absolute if it is of another data folder.  The caller
 * frees it.
 */
char *content_place(const struct snapshot *s, const struct content *c);

/**
 * content_add(s, c):
 * Add what is there already; ${c}'s members become the snapshot's.
 */
void content_add(struct snapshot *s, const struct content *c);

/**
 * content_skip(s, path, reason), content_skip_here(s, path, reason):
 * Note that ${path} was left out; the second takes it below the data folder that is looked at.
 */
void content_skip(struct snapshot *s, const char *path, const char *reason);
void content_skip_here(struct snapshot *s, const char *path, const char *reason);

/**
 * content_is_there_too(s):
 * Return whether the session has a transcript in the data folder that is looked at.
 */
int content_is_there_too(const struct snapshot *s);

/**
 * content_add_pastes(s, names, err), content_add_plans(s, slugs, err):
 * Add the pastes with these ${names}, or the plans of these ${slugs}, that are there and not yet
 * in, from each data folder that has a transcript of the session.
 */
int content_add_pastes(struct snapshot *s, const struct strlist *names, struct ct_err *err);
int content_add_plans(struct snapshot *s, const struct strlist *slugs, struct ct_err *err);

/**
 * content_add_cited(s, cites, err):
 * Add the files of other sessions that the transcript names, as far as they are there.
 */
int content_add_cited(struct snapshot *s, const struct strlist *cites, struct ct_err *err);

/**
 * content_sort(s, err):
 * Sort by entry.  Of several files for one entry the longest has it (then the newest).  Of the
 * session's own folder, which can lie in several project folders, those that it does not begin with
 * go in under a name of their own (ENTRY_OTHERS); others are reported as skipped.
 */
int content_sort(struct snapshot *s, struct ct_err *err);

/**
 * content_transcript(s):
 * Return the content that is the transcript.
 */
struct content *content_transcript(const struct snapshot *s);

/**
 * content_open(s, c, err):
 * Open it again.  Return a descriptor, or -1: ERR_RETRY if it is gone, was replaced or shrank, or
 * was written without growing.
 */
int content_open(const struct snapshot *s, const struct content *c, struct ct_err *err);

/**
 * content_has_changed(c, fd):
 * Return whether the file looks different from when it was frozen, or was so fresh then that a
 * further change might not show in its times.
 */
int content_has_changed(const struct content *c, int fd);

/**
 * content_read(c, fd, p, n, offset, err):
 * Read exactly ${n} bytes of what goes in, from ${offset} of it.  ERR_RETRY if they are not there.
 */
int content_read(const struct content *c, int fd, void *p, size_t n, int64_t offset,
                 struct ct_err *err);

#endif

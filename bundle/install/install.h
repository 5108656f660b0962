#ifndef BUNDLE_INSTALL_INSTALL_H
#define BUNDLE_INSTALL_INSTALL_H

#include <stdatomic.h>
#include <stdint.h>

#include "agents/agent.h"
#include "bundle/install/local.h"
#include "bundle/open/open.h"
#include "common/base/err.h"
#include "common/base/hash.h"
#include "common/base/strlist.h"

/*
 * A bundle -> the data folder, so that `claude --resume` goes on with it; never over something
 * better.  All or nothing: the session is what it was until its transcript is renamed into its
 * place, which comes last.  Blocking, in constant memory but for the sets of record ids.
 */
enum install_outcome {
    INSTALL_NEW,     /* it was not here */
    INSTALL_UPDATED, /* what was here is part of it */
    INSTALL_SAME,    /* it is here already; at most, files that were missing beside it came in */
    INSTALL_KEPT,    /* what is here has more: nothing was done */
    INSTALL_FORCED,  /* it took the place of something else, which is in the backups */
    INSTALL_COPY,    /* it is here under a new id */
    INSTALL_MERGED,  /* what is here holds all of both now */
};

/* Where the session is to live. */
struct install_target {
    char *cwd;     /* the project's folder: absolute, symbolic links resolved */
    char *project; /* name of its project folder; NULL: as the agent names it */
};

struct install_result;

struct install_opts {
    const char *bundle;        /* path of the file */
    const char *session_id;    /* it has to be of this session; NULL: of any */
    const char *home;          /* the home folder that its home becomes */
    const char *scratch_dir;   /* private folder for a rehearsal */
    struct unseal_opts unseal; /* keys, and what is known of the bundle beforehand */
    enum trust trust;          /* who vouches for it */
    int is_forced;             /* replace what is not part of it, and although it is in use */
    int is_merge;              /* make one of both, if each has what the other lacks */
    int may_merge;             /* whoever asks could ask for that */
    int is_copy;               /* install it under a new id */
    int is_rehearsal;          /* find out what would happen, touch nothing */
    int is_careful;            /* keep a backup of all that is replaced, whatever replaces it */
    int with_memory;           /* a stranger's project memory too */
    int with_file_history;     /* the same: what /rewind writes, below the project's folder */
    int is_profile;            /* it has to be what belongs to no session; else it must not be */
    int is_shy;                /* of a profile that no key vouches for, what would speak in what is
                                  worked on here stays out */
    int keep_mode;             /* leave the permission mode of one's own as it is */
    int64_t mtime_ns;          /* time of what is installed, 0: now */
    const _Atomic int *cancel; /* may be NULL */
    void (*progress)(void *arg, int64_t done_bytes, int64_t total_bytes); /* may be NULL */
    void *progress_arg;

    /* Say where the data folder of ${agent}, whose session it is, lies (borrowed; made if it is
     * missing), or NULL with an error. */
    const char *(*find_root)(void *arg, const struct agent *agent, const char *session_id,
                             struct ct_err *err);
    void *find_root_arg;

    /* Say who vouches for what is here of the session.  NULL: nobody. */
    enum trust (*here)(void *arg, const char *session_id);
    void *here_arg;

    /* Say where the session is to live; ${local} is what there is of it here.  The members of
     * ${ret} become the caller's. */
    int (*choose)(void *arg, const struct meta *meta, const struct local *local,
                  struct install_target *ret, struct ct_err *err);
    void *choose_arg;

    /* All is ready; now the data folder changes.  May be NULL. */
    int (*before_commit)(void *arg, const struct install_result *r, struct ct_err *err);
    void *before_commit_arg;
};

/* Why memory of a profile stays out that came shyly. */
#define INSTALL_IN_CLEAR \
    "it came in clear, so whoever runs the server can have written it, and what is worked on " \
    "here " \
    "would read it"

struct install_result {
    enum install_outcome outcome;
    const struct agent *agent;  /* NULL: not known yet */
    char session_id[UUID_SIZE]; /* as it is here */
    char *cwd;                  /* where it lives */
    char *project;
    char *path;       /* of its transcript, below the data folder */
    char *git_branch; /* that it was on, or "" */
    char *source_cwd;
    char *backup;   /* below the data folder, or NULL */
    size_t records; /* in the bundle; 0: not counted */
    size_t local_records;
    size_t messages_here, messages_there; /* that the other side lacks; before it was merged */
    struct unite_result united;           /* of INSTALL_MERGED */
    int64_t files_aside;                  /* of the side that gave way, under other names */
    int64_t files_added, files_replaced, files_kept, memory_kept, prompts;
    int has_mode_reset;
    struct strlist begins;   /* of the bundle: see news_begins() */
    struct strlist left_out; /* name, reason, ... */
    struct strlist kept;     /* what is another here and stays, below the data folder */
    struct strlist beside;   /* what it has in the session's own folders, below the data folder */
    struct strlist added;    /* of a profile: what comes in, below the data folder */
    struct strlist merged;   /* of a profile: what gets more */
    struct losses losses;    /* what was left out within files */
    struct losses used;      /* what it used there and may lack here (agents/rebuild.h) */

    /* What the daemon will find, if it looks at once: see daemon/session/adopt.h.  Of what was
     * merged only the transcript. */
    char content_id[HASH_SHA256_HEX];
    int64_t transcript_bytes;
    char transcript_digest[HASH_SHA256_HEX];
};

/**
 * install_run(opts, ret, err):
 * Do it.  With is_merge, ERR_REFUSED if the agent's transcripts can't be united; nothing is ever
 * merged into a session that is in use.  ERR_CONFLICT: with reason "diverged" if each side has
 * records that the other lacks, with reason "live" if a running Claude Code works on it; err->msg
 * says how to go on.  ERR_CORRUPT and ERR_REFUSED as of opener_new() and opener_extract();
 * ERR_RETRY if the session changed under our hands; ERR_NOSPACE.  The caller ends ${ret} with
 * install_result_clear(), on failure too: what is known by then is in it.
 */
int install_run(const struct install_opts *opts, struct install_result *ret, struct ct_err *err);
void install_result_clear(struct install_result *r);

/**
 * install_outcome_name(o):
 * Return a stable word: "installed", "updated", "already-here", "kept", "forced", "copied",
 * "merged".
 */
const char *install_outcome_name(enum install_outcome o);

#endif

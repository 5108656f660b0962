#ifndef BUNDLE_INSTALL_PLAN_H
#define BUNDLE_INSTALL_PLAN_H

#include "agents/agent.h"
#include "bundle/compare/compare.h"
#include "bundle/install/local.h"
#include "bundle/open/open.h"
#include "common/base/buf.h"
#include "common/base/err.h"

/*
 * What becomes of each file of a stage, apart from the transcript and the prompt history, when it
 * meets what lies in the data folder.  Nothing there is ever lost:
 *   - what is not there comes in; what is the same stays;
 *   - of two of which one is the beginning of the other, the longer one stays;
 *   - else the file of the side that wins as a whole stays; a local one that gives way is kept as a
 *     backup;
 *   - pastes are named after their content and shared by all sessions: the one that is here stays;
 *   - project memory is shared by many sessions: MEMORY.md gets the lines that it lacks, other
 * files of it stay as they are here.
 *
 * Where both sides are to become one (is_merging) the file of the side that gives way stays too,
 * under another name (bundle/install/both.h); transcripts of subagents are united, and every page
 * of the memory gets the lines that it lacks.  What the result lacks of a transcript's lines comes
 * in beside it.
 */
enum plan_act {
    PLAN_SAME,    /* there already */
    PLAN_ADD,     /* comes in */
    PLAN_REPLACE, /* takes the place of what is, to the byte, its own beginning; merged memory */
    PLAN_BACKUP,  /* takes its place, and the local one goes to the backups */
    PLAN_KEEP,    /* the local one stays */
    PLAN_LEAVE,   /* it is not there, and stays out */
};

struct plan_item {
    const struct open_entry *entry; /* borrowed */
    enum plan_act act;
    char *path;             /* below the data folder */
    char *staged;           /* below the stage */
    struct local_stamp was; /* what is there, if it is to be replaced */
};

struct plan {
    struct plan_item *items;
    size_t n;
    const struct open_entry *transcript; /* borrowed */
    const struct open_entry *history;    /* or NULL */
    int64_t counts[PLAN_LEAVE + 1];
    int64_t aside;       /* files that stay, or come in, under another name */
    int64_t memory_kept; /* files of project memory that are another here and stay */
};

struct plan_target {
    const char *project;          /* its project folder, in the end */
    const char *memory_project;   /* where its memory is kept, in the end; NULL: the same */
    const char *own_project;      /* where the session's own folder is now; it moves along */
    struct compare_trust vouched; /* for what is here, and for what came */
    int is_winning;               /* the bundle wins where neither goes on where the other ends */
    int is_known;                 /* the session is here */
    int is_merging;               /* nothing of either side is to be lost */
    int is_careful;               /* whatever is replaced goes to the backups */
    int is_of_no_session;         /* what something else stands in the way of stays out by itself */
    int is_shy;                   /* memory comes only to where there is nothing yet */
    int is_memory_shy;            /* ... that of ${memory_project} */
    int is_exact;                 /* see struct both */
    const struct strlist *rests;  /* of the transcripts: see rest_stage() */
};

/**
 * plan_make(root_fd, stage_fd, agent, session_id, place, opened, ret, err):
 * Compare the stage with the data folder (${root_fd} -1: there is none) for a session that is to be
 * in ${place}.  Only reads, but for what is merged, which goes into the stage.  ERR_FAIL if
 * something that is no regular file stands in the way of a session's, or a symbolic link.
 */
int plan_make(int root_fd, int stage_fd, const struct agent *agent, const char *session_id,
              const struct plan_target *place, const struct open_result *opened, struct plan *ret,
              struct ct_err *err);
void plan_clear(struct plan *p);

#endif
